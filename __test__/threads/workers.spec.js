'use strict'

// One map, many threads. The promises: no write is lost; what a thread reads of one key never goes back in time; a key
// that is there is never missed, whatever the table does meanwhile; a thread that dies takes nothing with it.
//
//   WORKER_OPS=n  operations per test over all workers, 400,000 unless given

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { seededRandom } = require('../support/random.js')
const { inWorker, nextMessage, startWorker } = require('../support/workers.js')

require('../support/sound.js')

const OPS = Number(process.env.WORKER_OPS ?? 400_000)
const WORKERS = 4
const HOT_KEYS = 16

let names = 0
const freshName = () => `workers ${process.pid} ${++names}`

/** A map under a name that no other test uses, and the name. */
function openFresh(options) {
  const title = freshName()
  return [TypedMap.open(title, options), title]
}

/** Runs `body` in four workers at once, each with its number in `data.worker`, and returns their results. */
async function inWorkers(body, data) {
  // All begin together, once all are there: a worker takes longer to start than a short test to run.
  const gate = new Int32Array(new SharedArrayBuffer(8))
  const all = Array.from({ length: WORKERS }, (_, worker) =>
    startWorker(body, { ...data, worker, workers: WORKERS, gate })
  )
  const results = await Promise.all(all.map(worker => worker.result))
  await Promise.all(all.map(worker => worker.exit))
  return results
}

describe('workers: what is written is there', () => {
  it('a map opened by name is the same map in every thread', async () => {
    const name = freshName()
    const map = TypedMap.open(name)
    map.set('from', 'main')
    const seen = await inWorker(({ TypedMap, data }) => {
      const map = TypedMap.open(data)
      const seen = map.get('from')
      map.set('to', { thread: 'worker' })
      map.close()
      return seen
    }, name)
    assert.equal(seen, 'main')
    assert.deepEqual(map.get('to'), { thread: 'worker' })
    map.close()
  })

  it('counters of their own are not lost among each other', async () => {
    const [map, title] = openFresh()
    const steps = Math.ceil(OPS / WORKERS / 2)
    await inWorkers(
      ({ TypedMap, data }) => {
        const { gate, worker, workers, steps } = data
        const map = TypedMap.open(data.title)
        Atomics.add(gate, 0, 1)
        while (Atomics.load(gate, 0) < workers) Atomics.wait(gate, 0, Atomics.load(gate, 0), 5)
        const key = `counter ${worker}`
        for (let step = 0; step < steps; step++) map.set(key, (map.get(key) ?? 0) + 1)
      },
      { title, steps }
    )
    for (let worker = 0; worker < WORKERS; worker++) assert.equal(map.get(`counter ${worker}`), steps)
    assert.equal(map.size, WORKERS)
    map.close()
  })

  it('distinct keys are all there, each with its last value, and each once', async () => {
    const [map, title] = openFresh()
    // Three operations for each: set, delete or set again, get.
    const keys = Math.ceil(OPS / WORKERS / 3)
    await inWorkers(
      ({ TypedMap, data, assert }) => {
        const { gate, worker, workers, keys } = data
        const map = TypedMap.open(data.title)
        Atomics.add(gate, 0, 1)
        while (Atomics.load(gate, 0) < workers) Atomics.wait(gate, 0, Atomics.load(gate, 0), 5)
        // Keys of all workers share shards and probe sequences: neighbours differ by their worker.
        for (let n = 0; n < keys; n++) {
          const key = n * workers + worker
          map.set(key, 'first')
          if (n % 3 === 0) assert.equal(map.delete(key), true)
          if (n % 3 !== 1) map.set(key, `${worker}:${n}`)
          assert.equal(map.get(key), n % 3 === 1 ? 'first' : `${worker}:${n}`)
        }
      },
      { title, keys }
    )
    assert.equal(map.size, WORKERS * keys)
    const seen = new Uint8Array(WORKERS * keys)
    for (const [key, value] of map) {
      const n = Math.floor(key / WORKERS)
      assert.equal(value, n % 3 === 1 ? 'first' : `${key % WORKERS}:${n}`)
      seen[key]++
    }
    assert.ok(
      seen.every(times => times === 1),
      'each key is visited once'
    )
    map.close()
  })

  it('keyless entries of all threads are all there', async () => {
    const [map, title] = openFresh()
    const entries = Math.ceil(OPS / WORKERS / 20)
    const results = await inWorkers(
      ({ TypedMap, data }) => {
        const map = TypedMap.open(data.title)
        return Array.from({ length: data.entries }, (_, n) => ({ ...map.insert({ worker: data.worker, n }) }))
      },
      { title, entries }
    )
    assert.equal(map.size, WORKERS * entries)
    for (const [worker, handles] of results.entries()) {
      for (const [n, data] of handles.entries()) assert.deepEqual(map.get(map.handle(data)), { worker, n })
    }
    map.close()
  })

  it('entries of one thread are visited in the order in which it made them', async () => {
    const [map, title] = openFresh()
    const entries = Math.ceil(OPS / WORKERS / 20)
    await inWorkers(
      ({ TypedMap, data }) => {
        const map = TypedMap.open(data.title)
        for (let n = 0; n < data.entries; n++) map.set(`${data.worker}:${n}`, n)
      },
      { title, entries }
    )
    const next = Array(WORKERS).fill(0)
    for (const [key, n] of map) assert.equal(n, next[key.split(':')[0]]++)
    assert.deepEqual(next, Array(WORKERS).fill(entries))
    map.close()
  })
})

