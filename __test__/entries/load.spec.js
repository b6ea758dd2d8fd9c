'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { TypedMap, TypedMapError } = require('../..')
const { runNode } = require('../support/processes.js')

require('../support/sound.js')

/** A promise and what settles it. */
function deferred() {
  const parts = {}
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }))
  return parts
}

const turn = () => new Promise(resolve => setImmediate(resolve))

/** Begins a load of `key` that ends when it is told to. */
function begin(map, key, options) {
  const load = deferred()
  const given = {}
  const result = map.getOrLoad(
    key,
    (_, loading) => {
      given.signal = loading.signal
      return load.promise
    },
    options
  )
  return { ...load, result, given }
}

const never = () => assert.fail('the loader of a key that is there runs')
const rejects = (promise, code, more) => assert.rejects(promise, { code, ...more })

describe('getOrLoad', () => {
  it('runs the loader of a missing key at once, stores what it brings and returns it as a read does', async () => {
    const map = new TypedMap()
    let isCalled = false
    const result = map.getOrLoad('a', (key, { signal, stale }) => {
      isCalled = true
      assert.deepEqual([key, signal.aborted, stale], ['a', false, undefined])
      return { key }
    })
    assert.ok(isCalled)
    const value = await result
    assert.deepEqual(value, { key: 'a' })
    assert.ok(Object.isFrozen(value))
    assert.equal(map.get('a'), value)
    assert.equal(await map.getOrLoad('a', never), value)
  })

  it('keys and values of every kind', async () => {
    const map = new TypedMap()
    const values = [0, -0, 1.5, Number.NaN, 2n ** 70n, '', 'é\ud800', null, true, [1, 2], { a: { b: [{ c: 1 }] } }]
    const keys = ['a', 1, -0, Number.NaN, 3n, true, null, undefined, new Uint8Array([1, 2])]
    for (const value of [...values, new Uint8Array([1, 2]), Buffer.from('ab'), new Float64Array([0.5])]) {
      for (const key of keys) {
        const [one, other] = await Promise.all([map.getOrLoad(key, async () => value), map.getOrLoad(key, never)])
        assert.deepEqual(one, value)
        assert.deepEqual(other, value)
        if (ArrayBuffer.isView(value)) assert.notEqual(one.buffer, other.buffer)
        assert.deepEqual(await map.getOrLoad(key, never), value)
      }
      map.clear()
    }
    assert.ok(Object.is(await map.getOrLoad(-0, key => key), 0))
  })

  it('a key that is an array may be changed meanwhile', async () => {
    const map = new TypedMap()
    const key = new Uint8Array([1])
    const { resolve, result } = begin(map, key)
    key[0] = 2
    resolve('one')
    await result
    assert.deepEqual([map.get(new Uint8Array([1])), map.has(new Uint8Array([2]))], ['one', false])
  })

  it('by handle it is a read: an entry is there, or the handle is dead', async () => {
    const map = new TypedMap([['a', { b: 1 }]])
    const handle = map.getHandle('a')
    const value = map.get(handle)
    assert.equal(await map.getOrLoad(handle, never), value)
    assert.deepEqual(await new TypedMap([['a', value]]).getOrLoad('a', never), value)
    map.delete('a')
    await rejects(map.getOrLoad(handle, never), 'ERR_HANDLE_NOT_FOUND')
  })

  it('calls for one key wait for one loader, each in its own async context', async () => {
    const map = new TypedMap()
    const storage = new AsyncLocalStorage()
    let loads = 0
    const results = Array.from({ length: 100 }, (_, number) =>
      storage.run(number, async () => {
        const value = await map.getOrLoad('a', async () => {
          loads++
          await turn()
          return { number: storage.getStore() }
        })
        assert.equal(storage.getStore(), number)
        return value
      })
    )
    const values = await Promise.all(results)
    assert.equal(loads, 1)
    assert.ok(values.every(value => value === values[0]))
    assert.deepEqual(values[0], { number: 0 })
  })

  it('counts as one insert, and each miss as a miss', async () => {
    const map = new TypedMap({ nearCache: false })
    const { hits, misses } = map.getStats()
    await Promise.all(Array.from({ length: 5 }, () => map.getOrLoad('a', async () => 1)))
    const stats = map.getStats()
    assert.deepEqual([stats.hits - hits, stats.misses - misses, stats.inserts, stats.updates], [0, 5, 1, 0])
    await map.getOrLoad('a', never)
    assert.equal(map.getStats().hits, 1)
  })

  it('ttl: milliseconds, or a function of the value', async () => {
    const map = new TypedMap({ ttl: 50_000 })
    const clock = TypedMap.setClock()
    await map.getOrLoad('own', () => 1)
    await map.getOrLoad('given', () => 1, { ttl: 10 })
    await map.getOrLoad('made', () => ({ seconds: 3 }), { ttl: ({ seconds }) => seconds * 1_000 })
    await map.getOrLoad('never', () => 1, { ttl: Number.POSITIVE_INFINITY })
    assert.deepEqual(
      ['own', 'given', 'made', 'never'].map(key => map.ttlOf(key)),
      [50_000, 10, 3_000, Number.POSITIVE_INFINITY]
    )
    clock.advance(10)
    assert.equal(map.has('given'), false)
    clock.restore()
    const refused = map.getOrLoad('b', () => 1, { ttl: () => -1 })
    await rejects(refused, 'ERR_INVALID_OPTION')
    await assert.rejects(
      map.getOrLoad('b', () => 1, {
        ttl() {
          throw new Error('no ttl')
        }
      }),
      /no ttl/
    )
    assert.equal(map.has('b'), false)
  })

  it('undefined is handed out and not stored, unless negativeTtl says how long', async () => {
    const map = new TypedMap({ ttl: 1_000 })
    const clock = TypedMap.setClock()
    let loads = 0
    const none = async () => {
      loads++
    }
    assert.deepEqual(await Promise.all([map.getOrLoad('a', none), map.getOrLoad('a', none)]), [undefined, undefined])
    assert.deepEqual([loads, map.has('a')], [1, false])
    assert.equal(await map.getOrLoad('a', none, { ttl: 5, negativeTtl: 20 }), undefined)
    assert.deepEqual([loads, map.has('a'), map.ttlOf('a')], [2, true, 20])
    assert.equal(await map.getOrLoad('a', never), undefined)
    clock.restore()
  })

  it('an error rejects all that wait, and nothing is stored', async () => {
    const map = new TypedMap()
    const error = new RangeError('no')
    const loaders = [
      () => Promise.reject(error),
      () => {
        throw error
      }
    ]
    for (const loader of loaders) {
      const [one, other] = [map.getOrLoad('a', loader), map.getOrLoad('a', never)]
      await assert.rejects(one, thrown => thrown === error)
      await assert.rejects(other, thrown => thrown === error)
      assert.equal(map.has('a'), false)
    }
    await assert.rejects(
      map.getOrLoad('a', () => Promise.reject()),
      thrown => thrown === undefined
    )
    assert.equal(await map.getOrLoad('a', () => 2), 2)
  })

  it('a value that cannot be stored rejects', async () => {
    const map = new TypedMap({ maxValueBytes: 1_000 })
    const kinds = { ERR_VALUE_NOT_SERIALIZABLE: () => () => 1, ERR_VALUE_TOO_LARGE: () => 'x'.repeat(2_000) }
    for (const [code, loader] of Object.entries(kinds)) {
      const [one, other] = [map.getOrLoad('a', loader), map.getOrLoad('a', never)]
      await rejects(one, code)
      await rejects(other, code)
    }
    assert.equal(map.size, 0)
  })

  it('in a map with a codec each call gets a value of its own', async () => {
    const v8 = new TypedMap({ codec: 'v8' })
    const date = new Date(5)
    const dates = await Promise.all([v8.getOrLoad('a', async () => date), v8.getOrLoad('a', never)])
    assert.deepEqual([...dates, await v8.getOrLoad('a', never)], [date, date, date])
    assert.notEqual(dates[0], dates[1])
    const decode = () => {
      throw new Error('no decoding')
    }
    const broken = new TypedMap({ codec: { encode: String, decode, contentType: 'text/broken' } })
    await assert.rejects(
      broken.getOrLoad('a', () => 1),
      /no decoding/
    )
    assert.equal(broken.size, 0)
  })

  it('a map that nothing reaches is collected when its loads are over', async () => {
    const reference = await (async () => {
      const map = new TypedMap()
      assert.equal(await map.getOrLoad('a', async () => 1), 1)
      return new WeakRef(map)
    })()
    for (let turns = 0; turns < 200 && reference.deref() !== undefined; turns++) {
      await turn()
      globalThis.gc?.()
    }
    if (globalThis.gc !== undefined) assert.equal(reference.deref(), undefined)
  })

  it('a full map makes room by its own function', async () => {
    const evictionStrategy = candidates => candidates[0]
    const map = new TypedMap({ maxEntries: 4, evictionStrategy, shards: 1 })
    for (let key = 0; key < 10; key++) assert.equal(await map.getOrLoad(key, () => key), key)
    assert.equal(map.size, 4)
  })

  it('a loader that waits for its own key is rejected, in one async context', async () => {
    const map = new TypedMap()
    const other = new TypedMap()
    const own = map.getOrLoad('a', async () => {
      await turn()
      return map.getOrLoad('a', never)
    })
    await rejects(own, 'ERR_INVALID_OPTION', { message: /waits for the key that it loads/ })
    const around = map.getOrLoad('a', () => map.getOrLoad('b', () => map.getOrLoad('a', never)))
    await rejects(around, 'ERR_INVALID_OPTION')
    assert.equal(await map.getOrLoad('a', () => other.getOrLoad('a', () => map.getOrLoad('b', () => 1))), 1)
    // One that has ended is not waited for.
    let later
    await map.getOrLoad('c', () => {
      later = turn()
        .then(turn)
        .then(() => map.getOrLoad('c', () => 2))
      return 1
    })
    map.delete('c')
    assert.equal(await later, 2)
    const bytes = map.getOrLoad(new Uint8Array([1]), () => map.getOrLoad(new Uint8Array([1]), never))
    await rejects(bytes, 'ERR_INVALID_OPTION')
  })

  it('arguments and options are checked, and a closed map rejects', async () => {
    const map = new TypedMap()
    await rejects(map.getOrLoad('a'), 'ERR_INVALID_OPTION')
    await rejects(map.getOrLoad('a', 1), 'ERR_INVALID_OPTION')
    await rejects(map.getOrLoad({}, never), 'ERR_KEY_TYPE')
    await rejects(map.getOrLoad(Symbol('a'), never), 'ERR_KEY_TYPE')
    const wrong = [
      1,
      null,
      { what: 1 },
      { ttl: 0 },
      { ttl: '1' },
      { negativeTtl: 0 },
      { negativeTtl: () => 1 },
      { refreshAfter: 0 },
      { staleFor: 0 },
      { timeout: 0 },
      { timeout: 2 ** 31 },
      { timeout: '1' },
      { signal: {} }
    ]
    for (const options of wrong) await rejects(map.getOrLoad('a', never, options), 'ERR_INVALID_OPTION')
    await assert.rejects(map.getOrLoad('a', never, { negativeTtl: 0 }), /option negativeTtl is 0/)
    map.close()
    await rejects(map.getOrLoad('a', never), 'ERR_CLOSED')
  })
})

