'use strict'

const { managerFixture } = require('../manager.js')

module.exports = managerFixture({
  title: 'pnpm',
  packages: { pnpm: '12.21.0' },
  add: ['pnpm', 'add', '--store-dir', '../pnpm-store']
})
