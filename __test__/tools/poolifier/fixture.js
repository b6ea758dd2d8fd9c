'use strict'

const assert = require('node:assert/strict')

module.exports = {
  title: 'poolifier',
  group: 'pool',
  needs: 'nothing',
  packages: { poolifier: '5.3.2' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ run }) {
    const { stdout } = await run('node', ['main.mjs'], { timeoutS: 60 })
    assert.equal(stdout, '101 4950 {"from":"a worker"}\n')
  }
}
