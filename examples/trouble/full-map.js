'use strict'

/*
 * A full map: twice as much is read as there is room for, so each new entry evicts one that is asked for again soon.
 *
 *   node examples/trouble/full-map.js [--healthy] [--page]
 */

const { TypedMap } = require('typed-superdashmap')
const { FROM_STATS, play } = require('./stage.js')

const PAGES = 2_000
const VALUE = 'x'.repeat(1_000)

const trouble = {
  title: 'The map is full, and evicts what is still asked for',
  code: 'memory.pressure',
  from: FROM_STATS,
  figures: ['cacheHitRate', 'removals.evicted', 'memory.total', 'memory.limit'],
  async start({ name, isHealthy }) {
    const map = TypedMap.open(name, { memoryLimit: isHealthy ? '8mb' : '1mb', evictionStrategy: 'lru' })
    return {
      map,
      async round() {
        // A walk over more than there is room for: the page that is asked for next is the one that was just evicted.
        for (let call = 0; call < 2 * PAGES; call++) {
          const key = `page:${call % PAGES}`
          if (map.get(key) === undefined) map.set(key, VALUE)
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
