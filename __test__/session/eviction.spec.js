'use strict'

// A full map: which entry each strategy evicts for a newcomer, and what happens when none may be evicted.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { stillMap } = require('../support/clock.js')
const { isTyped, refusesUnchanged, throwsTyped } = require('../support/errors.js')
const { seededRandom } = require('../support/random.js')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

const MB = 1024 * 1024
const STRATEGIES = ['lru', 'lfu', 'ttl', 'fifo', 'sieve', 's3-fifo', 'w-tinylfu']

/** A map of one shard with room for as many entries as there are keys, which are set in order. */
const full = (keys, options) => {
  const map = new TypedMap({ maxEntries: keys.length, shards: 1, ...options })
  for (const key of keys) map.set(key, key)
  return map
}

const keysOf = map => [...map.keys()]

describe('eviction: the evicted entry', () => {
  it('fifo: evicts the oldest entry, whatever was read and written', () => {
    const map = full(['a', 'b', 'c'], { evictionStrategy: 'fifo' })
    for (let n = 0; n < 10; n++) map.get('a')
    map.set('a', 'again')
    map.set('d', 1)
    assert.deepEqual(keysOf(map), ['b', 'c', 'd'])
    map.set('e', 1)
    assert.deepEqual(keysOf(map), ['c', 'd', 'e'])
  })

  it('lru: evicts the least recently used entry; reads by key and by handle count', () => {
    const map = full(['a', 'b', 'c', 'd'], { evictionStrategy: 'lru' })
    const handle = map.getHandle('a')
    map.get(handle)
    map.get('b')
    map.get('b')
    map.set('e', 1)
    assert.deepEqual(keysOf(map), ['a', 'b', 'd', 'e'], 'c was used least recently')
    map.set('f', 1)
    assert.deepEqual(keysOf(map), ['a', 'b', 'e', 'f'], 'then d')
    map.get(handle)
    map.set('g', 1)
    assert.deepEqual(keysOf(map), ['a', 'e', 'f', 'g'], 'then b, as a was read again')
    map.getMany(['e'])
    map.set('a', 2)
    map.set('h', 1)
    assert.deepEqual(keysOf(map), ['a', 'e', 'g', 'h'], 'then f')
  })

  it('lru: the same as a list would choose, over many operations', t => {
    const random = seededRandom(t)
    const map = new TypedMap({ evictionStrategy: 'lru', maxEntries: 50, shards: 1 })
    // In the order of use, the oldest first.
    const model = new Map()
    for (let step = 0; step < 20_000; step++) {
      const key = random.below(120)
      const isThere = model.has(key)
      if (random.oneIn(3) || !isThere) {
        if (!isThere && model.size === 50) model.delete(model.keys().next().value)
        map.set(key, step)
        model.delete(key)
        model.set(key, step)
      } else {
        assert.equal(map.get(key), model.get(key))
        const value = model.get(key)
        model.delete(key)
        model.set(key, value)
      }
      if (step % 500 === 0) assert.deepEqual(new Set(map.keys()), new Set(model.keys()))
    }
  })

  it('lfu: evicts the least often used entry', () => {
    const map = full(['a', 'b', 'c'], { evictionStrategy: 'lfu' })
    const handle = map.getHandle('b')
    for (let n = 0; n < 5; n++) map.get('a')
    for (let n = 0; n < 3; n++) map.get(handle)
    map.set('d', 1)
    assert.deepEqual(keysOf(map), ['a', 'b', 'd'])
    map.set('e', 1)
    assert.deepEqual(keysOf(map), ['a', 'b', 'e'])
  })

  it('ttl: evicts the entry that expires soonest, then the oldest', () => {
    const map = new TypedMap({ evictionStrategy: 'ttl', maxEntries: 4, shards: 1 })
    map.set('stays', 1)
    map.set('last', 1, { ttl: 3_000_000 })
    map.set('first', 1, { ttl: 1_000_000 })
    map.set('second', 1, { ttl: 2_000_000 })
    const left = ['first', 'second', 'last', 'stays']
    for (const [index, key] of left.entries()) {
      assert.equal(map.has(key), true)
      map.set(`new ${index}`, 1)
      assert.equal(map.has(key), false, `${key} left`)
    }
  })

  for (const strategy of ['sieve', 's3-fifo', 'w-tinylfu', 'lfu', 'lru']) {
    it(`${strategy}: keys that are read all the time survive a scan`, () => {
      const map = new TypedMap({ evictionStrategy: strategy, maxEntries: 100, shards: 1 })
      const hot = Array.from({ length: 20 }, (_, n) => `hot ${n}`)
      for (const key of hot) map.set(key, key)
      for (let n = 0; n < 2_000; n++) {
        for (const key of hot) map.get(key)
        map.set(`cold ${n}`, n)
      }
      assert.deepEqual(
        hot.filter(key => !map.has(key)),
        []
      )
      assert.equal(map.size, 100)
    })
  }

  it('reads from the near cache protect entries from eviction, also of objects', () => {
    for (const evictionStrategy of ['lru', 'lfu', 'sieve', 's3-fifo', 'w-tinylfu']) {
      const map = new TypedMap({ evictionStrategy, maxEntries: 50, shards: 1 })
      map.set('kept', { by: 'key' })
      const handle = map.insert({ by: 'handle' })
      for (let n = 0; n < 1_000; n++) {
        assert.deepEqual(map.get('kept'), { by: 'key' }, `${evictionStrategy} ${n}`)
        assert.deepEqual(map.get(handle), { by: 'handle' }, `${evictionStrategy} ${n}`)
        map.set(n, n)
      }
      assert.ok(map.getStats().nearHits > 1_000)
    }
  })

  it('a peek keeps nothing', () => {
    const map = full(['a', 'b', 'c'], { evictionStrategy: 'lru' })
    const handle = map.getHandle('a')
    for (let n = 0; n < 10; n++) assert.equal(map.peek('a') + map.peek(handle), 'aa')
    map.set('d', 1)
    assert.deepEqual(keysOf(map), ['b', 'c', 'd'])
    const { hits } = map.getStats()
    map.peek('b')
    map.peek('missing')
    assert.equal(map.getStats().hits, hits)
  })

  for (const evictionStrategy of STRATEGIES) {
    it(`${evictionStrategy}: evicts expired entries first`, () => {
      const { map, advance, close } = stillMap({ evictionStrategy, maxEntries: 10, shards: 1 })
      for (let n = 0; n < 9; n++) map.set(n, n)
      map.set('short', 1, { ttl: 5 })
      for (let n = 0; n < 50; n++) map.get('short')
      advance(10)
      map.set('new', 1)
      assert.deepEqual(keysOf(map), [0, 1, 2, 3, 4, 5, 6, 7, 8, 'new'])
      assert.equal(map.getStats().evictions, 0)
      close()
    })

    it(`${evictionStrategy}: the number of entries is never above its limit, and the newest are there`, () => {
      for (const shards of [1, 8]) {
        const map = new TypedMap({ evictionStrategy, maxEntries: 1_000, shards })
        for (let n = 0; n < 5_000; n++) {
          map.set(n, { n })
          assert.deepEqual(map.peek(n), { n })
          if (n % 100 === 0) assert.ok(map.size <= 1_000)
        }
        assert.ok(map.size > 900 && map.size <= 1_000, `${map.size} entries`)
        assert.ok(map.getStats().evictions >= 4_000)
      }
    })

    it(`${evictionStrategy}: bytes are never above their limit`, t => {
      const random = seededRandom(t)
      const map = new TypedMap({ evictionStrategy, memoryLimit: 4 * MB })
      for (let n = 0; n < 10_000; n++) {
        map.set(random.below(8_000), 'x'.repeat(random.below(random.oneIn(50) ? 40_000 : 2_000)))
        map.get(random.below(8_000))
        if (n % 20 === 0) assert.ok(map.memoryUsage() <= 4 * MB)
      }
      const stats = map.getStats()
      assert.ok(stats.memoryBytes <= 4 * MB && stats.memoryBytes > 2 * MB, `${stats.memoryBytes} bytes`)
      assert.ok(stats.evictions > 1_000)
      assert.equal(stats.refusals, 0)
      for (const [key, value] of map) assert.equal(map.get(key), value)
    })
  }

  it('entries without a key are evicted like others, and their handles are dead', () => {
    const map = new TypedMap({ evictionStrategy: 'fifo', maxEntries: 2, shards: 1 })
    const [first, second, third] = [1, 2, 3].map(n => map.insert({ n }))
    assert.equal(map.get(first), undefined)
    assert.equal(map.has(first), false)
    assert.deepEqual([map.get(second), map.get(third)], [{ n: 2 }, { n: 3 }])
    throwsTyped(() => map.replace(first, 1), ['ERR_HANDLE_NOT_FOUND', 'ERR_GENERATION_MISMATCH'])
  })

  it('no read finds an evicted entry, however it was kept', () => {
    const map = new TypedMap({ evictionStrategy: 'fifo', maxEntries: 1, shards: 1 })
    const handle = map.insertWithHandle('a', { b: 1 })
    assert.deepEqual([map.get('a'), map.get(handle)], [{ b: 1 }, { b: 1 }])
    map.set('c', 1)
    assert.deepEqual([map.get('a'), map.get(handle), map.peek('a'), map.peek(handle)], Array(4).fill(undefined))
    assert.deepEqual(map.getMany(['a', handle]), [undefined, undefined])
  })

  it('writing to a present entry evicts nothing', () => {
    const map = full(['a', 'b', 'c'], {})
    for (const key of ['a', 'b', 'c']) map.set(key, 'again')
    map.updateMany([['a', 'and again']])
    map.replace(map.getHandle('b'), 'and again')
    assert.equal(map.size, 3)
    assert.equal(map.getStats().evictions, 0)
  })

  it('of a batch that is larger than the map, the last entries stay', () => {
    const map = new TypedMap({ evictionStrategy: 'fifo', maxEntries: 10, shards: 1 })
    map.setMany(Array.from({ length: 100 }, (_, n) => [n, { n }]))
    assert.deepEqual(keysOf(map), [90, 91, 92, 93, 94, 95, 96, 97, 98, 99])
    const handles = map.insertMany(Array.from({ length: 20 }, (_, n) => n))
    assert.deepEqual(
      handles.map(handle => map.get(handle)),
      Array.from({ length: 20 }, (_, n) => (n < 10 ? undefined : n))
    )
  })

  it('threads share the limit', async () => {
    const name = `eviction ${process.pid}`
    const map = TypedMap.open(name, { maxEntries: 1_000, memoryLimit: '8mb' })
    await Promise.all(
      [0, 1, 2].map(worker =>
        inWorker(
          ({ TypedMap, data, assert }) => {
            const map = TypedMap.open(data.name)
            for (let n = 0; n < 20_000; n++) {
              map.set(`${data.worker} ${n}`, { n, text: 'x'.repeat(n % 300) })
              if (n % 500 === 0) {
                assert.ok(map.size <= 1_000)
                assert.ok(map.memoryUsage() <= 8 * 1024 * 1024)
              }
            }
          },
          { name, worker }
        )
      )
    )
    assert.ok(map.size <= 1_000 && map.size > 800, `${map.size} entries`)
    assert.equal([...map].length, map.size)
    map.close()
  })
})

