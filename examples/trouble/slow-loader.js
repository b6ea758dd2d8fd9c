'use strict'

/*
 * A slow loader: what `getOrLoad` asks for takes a third of a second, and everything that needs it waits.
 *
 *   node examples/trouble/slow-loader.js [--healthy] [--page]
 */

const { setTimeout: sleep } = require('node:timers/promises')
const { TypedMap } = require('typed-superdashmap')
const { FROM_STATS, play } = require('./stage.js')

const SLOW_MS = 350
const FAST_MS = 1
/** What a loader may take. */
const TARGET_MS = 100
const ROWS = 20
/** Callers that want each row at the same time. */
const CALLERS = 5

const trouble = {
  title: 'A loader is slow',
  code: 'load.slow',
  from: FROM_STATS,
  figures: ['loads.meanMs', 'loads.shared', 'slow.load', 'latency.load.p99Ns'],
  /** `wait` stands for the database. */
  async start({ name, isHealthy, wait = sleep }) {
    const map = TypedMap.open(name, { latency: true, timeTargets: { load: TARGET_MS } })
    let rounds = 0
    return {
      map,
      async round() {
        rounds++
        const loadRow = async key => {
          await wait(isHealthy ? FAST_MS : SLOW_MS)
          return { key }
        }
        const calls = Array.from({ length: ROWS * CALLERS }, (_, call) =>
          map.getOrLoad(`row:${rounds}:${call % ROWS}`, loadRow)
        )
        await Promise.all(calls)
      },
      async close() {
        map.destroy()
      }
    }
  }
}

if (require.main === module) play(trouble)

module.exports = trouble
