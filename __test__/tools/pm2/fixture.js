'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')

const PATIENCE_MS = 60_000

module.exports = {
  title: 'pm2 in cluster mode, with `reload`: each process has maps of its own',
  group: 'pool',
  needs: 'nothing',
  packages: { pm2: '7.0.4' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ folder, run }) {
    const env = { PM2_HOME: path.join(folder, '.pm2') }
    const pm2 = (/** @type {string[]} */ ...args) => run('pm2', args, { env })
    /** What the processes have written: the app adds a line each time that one is up. */
    const lines = async (/** @type {number} */ count) => {
      const file = path.join(folder, 'up.txt')
      const end = Date.now() + PATIENCE_MS
      for (;;) {
        const found = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : []
        if (found.length >= count || Date.now() > end) return found
        await sleep(50)
      }
    }
    try {
      await pm2('start', 'app.js', '--instances', '2')
      assert.deepEqual(await lines(2), ['a worker 2', 'a worker 2'])
      await pm2('reload', 'app')
      assert.deepEqual(await lines(4), ['a worker 2', 'a worker 2', 'a worker 2', 'a worker 2'])
      const { stdout } = await pm2('jlist')
      const processes = JSON.parse(stdout.slice(stdout.indexOf('[{')))
      assert.deepEqual(
        processes.map((/** @type {any} */ { pm2_env: { status, restart_time } }) => [status, restart_time]),
        [
          ['online', 1],
          ['online', 1]
        ]
      )
    } finally {
      await pm2('kill')
    }
  }
}