describe('eviction: oomStrategy', () => {
  it('reject: evicts nothing and refuses the write', () => {
    const map = full(['a', 'b'], { oomStrategy: 'reject' })
    refusesUnchanged(map, () => map.set('c', 1), 'ERR_MEMORY_LIMIT')
    assert.equal(map.getStats().refusals, 1)
    map.delete('a')
    map.set('c', 1)
    assert.deepEqual(keysOf(map), ['b', 'c'])
  })

  it('evict-expired: evicts expired entries, then refuses the write', () => {
    const { map, advance, close } = stillMap({ oomStrategy: 'evict-expired', maxEntries: 3, shards: 1 })
    map.set('stays', 1)
    map.set('short', 1, { ttl: 10 })
    map.set('long', 1, { ttl: 1_000 })
    refusesUnchanged(map, () => map.set('new', 1), 'ERR_MEMORY_LIMIT')
    advance(10)
    map.set('new', 1)
    assert.deepEqual(keysOf(map), ['stays', 'long', 'new'])
    refusesUnchanged(map, () => map.set('newer', 1), 'ERR_MEMORY_LIMIT')
    close()
  })

  it('evictIdle: evicts entries that were not used for so long, then refuses the write', () => {
    const { map, advance, close } = stillMap({ oomStrategy: { evictIdle: 1_000 }, maxEntries: 3, shards: 1 })
    for (const key of ['a', 'b', 'c']) map.set(key, { key })
    refusesUnchanged(map, () => map.set('new', 1), 'ERR_MEMORY_LIMIT')
    advance(900)
    assert.deepEqual(map.get('a'), { key: 'a' })
    advance(200)
    map.set('new', 1)
    assert.equal(map.has('a'), true, 'a was used')
    map.set('newer', 1)
    assert.deepEqual(keysOf(map), ['a', 'new', 'newer'])
    refusesUnchanged(map, () => map.set('newest', 1), 'ERR_MEMORY_LIMIT')
    close()
  })
})

