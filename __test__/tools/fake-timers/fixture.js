'use strict'

const assert = require('node:assert/strict')
const { readFileSync, rmSync } = require('node:fs')
const path = require('node:path')

module.exports = {
  title: 'fake timers of Jest (modern, also in `jsdom`), Vitest, sinon and `node:test`',
  group: 'runner',
  needs: '`TypedMap.setClock({ now: () => Date.now() })` for a `ttl` to follow them',
  packages: {
    jest: '30.5.2',
    'jest-environment-jsdom': '30.5.2',
    vitest: '5.1.1',
    sinon: '22.1.0',
    node: '24.9.0'
  },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ folder, run }) {
    const file = path.join(folder, 'results.json')
    for (const flags of [
      ['--env=node', '--runInBand'],
      ['--env=jsdom', '--runInBand'],
      ['--workerThreads', '-w=2']
    ]) {
      const { stdout } = await run('jest', [...flags, '--testTimeout=60000', '--json'], { timeoutS: 180 })
      assert.equal(JSON.parse(stdout).numPassedTests, 5, flags.join(' '))
    }
    for (const pool of ['forks', 'threads', 'vmThreads']) {
      const args = ['run', '--pool', pool, '--maxWorkers=2', '--testTimeout=60000', '--reporter=json']
      await run('vitest', [...args, `--outputFile=${file}`], { timeoutS: 180 })
      assert.equal(JSON.parse(readFileSync(file, 'utf8')).numPassedTests, 4, pool)
      rmSync(file)
    }
    for (const program of ['sinon.mjs', 'node.mjs', 'late.mjs']) {
      const { stdout } = await run('node', ['--test', '--test-reporter=tap', program])
      assert.match(stdout, /^# fail 0$/m, program)
    }
  }
}
