'use strict'

const { managerFixture } = require('../manager.js')

module.exports = managerFixture({
  title: 'Yarn 1',
  packages: { yarn: '1.22.22' },
  add: ['yarn', 'add', '--cache-folder', '../yarn-cache']
})
