'use strict'

const { assertOutput } = require('../../support/bundles.js')

module.exports = {
  title: 'tsx',
  group: 'runtime',
  needs: 'nothing',
  packages: { tsx: '4.23.15' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ run }) {
    for (const file of ['main.mts', 'main.cts']) assertOutput(await run('tsx', [file]))
  }
}
