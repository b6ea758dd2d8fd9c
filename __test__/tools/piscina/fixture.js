'use strict'

const assert = require('node:assert/strict')

module.exports = {
  title: 'piscina',
  group: 'pool',
  needs: 'nothing',
  packages: { piscina: '5.3.2' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ run }) {
    const { stdout } = await run('node', ['main.mjs'], { timeoutS: 60 })
    assert.equal(stdout, '101 4950 {"from":"a worker"}\n')
  }
}
