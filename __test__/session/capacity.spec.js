'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')

require('../support/sound.js')

const fill = (map, count) => map.setMany(Array.from({ length: count }, (_, n) => [n, n]))

describe('capacity', () => {
  it('makes room at once, and does not grow until it is used up', () => {
    const map = new TypedMap()
    map.reserve(10_000)
    const { capacity } = map.getStats()
    assert.ok(capacity >= 10_000)
    fill(map, 10_000)
    assert.equal(map.getStats().capacity, capacity)
    map.close()
  })

  it('is made with the room that initialCapacity asks for', () => {
    const map = new TypedMap({ initialCapacity: 5_000 })
    assert.ok(map.getStats().capacity >= 5_000)
    map.close()
  })

  it('releases unused memory, and loses nothing', () => {
    // Few shards: a shard moves its entries with its own writes, so each must get enough of them, whatever the seed.
    const map = new TypedMap({ shards: 4 })
    map.reserve(100_000)
    fill(map, 1_000)
    const before = map.getStats().memory.index
    map.shrinkToFit()
    for (let round = 0; round < 50; round++) fill(map, 1_000)
    assert.ok(map.getStats().memory.index < before / 10)
    assert.deepEqual(
      [...map.values()],
      Array.from({ length: 1_000 }, (_, n) => n)
    )
    map.close()
  })

  it('refuses room that does not fit under the limit', () => {
    const map = new TypedMap({ memoryLimit: '1mb' })
    assert.throws(() => map.reserve(10_000_000), { code: 'ERR_MEMORY_LIMIT' })
    map.set('a', 1)
    assert.equal(map.get('a'), 1)
    map.close()
  })

  it('names what is wrong with a number of entries', () => {
    const map = new TypedMap()
    for (const wrong of [-1, 1.5, Number.NaN, 2 ** 33]) {
      assert.throws(() => map.reserve(wrong), { code: 'ERR_INVALID_OPTION', name: /RangeError|TypedMapError/ })
    }
    assert.throws(() => map.reserve('10'), /entries is .*10.*; allowed: an integer from 0/)
    map.close()
  })

  it('reports how much of the memory for entries is free for others', () => {
    const map = new TypedMap()
    fill(map, 20_000)
    assert.ok(map.getStats().memory.fragmentation < 0.2)
    for (let n = 0; n < 20_000; n++) if (n % 4 !== 0) map.delete(n)
    assert.ok(map.getStats().memory.fragmentation > 0.3)
    map.close()
  })
})
