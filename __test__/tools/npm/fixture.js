'use strict'

const { managerFixture } = require('../manager.js')

module.exports = managerFixture({
  title: 'npm',
  packages: { npm: '11.19.1' },
  add: ['npm', 'install', '--no-audit', '--no-fund', '--cache', '../npm-cache']
})
