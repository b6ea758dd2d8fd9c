'use strict'

/*
 * A contended shard: four workers write to a map of one shard, and wait for each other.
 *
 *   node examples/trouble/contended-shard.js [--healthy] [--page]
 */

const { isMainThread, workerData } = require('node:worker_threads')
const { TypedMap } = require('typed-superdashmap')
const { hire, serve } = require('./crew.js')
const { FROM_STATS, play } = require('./stage.js')

const WORKERS = 4
const SHARDS = 64
const KEYS = 800
/** How long each worker writes in a round: so long that they do it at the same time, on few processors, too. */
const ROUND_MS = 500

/**
 * A list of keys for each worker. Without the trouble, no two workers write to the same shard, so that none ever waits;
 * with many shards and keys of any shard, they would wait rarely.
 *
 * @param {TypedMap} map
 * @param {boolean} isHealthy
 */
function shareKeys(map, isHealthy) {
  const lists = Array.from({ length: WORKERS }, () => [])
  for (let id = 0; id < KEYS; id++) {
    const key = `key ${id}`
    map.set(key, 0)
    lists[(isHealthy ? map.explain(key).shard : id) % WORKERS].push(key)
  }
  return lists
}

/** A worker that writes. */
function writer({ name, number, lists }) {
  const map = TypedMap.open(name)
  const round = () => {
    const end = Date.now() + ROUND_MS
    for (let turn = 1; Date.now() < end; turn++) map.setMany(lists[number].map(key => [key, turn]))
  }
  return { round, close: () => map.close() }
}

const trouble = {
  title: 'Writers wait for each other in a shard',
  code: 'shard.contended',
  from: FROM_STATS,
  figures: ['locks.contentionRatio', 'locks.meanWaitNs', 'slow.contended', 'eachShard.locks.waits'],
  async start({ name, isHealthy }) {
    const map = TypedMap.open(name, { shards: isHealthy ? SHARDS : 1 })
    const crew = hire(__filename, WORKERS, { serves: __filename, name, lists: shareKeys(map, isHealthy) })
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

if (!isMainThread && workerData?.serves === __filename) serve(writer)
else if (require.main === module) play(trouble)

module.exports = trouble
