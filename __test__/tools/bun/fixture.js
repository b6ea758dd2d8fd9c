'use strict'

const assert = require('node:assert/strict')

module.exports = {
  title: 'Bun',
  group: 'runtime',
  needs: 'nothing',
  packages: { bun: '1.4.5' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ run }) {
    const { stdout } = await run('bun', ['main.mjs'], { timeoutS: 60 })
    assert.equal(stdout, 'values ok\nworker ok\nexpiry ok\neviction ok\nerrors ok\nterminated ok\nnear ok\n')
  }
}
