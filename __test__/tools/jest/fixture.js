'use strict'

const assert = require('node:assert/strict')

module.exports = {
  title: 'Jest, environments `node` and `jsdom`, several files per worker, `resetModules`',
  group: 'runner',
  needs: 'nothing',
  packages: { jest: '30.5.2', 'jest-environment-jsdom': '30.5.2' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ run }) {
    const ways = [
      ['--env=node', '--runInBand'],
      ['--env=jsdom', '--runInBand'],
      // Two workers for three files, as threads and as processes.
      ['--env=node', '--maxWorkers=2', '--workerThreads'],
      ['--env=jsdom', '--maxWorkers=2'],
      ['--env=node', '--runInBand', '--resetModules'],
      ['--env=node', '--detectOpenHandles']
    ]
    for (const flags of ways) {
      // Ends by itself: no --forceExit.
      const { stdout, stderr } = await run('jest', [...flags, '--json'], { timeoutS: 120 })
      const { numPassedTests, openHandles } = JSON.parse(stdout)
      assert.equal(numPassedTests, 8, flags.join(' '))
      assert.deepEqual(openHandles, [], flags.join(' '))
      assert.doesNotMatch(stderr, /open handle|did not exit|warning/i, flags.join(' '))
    }
  }
}
