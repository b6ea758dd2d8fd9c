'use strict'

const assert = require('node:assert/strict')

module.exports = {
  title: 'Node.js with type stripping',
  group: 'runtime',
  needs: 'nothing',
  packages: { node: '24.9.0' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ run }) {
    const { stdout } = await run('node', ['main.ts'])
    assert.equal(stdout, '1 true a worker\n')
  }
}
