'use strict'

const { assertChecks } = require('../../support/runtimes.js')

module.exports = {
  title: 'Bun',
  group: 'runtime',
  needs: 'nothing',
  packages: { bun: '1.4.5' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  run: context => assertChecks(context, ['bun'])
}