describe('what frees a call', () => {
  it('its timeout, and that one alone', async () => {
    const map = new TypedMap()
    const { resolve, result, given } = begin(map, 'a', { timeout: 1 })
    const other = map.getOrLoad('a', never, { timeout: 2 ** 31 - 1 })
    const error = await result.catch(thrown => thrown)
    assert.ok(error instanceof TypedMapError)
    assert.deepEqual([error.code, error.number, error.details], ['ERR_TIMEOUT', 1027, { timeout: 1 }])
    assert.equal(given.signal.aborted, false)
    resolve('late')
    assert.equal(await other, 'late')
    assert.equal(map.get('a'), 'late')
  })

  it('its signal, and that one alone; the loader’s signal aborts when nothing waits any more', async () => {
    const map = new TypedMap()
    const [first, second] = [new AbortController(), new AbortController()]
    const reason = new Error('enough')
    const { resolve, result, given } = begin(map, 'a', { signal: first.signal })
    const other = map.getOrLoad('a', never, { signal: second.signal })
    first.abort(reason)
    await assert.rejects(result, thrown => thrown === reason)
    assert.equal(given.signal.aborted, false)
    second.abort(reason)
    await assert.rejects(other, thrown => thrown === reason)
    assert.equal(given.signal.aborted, true)
    // The next call begins anew, and what the first loader brings is dropped.
    const next = begin(map, 'a')
    resolve('dropped')
    await turn()
    assert.equal(map.has('a'), false)
    next.resolve('next')
    assert.equal(await next.result, 'next')
    await assert.rejects(map.getOrLoad('b', never, { signal: AbortSignal.abort(reason) }), thrown => thrown === reason)
  })

  it('the end of the map', async () => {
    const name = `load ends ${process.pid}`
    for (const end of ['close', 'destroy']) {
      const [map, other] = [TypedMap.open(name), TypedMap.open(name)]
      const { result, given, resolve } = begin(map, 'a')
      const elsewhere = other.getOrLoad('a', () => 'of another')
      map[end]()
      await rejects(result, 'ERR_CLOSED')
      assert.equal(given.signal.aborted, true)
      resolve('late')
      if (end === 'destroy') await rejects(elsewhere, 'ERR_CLOSED')
      // The first that waits is next.
      else assert.equal(await elsewhere, 'of another')
      other.close()
    }
  })

  it('a call that is aborted after the map was destroyed elsewhere ends as others do', async () => {
    const name = `load ends ${process.pid}`
    const [map, other] = [TypedMap.open(name), TypedMap.open(name)]
    const own = new AbortController()
    const { result, given } = begin(map, 'a', { signal: own.signal })
    other.destroy()
    own.abort()
    await assert.rejects(result, { name: 'AbortError' })
    while (!given.signal.aborted) await turn()
  })

  it('a call keeps the process alive, and one that ended does not', async () => {
    const { stdout } = await runNode(`const map = new TypedMap()
      map.getOrLoad('a', () => new Promise(() => {}), { timeout: 20 }).catch(error => console.log(error.code))`)
    assert.equal(stdout, 'ERR_TIMEOUT\n')
  })
})

