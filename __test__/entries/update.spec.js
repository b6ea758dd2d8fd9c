'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { stillMap } = require('../support/clock.js')
const { throwsTyped } = require('../support/errors.js')
const { until } = require('../support/turns.js')
const { startWorker } = require('../support/workers.js')

require('../support/sound.js')

const THREADS = 4

describe('update', () => {
  it('writes what the function makes of the value, and returns it as a read does', () => {
    const map = new TypedMap([['a', { n: 1, tags: ['x'] }]])
    for (const target of ['a', map.getHandle('a')]) {
      const before = map.get(target).n
      const written = map.update(target, value => {
        value.n++
        value.tags.push('y')
        return value
      })
      assert.equal(written.n, before + 1)
      assert.ok(Object.isFrozen(written.tags))
      assert.deepEqual(map.get(target), written)
    }
    assert.equal(map.size, 1)
  })

  it('values of every kind', () => {
    const map = new TypedMap()
    const values = [0, -0, 1.5, Number.NaN, 2n ** 70n, '', 'é\ud800', null, true, [1, 2], { a: { b: [{ c: 1 }] } }]
    let before
    for (const value of [...values, new Uint8Array([1, 2]), Buffer.from('ab'), new Float64Array([0.5])]) {
      const written = map.update('a', seen => {
        assert.deepEqual(seen, before)
        return value
      })
      assert.deepEqual(written, value)
      assert.deepEqual(map.get('a'), value)
      before = value
    }
  })

  it('the copy is private: what the function does to it is seen nowhere', () => {
    const map = new TypedMap([['a', { n: 1 }]])
    const known = map.get('a')
    map.update('a', value => {
      value.n = 5
      return { n: 2 }
    })
    assert.equal(known.n, 1)
    assert.deepEqual(map.get('a'), { n: 2 })
  })

  it('a missing key is undefined, and is inserted; undefined removes', () => {
    const map = new TypedMap()
    const calls = []
    assert.equal(
      map.update('a', (...given) => calls.push(given)),
      1
    )
    assert.deepEqual(calls, [[undefined]])
    assert.equal(map.get('a'), 1)
    const handle = map.getHandle('a')
    assert.equal(map.get(handle), 1)
    assert.equal(
      map.update('a', () => undefined),
      undefined
    )
    assert.equal(map.has('a'), false)
    assert.equal(map.get(handle), undefined)
    assert.equal(
      map.update('a', () => undefined),
      undefined
    )
    const keyless = map.insert({ n: 1 })
    assert.equal(
      map.update(keyless, () => undefined),
      undefined
    )
    assert.equal(map.size, 0)
  })

  it('is called without this, and what it throws leaves the entry as it is', () => {
    const map = new TypedMap([['a', 1]])
    map.update('a', function () {
      assert.equal(this, undefined)
      return 2
    })
    const failure = new Error('mine')
    const fail = () =>
      map.update('a', () => {
        throw failure
      })
    assert.throws(fail, error => error === failure)
    for (const wrong of [() => Promise.resolve(1), async () => 1, () => () => {}, () => [1n]]) {
      throwsTyped(() => map.update('a', wrong), 'ERR_VALUE_NOT_SERIALIZABLE', { kind: TypeError })
      throwsTyped(() => map.update('new', wrong), 'ERR_VALUE_NOT_SERIALIZABLE', { kind: TypeError })
    }
    assert.deepEqual([...map], [['a', 2]])
  })

  it('is called again when the entry has changed meanwhile, whatever changed it', () => {
    const changes = {
      'another value': (map, target) => map.set(target, 10),
      'the same value': (map, target) => map.set(target, map.get(target)),
      'a step': (map, target) => map.increment(target, 9),
      'an update of its own': (map, target) => map.update(target, () => 10)
    }
    for (const [what, change] of Object.entries(changes)) {
      for (const make of [map => map.set('a', 1) && 'a', map => map.insert(1)]) {
        const map = new TypedMap()
        const target = make(map)
        const seen = []
        const written = map.update(target, value => {
          seen.push(value)
          if (seen.length < 3) change(map, target)
          return value + 1
        })
        assert.equal(seen.length, 3, what)
        assert.equal(written, seen.at(-1) + 1)
        assert.equal(map.get(target), written)
      }
    }
  })

  it('sees an entry that was deleted, made anew or cleared meanwhile', () => {
    const map = new TypedMap([['a', 1]])
    const changes = [() => map.delete('a'), () => map.set('a', 5), () => map.clear(), () => map.set('a', 1)]
    const seen = []
    map.update('a', value => {
      seen.push(value)
      changes.shift()?.()
      return 7
    })
    assert.deepEqual(seen, [1, undefined, 5, undefined, 1])
    assert.equal(map.get('a'), 7)
    // One that is to be removed, too.
    const removed = []
    map.update('a', value => {
      removed.push(value)
      if (removed.length === 1) map.set('a', 8)
      return undefined
    })
    assert.deepEqual(removed, [7, 8])
    assert.equal(map.has('a'), false)
  })

  it('gives up after its retries, with the entry as others left it', () => {
    const map = new TypedMap([['a', 0]])
    for (const [options, attempts] of [
      [{ retries: 0 }, 1],
      [{ retries: 3 }, 4],
      [undefined, 1_001]
    ]) {
      let calls = 0
      const error = throwsTyped(
        () => map.update('a', value => map.set('a', value + 1) && ++calls && 'mine', options),
        'ERR_TRANSACTION_CONFLICT',
        { says: [new RegExp(`${attempts} attempts`)] }
      )
      assert.equal(calls, attempts)
      assert.deepEqual(error.details, { retries: attempts - 1 })
      assert.equal(typeof map.get('a'), 'number')
    }
  })

  it('a dead handle, and wrong arguments, are errors', () => {
    const map = new TypedMap({ shards: 1 })
    const handle = map.insert(1)
    const fails = () => assert.fail('called')
    map.delete(handle)
    throwsTyped(() => map.update(handle, fails), 'ERR_HANDLE_NOT_FOUND')
    throwsTyped(() => map.update(new TypedMap().insert(1), fails), 'ERR_HANDLE_INVALIDATED')
    throwsTyped(() => map.update({}, fails), 'ERR_KEY_TYPE', { kind: TypeError })
    throwsTyped(() => map.update('a', 5), 'ERR_INVALID_OPTION', { kind: TypeError })
    for (const options of [5, { retries: -1 }, { retries: 0.5 }, { retries: '1' }, { ttl: 0 }, { more: 1 }]) {
      throwsTyped(() => map.update('a', fails, options), 'ERR_INVALID_OPTION')
    }
    const dying = map.insert(1)
    throwsTyped(() => map.update(dying, () => map.delete(dying)), 'ERR_HANDLE_NOT_FOUND')
    map.close()
    throwsTyped(() => map.update('a', fails), 'ERR_CLOSED')
  })

  it('deadlines are what they are for set', () => {
    const { map, advance, close } = stillMap()
    map.update('a', () => 1, { ttl: 100 })
    advance(60)
    assert.equal(map.ttlOf('a'), 40)
    map.update('a', () => 2, { ttl: 70 })
    assert.equal(map.ttlOf('a'), 70)
    const seen = []
    map.update('a', value => {
      seen.push(value)
      if (seen.length === 1) advance(70)
      return 3
    })
    assert.deepEqual(seen, [2, undefined], 'it expired meanwhile')
    assert.equal(map.ttlOf('a'), Number.POSITIVE_INFINITY)
    close()
    const keeping = stillMap({ ttl: 100, ttlOnUpdate: 'keep' })
    keeping.map.update('a', () => 1)
    keeping.advance(60)
    keeping.map.update('a', () => 2)
    assert.equal(keeping.map.ttlOf('a'), 40)
    keeping.close()
  })

  it('limits and listeners see an update as they see set', async () => {
    const map = new TypedMap({ maxEntries: 1, oomStrategy: 'reject', maxValueBytes: 100 })
    const heard = []
    map.onEvict(removal => heard.push(removal), { causes: ['replaced', 'explicit'] })
    map.update('a', () => 1)
    throwsTyped(() => map.update('b', () => 1), 'ERR_MEMORY_LIMIT')
    throwsTyped(() => map.update('a', () => 'x'.repeat(200)), 'ERR_VALUE_TOO_LARGE')
    map.update('a', () => 2)
    map.update('a', () => undefined)
    await until(() => heard.length > 1)
    const told = heard.map(({ key, value, cause }) => [key, value, cause])
    assert.deepEqual(told, [
      ['a', 1, 'replaced'],
      ['a', 2, 'explicit']
    ])
    const { inserts, updates, deletes } = map.getStats()
    assert.deepEqual([inserts, updates, deletes], [1, 1, 1])
    map.close()
  })

  it('four threads lose no update, of one value that grows', async () => {
    const name = `update ${process.pid}`
    const map = TypedMap.open(name)
    map.set('list', { of: {}, count: 0 })
    const workers = Array.from({ length: THREADS }, (_, thread) =>
      startWorker(
        ({ TypedMap, data, assert }) => {
          const map = TypedMap.open(data.name)
          for (let n = 1; n <= data.updates; n++) {
            const { of, count } = map.update('list', list => {
              list.of[`thread ${data.thread}`] = n
              list.count++
              return list
            })
            assert.equal(of[`thread ${data.thread}`], n)
            assert.ok(count >= n)
          }
          map.close()
        },
        { name, thread, updates: 2_000 }
      )
    )
    await Promise.all(workers.map(worker => worker.result))
    assert.deepEqual(map.get('list'), {
      of: Object.fromEntries(Array.from({ length: THREADS }, (_, thread) => [`thread ${thread}`, 2_000])),
      count: THREADS * 2_000
    })
    map.destroy()
  })
})