/**
 * Writes and reads the hot keys, amid other keys that make the table grow and shrink, and checks each reading against
 * all that this thread has seen: per key and writer, `n` never goes back. A value names its writer, and repeats `n` in
 * forms that a torn copy would not get right. Returns the last `n` that this worker wrote per key.
 */
function hammer({ TypedMap, data, assert }) {
  const { gate, worker, workers, hotKeys, steps, clearing, options } = data
  const map = TypedMap.open(data.title, options)
  const STATE = { seed: data.seed >>> 0 }
  const below = bound => {
    STATE.seed = (STATE.seed + 0x6d2b79f5) >>> 0
    let z = STATE.seed
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return Math.floor((((z ^ (z >>> 14)) >>> 0) / 2 ** 32) * bound)
  }
  // seen[key * workers + writer]: the latest n of that writer that this thread saw under that key.
  const seen = new Float64Array(hotKeys * workers)
  const written = new Float64Array(hotKeys)
  const handles = Array(hotKeys).fill(undefined)
  let missing = 0
  let n = 0

  const check = (key, value, how) => {
    if (value === undefined) {
      missing++
      return
    }
    const fields = Array.isArray(value) ? value : value.history
    const [writer, count, double, pad] = fields
    assert.equal(double, count * 2 + writer, `torn value of ${key} by ${how}`)
    assert.equal(pad, 'x'.repeat(count % 50), `torn text of ${key} by ${how}`)
    const at = key * workers + writer
    if (count < seen[at]) {
      assert.fail(`key ${key}, writer ${writer}: ${count} by ${how} in worker ${worker} after ${seen[at]}`)
    }
    seen[at] = count
  }

  Atomics.add(gate, 0, 1)
  while (Atomics.load(gate, 0) < workers) Atomics.wait(gate, 0, Atomics.load(gate, 0), 5)
  for (let step = 0; step < steps; step++) {
    const key = below(hotKeys)
    switch (below(8)) {
      case 0:
      case 1:
      case 2: {
        n++
        const fields = [worker, n, n * 2 + worker, 'x'.repeat(n % 50)]
        map.set(key, n % 2 === 0 ? fields : { history: fields })
        seen[key * workers + worker] = n
        written[key] = n
        break
      }
      case 3:
        handles[key] = map.getHandle(key) ?? handles[key]
        break
      case 4:
        // A handle of a cleared entry reads undefined; a live one reads the key's entry.
        if (handles[key] !== undefined) {
          const value = map.get(handles[key])
          if (value !== undefined || !clearing) check(key, value, 'handle')
        }
        break
      case 5: {
        // Other keys come and go in waves, so that the tables grow and shrink around the hot keys.
        const other = `${worker}:${below(4_000)}`
        if (Math.floor(step / 20_000) % 2 === 0) map.set(other, n)
        else map.delete(other)
        break
      }
      default:
        check(key, map.get(key), 'key')
    }
    if (clearing && worker === 0 && step % 10_000 === 9_999) map.clear()
  }
  return { written: [...written], missing }
}