describe('a lease', () => {
  it('is over after a minute: the first that waits runs its own loader, and the late value is not stored', async () => {
    const map = new TypedMap()
    const clock = TypedMap.setClock()
    const first = begin(map, 'a')
    const second = begin(map, 'a')
    const third = map.getOrLoad('a', never)
    clock.advance(59_999)
    await turn()
    assert.equal(second.given.signal, undefined)
    clock.advance(1)
    while (second.given.signal === undefined) await turn()
    first.resolve('late')
    assert.equal(await first.result, 'late', 'its own loader is all that it waits for')
    assert.equal(map.has('a'), false)
    second.resolve('second')
    assert.deepEqual([await second.result, await third], ['second', 'second'])
    assert.equal(map.get('a'), 'second')
    clock.restore()
  })

  it('a load that nothing else waits for goes on; a later call takes it over', async () => {
    const map = new TypedMap()
    const clock = TypedMap.setClock()
    const first = begin(map, 'a')
    clock.advance(100_000)
    const second = map.getOrLoad('a', async () => 'second')
    assert.deepEqual([await second, await first.result, map.get('a')], ['second', 'second', 'second'])
    assert.equal(first.given.signal.aborted, true, 'nothing waits for the first loader')
    const alone = begin(map, 'b')
    clock.advance(100_000)
    alone.resolve('alone')
    assert.equal(await alone.result, 'alone')
    assert.equal(map.get('b'), 'alone')
    clock.restore()
  })
})