describe('getOrInsert and getOrInsertComputed with state', () => {
  const calls = {
    getOrInsert: (map, key, value, options) => map.getOrInsert(key, value, { withState: true, ...options }),
    getOrInsertComputed: (map, key, value, options) =>
      map.getOrInsertComputed(key, () => value, { withState: true, ...options })
  }
  for (const [name, call] of Object.entries(calls)) {
    it(`${name}: says whether the value was inserted`, () => {
      const map = new TypedMap([['there', undefined]])
      assert.deepEqual(call(map, 'there', 1), { value: undefined, inserted: false })
      assert.deepEqual(call(map, 'a', { n: [1] }), { value: { n: [1] }, inserted: true })
      const again = call(map, 'a', 2)
      assert.deepEqual(again, { value: { n: [1] }, inserted: false })
      assert.equal(again.value, map.get('a'))
      assert.deepEqual(call(map, map.getHandle('a'), 2), { value: { n: [1] }, inserted: false })
      assert.deepEqual(call(map, new Uint8Array([1]), 2, { ttl: 1_000 }), { value: 2, inserted: true })
      assert.deepEqual(call(map, 'a', 2, { withState: false }), { n: [1] })
      for (const options of [{ withState: 1 }, { more: 1 }, { ttl: 0 }]) {
        throwsTyped(() => call(map, 'b', 2, options), 'ERR_INVALID_OPTION')
      }
      assert.equal(map.size, 3)
    })
  }

  it('getOrInsertComputed writes over nothing that came while it computed', () => {
    const map = new TypedMap()
    const compute = value => {
      map.set('a', 'first')
      return value
    }
    assert.deepEqual(
      map.getOrInsertComputed('a', () => compute('second'), { withState: true }),
      {
        value: 'first',
        inserted: false
      }
    )
    assert.equal(map.get('a'), 'first')
  })

  it('one of four threads wins each key', async () => {
    const name = `put ${process.pid}`
    const map = TypedMap.open(name)
    const workers = Array.from({ length: THREADS }, (_, thread) =>
      startWorker(
        ({ TypedMap, data }) => {
          const map = TypedMap.open(data.name)
          const won = []
          for (let key = 0; key < 3_000; key++) {
            const way = key % 2 === 0 ? 'getOrInsert' : 'getOrInsertComputed'
            const mine = `thread ${data.thread}`
            const { value, inserted } = map[way](key, key % 2 === 0 ? mine : () => mine, { withState: true })
            if (inserted !== (value === mine)) throw new Error(`${key}: ${value}, ${inserted}`)
            if (inserted) won.push(key)
          }
          return won
        },
        { name, thread }
      )
    )
    const won = await Promise.all(workers.map(worker => worker.result))
    const all = won.flat().sort((one, other) => one - other)
    assert.deepEqual(
      all,
      Array.from({ length: 3_000 }, (_, key) => key)
    )
    for (const [thread, keys] of won.entries()) {
      for (const key of keys) assert.equal(map.get(key), `thread ${thread}`)
    }
    map.destroy()
  })
})
