'use strict'

/*
 * Colliding keys: a client that knows the hash and its seed sends keys that all want the same place of the index.
 *
 *   node examples/trouble/hash-collisions.js [--healthy] [--page]
 */

const { TypedMap } = require('typed-superdashmap')
const { collidingKeys } = require('./colliding-keys.js')
const { FROM_STATS, play } = require('./stage.js')

/** More than a long probe, which takes 1,024 steps. */
const KEYS = 1_200
const SEED = 7
/** Bits of the hash that the keys have in common: as many as say where a key belongs in so small a map. */
const BITS = 8

const trouble = {
  title: 'Many keys have the same hash',
  code: 'index.long-probe',
  from: FROM_STATS,
  figures: ['index.longestProbe', 'index.meanProbe', 'index.collisions', 'slow.longProbes'],
  async start({ name, isHealthy }) {
    // The default, 'ahash' with a random seed, cannot be foreseen by a client.
    const map = TypedMap.open(name, isHealthy ? { shards: 1 } : { shards: 1, hash: 'fnv1a', seed: SEED })
    const keys = collidingKeys(KEYS, SEED, BITS)
    return {
      map,
      async round() {
        map.clear()
        for (const key of keys) map.set(key, 1)
      },
      async close() {
        map.destroy()
      }
    }
  }
}

if (require.main === module) play(trouble)

module.exports = trouble
