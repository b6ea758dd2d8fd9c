'use strict'

/*
 * What does a repeated read by key cost, next to `Map.get` and to the caches people use inside one thread?
 *
 * All caches get the same bound, with room for every entry, and the same time to live where they have one.
 */

const { byKey } = require('../adapters/typed-map.js')
const { map } = require('../adapters/map.js')
const { lruCache, lruMap, quickLru } = require('../adapters/lru-caches.js')
const { compare, variant } = require('../harness/compare.js')
const { workOf } = require('../harness/life.js')
const { atLeast, atMost, entriesOf, rowsOf } = require('../harness/question.js')

const TTL_MS = 3_600_000

/** Times the time without a limit. */
const LIMIT_COST = 1.2

/** Times the time of Map.get. */
const TARGETS = [{ entries: 1_000 }, { entries: 10_000, slower: 1.5 }, { entries: 100_000, slower: 2 }]

async function measure({ quick }, report) {
  const rows = []
  const targets = []
  for (const [i, { entries, slower }] of TARGETS.entries()) {
    const roomy = { nearCache: { maxEntries: entries, maxBytes: '1gb' } }
    const free = variant(byKey, 'hot-key', 'TypedMap by key', roomy)
    const bounded = variant(byKey, 'hot-key-bound', 'TypedMap, with a limit', { ...roomy, limit: true })
    const limited = variant(byKey, 'hot-key-limit', 'TypedMap, with a limit and ttl', {
      ...roomy,
      limit: true,
      ttl: TTL_MS
    })
    const peers = [
      variant(lruCache, 'lru-cache-ttl', 'lru-cache, ttl', { ttl: TTL_MS }),
      variant(quickLru, 'quick-lru-ttl', 'quick-lru, maxAge', { ttl: TTL_MS }),
      lruMap
    ]
    const contenders = [map, free, bounded, limited, ...peers]
    const results = await compare({
      contenders,
      work: workOf({ entries, keys: 'string', values: 'small' }),
      operation: 'get',
      seconds: quick ? 1 : 6,
      onRound: part => report((i + part) / TARGETS.length)
    })
    rows.push(...rowsOf(entriesOf(entries), contenders, results))
    const time = contender => results[contender.name].median
    if (slower !== undefined) {
      const what = `hot get(key), ${entriesOf(entries)}: time against Map.get`
      targets.push(atMost(what, slower, time(free) / time(map)))
    }
    targets.push(
      atMost(
        `hot get(key), ${entriesOf(entries)}: time with a limit against without`,
        LIMIT_COST,
        time(bounded) / time(free)
      ),
      atLeast(
        `hot get(key), ${entriesOf(entries)}, same limits: times faster than lru-cache with ttl`,
        1,
        time(peers[0]) / time(limited)
      )
    )
  }
  return { rows, targets, chart: { unit: 'ns', highlight: ['TypedMap'] } }
}

module.exports = { title: 'Repeated reads by key', tasks: { measure } }
