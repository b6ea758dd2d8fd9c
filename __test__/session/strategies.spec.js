'use strict'

// Functions of the user that make room: evictionStrategy chooses entries to evict, oomStrategy frees room itself.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { stillMap } = require('../support/clock.js')
const { isTyped, refusesUnchanged, throwsTyped } = require('../support/errors.js')
const { seededRandom } = require('../support/random.js')
const { until } = require('../support/turns.js')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

const MB = 1024 * 1024
let names = 0
const freshName = () => `strategies ${process.pid} ${++names}`

const WRITES = {
  set: map => map.set('new', 1),
  insert: map => map.insert(1),
  insertWithHandle: map => map.insertWithHandle('new', 1),
  getOrInsert: map => map.getOrInsert('new', 1),
  getOrInsertComputed: map => map.getOrInsertComputed('new', () => 1),
  setMany: map => map.setMany([['new', 1]]),
  insertMany: map => map.insertMany([1])
}

/** Runs `write`, which must fail for want of room. */
function fails(write, says = []) {
  const error = throwsTyped(write, 'ERR_EVICTION_FAILED', { says })
  assert.equal(error.number, 1008)
  return error
}

describe('an evictionStrategy function', () => {
  for (const [name, write] of Object.entries(WRITES)) {
    it(`chooses the entry to evict for ${name}`, () => {
      const choose = candidates => candidates.find(({ key }) => key === 'b')
      const map = new TypedMap({ evictionStrategy: choose, maxEntries: 3, shards: 1 })
      map.set('a', 1).set('b', 2).set('c', 3)
      write(map)
      assert.equal(map.size, 3)
      assert.deepEqual([map.has('a'), map.has('b'), map.has('c')], [true, false, true])
      assert.equal(map.getStats().evictions, 1)
      assert.equal(map.getStats().refusals, 0)
    })
  }

  it('gets candidates with all their properties, and how many bytes are missing', () => {
    const calls = []
    const map = new TypedMap({
      evictionStrategy: (...given) => {
        calls.push(given)
        const [candidates] = given
        const seen = candidates.map(({ key, value, bytes, ttl }) => ({ key, value, bytes, ttl }))
        assert.deepEqual(seen.find(({ key }) => key === 'a').value, { b: [1] })
        assert.equal(seen.find(({ key }) => key === 'short').ttl <= 1_000_000, true)
        for (const { bytes } of seen) assert.ok(bytes > 0)
        const keyless = candidates.find(({ key, handle }) => key === handle)
        assert.equal(keyless.value, 'keyless')
        return [keyless]
      },
      maxEntries: 3,
      shards: 1
    })
    map.set('a', { b: [1] }).set('short', 1, { ttl: 1_000_000 })
    const handle = map.insert('keyless')
    const { hits } = map.getStats()
    map.set('new', 1)
    assert.equal(calls.length, 1)
    assert.equal(calls[0].length, 2)
    assert.equal(calls[0][1], 0, 'entries are missing, not bytes')
    assert.equal(map.get(handle), undefined)
    assert.equal(map.getStats().hits, hits, 'looking at candidates is no read')
  })

  it('chooses by candidate, handle or key, one or several', () => {
    const choices = {
      candidate: ([first]) => first,
      candidates: candidates => candidates,
      handle: ([{ handle }]) => handle,
      key: ([{ key }]) => key,
      'several of each': ([a, b, c]) => [a, b.handle, c.key, 'missing', null]
    }
    for (const [name, evictionStrategy] of Object.entries(choices)) {
      const map = new TypedMap({ evictionStrategy, maxEntries: 5, shards: 1 })
      for (let n = 0; n < 20; n++) map.set(`${n}`, n)
      assert.ok(map.size <= 5, name)
      assert.equal(map.get('19'), 19)
    }
  })

  it('is asked as often as it takes, and the limit in bytes holds', () => {
    let asked = 0
    const evictionStrategy = (candidates, neededBytes) => {
      asked++
      assert.ok(neededBytes > 0)
      return candidates[0]
    }
    const map = new TypedMap({ evictionStrategy, memoryLimit: 2 * MB })
    for (let n = 0; n < 5_000; n++) {
      map.set(n, 'x'.repeat(n % 100 === 0 ? 20_000 : 1_000))
      if (n % 100 === 0) assert.ok(map.memoryUsage() <= 2 * MB)
    }
    assert.ok(asked > 100)
    assert.equal(map.getStats().refusals, 0)
    assert.ok(map.memoryUsage() > MB)
  })

  it('gets candidates of all shards in turns, so that the first one is as good as any', () => {
    const map = new TypedMap({ evictionStrategy: ([first]) => first, maxEntries: 4_096, shards: 4 })
    for (let n = 0; n < 20_000; n++) map.set(n, n)
    const perShard = new Map()
    for (const key of map.keys()) {
      const { shard } = map.getHandle(key)
      perShard.set(shard, (perShard.get(shard) ?? 0) + 1)
    }
    assert.equal(map.size, 4_096)
    for (let shard = 0; shard < 4; shard++) assert.ok(perShard.get(shard) > 900, `${perShard.get(shard)} in one shard`)
  })

  it('is not called while expired entries can be evicted', () => {
    const evictionStrategy = () => assert.fail('asked')
    const { map, advance, close } = stillMap({ evictionStrategy, maxEntries: 2, ttl: 2, shards: 1 })
    for (let n = 0; n < 10; n++) {
      map.set(n, n)
      advance(1)
    }
    close()
  })

  it('lets a batch go on where it stopped', () => {
    const evictionStrategy = ([first]) => first
    const entries = Array.from({ length: 50 }, (_, n) => [`${n}`, [n, { n }, 'text', 10n][n % 4]])
    const map = new TypedMap({ evictionStrategy, maxEntries: 7, shards: 1 })
    const order = []
    map.onEvict(({ key }) => order.push(key))
    map.setMany(entries)
    assert.equal(map.size, 7)
    for (const [key, value] of entries.slice(-1)) assert.deepEqual(map.get(key), value)
    for (const [key, value] of map) assert.deepEqual(value, new Map(entries).get(key))
    const values = entries.map(([, value]) => value)
    const handles = map.insertMany(values)
    assert.equal(map.size, 7)
    assert.equal(new Set(handles.map(({ id }) => id)).size, 50)
    for (const [index, handle] of handles.entries()) {
      if (map.has(handle)) assert.deepEqual(map.get(handle), values[index])
    }
    assert.equal(map.has(handles[49]), true)
    map.close()
  })

  it('a batch that fails says how far it came', () => {
    let left = 3
    const evictionStrategy = candidates => (left-- > 0 ? candidates[0] : [])
    const map = new TypedMap(
      [
        ['a', 1],
        ['b', 1]
      ],
      { evictionStrategy, maxEntries: 2, shards: 1 }
    )
    const error = fails(() =>
      map.setMany([
        [1, 1],
        [2, { two: 2 }],
        [3, 'three'],
        [4, 4],
        [5, 5]
      ])
    )
    assert.equal(error.details.written, 3)
    assert.equal(map.has(4), false)
    assert.equal(map.get(3), 'three')
    const updating = new TypedMap([['a', 'x']], { evictionStrategy: () => [], memoryLimit: 2 * MB, shards: 1 })
    const huge = 'y'.repeat(1_500_000)
    updating.set('b', huge)
    const refused = fails(() =>
      updating.updateMany([
        ['missing', 1],
        ['a', 'z'],
        ['a', huge],
        ['b', 1]
      ])
    )
    assert.equal(refused.details.written, 1)
    assert.equal(updating.get('a'), 'z')
  })

  it('that throws, chooses no entry or a missing one, makes the write fail and changes nothing', () => {
    const failure = new Error('cannot decide')
    const functions = {
      throws: () => {
        throw failure
      },
      'no entry': () => [],
      nothing: () => undefined,
      null: () => null,
      'missing keys': () => ['missing', 'gone'],
      'of another map': () => [new TypedMap().insert(1)],
      'no key': () => [{}],
      'a promise': async () => []
    }
    for (const [name, evictionStrategy] of Object.entries(functions)) {
      const map = new TypedMap(
        [
          ['a', 1],
          ['b', 2]
        ],
        { evictionStrategy, maxEntries: 2, shards: 1 }
      )
      for (const write of Object.values(WRITES)) {
        const error = refusesUnchanged(map, () => write(map), 'ERR_EVICTION_FAILED')
        isTyped(error, 'ERR_EVICTION_FAILED', { says: [/evictionStrategy/] })
        assert.equal(error.details.limitEntries, 2)
        if (name === 'throws') assert.equal(error.cause, failure)
        else assert.ok(error.cause instanceof Error, name)
      }
      assert.equal(map.getStats().refusals, Object.keys(WRITES).length)
      map.set('a', 'present ones can be written')
    }
  })

  it('may read and delete, and is not asked for what it writes itself', () => {
    const inner = []
    const map = new TypedMap({
      evictionStrategy: ([first]) => {
        map.get(first.key)
        try {
          map.set('from inside', 1)
        } catch (error) {
          inner.push(error)
        }
        return first
      },
      maxEntries: 2,
      shards: 1
    })
    map.set('a', 1).set('b', 2).set('c', 3)
    assert.equal(inner.length, 1)
    isTyped(inner[0], 'ERR_EVICTION_FAILED')
    assert.deepEqual([map.size, map.has('c')], [2, true])
  })

  it('a write has its own ttl, whatever the function writes', () => {
    const map = new TypedMap({
      evictionStrategy: ([first]) => {
        map.delete(first.key)
        map.set('inner', 1)
        return map.getHandle('inner')
      },
      maxEntries: 1,
      shards: 1
    })
    map.set('a', 1)
    map.set('b', 1, { ttl: 1_000_000 })
    assert.ok(map.ttlOf('b') > 900_000 && map.ttlOf('b') <= 1_000_000)
  })

  it('belongs to its thread: one that opened the map without it cannot make room', async () => {
    const name = freshName()
    const evictionStrategy = ([first]) => first
    const map = TypedMap.open(name, { evictionStrategy, maxEntries: 2 })
    map.set('a', 1).set('b', 2)
    const answers = await inWorker(({ TypedMap, data }) => {
      const without = TypedMap.open(data)
      const errors = []
      try {
        without.set('c', 1)
      } catch ({ code, message }) {
        errors.push(code, /thread/.test(message))
      }
      without.set('a', 'there is room for this')
      const own = TypedMap.open(data, { evictionStrategy: ([first]) => first })
      own.set('d', 1)
      return [...errors, own.size, own.has('d')]
    }, name)
    assert.deepEqual(answers, ['ERR_EVICTION_FAILED', true, 2, true])
    map.set('e', 1)
    assert.equal(map.size, 2)
    map.close()
  })

  it('does not keep a map from being collected, and overcome refusals are not reported', async () => {
    let calls = 0
    const map = new TypedMap({
      evictionStrategy: candidates => (++calls > 5 ? [] : candidates[0]),
      maxEntries: 1,
      shards: 1
    })
    const errors = []
    map.onError(error => errors.push(error))
    for (let n = 0; n < 6; n++) map.set(n, n)
    fails(() => map.set('new', 1))
    await until(() => errors.length > 0)
    assert.deepEqual(
      errors.map(({ code, details }) => [code, details.operation]),
      [['ERR_EVICTION_FAILED', 'set']]
    )
    map.close()
  })
})

