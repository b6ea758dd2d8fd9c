'use strict'

/*
 * Refused writes: a map that may evict nothing is full.
 *
 *   node examples/trouble/refused-writes.js [--healthy] [--page]
 */

const { TypedMap } = require('typed-superdashmap')
const { FROM_STATS, play } = require('./stage.js')

const JOBS = 2_000
const ROOM = 1_000

const trouble = {
  title: 'A limit refuses writes',
  code: 'limit.entries',
  from: FROM_STATS,
  figures: ['refusals', 'errors.byCode', 'entries', 'limits.maxEntries'],
  async start({ name, isHealthy }) {
    const map = TypedMap.open(name, { maxEntries: isHealthy ? 2 * JOBS : ROOM, oomStrategy: 'reject' })
    return {
      map,
      async round() {
        for (let id = 0; id < JOBS; id++) {
          try {
            map.set(`job:${id}`, { id })
          } catch (error) {
            if (error.code !== 'ERR_MEMORY_LIMIT') throw error
          }
        }
      },
      async close() {
        map.destroy()
      }
    }
  }
}

if (require.main === module) play(trouble)

module.exports = trouble
