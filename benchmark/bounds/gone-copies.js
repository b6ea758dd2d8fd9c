'use strict'

/* Pages of 5 KB are read through near caches, then expire or are evicted: copies end with their entries. */

const { atMost } = require('../harness/question.js')

const TTL_MS = 300
const READS = 50
const TEXT = 'x'.repeat(60)
const KEYS = 20_000

const pageOf = key => ({ key, lines: Array.from({ length: 60 }, (_, line) => `${line} ${TEXT}`) })

module.exports = {
  title: 'Copies of expired and evicted entries, 32 MB',
  options: { memoryLimit: '32mb', nearCache: { maxBytes: 64 * 2 ** 20, maxEntries: 100_000 } },
  heapMb: 80,
  step(map, { random }) {
    for (let n = 0; n < READS; n++) {
      const key = Math.floor(random() * KEYS)
      if (map.get(key) === undefined) map.set(key, pageOf(key), { ttl: TTL_MS })
      map.get(key)
    }
  },
  end: () => new Promise(resolve => setTimeout(resolve, 10 * TTL_MS)),
  targets: ({ ended, threads }) => [
    atMost('heap of each thread when all entries are gone', 6, ended.heapMb / threads, ' MB')
  ]
}
