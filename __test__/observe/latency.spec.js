'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

/** Calls since the last one that was timed: a count is behind by at most so many, in each thread. */
const MOST_BEHIND = 30
const CALLS = 2_000

/** No near cache: each read is a native call. */
const NATIVE = { latency: true, nearCache: false }

function isCountOf(calls, { count, meanNs, p50Ns, p99Ns, p999Ns, maxNs }, threads = 1) {
  assert.ok(count <= calls && count >= calls - threads * MOST_BEHIND, `${count} of ${calls}`)
  assert.ok(p50Ns > 0 && p50Ns <= p99Ns && p99Ns <= p999Ns && p999Ns <= maxNs, `${p50Ns} ${p99Ns} ${p999Ns} ${maxNs}`)
  assert.ok(meanNs > 0 && meanNs <= maxNs)
}

const NONE = { count: 0, meanNs: 0, p50Ns: 0, p99Ns: 0, p999Ns: 0, maxNs: 0 }

describe('latency', () => {
  it('is measured only where that is asked for', () => {
    assert.equal(new TypedMap().getStats().latency, null)
    assert.equal(new TypedMap({ latency: false }).getStats().latency, null)
  })

  it('of a new map is none, and says how many calls are timed', () => {
    const { sampling, ...operations } = new TypedMap({ latency: true }).getStats().latency
    assert.deepEqual(operations, { get: NONE, set: NONE, insert: NONE, delete: NONE, load: NONE })
    assert.equal(sampling.native, 16)
  })

  const OPERATIONS = {
    get: {
      get: (map, n) => map.get(n),
      getByHandle: (map, _, handle) => map.getByHandle(handle),
      'handle.get': (_map, _, handle) => handle.get(),
      'a miss': (map, n) => map.get(-n - 1),
      'get of a view': (map, n) => map.ofType('type').get(n)
    },
    set: {
      set: (map, n) => map.set(n, n),
      'set of a handle': (map, n, handle) => map.set(handle, n),
      replace: (map, n, handle) => map.replace(handle, n),
      getOrInsert: (map, n) => map.getOrInsert(n, n),
      'set of a view': (map, n) => map.ofType('type').set(n, n)
    },
    insert: { insert: (map, n) => map.insert(n) },
    delete: {
      delete: (map, n) => map.delete(n),
      remove: (map, n) => map.remove(n),
      'delete of a view': (map, n) => map.ofType('type').delete(n)
    }
  }
  for (const [operation, calls] of Object.entries(OPERATIONS)) {
    for (const [name, call] of Object.entries(calls)) {
      it(`of ${name} is that of ${operation}`, () => {
        const map = new TypedMap(NATIVE)
        const handle = map.insert('value')
        for (let n = 0; n < CALLS; n++) call(map, n, handle)
        const { latency } = map.getStats()
        // The call that made the handle is one of `insert`.
        isCountOf(operation === 'insert' ? CALLS + 1 : CALLS, latency[operation])
        for (const other of ['get', 'set', 'insert', 'delete', 'load']) {
          // It may have been timed.
          const most = other === 'insert' ? 1 : 0
          if (other !== operation) assert.ok(latency[other].count <= most, other)
        }
      })
    }
  }

  it('is counted for calls that fail, too', () => {
    const map = new TypedMap({ ...NATIVE, maxValueBytes: 10 })
    for (let n = 0; n < CALLS; n++) assert.throws(() => map.set(n, 'longer than ten bytes'))
    isCountOf(CALLS, map.getStats().latency.set)
  })

  it('of loaders is that of each of them, by the time of the map, whether it brings a value or not', async () => {
    const clock = TypedMap.setClock()
    const map = new TypedMap(NATIVE)
    for (const ms of [5, 5, 5, 1_000]) {
      const value = map.getOrLoad(ms, async () => {
        clock.advance(ms)
        return ms
      })
      assert.equal(await value, ms)
      map.delete(ms)
    }
    await assert.rejects(
      map.getOrLoad('fails', async () => {
        clock.advance(5)
        throw new Error('no value')
      })
    )
    const { count, meanNs, p50Ns, maxNs } = map.getStats().latency.load
    assert.deepEqual([count, meanNs, maxNs], [5, 204e6, 1e9])
    assert.ok(Math.abs(p50Ns - 5e6) <= 5e6 / 60, `${p50Ns}`)
    map.close()
    clock.restore()
  })

  it('is that of all threads, those that ended included', async () => {
    const name = 'latency: threads'
    const map = TypedMap.open(name, NATIVE)
    const body = ({ TypedMap, data }) => {
      const map = TypedMap.open(data.name, { nearCache: false })
      for (let n = 0; n < data.calls; n++) map.set(n, n)
      for (let n = 0; n < data.calls; n++) map.get(n)
    }
    await Promise.all([1, 2].map(() => inWorker(body, { name, calls: CALLS })))
    for (let n = 0; n < CALLS; n++) map.get(n)
    const { get, set } = map.getStats().latency
    isCountOf(3 * CALLS, get, 3)
    isCountOf(2 * CALLS, set, 2)
    map.destroy()
  })
})
