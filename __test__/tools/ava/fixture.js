'use strict'

const assert = require('node:assert/strict')

module.exports = {
  title: 'AVA, files in threads and in processes',
  group: 'runner',
  needs: 'nothing',
  packages: { ava: '8.0.0', node: '22.23.3' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ run }) {
    for (const flags of [[], ['--no-worker-threads'], ['--serial']]) {
      const { stdout } = await run('ava', [...flags, '--tap', 'one.test.mjs', 'two.test.mjs'])
      assert.match(stdout, /^# pass 3$/m, flags.join(' '))
      assert.match(stdout, /^# fail 0$/m, flags.join(' '))
    }
  }
}
