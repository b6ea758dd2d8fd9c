'use strict'

const assert = require('node:assert/strict')

module.exports = {
  title: 'mocha, also with `--parallel`',
  group: 'runner',
  needs: 'nothing',
  packages: { mocha: '12.0.3' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ run }) {
    for (const flags of [[], ['--parallel', '--jobs', '2']]) {
      const { stdout } = await run('mocha', [...flags, '--reporter', 'json', 'one.test.js', 'two.test.mjs'])
      assert.equal(JSON.parse(stdout).stats.passes, 4)
    }
  }
}