describe('eviction: values that are too large', () => {
  it('maxValueBytes refuses them before it evicts anything', () => {
    const map = new TypedMap({ maxValueBytes: 100, maxEntries: 2, shards: 1 })
    map.set('a', 'x'.repeat(100)).set('b', 1)
    const handle = map.getHandle('a')
    const large = 'x'.repeat(101)
    for (const write of [
      () => map.set('c', large),
      () => map.set('a', large),
      () => map.insert({ large }),
      () => map.insert(new Uint8Array(101)),
      () => map.replace(handle, large),
      () => map.getOrInsert('c', large),
      () => map.getOrInsertComputed('c', () => large)
    ]) {
      const error = refusesUnchanged(map, write, 'ERR_VALUE_TOO_LARGE')
      assert.equal(error.details.limitBytes, 100)
      assert.ok(error.details.bytes > 100)
      assert.match(error.message, /100 bytes/)
    }
    const entries = [
      ['a', 'fits'],
      ['b', large]
    ]
    assert.throws(() => map.setMany(entries), { code: 'ERR_VALUE_TOO_LARGE' })
    assert.equal(map.get('a'), 'fits')
    assert.equal(map.getStats().evictions, 0)
  })

  it('one that could never fit under the limit evicts nothing either', () => {
    const map = new TypedMap({ memoryLimit: 2 * MB })
    for (let n = 0; n < 100; n++) map.set(n, 'x'.repeat(1_000))
    const error = refusesUnchanged(map, () => map.set('large', 'x'.repeat(3 * MB)), 'ERR_VALUE_TOO_LARGE')
    isTyped(error, 'ERR_VALUE_TOO_LARGE')
    assert.equal(map.size, 100)
    assert.equal(map.getStats().evictions, 0)
  })
})

