'use strict'

const assert = require('node:assert/strict')
const { readFileSync, rmSync } = require('node:fs')
const path = require('node:path')

module.exports = {
  title: 'Vitest, pools `forks`, `threads`, `vmThreads` and `vmForks`, also without isolation',
  group: 'runner',
  needs: 'nothing',
  packages: { vitest: '5.1.1', node: '24.9.0' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ folder, run }) {
    const ways = ['forks', 'threads', 'vmThreads', 'vmForks'].map(pool => ['--pool', pool])
    ways.push(['--pool', 'forks', '--no-isolate'], ['--pool', 'threads', '--no-isolate'])
    const file = path.join(folder, 'results.json')
    for (const flags of ways) {
      // One worker for all files, so each but the first meets what the others left.
      const args = ['run', ...flags, '--maxWorkers=1', '--reporter=json', `--outputFile=${file}`]
      const { stderr } = await run('vitest', args, { timeoutS: 120 })
      assert.equal(JSON.parse(readFileSync(file, 'utf8')).numPassedTests, 5, flags.join(' '))
      rmSync(file)
      assert.doesNotMatch(stderr, /close timed out|hanging|warning/i, flags.join(' '))
    }
  }
}
