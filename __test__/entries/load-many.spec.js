'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')

require('../support/sound.js')

const turn = () => new Promise(resolve => setImmediate(resolve))
const never = () => assert.fail('a loader runs that should not')
const rejects = (promise, code, more) => assert.rejects(promise, { code, ...more })
const double = keys => keys.map(key => key * 2)

describe('getManyOrLoad', () => {
  it('reads what is there and loads the rest with one loader, in the order of the keys', async () => {
    const map = new TypedMap([
      [1, 'one'],
      [3, undefined]
    ])
    const asked = []
    const loader = async (keys, { signal, stale }) => {
      asked.push(keys)
      assert.deepEqual([signal.aborted, stale], [false, undefined])
      await turn()
      return double(keys)
    }
    assert.deepEqual(await map.getManyOrLoad([2, 1, 3, 4], loader), [4, 'one', undefined, 8])
    assert.deepEqual(asked, [[2, 4]])
    assert.deepEqual(map.getMany([2, 4]), [4, 8])
    assert.deepEqual(await map.getManyOrLoad(new Set([4, 2]), never), [8, 4])
    assert.deepEqual(await map.getManyOrLoad([], never), [])
    assert.equal(map.getStats().inserts, 4)
  })

  it('keys that are being loaded are waited for, and keys may come twice', async () => {
    const map = new TypedMap()
    const single = map.getOrLoad(1, async () => {
      await turn()
      return 'single'
    })
    const asked = []
    const loader = async keys => {
      asked.push(keys)
      await turn()
      return double(keys)
    }
    const many = [map.getManyOrLoad([1, 2, 2, 3], loader), map.getManyOrLoad([3, 4], loader)]
    assert.deepEqual(await Promise.all(many), [
      ['single', 4, 4, 6],
      [6, 8]
    ])
    assert.deepEqual(asked, [[2, 3], [4]])
    assert.equal(await single, 'single')
  })

  it('options hold for each key: ttl of each value, negativeTtl', async () => {
    const map = new TypedMap()
    const clock = TypedMap.setClock()
    const options = { ttl: value => value * 1_000, negativeTtl: 7 }
    const values = await map.getManyOrLoad([1, 2, 3], keys => keys.map(key => (key === 2 ? undefined : key)), options)
    assert.deepEqual(values, [1, undefined, 3])
    assert.deepEqual([map.ttlOf(1), map.ttlOf(2), map.ttlOf(3)], [1_000, 7, 3_000])
    clock.restore()
    await map.getManyOrLoad([4], () => [undefined])
    assert.equal(map.has(4), false)
  })

  it('a loader that throws, or returns anything else than a value for each key, rejects', async () => {
    const map = new TypedMap()
    const error = new Error('no')
    const failing = map.getManyOrLoad([1, 2], () => Promise.reject(error))
    const waits = map.getOrLoad(1, never)
    await assert.rejects(failing, thrown => thrown === error)
    await assert.rejects(waits, thrown => thrown === error)
    for (const wrong of [undefined, 5, [1], [1, 2, 3], { 0: 1, 1: 2 }, new Map()]) {
      await rejects(
        map.getManyOrLoad([1, 2], () => wrong),
        'ERR_INVALID_OPTION',
        { message: /array of 2 values/ }
      )
    }
    await rejects(
      map.getManyOrLoad([1, 2], () => [1, () => {}]),
      'ERR_VALUE_NOT_SERIALIZABLE'
    )
    assert.deepEqual([map.has(1), map.has(2)], [true, false])
  })

  it('what voids the load of a key voids that one alone', async () => {
    const map = new TypedMap()
    const many = map.getManyOrLoad([1, 2], async keys => {
      await turn()
      return double(keys)
    })
    map.delete(1)
    assert.deepEqual(await many, [2, 4])
    assert.deepEqual([map.has(1), map.get(2)], [false, 4])
  })

  it('timeout and signal free the call; the signal of the loader aborts when no key is waited for', async () => {
    const map = new TypedMap()
    let given
    const hangs = (_, loading) => {
      given = loading.signal
      return new Promise(() => {})
    }
    await rejects(map.getManyOrLoad([1, 2], hangs, { timeout: 1 }), 'ERR_TIMEOUT', { details: { timeout: 1 } })
    assert.equal(given.aborted, true)
    const [own, other] = [new AbortController(), new AbortController()]
    const reason = new Error('enough')
    const many = map.getManyOrLoad([1, 2], hangs, { signal: own.signal })
    const waits = map.getOrLoad(2, never, { signal: other.signal })
    own.abort(reason)
    await assert.rejects(many, thrown => thrown === reason)
    assert.equal(given.aborted, false, 'another call waits for one of its keys')
    other.abort(reason)
    await assert.rejects(waits, thrown => thrown === reason)
    assert.equal(given.aborted, true)
    await assert.rejects(map.getManyOrLoad([1], never, { signal: AbortSignal.abort(reason) }), reason)
  })

  it('where the lease of a key is over, the call that waits loads that key alone', async () => {
    const map = new TypedMap()
    const clock = TypedMap.setClock()
    const hangs = map.getManyOrLoad([1, 2], () => new Promise(() => {}))
    const asked = []
    const waits = map.getManyOrLoad([2, 3], keys => {
      asked.push(keys)
      return double(keys)
    })
    clock.advance(60_000)
    assert.deepEqual(await waits, [4, 6])
    assert.deepEqual(asked, [[3], [2]])
    clock.restore()
    map.close()
    await rejects(hangs, 'ERR_CLOSED')
  })

  it('a loader that waits for one of its keys is rejected', async () => {
    const map = new TypedMap()
    const own = map.getManyOrLoad([1, 2], () => map.getManyOrLoad([3, 2], never))
    await rejects(own, 'ERR_INVALID_OPTION', { message: /waits for the key that it loads/ })
    await rejects(
      map.getManyOrLoad([1, 2], () => map.getOrLoad(2, never)),
      'ERR_INVALID_OPTION'
    )
  })

  it('handles are read; arguments are checked', async () => {
    const map = new TypedMap([['a', 1]])
    const handle = map.getHandle('a')
    assert.deepEqual(await map.getManyOrLoad([handle, 'b'], () => [2]), [1, 2])
    map.delete('a')
    await rejects(map.getManyOrLoad([handle, 'c'], never), 'ERR_HANDLE_NOT_FOUND')
    assert.equal(map.has('c'), false)
    for (const keys of [undefined, 1, {}]) await rejects(map.getManyOrLoad(keys, never), 'ERR_INVALID_OPTION')
    await rejects(map.getManyOrLoad(['c']), 'ERR_INVALID_OPTION')
    await rejects(map.getManyOrLoad(['c'], never, { retries: 1 }), 'ERR_INVALID_OPTION')
    await rejects(map.getManyOrLoad([{}], never), 'ERR_KEY_TYPE')
    map.close()
    await rejects(map.getManyOrLoad(['c'], never), 'ERR_CLOSED')
  })
})
