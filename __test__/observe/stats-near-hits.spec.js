'use strict'

// Near-cache hits of other threads: at most a second or 4,096 hits late, whatever these threads do. Those of this
// thread: at once.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { inspect } = require('node:util')
const { TypedMap } = require('../..')
const { inWorker, startWorker } = require('../support/workers.js')

require('../support/sound.js')

/** Near hits of other threads that may be missing. */
const MOST_BEHIND = 4_096

/** Ways to read, by key, by handle and by the handle itself, in a worker. */
const WAYS = {
  'map.get(key)': map => () => map.get('a'),
  'map.get(handle)': map => {
    const handle = map.getHandle('a')
    return () => map.get(handle)
  },
  'handle.get()': map => {
    const handle = map.getHandle('a')
    return () => handle.get()
  },
  'each in turn': map => {
    const handle = map.getHandle('a')
    let turn = 0
    return () => [() => map.get('a'), () => handle.get(), () => map.getByHandle(handle)][turn++ % 3]()
  }
}

const OPTIONS = {
  'without marks': {},
  'with marks': { maxEntries: 1_000 },
  'with hits in order': { maxEntries: 1_000, evictionStrategy: 'LRU' }
}

let maps = 0
const open = options => {
  const name = `near hits ${process.pid} ${maps++}`
  const map = TypedMap.open(name, options)
  map.set('a', { a: 1 })
  return { name, map }
}

describe('near-cache hits of other threads', () => {
  for (const [what, options] of Object.entries(OPTIONS)) {
    for (const [way, make] of Object.entries(WAYS)) {
      it(`${way}, ${what}: a thread in a loop of nothing else is 4,096 behind at most`, async () => {
        const { name, map } = open(options)
        const counts = new Int32Array(new SharedArrayBuffer(4))
        const worker = startWorker(
          ({ TypedMap, data: { name, make, counts } }) => {
            const read = new Function(`return ${make}`)()(TypedMap.open(name))
            // The first reads bring a copy.
            for (let n = 0; n < 200_000; n++) {
              read()
              Atomics.store(counts, 0, n + 1)
            }
            // Nothing turns any more.
            Atomics.wait(counts, 0, 200_000)
          },
          { name, make: `${make}`, counts }
        )
        for (;;) {
          const done = Atomics.load(counts, 0)
          const { hits } = map.getStats()
          assert.ok(hits >= done - MOST_BEHIND, `${hits} of ${done}`)
          if (done === 200_000) break
          await new Promise(resolve => setTimeout(resolve, 1))
        }
        const { hits } = map.getStats()
        await worker.terminate()
        assert.ok(map.getStats().hits >= hits && map.getStats().hits <= 200_000)
        map.destroy()
      })
    }
  }

  it('a thread that is terminated later than a second after them loses none', async () => {
    const { name, map } = open({})
    const worker = startWorker(({ TypedMap, data }) => {
      const map = TypedMap.open(data)
      const handle = map.getHandle('a')
      for (let n = 0; n < 230; n++) {
        map.get('a')
        map.get(handle)
        handle.get()
      }
      // Its event loop turns from here on.
      setInterval(() => {}, 60_000)
      return map.size
    }, name)
    await worker.result
    // A second, and as long as this machine takes for one.
    for (let wait = 0; wait < 3_000 && map.getStats().hits < 690; wait++) {
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    assert.equal(map.getStats().hits, 690)
    await worker.terminate()
    assert.equal(map.getStats().hits, 690)
    map.destroy()
  })

  for (const [what, end] of Object.entries({
    'ends by itself': () => {},
    'calls process.exit()': () => process.exit(),
    'ends with an exception': () => {
      setImmediate(() => {
        throw new Error('on purpose')
      })
    }
  })) {
    it(`a thread that ${what} right after them loses none`, async () => {
      const { name, map } = open({})
      const worker = startWorker(
        ({ TypedMap, data: { name, end } }) => {
          const map = TypedMap.open(name)
          const handle = map.getHandle('a')
          for (let n = 0; n < 230; n++) {
            map.get('a')
            map.get(handle)
            handle.get()
          }
          return new Function(`return ${end}`)()()
        },
        { name, end: `${end}` }
      )
      worker.on('error', () => {})
      await worker.exit
      assert.equal(map.getStats().hits, 690)
      map.destroy()
    })
  }

  it('a worker waits for its end while it has maps open, and is warned of no leak', async () => {
    const { counts, warnings } = await inWorker(async ({ data }) => {
      const require = process.getBuiltinModule('node:module').createRequire(data)
      const { evaluateAgain } = require('./evaluations.js')
      const warnings = []
      process.on('warning', ({ name }) => warnings.push(name))
      const before = process.listenerCount('exit')
      const maps = Array.from({ length: 15 }, () => new (evaluateAgain().TypedMap)())
      const counts = [process.listenerCount('exit') > before]
      for (const map of maps) map.close()
      counts.push(process.listenerCount('exit') > before)
      await new Promise(resolve => setImmediate(resolve))
      return { counts, warnings }
    }, require.resolve('../support/evaluations.js'))
    assert.deepEqual({ counts, warnings }, { counts: [true, false], warnings: [] })
  })

  it('of other references of this thread are counted at once, wherever they are asked for', () => {
    const { name, map } = open({})
    const other = TypedMap.open(name)
    const handle = other.getHandle('a')
    const read = times => {
      for (let n = 0; n < times; n++) {
        other.get('a')
        handle.get()
      }
    }
    read(100)
    assert.equal(map.getStats().hits, 200)
    read(100)
    assert.match(map.metrics(), /_cache_gets_total\{map="[^"]*",result="hit"\} 400\n/)
    map.resetStats()
    map.set('b', 1).get('missing')
    read(1)
    assert.match(inspect(map), /67 % hits/)
    read(50)
    map.resetStats()
    assert.equal(map.getStats().hits, 0)
    assert.equal(other.getStats().hits, 0)
    other.close()
    map.destroy()
  })

  it('are counted once, also across clear() and close()', () => {
    for (const options of Object.values(OPTIONS)) {
      const { name, map } = open(options)
      const other = TypedMap.open(name)
      const handle = map.getHandle('a')
      for (let round = 0; round < 3; round++) {
        for (let n = 0; n < 10_000; n++) {
          map.get('a')
          handle.get()
        }
        if (round === 0) map.getStats()
      }
      map.clear()
      map.set('a', { a: 1 })
      for (let n = 0; n < 5_000; n++) map.get('a')
      map.close()
      const { hits, misses } = other.getStats()
      assert.deepEqual([hits, misses], [65_000, 0])
      other.destroy()
    }
  })
})
