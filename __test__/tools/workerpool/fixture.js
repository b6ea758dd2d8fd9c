'use strict'

const assert = require('node:assert/strict')

module.exports = {
  title: 'workerpool',
  group: 'pool',
  needs: 'nothing',
  packages: { workerpool: '10.0.3' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ run }) {
    const { stdout } = await run('node', ['main.mjs'], { timeoutS: 60 })
    assert.equal(stdout, '101 4950 {"from":"a worker"}\n')
  }
}