describe('workers: histories per key', () => {
  const CONFIGURATIONS = {
    'with near caches': {},
    'without near caches': { nearCache: false },
    'with one shard': { shards: 1 },
    'with near caches of one entry': { nearCache: { maxEntries: 1 } }
  }
  for (const [name, options] of Object.entries(CONFIGURATIONS)) {
    for (const clearing of [false, true]) {
      it(`are consistent ${name}, amid growth${clearing ? ' and clear' : ', and miss no present key'}`, async t => {
        const random = seededRandom(t)
        const [map, title] = openFresh(options)
        if (!clearing) for (let key = 0; key < HOT_KEYS; key++) map.set(key, [0, 0, 0, ''])
        const results = await inWorkersSeeded(random, {
          title,
          options,
          clearing,
          hotKeys: HOT_KEYS,
          steps: Math.ceil(OPS / WORKERS)
        })
        for (let key = 0; key < HOT_KEYS; key++) {
          const last = map.get(key)
          if (last === undefined) {
            assert.ok(clearing, `key ${key} was lost`)
            continue
          }
          const [writer, count] = Array.isArray(last) ? last : last.history
          assert.equal(count, results[writer].written[key], `the last write of worker ${writer} to key ${key}`)
        }
        if (!clearing) for (const { missing } of results) assert.equal(missing, 0, 'a present key was missed')
        map.close()
      })
    }
  }

  async function inWorkersSeeded(random, data) {
    const gate = new Int32Array(new SharedArrayBuffer(8))
    const all = Array.from({ length: WORKERS }, (_, worker) =>
      startWorker(hammer, { ...data, worker, workers: WORKERS, gate, seed: random.below(2 ** 32) })
    )
    const results = await Promise.all(all.map(worker => worker.result))
    await Promise.all(all.map(worker => worker.exit))
    return results
  }
})

describe('workers: keys that stay', () => {
  it('are never missed while their neighbours come, go and move', async t => {
    const random = seededRandom(t)
    // One small table: each deletion moves what stands behind it, and what stands behind it are often these keys.
    const [map, title] = openFresh({ shards: 1, nearCache: false })
    const staying = 40
    for (let key = 0; key < staying; key++) map.set(key, key)
    const body = ({ TypedMap, data, assert }) => {
      const { gate, worker, workers, reads, staying, title } = data
      const map = TypedMap.open(title, { nearCache: false })
      Atomics.add(gate, 0, 1)
      while (Atomics.load(gate, 0) < workers) Atomics.wait(gate, 0, Atomics.load(gate, 0), 5)
      if (worker < 2) {
        for (let read = 0; read < reads; read++) {
          const key = read % staying
          if (!map.has(key)) assert.fail(`key ${key} was missed at read ${read}`)
        }
        Atomics.add(gate, 1, 1)
        return
      }
      // A small xorshift, so that the seed of the test decides.
      let state = data.seed | 1
      while (Atomics.load(gate, 1) < 2) {
        state ^= state << 13
        state ^= state >>> 17
        state ^= state << 5
        const key = staying + ((state >>> 8) % 60)
        if ((state & 1) === 0) map.set(key, key)
        else map.delete(key)
      }
    }
    await inWorkers(body, { title, staying, reads: OPS * 2, seed: random.below(2 ** 32) })
    for (let key = 0; key < staying; key++) assert.equal(map.get(key), key)
    map.close()
  })
})

describe('workers: walking while others write', () => {
  it('visits each entry that stays exactly once, and in order', async t => {
    const random = seededRandom(t)
    const [map, title] = openFresh()
    const staying = 5_000
    for (let key = 0; key < staying; key++) {
      map.set(key, key)
      map.set(`passing ${key}`, key)
    }
    const stop = new Int32Array(new SharedArrayBuffer(4))
    const writers = Array.from({ length: 2 }, (_, worker) =>
      startWorker(
        ({ TypedMap, data }) => {
          const map = TypedMap.open(data.title)
          for (let step = data.seed; Atomics.load(data.stop, 0) === 0; step++) {
            const key = `passing ${(step * 7919) % 20_000}`
            if (step % 2 === 0) map.set(key, step)
            else map.delete(key)
            if (step % 5 === 0) map.set((step * 31) % 5_000, (step * 31) % 5_000)
          }
        },
        { title, stop, seed: random.below(2 ** 20) * 2 + worker }
      )
    )
    try {
      for (let round = 0; round < 10; round++) {
        let next = 0
        for (const [key, value] of map) {
          if (typeof key === 'string') continue
          assert.equal(key, next++)
          assert.equal(value, key)
        }
        assert.equal(next, staying)
      }
    } finally {
      Atomics.store(stop, 0, 1)
    }
    await Promise.all(writers.map(writer => writer.result))
    map.close()
  })
})

