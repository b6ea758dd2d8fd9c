'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

const HASHES = ['ahash', 'siphash', 'xxh3', 'fnv1a']
const KEYS = [
  ...Array.from({ length: 500 }, (_, n) => `key ${n}`),
  ...Array.from({ length: 500 }, (_, n) => n),
  ...[0.5, 2n ** 70n, true, null, undefined, '\ud800', 'x'.repeat(5_000)]
]

/** A map with these keys, and where each is: its shard, and its place in a scan. */
function placed(options) {
  const map = new TypedMap({ shards: 16, ...options })
  map.setMany(KEYS.map(key => [key, 1]))
  const shards = KEYS.map(key => map.getHandle(key).shard)
  const scanned = [...map.scanIterator()].map(([key]) => key)
  map.close()
  return { shards, scanned }
}

describe('hash', () => {
  for (const hash of HASHES) {
    it(`${hash}: keys of every type are found`, () => {
      const map = new TypedMap({ hash })
      for (const [at, key] of KEYS.entries()) map.set(key, at)
      for (const [at, key] of KEYS.entries()) assert.equal(map.get(key), at)
      map.set(Uint8Array.of(1, 2), 'bytes')
      assert.equal(map.get(Buffer.from([1, 2])), 'bytes')
      assert.equal(map.size, KEYS.length + 1)
    })

    it(`${hash}: the same seed puts keys into the same shards and the same order of a scan`, () => {
      const one = placed({ hash, seed: 7 })
      assert.deepEqual(placed({ hash, seed: 7n }), one)
      assert.notDeepEqual(placed({ hash, seed: 8 }).shards, one.shards)
      assert.notDeepEqual(placed({ hash }).shards, placed({ hash }).shards, 'random without a seed')
    })

    it(`${hash}: the shards are filled evenly by keys that count up`, () => {
      const map = new TypedMap({ hash, shards: 64, seed: 1 })
      const counts = new Uint32Array(64)
      for (let n = 0; n < 16_000; n++) counts[map.insertWithHandle(`${n}`, n).shard]++
      // Of 250 that are expected in each, six standard deviations are 95.
      assert.ok(Math.min(...counts) > 155 && Math.max(...counts) < 345, `${counts}`)
    })
  }

  it('no two of them agree where keys belong', () => {
    const shards = HASHES.map(hash => placed({ hash, seed: 7 }).shards.join())
    assert.equal(new Set(shards).size, HASHES.length)
  })

  it('a seed uses all of its 64 bits', () => {
    const shards = [1n, 1n + 2n ** 63n, 1n + 2n ** 40n].map(seed => placed({ seed }).shards.join())
    assert.equal(new Set(shards).size, 3)
  })

  it('is one for all threads', async () => {
    for (const hash of HASHES) {
      const name = `hash ${hash} ${process.pid}`
      const map = TypedMap.open(name, { hash })
      await inWorker(
        ({ TypedMap: Api, data }) => {
          const own = Api.open(data.name, { hash: data.hash })
          for (let n = 0; n < 1_000; n++) own.set(`of the worker ${n}`, n)
          own.close()
        },
        { name, hash }
      )
      for (let n = 0; n < 1_000; n++) assert.equal(map.get(`of the worker ${n}`), n)
      map.close()
    }
  })
})
