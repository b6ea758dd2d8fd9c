'use strict'

const assert = require('node:assert/strict')

module.exports = {
  title: 'Deno',
  group: 'runtime',
  needs:
    '`--allow-ffi --allow-read --allow-env`; a busy worker that is terminated leaves its maps open, ' +
    'until they are destroyed',
  packages: { deno: '2.9.6' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ run }) {
    const { stdout } = await run('deno', ['run', '--allow-ffi', '--allow-read', '--allow-env', 'main.mjs'], {
      timeoutS: 60
    })
    assert.equal(stdout, 'values ok\nworker ok\nexpiry ok\neviction ok\nerrors ok\nterminated ok\nnear ok\n')
  }
}