describe('what voids a load', () => {
  /** What is done while a load is under way, in a map that has nothing under the key. */
  const voiding = {
    'a set': map => map.set('a', 'set'),
    'a delete of the absent key': map => map.delete('a'),
    'a delete': map => {
      map.set('a', 1)
      map.delete('a')
    },
    'a remove of the absent key': map => map.remove('a'),
    'a remove of the absent key in a map with a codec': map => map.remove('a'),
    'deleteMany of the absent key': map => map.deleteMany(['a']),
    setMany: map => map.setMany([['a', 'set']]),
    'a clear': map => map.clear(),
    'a clear of entries': map => {
      map.set('b', 1)
      map.clear()
    },
    increment: map => map.increment('a'),
    update: map => map.update('a', () => 'updated'),
    'a commit that sets': map => map.transaction(tx => tx.set('a', 'set')),
    'a commit that deletes the absent key': map => map.transaction(tx => tx.delete('a')),
    'a compareAndSet that swapped': map => {
      map.set('a', 1)
      assert.ok(map.compareAndSet('a', 1, 2).swapped)
    },
    getOrInsert: map => map.getOrInsert('a', 'inserted'),
    'a replace by handle': map => {
      const handle = map.insertWithHandle('a', 1)
      map.replace(handle, 2)
      map.delete(handle)
    }
  }
  for (const [what, change] of Object.entries(voiding)) {
    it(`${what}: those that wait get the value, and nothing is stored`, async () => {
      const map = new TypedMap(what.endsWith('codec') ? { codec: 'v8' } : {})
      const { resolve, result } = begin(map, 'a')
      const other = map.getOrLoad('a', never)
      change(map)
      const [before, size] = [map.get('a'), map.size]
      resolve('loaded')
      assert.deepEqual([await result, await other], ['loaded', 'loaded'])
      assert.deepEqual([map.get('a'), map.size], [before, size])
    })
  }

  const others = {
    'a delete of another key': map => map.delete('b'),
    'a compareAndSet that did not swap': map => assert.ok(!map.compareAndSet('a', 1, 2).swapped),
    'a touch': map => map.touch('a', { ttl: 10 }),
    'a write that is refused': map => assert.throws(() => map.set('a', 'x'.repeat(2_000))),
    'an update of a key that is not there': map => map.updateMany([['a', 1]]),
    'an eviction': map => {
      map.set('b', 1)
      map.evict(10)
    },
    'an expiry': map => {
      const clock = TypedMap.setClock()
      map.set('b', 1, { ttl: 5 })
      clock.advance(5)
      clock.restore()
    }
  }
  for (const [what, change] of Object.entries(others)) {
    it(`not ${what}`, async () => {
      const map = new TypedMap({ maxValueBytes: 1_000, maxEntries: 100 })
      const { resolve, result } = begin(map, 'a')
      change(map)
      resolve('loaded')
      await result
      assert.equal(map.get('a'), 'loaded')
    })
  }

  it('a later call begins a load of its own: it does not get what was loaded before', async () => {
    const map = new TypedMap()
    const before = begin(map, 'a')
    map.delete('a')
    const after = begin(map, 'a')
    const waits = map.getOrLoad('a', never)
    before.resolve('old')
    assert.equal(await before.result, 'old')
    assert.equal(map.has('a'), false)
    after.resolve('new')
    assert.deepEqual([await after.result, await waits, map.get('a')], ['new', 'new', 'new'])
  })

  it('a void load whose lease is over leaves those that wait to the load that came after it', async () => {
    const map = new TypedMap()
    const clock = TypedMap.setClock()
    const before = begin(map, 'a')
    const waits = map.getOrLoad('a', never)
    map.delete('a')
    clock.advance(30_000)
    const after = begin(map, 'a')
    clock.advance(30_000)
    after.resolve('new')
    assert.deepEqual([await after.result, await waits, await before.result], ['new', 'new', 'new'])
    assert.equal(before.given.signal.aborted, true)
    before.resolve('old')
    await turn()
    assert.equal(map.get('a'), 'new')
    clock.restore()
  })
})
