'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap, TypedMapError } = require('../..')
const { stillMap } = require('../support/clock.js')
const { throwsTyped } = require('../support/errors.js')
const { until } = require('../support/turns.js')
const { startWorker } = require('../support/workers.js')

require('../support/sound.js')

const THREADS = 4

/** A counter by key, and one by handle. */
const WAYS = {
  'by key': (map, value) => {
    map.set('counter', value)
    return 'counter'
  },
  'by handle': (map, value) => map.insert(value)
}

describe('increment', () => {
  it('begins at initial, and adds 1 unless told otherwise', () => {
    const map = new TypedMap()
    assert.equal(map.increment('a'), 1)
    assert.equal(map.increment('a'), 2)
    assert.equal(map.increment('a', 10), 12)
    assert.equal(map.increment('a', -20, { initial: 100 }), -8)
    assert.equal(map.increment('b', 5, { initial: 100 }), 105)
    assert.equal(map.increment('c', undefined, { initial: 0.5 }), 1.5)
    assert.deepEqual(
      [...map],
      [
        ['a', -8],
        ['b', 105],
        ['c', 1.5]
      ]
    )
  })

  for (const [way, make] of Object.entries(WAYS)) {
    it(`${way}: numbers stay numbers, bigints bigints`, () => {
      const map = new TypedMap()
      for (const [value, by, sum] of [
        [1, 1, 2],
        [2 ** 31 - 1, 1, 2 ** 31],
        [2 ** 31, -1, 2 ** 31 - 1],
        [0.5, 0.25, 0.75],
        [0.5, 0.5, 1],
        [-0, -0, -0],
        [1, -1, 0],
        [5n, 7n, 12n],
        [5n, -7n, -2n],
        [2n ** 64n - 1n, 1n, 2n ** 64n],
        [-(2n ** 64n), 1n, 1n - 2n ** 64n],
        [-1n, 1n, 0n]
      ]) {
        const target = make(map, value)
        assert.ok(Object.is(map.increment(target, by), sum), `${value} + ${by}`)
        assert.ok(Object.is(map.get(target), sum))
        assert.ok(Object.is(map.peek(target), sum))
      }
    })

    it(`${way}: another value is an error, and stays`, () => {
      const map = new TypedMap()
      for (const value of ['1', null, true, undefined, [1], { n: 1 }, new Uint8Array(4), 'é\ud800']) {
        const target = make(map, value)
        throwsTyped(() => map.increment(target), 'ERR_WRONG_TYPE', { says: [/expected a number as the value/] })
        throwsTyped(() => map.increment(target, 1n), 'ERR_WRONG_TYPE', { says: [/a bigint/] })
        assert.deepEqual(map.get(target), value)
      }
      throwsTyped(() => map.increment(make(map, 1), 1n), 'ERR_WRONG_TYPE', { says: [/found a number/] })
      throwsTyped(() => map.increment(make(map, 1n), 1), 'ERR_WRONG_TYPE', { says: [/found a bigint/] })
    })

    it(`${way}: ends where integers are not exact any more`, () => {
      const map = new TypedMap()
      const most = Number.MAX_SAFE_INTEGER
      for (const [value, by] of [
        [most, 1],
        [-most, -1],
        [Number.NaN, 1],
        [Number.POSITIVE_INFINITY, 1],
        [1, Number.MAX_VALUE],
        [2n ** 4096n - 1n, 1n],
        [2n ** 5000n, -1n]
      ]) {
        const target = make(map, value)
        const error = throwsTyped(() => map.increment(target, by), 'ERR_OUT_OF_RANGE', { says: [/unchanged/] })
        assert.equal(typeof error.details.allowed, 'string')
        assert.ok(Object.is(map.get(target), value))
      }
      assert.equal(map.increment(make(map, most - 1)), most)
    })

    it(`${way}: a bound is an error, or an answer with withTtl`, () => {
      const map = new TypedMap()
      for (const [value, by, bounds] of [
        [9, 2, { max: 10 }],
        [1, -2, { min: 0 }],
        [9n, 2n, { max: 10n }],
        [1n, -2n, { min: 0n, max: 10n }]
      ]) {
        const target = make(map, value)
        throwsTyped(() => map.increment(target, by, bounds), 'ERR_OUT_OF_RANGE')
        assert.deepEqual(map.increment(target, by, { ...bounds, withTtl: true }), {
          value,
          ttl: Number.POSITIVE_INFINITY,
          changed: false
        })
        assert.equal(map.get(target), value)
        assert.equal(map.increment(target, -by, bounds), value - by)
      }
    })
  }

  it('nothing is inserted where the first step is out of bounds', () => {
    const map = new TypedMap()
    throwsTyped(() => map.increment('a', 2, { max: 1 }), 'ERR_OUT_OF_RANGE')
    const refused = { value: 0, ttl: Number.POSITIVE_INFINITY, changed: false }
    assert.deepEqual(map.increment('a', 2, { max: 1, ttl: 1_000, withTtl: true }), refused)
    assert.deepEqual(map.increment('a', 2n, { initial: 5n, max: 1n, withTtl: true }), { ...refused, value: 5n })
    assert.equal(map.size, 0)
  })

  it('a dead handle, and one of another map, are errors', () => {
    const map = new TypedMap({ shards: 1 })
    const handle = map.insert(1)
    map.delete(handle)
    throwsTyped(() => map.increment(handle), 'ERR_HANDLE_NOT_FOUND')
    map.insert(2)
    throwsTyped(() => map.increment(handle), 'ERR_GENERATION_MISMATCH')
    throwsTyped(() => map.increment(new TypedMap().insert(1)), 'ERR_HANDLE_INVALIDATED')
    throwsTyped(() => map.increment({}), 'ERR_KEY_TYPE', { kind: TypeError })
    map.close()
    throwsTyped(() => map.increment('a'), 'ERR_CLOSED')
  })

  it('wrong arguments are refused, and nothing is written', () => {
    const map = new TypedMap()
    const wrong = [
      [[Number.NaN], RangeError],
      [[Number.POSITIVE_INFINITY], RangeError],
      [['1'], TypeError],
      [[null], TypeError],
      [[{}], TypeError],
      [[1, 5], TypeError],
      [[1, { more: 1 }], TypeError],
      [[1, { initial: Number.NaN }], RangeError],
      [[1, { initial: '0' }], TypeError],
      [[1, { initial: 0n }], TypeError],
      [[1n, { max: 5 }], TypeError],
      [[1, { min: Number.NaN }], RangeError],
      [[1, { min: 2, max: 1 }], TypeError],
      [[1, { ttl: 0 }], RangeError],
      [[1, { withTtl: 1 }], TypeError]
    ]
    for (const [given, kind] of wrong) {
      throwsTyped(() => map.increment('a', ...given), 'ERR_INVALID_OPTION', { kind })
    }
    assert.equal(map.size, 0)
    assert.equal(map.increment('a', 1, { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY }), 1)
  })

  it('keys of every kind count', () => {
    const map = new TypedMap()
    const keys = [undefined, null, true, 0, -1.5, 2n ** 70n, 'é', '\ud800', 'x'.repeat(5_000), new Uint8Array([1, 2])]
    for (const key of keys) {
      assert.equal(map.increment(key, 2), 2)
      assert.equal(map.increment(key, 3), 5)
      assert.equal(map.get(key), 5)
      assert.equal(map.increment(map.getHandle(key)), 6)
    }
    assert.equal(map.size, keys.length)
  })

  it('a new counter gets the ttl, one that is there keeps its deadline, whatever the map does with writes', () => {
    for (const options of [{}, { ttlOnUpdate: 'renew', ttl: 500 }, { ttlOnUpdate: 'keep' }, { sliding: true }]) {
      const { map, advance, close } = stillMap(options)
      assert.deepEqual(map.increment('a', 1, { ttl: 100, withTtl: true }), { value: 1, ttl: 100, changed: true })
      advance(60)
      assert.deepEqual(map.increment('a', 1, { ttl: 100, withTtl: true }), { value: 2, ttl: 40, changed: true })
      assert.equal(map.increment('a', 1, { ttl: 100 }), 3)
      assert.equal(map.ttlOf('a'), 40)
      advance(40)
      assert.deepEqual(map.increment('a', 1, { ttl: 100, withTtl: true }), { value: 1, ttl: 100, changed: true })
      assert.equal(map.increment('b', 1), 1)
      assert.equal(map.ttlOf('b'), options.ttl ?? Number.POSITIVE_INFINITY)
      map.set('c', 1)
      const { ttl } = map.increment('c', 1, { ttl: 7, withTtl: true })
      assert.equal(ttl, options.ttl ?? Number.POSITIVE_INFINITY)
      close()
    }
  })

  it('the handle of a counter is dead after its deadline', () => {
    const { map, advance, close } = stillMap()
    const handle = map.insert(1, { ttl: 10 })
    assert.equal(map.increment(handle), 2)
    advance(10)
    throwsTyped(() => map.increment(handle), 'ERR_HANDLE_NOT_FOUND')
    close()
  })

  it('a copy that was kept is renewed, so the next read is a hit', () => {
    const map = new TypedMap()
    const handle = map.insertWithHandle('a', 1)
    for (const target of ['a', handle]) {
      map.get(target)
      const before = map.getStats().nearCache.hits
      const value = map.increment(target)
      assert.equal(map.get(target), value)
      assert.equal(map.getStats().nearCache.hits, before + 1)
    }
    assert.equal(handle.get(), 3)
  })

  it('a full map evicts another entry for a new counter, and refuses where it may not', () => {
    const map = new TypedMap({ maxEntries: 2, shards: 1, evictionStrategy: 'lru' })
    map.increment('a')
    map.increment('b')
    assert.equal(map.increment('a'), 2)
    assert.equal(map.increment('c'), 1)
    assert.deepEqual([...map.keys()], ['a', 'c'], 'a step is a use')
    const full = new TypedMap({ maxEntries: 1, oomStrategy: 'reject' })
    full.increment('a')
    throwsTyped(() => full.increment('b'), 'ERR_MEMORY_LIMIT')
    assert.equal(full.increment('a'), 2)
    const small = new TypedMap({ maxValueBytes: 4 })
    assert.equal(small.increment('a'), 1)
    throwsTyped(() => small.increment('a', 0.5), 'ERR_VALUE_TOO_LARGE')
    throwsTyped(() => small.increment('b', 0.5), 'ERR_VALUE_TOO_LARGE')
    assert.deepEqual([...small], [['a', 1]])
  })

  it('a function that makes room may count itself', () => {
    const map = new TypedMap({
      maxEntries: 2,
      evictionStrategy: candidates => {
        map.increment('made room', 100)
        return candidates.find(({ key }) => key !== 'made room')
      }
    })
    map.increment('made room')
    map.increment('a', 5)
    assert.equal(map.increment('b', 7, { initial: 3 }), 10)
    assert.equal(map.get('b'), 10)
    assert.equal(map.get('made room') % 100, 1)
  })

  it('what was there before is reported as replaced', async () => {
    const map = new TypedMap()
    const heard = []
    map.onEvict(removal => heard.push(removal), { causes: ['replaced', 'explicit'] })
    map.increment('a')
    map.increment('a', 5)
    await until(() => heard.length > 0)
    const [{ key, value, cause }] = heard
    assert.deepEqual({ key, value, cause }, { key: 'a', value: 1, cause: 'replaced' })
    map.close()
  })

  it('listeners hear of what was refused', async () => {
    const map = new TypedMap()
    const heard = []
    map.onError(error => heard.push(error))
    assert.throws(() => map.increment('a', 2, { max: 1 }))
    await until(() => heard.length > 0)
    const [error] = heard
    assert.ok(error instanceof TypedMapError)
    assert.deepEqual(
      [error.code, error.details.operation, error.details.reached],
      ['ERR_OUT_OF_RANGE', 'increment', '2']
    )
    map.close()
  })

  it('statistics count an insert, and updates', () => {
    const map = new TypedMap()
    map.increment('a')
    map.increment('a')
    map.increment('a', 1, { max: 2, withTtl: true })
    const { inserts, updates } = map.getStats()
    assert.deepEqual({ inserts, updates }, { inserts: 1, updates: 1 })
  })

  for (const [what, by, total] of [
    ['numbers', 1, 200_000],
    ['bigints', 2n ** 70n, 200_000n * 2n ** 70n]
  ]) {
    it(`four threads lose none of 200,000 steps: ${what}`, async () => {
      const name = `increment ${what} ${process.pid}`
      const map = TypedMap.open(name)
      const handle = map.insertWithHandle('total', by - by)
      const workers = Array.from({ length: THREADS }, () =>
        startWorker(
          ({ TypedMap, data, assert }) => {
            const map = TypedMap.open(data.name)
            const handle = map.handle(data.handle)
            let last = data.by - data.by
            for (let n = 0; n < data.steps; n++) {
              const value = map.increment(n % 2 === 0 ? 'total' : handle, data.by)
              assert.ok(value > last, 'a result is given once')
              last = value
              if (n % 64 === 0) assert.ok(map.get('total') >= value)
            }
            map.close()
          },
          { name, handle: { ...handle }, by, steps: 200_000 / THREADS }
        )
      )
      await Promise.all(workers.map(worker => worker.result))
      assert.equal(map.get('total'), total)
      map.destroy()
    })
  }

  it('four threads give out each number of a sequence once, up to its bound', async () => {
    const name = `increment sequence ${process.pid}`
    const map = TypedMap.open(name)
    const workers = Array.from({ length: THREADS }, () =>
      startWorker(({ TypedMap, data }) => {
        const map = TypedMap.open(data)
        const got = []
        for (;;) {
          const { value, changed } = map.increment('next', 1, { max: 5_000, withTtl: true })
          if (!changed) return got
          got.push(value)
        }
      }, name)
    )
    const all = (await Promise.all(workers.map(worker => worker.result))).flat()
    assert.deepEqual(
      all.sort((one, other) => one - other),
      Array.from({ length: 5_000 }, (_, n) => n + 1)
    )
    map.destroy()
  })
})
