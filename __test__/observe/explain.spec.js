'use strict'

// `explain`: each figure, caused.

const assert = require('node:assert/strict')
const { describe, it } = require('node:test')
const { TypedMap } = require('../..')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

describe('explain', () => {
  it('says where an entry is, what it costs and how it is stored', () => {
    const map = new TypedMap({ shards: 4 })
    map.set('key', [1, 'text'])
    const handle = map.getHandle('key')
    const { version, ...rest } = map.explain('key')
    assert.deepEqual(rest, {
      shard: handle.shard,
      slot: handle.slot,
      generation: handle.generation,
      probeLength: 1,
      isMigrating: false,
      type: null,
      keyBytes: 3,
      valueBytes: rest.valueBytes,
      weightBytes: map.memoryUsage('key'),
      expiresInMs: null,
      ttlMs: null,
      eviction: { policy: null, queue: null, uses: null, frequency: null, isNext: true },
      storedAs: 'json',
      isNear: false
    })
    assert.deepEqual(map.explain(handle), map.explain('key'))
    assert.deepEqual(JSON.parse(JSON.stringify(map.explain('key'))), map.explain('key'))
    map.set('key', { a: 2 })
    assert.notEqual(map.explain('key').version, version)
    map.get('key')
    assert.equal(map.explain('key').isNear, true)
    map.set('key', { a: 3 })
    assert.equal(map.explain('key').isNear, false)
    map.close()
  })

  it('names every kind of value, and the type', () => {
    const map = new TypedMap()
    const values = {
      undefined: undefined,
      null: null,
      boolean: false,
      number: 1.5,
      string: 'text',
      bigint: 5n,
      json: [1, 'a'],
      record: { n: 1 },
      Uint8Array: new Uint8Array(9),
      Buffer: Buffer.alloc(9),
      Float64Array: new Float64Array(2)
    }
    // A shape is known once it was seen some times.
    for (let n = 0; n < 100; n++) map.set(n, { n })
    for (const [storedAs, value] of Object.entries(values)) {
      map.set(storedAs, value)
      assert.equal(map.explain(storedAs).storedAs, storedAs)
    }
    assert.equal(map.explain('Uint8Array').valueBytes, 9)
    const handle = map.insert({ n: 1 }, { type: 'Numbers' })
    const { type, keyBytes, probeLength, slot } = map.explain(handle)
    assert.deepEqual(
      { type, keyBytes, probeLength, slot },
      { type: 'Numbers', keyBytes: 0, probeLength: null, slot: handle.slot }
    )
    map.close()
    const encoded = new TypedMap({
      codec: { contentType: 'text/plain', encode: value => `<${value}>`, decode: text => text.slice(1, -1) }
    })
    encoded.set('a', 'b')
    assert.equal(encoded.explain('a').storedAs, 'encoded')
    encoded.close()
  })

  it('is undefined where nothing is, and counts as no read', () => {
    const map = new TypedMap({ maxEntries: 10, evictionStrategy: 'sieve' })
    map.set('a', 1).set('b', 1)
    const handle = map.getHandle('a')
    const before = map.getStats()
    assert.equal(map.explain('missing'), undefined)
    assert.equal(map.explain('a').eviction.uses, 0)
    const { hits, misses } = map.getStats()
    assert.deepEqual({ hits, misses }, { hits: before.hits, misses: before.misses })
    map.delete('a')
    assert.equal(map.explain('a'), undefined)
    assert.equal(map.explain(handle), undefined)
    const other = new TypedMap()
    assert.equal(map.explain(other.insert(1)), undefined)
    other.close()
    map.set('a', 1)
    assert.equal(map.explain(handle), undefined, 'of another generation')
    assert.throws(() => map.explain({}), { code: 'ERR_KEY_TYPE' })
    assert.throws(() => map.explain(Symbol('key')), { code: 'ERR_KEY_TYPE' })
    map.close()
    assert.throws(() => map.explain('a'), { code: 'ERR_CLOSED' })
  })

  it('says when an entry expires', () => {
    const clock = TypedMap.setClock()
    const map = new TypedMap({ maxEntries: 10 })
    map.set('a', 1, { ttl: 500 }).set('b', 1)
    clock.advance(100)
    const { expiresInMs, ttlMs, eviction } = map.explain('a')
    assert.deepEqual({ expiresInMs, ttlMs, isNext: eviction.isNext }, { expiresInMs: 400, ttlMs: 500, isNext: true })
    clock.advance(400)
    assert.equal(map.explain('a'), undefined)
    assert.equal(map.explain('b').eviction.isNext, true)
    map.close()
    clock.restore()
  })

  it('counts the words that a look for a key reads', () => {
    const map = new TypedMap({ shards: 1, maxLoadFactor: 0.9 })
    for (let n = 0; n < 3_000; n++) map.set(n, n)
    const lengths = Array.from({ length: 3_000 }, (_, n) => map.explain(n).probeLength)
    assert.ok(Math.min(...lengths) === 1 && Math.max(...lengths) > 3, `${Math.max(...lengths)}`)
    // Linear probing needs on average (1 + 1 / (1 - load)) / 2.
    const mean = lengths.reduce((sum, length) => sum + length) / 3_000
    const load = map.getStats().loadFactor
    if (!map.isMigrating) assert.ok(Math.abs(mean - (1 + 1 / (1 - load)) / 2) < 1, `${mean} at ${load}`)
    map.close()
  })

  for (const evictionStrategy of ['lru', 'lfu', 'fifo', 'ttl', 'sieve', 's3-fifo', 'w-tinylfu']) {
    it(`${evictionStrategy}: says which entry is evicted next, and which was used`, () => {
      const map = new TypedMap({ maxEntries: 40, shards: 1, evictionStrategy })
      let right = 0
      for (let n = 0; n < 200; n++) {
        if (map.size === 40) {
          const next = [...map.keys()].filter(key => map.explain(key).eviction.isNext)
          assert.equal(next.length, 1)
          map.evict()
          right += map.has(next[0]) ? 0 : 1
        }
        map.set(n, n)
        // Some by native calls, the others by the near cache.
        for (let hit = n % 7; hit > 0; hit--) map.get(n - (n % 5))
      }
      assert.ok(right >= 155 && right <= 160, `${right} of 160`)
      map.set('used', 1)
      const { eviction: unused } = map.explain('used')
      for (let hit = 0; hit < 3; hit++) map.get('used')
      const { eviction: used } = map.explain('used')
      assert.equal(used.policy, evictionStrategy)
      const counts = { lfu: 3, sieve: 1, 's3-fifo': 3, 'w-tinylfu': 3 }
      if (evictionStrategy in counts) assert.equal(used.uses - unused.uses, counts[evictionStrategy])
      else assert.equal(used.uses, null)
      const queues = { 's3-fifo': ['small', 'main'], 'w-tinylfu': ['window', 'main'] }
      if (evictionStrategy in queues) assert.ok(queues[evictionStrategy].includes(used.queue))
      else assert.equal(used.queue, null)
      if (evictionStrategy === 'w-tinylfu') assert.ok(used.frequency >= 4 && used.frequency <= 15)
      else assert.equal(used.frequency, null)
      map.close()
    })
  }

  it('says the same in all threads, but for what is near', async () => {
    const map = TypedMap.open('explain', { maxEntries: 100 })
    map.set('a', 'text')
    map.get('a')
    const theirs = await inWorker(({ TypedMap }) => {
      const map = TypedMap.open('explain')
      return map.explain('a')
    })
    assert.deepEqual({ ...theirs, isNear: true }, map.explain('a'))
    assert.equal(theirs.isNear, false)
    map.close()
  })
})
