'use strict'

const assert = require('node:assert/strict')

module.exports = {
  title: 'Deno',
  group: 'runtime',
  needs: 'nothing',
  packages: { deno: '2.9.6' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ run }) {
    const { stdout } = await run('deno', ['run', '--allow-all', 'main.mjs'], { timeoutS: 60 })
    assert.equal(stdout, 'values ok\nworker ok\nexpiry ok\neviction ok\nerrors ok\nnear ok\n')
  }
}
