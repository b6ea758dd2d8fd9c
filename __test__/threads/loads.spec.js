'use strict'

// Threads that miss the same keys at the same time run one loader for each, and workers that end in the middle of a
// load leave it to the next. LOADS is how many rounds of the latter, TEST_SEED repeats the moments of a run.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap, TypedMapError } = require('../..')
const { until } = require('../support/turns.js')
const { nextMessage, startWorker } = require('../support/workers.js')

require('../support/sound.js')

const ROUNDS = Number(process.env.LOADS ?? 6)
const SEED = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31)
const KEYS = 20
const CALLS = 5
const THREADS = 4

let names = 0
const nextName = () => `loads ${process.pid} ${++names}`

/** Asks for each key some times, when all threads are ready; returns how many loaders ran here, and what was wrong. */
async function loadAll({ TypedMap, data, port }) {
  const map = TypedMap.open(data.name, { nearCache: data.nearCache })
  const words = new Int32Array(data.shared)
  port.postMessage('ready')
  while (Atomics.load(words, 0) === 0) await new Promise(resolve => setTimeout(resolve, 1))
  let ended = 0
  const wrong = []
  const calls = []
  for (let key = 0; key < data.keys; key++) {
    const loader = async () => {
      Atomics.add(words, 1 + key, 1)
      await new Promise(resolve => setTimeout(resolve, data.ms))
      ended++
      return { key, thread: data.thread }
    }
    for (let call = 0; call < data.calls; call++) {
      // Shorter than a lease: what a thread leaves is handed over when it ends, not a minute later.
      calls.push(map.getOrLoad(key, loader, { timeout: 50_000 }))
    }
  }
  const values = await Promise.all(calls)
  for (const [at, { key }] of values.entries()) if (key !== Math.floor(at / data.calls)) wrong.push([at, key])
  return { ended, wrong, threads: values.filter((_, at) => at % data.calls === 0).map(({ thread }) => thread) }
}