describe('workers: handles', () => {
  it('survive postMessage as data, and are revived in any thread', async () => {
    const [map, title] = openFresh()
    const handle = map.insert({ step: 1 })
    const worker = startWorker(
      async ({ TypedMap, data, port, assert }) => {
        const { once } = require('node:events')
        const map = TypedMap.open(data.title)
        const handle = map.handle(data.handle)
        assert.deepEqual(map.get(handle), { step: 1 })
        map.replace(handle, { step: 2 })
        const own = map.insert('made in the worker')
        port.postMessage(own)
        await once(port, 'message')
        const after = map.get(handle)
        map.close()
        return { after, id: handle.id }
      },
      { title, handle: { ...handle } }
    )
    const posted = await nextMessage(worker)
    assert.deepEqual(map.get(handle), { step: 2 })
    assert.equal(map.get(map.handle(posted)), 'made in the worker')
    map.delete(handle)
    worker.postMessage('deleted')
    const { after, id } = await worker.result
    assert.equal(after, undefined)
    assert.equal(id, handle.id)
    await worker.exit
    map.close()
  })

  it('can be posted as they are, in both directions', async () => {
    const [map] = openFresh()
    const handle = map.insert([1, 2, 3])
    const back = await inWorker(({ data }) => data, handle)
    assert.deepEqual(map.get(map.handle(back)), [1, 2, 3])
    assert.deepEqual({ ...back }, { ...handle })
    map.close()
  })
})

describe('workers: their end', () => {
  it('after a worker is terminated while it writes, the map works and has no half entry', async t => {
    const random = seededRandom(t)
    const [map, title] = openFresh()
    const rounds = 12
    for (let round = 0; round < rounds; round++) {
      const worker = startWorker(
        ({ TypedMap, data, port }) => {
          const map = TypedMap.open(data.title)
          port.postMessage('writing')
          for (let n = 0; ; n++) {
            const text = 'y'.repeat(n % 3_000)
            map.set(n % 500, { n, text, length: text.length })
            map.set(`${data.round}:${n % 20_000}`, n)
            if (n % 7 === 0) map.delete((n * 13) % 500)
            if (n % 5_000 === 0) map.clear()
            map.insert(n)
          }
        },
        { title, round }
      )
      await nextMessage(worker)
      // How far the worker comes is the one thing here that no seed repeats.
      let turns = random.below(30)
      while (turns-- > 0) {
        map.set('main', turns)
        await new Promise(setImmediate)
      }
      await worker.terminate()
      map.set('main', round)
      assert.equal(map.get('main'), round)
      for (let key = 0; key < 500; key++) {
        const value = map.get(key)
        if (value !== undefined) assert.equal(value.text.length, value.length)
        map.set(key, { text: '', length: 0 })
        assert.equal(map.delete(key), true)
      }
      let entries = 0
      for (const entry of map) entries += entry.length / 2
      assert.equal(entries, map.size)
    }
    map.clear()
    assert.equal(map.size, 0)
    map.close()
  })

  it('a thread that ends releases what it held, closed or not', async () => {
    const name = freshName()
    await inWorker(({ TypedMap, data }) => {
      TypedMap.open(data).set('held', 'by nobody')
      TypedMap.open(data)
      new TypedMap().set('a', 1)
    }, name)
    assert.equal(TypedMap.names().includes(name), false)
    const map = TypedMap.open(name)
    assert.equal(map.size, 0, 'a new map under the old name')
    map.close()
  })

  it('a terminated thread releases too', async () => {
    const name = freshName()
    const worker = startWorker(({ TypedMap, data, port }) => {
      TypedMap.open(data).set('held', 1)
      port.postMessage('open')
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000)
    }, name)
    await nextMessage(worker)
    assert.ok(TypedMap.names().includes(name))
    await worker.terminate()
    assert.equal(TypedMap.names().includes(name), false)
  })

  it('a map outlives the thread that made it while another holds it', async () => {
    const name = freshName()
    const worker = startWorker(async ({ TypedMap, data, port }) => {
      const { once } = require('node:events')
      const map = TypedMap.open(data)
      map.set('a', { from: 'a thread that is gone' })
      const handle = map.insert('keyless')
      port.postMessage({ ...handle })
      await once(port, 'message')
    }, name)
    const handle = await nextMessage(worker)
    const map = TypedMap.open(name)
    assert.deepEqual(map.get('a'), { from: 'a thread that is gone' })
    worker.postMessage('end')
    await worker.exit
    assert.deepEqual(map.get('a'), { from: 'a thread that is gone' })
    assert.equal(map.get(map.handle(handle)), 'keyless')
    map.set('b', 1)
    assert.equal(map.size, 3)
    map.close()
    assert.equal(TypedMap.names().includes(name), false)
  })

  it('many short threads leak nothing', async () => {
    const name = freshName()
    const map = TypedMap.open(name)
    for (let round = 0; round < 20; round++) {
      await inWorker(
        ({ TypedMap, data }) => {
          const map = TypedMap.open(data.title)
          map.set(data.round, { round: data.round })
          for (const [key] of map) map.get(key)
        },
        { title: name, round }
      )
    }
    assert.deepEqual(
      [...map.values()].map(({ round }) => round),
      Array.from({ length: 20 }, (_, round) => round)
    )
    map.close()
  })
})
