'use strict'

/*
 * A hot key: one counter takes nearly all the writes, so its shard works and the others are idle.
 *
 *   node examples/trouble/hot-key.js [--healthy] [--page]
 */

const { isMainThread, workerData } = require('node:worker_threads')
const { TypedMap } = require('typed-superdashmap')
const { hire, serve } = require('./crew.js')
const { FROM_STATS, play } = require('./stage.js')

const WORKERS = 2
const SHARDS = 16
const KEYS = 1_000
/** Of each worker in a round. Together they are enough for the shard to notice that it has more than its share. */
const CALLS = 100_000

/** One call in so many is about another key. */
const RARELY = 10

/** The key of a call. @param {boolean} isHealthy @param {number} call */
const keyOf = (isHealthy, call) => (isHealthy || call % RARELY === 0 ? `page:${call % KEYS}` : 'page:home')

/** A worker that counts visits. */
function visits({ name, isHealthy }) {
  const map = TypedMap.open(name)
  const round = () => {
    for (let call = 0; call < CALLS; call++) {
      const key = keyOf(isHealthy, call)
      map.increment(key)
      if (call % 2 === 0) map.get(key)
    }
  }
  return { round, close: () => map.close() }
}

const trouble = {
  title: 'One key takes nearly all the load',
  code: 'shard.skewed',
  from: FROM_STATS,
  figures: ['slow.skewed', 'eachShard.locks.acquisitions', 'locks.contentionRatio'],
  async start({ name, isHealthy }) {
    const map = TypedMap.open(name, { shards: SHARDS, hotKeys: true })
    const crew = hire(__filename, WORKERS, { serves: __filename, name, isHealthy })
    return {
      map,
      round: crew.round,
      async close() {
        await crew.close()
        map.destroy()
      }
    }
  }
}

if (!isMainThread && workerData?.serves === __filename) serve(visits)
else if (require.main === module) play(trouble)

module.exports = trouble
