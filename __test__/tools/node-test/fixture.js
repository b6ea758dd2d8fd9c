'use strict'

const assert = require('node:assert/strict')

module.exports = {
  title: '`node:test`, also with `--test-isolation=none`',
  group: 'runner',
  needs: 'nothing',
  packages: { node: '24.9.0' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ run }) {
    for (const flags of [[], ['--test-isolation=none']]) {
      const { stdout } = await run('node', ['--test', '--test-reporter=tap', ...flags, 'one.test.mjs', 'two.test.js'])
      assert.match(stdout, /^# pass 4$/m, flags.join(' '))
      assert.match(stdout, /^# fail 0$/m, flags.join(' '))
    }
  }
}