describe('loads among threads', { timeout: 600_000 }, () => {
  it('one loader runs for each key, and all calls get what it brought', async () => {
    for (const nearCache of [undefined, false]) {
      const shared = new SharedArrayBuffer(4 * (KEYS + 1))
      const words = new Int32Array(shared)
      const name = nextName()
      const map = TypedMap.open(name, { nearCache })
      const workers = Array.from({ length: THREADS }, (_, thread) =>
        startWorker(loadAll, { name, nearCache, shared, thread, keys: KEYS, calls: CALLS, ms: 30 })
      )
      await Promise.all(workers.map(nextMessage))
      Atomics.store(words, 0, 1)
      const results = await Promise.all(workers.map(worker => worker.result))
      assert.deepEqual([...words.subarray(1)], Array(KEYS).fill(1))
      for (const { wrong, threads } of results) assert.deepEqual([wrong, threads], [[], results[0].threads])
      assert.equal(
        results.reduce((sum, { ended }) => sum + ended, 0),
        KEYS
      )
      assert.deepEqual([map.size, map.getStats().inserts], [KEYS, KEYS])
      map.close()
    }
  })

  it(`one thread's end leaves its loads to others, ${ROUNDS} times: seed ${SEED}`, async () => {
    let state = SEED
    const below = limit => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % limit
    }
    for (let round = 0; round < ROUNDS; round++) {
      const shared = new SharedArrayBuffer(4 * (KEYS + 1))
      const words = new Int32Array(shared)
      const name = nextName()
      const map = TypedMap.open(name)
      const workers = Array.from({ length: THREADS }, (_, thread) =>
        startWorker(loadAll, { name, shared, thread, keys: KEYS, calls: CALLS, ms: 20 })
      )
      await Promise.all(workers.map(nextMessage))
      Atomics.store(words, 0, 1)
      // One of them ends at some moment, and so do its loads.
      const ending = workers[below(THREADS)]
      await until(() => words[1 + below(KEYS)] > 0)
      const wait = below(30)
      if (wait > 0) await new Promise(resolve => setTimeout(resolve, wait))
      await ending.terminate()
      const others = workers.filter(worker => worker !== ending)
      const results = await Promise.all(others.map(worker => worker.result))
      for (const { wrong, threads } of results) assert.deepEqual([wrong, threads], [[], results[0].threads])
      // Never two at a time; a second one where the first ended with its thread.
      for (const runs of words.subarray(1)) assert.ok(runs === 1 || runs === 2, `${runs} loaders of a key ran`)
      assert.equal(map.size, KEYS)
      await Promise.all(others.map(worker => worker.exit))
      map.close()
    }
  })

  it('an error of a loader arrives in other threads with its name, message, code and details', async () => {
    const name = nextName()
    const map = TypedMap.open(name)
    const worker = startWorker(async ({ TypedMap, data, port }) => {
      const map = TypedMap.open(data)
      for (;;) {
        const kind = await new Promise(resolve => port.once('message', resolve))
        if (kind === 'end') return
        await map
          .getOrLoad('a', async () => {
            port.postMessage('loads')
            await new Promise(resolve => port.once('message', resolve))
            if (kind === 'ours') return () => 1
            if (kind === 'text') throw 'a text'
            if (kind === 'nothing') throw undefined
            if (kind === 'cycle') {
              const details = {}
              details.details = details
              throw Object.assign(new Error('cycle'), { details })
            }
            if (kind === 'own') {
              class NotFound extends Error {
                name = 'NotFound'
                code = 'E_NOT_FOUND'
                details = { id: 7 }
              }
              throw new NotFound('no user 7')
            }
            throw Object.assign(new RangeError('too far'), { code: 42 })
          })
          .catch(() => {})
      }
    }, name)
    worker.setMaxListeners(100)
    const caught = async kind => {
      worker.postMessage(kind)
      assert.equal(await nextMessage(worker), 'loads')
      const result = map.getOrLoad('a', () => assert.fail('the other thread loads'))
      worker.postMessage('go on')
      return result.then(assert.fail, error => error)
    }
    const own = await caught('own')
    assert.ok(own instanceof Error && !(own instanceof TypedMapError))
    const { name: named, message, code, details } = own
    assert.deepEqual([named, message, code, details], ['NotFound', 'no user 7', 'E_NOT_FOUND', { id: 7 }])
    const range = await caught('range')
    assert.ok(range instanceof RangeError && range.constructor === RangeError)
    assert.deepEqual([range.name, range.message, range.code], ['RangeError', 'too far', 42])
    const ours = await caught('ours')
    assert.ok(ours instanceof TypedMapError && ours instanceof TypeError)
    assert.deepEqual([ours.code, ours.number], ['ERR_VALUE_NOT_SERIALIZABLE', 1012])
    assert.equal(await caught('text'), 'a text')
    assert.equal((await caught('nothing')).message, 'undefined')
    const cycle = await caught('cycle')
    assert.deepEqual([cycle.message, 'details' in cycle], ['cycle', false])
    assert.equal(map.has('a'), false)
    worker.postMessage('end')
    await worker.result
    map.close()
  })

  it('values of every kind arrive in other threads, whether they are stored or not', async () => {
    const name = nextName()
    const map = TypedMap.open(name)
    const worker = startWorker(async ({ TypedMap, data, port }) => {
      const map = TypedMap.open(data)
      const objects = [{ a: 1, b: ['x', 'y'] }, { a: 2, b: ['z'] }, [1.5, 2]]
      const values = [1, -0.5, 'é\ud800', 2n ** 70n, null, undefined, true, ...objects, new Float32Array([0.5])]
      for (const [key, value] of values.entries()) {
        await map.getOrLoad(key, async () => {
          port.postMessage({ key, value })
          await new Promise(resolve => port.once('message', resolve))
          return value
        })
      }
      return values.length
    }, name)
    // Collected, because the next one may come at any moment.
    const asked = []
    worker.on('message', message => asked.push(message))
    const isAsked = key => asked.some(one => one?.key === key)
    for (let key = 0; key < 11; key++) {
      await until(() => isAsked(key))
      const { value } = asked.find(one => one?.key === key)
      const result = map.getOrLoad(key, () => assert.fail('the other thread loads'))
      const same = map.getOrLoad(key, () => assert.fail('the other thread loads'))
      const isVoid = key % 2 === 1
      if (isVoid) map.delete(key)
      worker.postMessage('go on')
      assert.deepEqual(await result, value)
      assert.deepEqual(await same, value)
      if (ArrayBuffer.isView(value)) assert.notEqual((await result).buffer, (await same).buffer)
      assert.equal(map.has(key), value !== undefined && !isVoid)
    }
    assert.equal(await worker.result, 11)
    map.close()
  })

  it('when the last that waits leaves, the loader of another thread learns of it', async () => {
    const name = nextName()
    const map = TypedMap.open(name)
    const worker = startWorker(async ({ TypedMap, data, port }) => {
      const map = TypedMap.open(data)
      // Nothing waits here in the end, and the thread is to see it all the same.
      const alive = setInterval(() => {}, 1_000)
      let given
      const own = new AbortController()
      const result = map.getOrLoad(
        'a',
        (_, loading) => {
          given = loading.signal
          return new Promise(() => {})
        },
        { signal: own.signal }
      )
      port.postMessage('loads')
      await new Promise(resolve => port.once('message', resolve))
      own.abort()
      await result.catch(() => {})
      port.postMessage(given.aborted)
      if (!given.aborted) await new Promise(resolve => given.addEventListener('abort', resolve))
      clearInterval(alive)
    }, name)
    await nextMessage(worker)
    const own = new AbortController()
    const result = map.getOrLoad('a', () => assert.fail('the other thread loads'), { signal: own.signal })
    worker.postMessage('leave')
    assert.equal(await nextMessage(worker), false, 'this thread still waits')
    own.abort()
    await assert.rejects(result, { name: 'AbortError' })
    await worker.result
    assert.equal(await map.getOrLoad('a', () => 'anew'), 'anew')
    map.close()
  })

  it('destroy() in another thread rejects what waits', async () => {
    const name = nextName()
    const map = TypedMap.open(name)
    let given
    const result = map.getOrLoad('a', (_, loading) => {
      given = loading.signal
      return new Promise(() => {})
    })
    const worker = startWorker(({ TypedMap, data }) => TypedMap.open(data).destroy(), name)
    await assert.rejects(result, { code: 'ERR_CLOSED' })
    assert.equal(given.aborted, true)
    await worker.result
  })
})
