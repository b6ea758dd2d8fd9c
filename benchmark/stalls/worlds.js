'use strict'

/* The maps that every method is called on. */

const { TypedMap } = require('typed-superdashmap')

const CHUNK = 10_000
const HUGE_BYTES = 100 * 1024 ** 2

const pairOf = i => ({ host: `host-${i % 1000}`, port: i })

/** Fills a map with keys 0 to `count`, as fast as it goes. */
function fill(map, count, valueAt = pairOf, options) {
  for (let start = 0; start < count; start += CHUNK) {
    const length = Math.min(CHUNK, count - start)
    map.setMany(
      Array.from({ length }, (_, at) => [start + at, valueAt(start + at)]),
      options
    )
  }
  return map
}

/**
 * Worlds by name. `make(entries)` returns a map and the number of entries that it was filled with. In one that `keeps`
 * only some sizes the others say nothing new.
 */
const WORLDS = {
  'no limits': {
    make: entries => fill(new TypedMap(), entries)
  },
  full: {
    make: entries => fill(new TypedMap({ maxEntries: entries, maxValueBytes: 2 * HUGE_BYTES }), entries)
  },
  'lowered limit': {
    make: entries => {
      const map = fill(new TypedMap({ memoryLimit: '8gb', maxEntries: 2 * entries }), entries)
      map.setLimits({ memoryLimit: map.memoryUsage() >> 1, maxEntries: 1_000 })
      return map
    }
  },
  'one shard': {
    make: entries => fill(new TypedMap({ shards: 1 }), entries)
  },
  '4096 shards': {
    make: entries => fill(new TypedMap({ shards: 4_096, maxEntries: 2 * entries }), entries)
  },
  'huge values': {
    isSmall: true,
    make: () => {
      const map = new TypedMap()
      for (let key = 0; key < 8; key++) map.set(key, Buffer.alloc(HUGE_BYTES, key))
      return map
    }
  }
}

module.exports = { HUGE_BYTES, WORLDS, fill, pairOf }
