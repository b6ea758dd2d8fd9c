'use strict'

const assert = require('node:assert/strict')

module.exports = {
  title: '`node:cluster`: each process has maps of its own, which its threads share',
  group: 'pool',
  needs: 'nothing',
  packages: {},

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ run }) {
    const { stdout } = await run('node', ['main.js'], { timeoutS: 60 })
    assert.equal(stdout, '{"own":"a worker","of":"process 1"} {"own":"a worker","of":"process 2"} primary\n')
  }
}
