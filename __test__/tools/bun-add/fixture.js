'use strict'

const { managerFixture } = require('../manager.js')

module.exports = managerFixture({
  title: '`bun add`',
  packages: { bun: '1.4.5' },
  add: ['bun', 'add']
})
