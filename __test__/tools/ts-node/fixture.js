'use strict'

const assert = require('node:assert/strict')

module.exports = {
  title: 'ts-node',
  group: 'runtime',
  needs: 'nothing',
  packages: { 'ts-node': '10.9.2', typescript: '5.9.3', '@types/node': '20.19.25' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ run }) {
    const { stdout } = await run('ts-node', ['main.ts'])
    assert.equal(stdout, '1 true a worker\n')
    // Types are checked: a value of another type is refused.
    const { stderr } = await run('ts-node', ['wrong.ts'], { status: 1 })
    assert.match(stderr, /TS2345/)
  }
}