describe('an oomStrategy function', () => {
  for (const [name, write] of Object.entries(WRITES)) {
    it(`frees room for ${name}`, () => {
      const calls = []
      const oomStrategy = (...given) => {
        calls.push(given)
        given[0].delete('a')
      }
      const map = new TypedMap({ oomStrategy, maxEntries: 2, shards: 1 })
      map.set('a', 1).set('b', 2)
      write(map)
      assert.equal(calls.length, 1)
      assert.equal(calls[0].length, 2)
      assert.equal(calls[0][0], map)
      assert.equal(calls[0][1], 0, 'entries are missing, not bytes')
      assert.equal(map.size, 2)
      assert.equal(map.has('a'), false)
    })
  }

  it('gets the number of missing bytes, and can let the map choose', () => {
    const needed = []
    const oomStrategy = (map, neededBytes) => {
      needed.push(neededBytes)
      map.evict(50)
    }
    const map = new TypedMap({ oomStrategy, memoryLimit: 2 * MB, evictionStrategy: 'lru' })
    for (let n = 0; n < 5_000; n++) map.set(n, 'x'.repeat(1_000))
    assert.ok(needed.length > 10)
    for (const bytes of needed) assert.ok(bytes > 0)
    assert.ok(map.memoryUsage() <= 2 * MB)
    assert.equal(map.get(4_999)?.length, 1_000)
  })

  it('frees enough by a few times what is missing, for values of all sizes', t => {
    const random = seededRandom(t)
    const oomStrategy = (map, neededBytes) => {
      let freedBytes = 0
      for (const key of map.keys()) {
        freedBytes += map.memoryUsage(key)
        map.delete(key)
        if (freedBytes >= 8 * neededBytes) return
      }
    }
    const map = new TypedMap({ oomStrategy, memoryLimit: 8 * MB })
    for (let n = 0; n < 10_000; n++) map.set(n, 'x'.repeat(random.below(random.oneIn(10) ? 50_000 : 4_000)))
    assert.ok(map.memoryUsage() > 4 * MB)
    assert.equal(map.getStats().refusals, 0)
  })

  it('is called once for each write; one that frees too little lets it fail, and what it did stays', () => {
    let calls = 0
    const map = new TypedMap(
      [
        ['a', 1],
        ['b', 2]
      ],
      {
        oomStrategy: map => {
          calls++
          map.set('a', 'touched')
        },
        maxEntries: 2
      }
    )
    for (const [index, write] of Object.values(WRITES).entries()) {
      const error = fails(() => write(map), [/too little/])
      assert.equal(calls, index + 1)
      assert.equal(error.cause.code, 'ERR_MEMORY_LIMIT')
      assert.deepEqual(
        [...map],
        [
          ['a', 'touched'],
          ['b', 2]
        ]
      )
    }
  })

  it('is called once for each entry of a batch', () => {
    let calls = 0
    const oomStrategy = map => {
      calls++
      map.delete(map.keys().next().value)
    }
    const map = new TypedMap({ oomStrategy, maxEntries: 3 })
    map.setMany(Array.from({ length: 10 }, (_, n) => [n, { n }]))
    assert.equal(calls, 7)
    assert.deepEqual([...map.keys()], [7, 8, 9])
  })

  it('that throws lets the write fail with what it threw', () => {
    const failure = new Error('the disk is full')
    const oomStrategy = map => {
      map.delete('a')
      throw failure
    }
    const map = new TypedMap(
      [
        ['a', 1],
        ['b', 2]
      ],
      { oomStrategy, maxEntries: 2 }
    )
    const error = fails(() => map.set('c', 3), [/threw/])
    assert.equal(error.cause, failure)
    assert.deepEqual([...map.keys()], ['b'], 'what it did stays, and no more')
  })

  it('is not called for its own writes', () => {
    let calls = 0
    const oomStrategy = map => {
      calls++
      map.set('inner', 1)
    }
    const map = new TypedMap([['a', 1]], { oomStrategy, maxEntries: 1 })
    const error = fails(() => map.set('b', 1))
    assert.equal(calls, 1)
    isTyped(error.cause, 'ERR_EVICTION_FAILED')
  })

  it('may close the map, and the write says so', () => {
    const map = new TypedMap([['a', 1]], { oomStrategy: map => map.close(), maxEntries: 1 })
    throwsTyped(() => map.set('b', 1), 'ERR_CLOSED')
  })

  it('is not called for a value that could never fit, nor in time', () => {
    const oomStrategy = () => assert.fail('called')
    const map = new TypedMap({ oomStrategy, memoryLimit: MB, maxValueBytes: 10_000 })
    throwsTyped(() => map.set('a', 'x'.repeat(10_001)), 'ERR_VALUE_TOO_LARGE')
    throwsTyped(() => map.set('x'.repeat(2 * MB), 1), 'ERR_VALUE_TOO_LARGE')
    map.set('a', 1)
  })

  it('belongs to its thread', async () => {
    const name = freshName()
    const map = TypedMap.open(name, { oomStrategy: map => map.clear(), maxEntries: 1 })
    map.set('a', 1)
    const code = await inWorker(({ TypedMap, data }) => {
      try {
        TypedMap.open(data).set('b', 1)
      } catch (error) {
        return error.code
      }
    }, name)
    assert.equal(code, 'ERR_EVICTION_FAILED')
    map.set('c', 1)
    assert.deepEqual([...map.keys()], ['c'])
    map.close()
  })
})