describe('eviction: evict', () => {
  it('evicts as many entries as asked for, as the strategy chooses', () => {
    const map = full(['a', 'b', 'c', 'd', 'e'], { evictionStrategy: 'lru' })
    map.get('a')
    assert.equal(map.evict(), 1)
    assert.deepEqual(keysOf(map), ['a', 'c', 'd', 'e'])
    assert.equal(map.evict(2), 2)
    assert.deepEqual(keysOf(map), ['a', 'e'])
    assert.equal(map.evict(0), 0)
    assert.equal(map.evict(10), 2)
    assert.equal(map.evict(), 0)
    assert.equal(map.getStats().evictions, 5)
  })

  it('does so whatever a full map does, and without limits too', () => {
    for (const options of [{}, { oomStrategy: 'reject', maxEntries: 5 }, { evictionStrategy: 'sieve' }]) {
      const map = new TypedMap(
        [
          ['a', 1],
          ['b', 2]
        ],
        { shards: 1, ...options }
      )
      assert.equal(map.evict(), 1, JSON.stringify(options))
      assert.equal(map.size, 1)
    }
  })

  it('takes entries out of all shards', () => {
    const map = new TypedMap({ shards: 16 })
    for (let n = 0; n < 1_000; n++) map.set(n, n)
    assert.equal(map.evict(600), 600)
    assert.equal(map.size, 400)
  })

  it('takes a number of entries', () => {
    const map = new TypedMap([['a', 1]])
    for (const count of [-1, 1.5, Number.NaN, 2 ** 40]) {
      throwsTyped(() => map.evict(count), 'ERR_INVALID_OPTION', { kind: RangeError, says: [/count/] })
    }
    for (const count of ['1', null, true]) {
      throwsTyped(() => map.evict(count), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/count/] })
    }
    assert.equal(map.size, 1)
  })
})

describe('memoryUsage', () => {
  it('of the map is what its limit and its statistics count', () => {
    const map = new TypedMap()
    const before = map.memoryUsage()
    map.set('a', 'x'.repeat(100_000))
    assert.ok(map.memoryUsage() >= before + 100_000)
    assert.equal(map.memoryUsage(), map.getStats().memoryBytes)
  })

  it('of an entry is what it costs, by key and by handle', () => {
    const map = new TypedMap([[undefined, 1]])
    const handle = map.insertWithHandle('a', 'x'.repeat(1_000))
    const bytes = map.memoryUsage('a')
    assert.ok(bytes > 1_000 && bytes < 1_400, `${bytes} bytes`)
    assert.equal(map.memoryUsage(handle), bytes)
    assert.ok(map.memoryUsage(undefined) < 200, 'undefined is a key')
    assert.equal(map.memoryUsage('missing'), undefined)
    map.delete('a')
    assert.equal(map.memoryUsage(handle), undefined)
    assert.equal(map.memoryUsage(new TypedMap().insert(1)), undefined)
    throwsTyped(() => map.memoryUsage({}), 'ERR_KEY_TYPE')
  })
})
