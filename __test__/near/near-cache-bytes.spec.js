'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { setTimeout: sleep } = require('node:timers/promises')
const { Handle, TypedMap } = require('../..')
const { Origin } = require('../../lib/handle.js')
const { KIND, MARKING, ROW, SCRATCH } = require('../../lib/native/layout.js')
const { NearCache, STALE } = require('../../lib/near/near-cache.js')
const { runNode } = require('../support/processes.js')

require('../support/sound.js')

const KB = 1_024
const MB = 1_024 * KB

let names = 0
const freshName = () => `near cache bytes ${process.pid} ${++names}`

/** The statistics of this thread's near cache. */
const near = map => map.getStats().nearCache

/** Waits until `isTrue` says so: seconds, on a machine with other work too. */
async function until(isTrue) {
  for (let waits = 0; !isTrue(); waits++) {
    assert.ok(waits < 12_000, 'it takes minutes')
    await sleep(10)
  }
}

/** Runs a script in a process with `gc()`. */
async function runCollected(script, heapMb = 200) {
  const flags = ['--expose-gc', `--max-old-space-size=${heapMb}`]
  const { status, stdout, stderr } = await runNode(script, { flags })
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

describe('near cache: its bound in bytes', () => {
  const LOADS = {
    numbers: { value: n => n },
    'short texts': { value: n => `${n}`.padEnd(n % 1_000, 'x') },
    'texts that are not ASCII': { value: n => `${n}`.padEnd(n % 3_000, 'ж') },
    objects: { value: n => ({ n, rows: Array.from({ length: n % 50 }, (_, i) => ({ i, name: `row ${i}` })) }) },
    'keys of 1 KB': { key: n => `${n}`.padEnd(KB, '-'), value: n => ({ n }) },
    'numbers as keys': { key: n => n, value: n => ({ n }) },
    'bigints as keys': { key: n => BigInt(n), value: n => ({ n }) }
  }
  for (const [name, { key = n => `key ${n}`, value }] of Object.entries(LOADS)) {
    for (const byHandle of [false, true]) {
      it(`${name}, by ${byHandle ? 'handle' : 'key'}: holds after each read, and every read is right`, () => {
        const maxBytes = 64 * KB
        const map = new TypedMap({ nearCache: { maxBytes } })
        const count = 1_500
        for (let n = 0; n < count; n++) map.set(key(n), value(n))
        const items = Array.from({ length: count }, (_, n) => (byHandle ? map.getHandle(key(n)) : key(n)))
        for (let round = 0; round < 3; round++) {
          for (let n = 0; n < count; n++) {
            assert.deepEqual(map.get(items[n]), value(n))
            if (n % 8 === round) map.get(items[0])
            if (n % 16 !== 0) continue
            const { bytes } = near(map)
            assert.ok(bytes <= maxBytes, `${bytes} bytes`)
          }
        }
        const { entries, bytes, evictions } = near(map)
        assert.ok(bytes > maxBytes / 2, `${bytes} bytes`)
        assert.ok(entries > 5 && entries < count, `${entries} entries`)
        assert.ok(evictions > 0)
      })
    }
  }

  it('holds for copies that take more than the share of the guest with their key', () => {
    const maxBytes = 64 * KB
    const map = new TypedMap({ nearCache: { maxBytes } })
    const keys = Array.from({ length: 300 }, (_, n) => `${n}`.padEnd(500, 'k'))
    for (const [n, key] of keys.entries()) map.set(key, { text: 'x'.repeat((n * 487) % 2_900) })
    for (let round = 0; round < 20; round++) {
      for (const key of keys) {
        assert.equal(typeof map.get(key).text, 'string')
        assert.ok(near(map).bytes <= maxBytes, `${near(map).bytes} bytes`)
      }
    }
    map.close()
  })

  it('holds for batches, and while entries change their sizes', () => {
    const maxBytes = 64 * KB
    const map = new TypedMap({ nearCache: { maxBytes } })
    const keys = Array.from({ length: 200 }, (_, n) => `key ${n}`)
    map.setMany(keys.map(key => [key, 0]))
    const handles = keys.map(key => map.getHandle(key))
    for (let round = 0; round < 60; round++) {
      for (const [n, key] of keys.entries())
        map.set(key, { n, round, text: 'x'.repeat((n * 37 + round * 101) % 1_500) })
      for (const items of [keys, handles]) {
        for (const [n, value] of map.getMany(items).entries()) assert.equal(value.round, round, `${n}`)
        assert.ok(near(map).bytes <= maxBytes, `${near(map).bytes} bytes`)
      }
      for (const handle of handles) map.replace(handle, 'x'.repeat(round * 10))
      for (const key of keys) map.set(key, 'y'.repeat(round * 10))
      assert.ok(near(map).bytes <= maxBytes, `${near(map).bytes} bytes`)
    }
  })

  it('reading what changes all the time takes one place, by key and by handle', () => {
    const map = new TypedMap()
    map.set('key', 0)
    const handle = map.insert({ n: 0 })
    for (let n = 0; n < 5_000; n++) {
      map.set('key', { n }).replace(handle, { n })
      assert.equal(map.get('key').n + map.get(handle).n, 2 * n)
    }
    const { entries, bytes } = near(map)
    assert.equal(entries, 2)
    assert.ok(bytes < 1_000, `${bytes} bytes`)
  })

  it('keys and handles are counted', () => {
    const map = new TypedMap()
    for (let n = 0; n < 100; n++) map.set(`${n}`.padEnd(KB, '-'), true)
    const handles = Array.from(map.keys(), key => map.getHandle(key))
    for (const handle of handles) map.get(handle)
    const { bytes } = near(map)
    assert.ok(bytes > 100 * 100 && bytes < 100 * 300, `${bytes} bytes`)
    for (const key of map.keys()) map.get(key)
    assert.ok(near(map).bytes > bytes + 100 * KB, `${near(map).bytes} bytes`)
  })

  it('what is deleted is not counted any more', () => {
    const map = new TypedMap()
    const keys = Array.from({ length: 300 }, (_, n) => n)
    for (const key of keys) map.set(key, { key })
    const handles = keys.map(key => map.getHandle(key))
    map.getMany(keys)
    map.getMany(handles)
    assert.equal(near(map).entries, 600)
    map.deleteMany(keys)
    for (const handle of handles) assert.equal(map.get(handle), undefined)
    assert.deepEqual([near(map).entries, near(map).bytes], [0, 0])
  })

  it('long texts in ASCII are read natively each time, others are kept', () => {
    const map = new TypedMap()
    map.set('short', 'x'.repeat(1_000)).set('long', 'x'.repeat(2_000)).set('other', 'ж'.repeat(2_000))
    for (const [key, entries] of [
      ['long', 0],
      ['short', 1],
      ['other', 2]
    ]) {
      assert.equal(map.get(key), map.get(key))
      assert.equal(near(map).entries, entries, key)
    }
    // A copy that was worth it ends with the value.
    map.set('short', 'x'.repeat(5_000))
    assert.equal(map.get('short').length, 5_000)
    assert.equal(near(map).entries, 1)
    const handle = map.insert('x')
    map.get(handle)
    map.replace(handle, 'x'.repeat(5_000))
    assert.equal(map.get(handle).length, 5_000)
    assert.equal(near(map).entries, 1)
  })

  it('one value takes a sixteenth of all bytes at most', () => {
    const map = new TypedMap({ nearCache: { maxBytes: '1mb' } })
    map.set('large', { text: 'x'.repeat(100_000) }).set('small', { text: 'x'.repeat(10_000) })
    for (const key of ['large', 'small']) map.get(key)
    assert.equal(near(map).entries, 1)
    assert.equal(map.get('small'), map.get('small'))
    assert.notEqual(map.get('large'), map.get('large'))
  })

  it('documents do not fill the heap, whatever the default number of entries', async () => {
    const { heap } = await runCollected(
      `const map = new TypedMap()
       for (let n = 0; n < 600; n++) map.set(n, { n, text: String(n).padEnd(400_000, 'x') })
       for (let n = 0; n < 600; n++) if (map.get(n).n !== n) throw new Error('wrong')
       global.gc()
       console.log(JSON.stringify({ heap: process.memoryUsage().heapUsed }))`,
      120
    )
    assert.ok(heap < 40_000_000, `${heap} bytes of heap`)
  })

  it('a key that is part of a long text does not keep the text', async () => {
    const { heap } = await runCollected(
      `const map = new TypedMap()
       const keyAt = n => Buffer.alloc(1_000_000, 'request ' + n).toString('latin1').slice(50, 90)
       for (let n = 0; n < 100; n++) map.set(keyAt(n), { n })
       for (let n = 0; n < 100; n++) if (map.get(keyAt(n)).n !== n) throw new Error('wrong')
       if (map.getStats().nearCache.entries !== 100) throw new Error('not kept')
       global.gc()
       console.log(JSON.stringify({ heap: process.memoryUsage().heapUsed }))`
    )
    assert.ok(heap < 20_000_000, `${heap} bytes of heap`)
  })

  for (const [what, key] of [
    ['long keys', "Buffer.alloc(1_000_000, 'request ' + n).toString('latin1')"],
    ['keys that are parts of long texts', "Buffer.alloc(1_000_000, 'request ' + n).toString('latin1').slice(50, 90)"]
  ]) {
    it(`holds for what loads remember of ${what}`, async () => {
      const { heap, loads } = await runCollected(
        `const map = new TypedMap({ nearCache: { maxBytes: 1_000_000 } })
         const keyAt = n => ${key}
         let loads = 0
         const load = n => map.getOrLoad(keyAt(n), () => ({ load: ++loads }), { refreshAfter: 1e9 })
         const main = async () => {
           for (let round = 0; round < 3; round++) for (let n = 0; n < 100; n++) await load(n)
           global.gc()
           console.log(JSON.stringify({ heap: process.memoryUsage().heapUsed, loads }))
           map.close()
         }
         main()`
      )
      assert.equal(loads, 100)
      assert.ok(heap < 20_000_000, `${heap} bytes of heap`)
    })
  }

  it('holds for handles that are held: their copies go with their places', async () => {
    const { alive, entries } = await runCollected(
      `const map = new TypedMap({ nearCache: { maxBytes: 100_000 } })
       const handles = Array.from({ length: 3_000 }, (_, n) => map.insert({ n, text: 'x'.repeat(1_000) }))
       const values = handles.map(handle => new WeakRef(map.get(handle)))
       setTimeout(() => {
         global.gc()
         const alive = values.filter(value => value.deref() !== undefined).length
         console.log(JSON.stringify({ alive, entries: map.getStats().nearCache.entries }))
         if (handles.length === 0) throw new Error()
       }, 1)`
    )
    assert.ok(entries > 10 && entries < 90, `${entries} entries`)
    assert.ok(alive <= entries, `${alive} values of ${entries} copies are alive`)
  })
})

describe('near cache: its default bound in bytes', () => {
  const maxBytesOf = options => {
    const map = new TypedMap(options)
    const { maxBytes } = near(map)
    map.close()
    return maxBytes
  }

  it('is 16 MB, a sixteenth of a limit if that is less, and at least 256 KB', () => {
    assert.equal(maxBytesOf({}), 16 * MB)
    assert.equal(maxBytesOf({ maxEntries: 10 }), 16 * MB)
    assert.equal(maxBytesOf({ memoryLimit: '1gb' }), 16 * MB)
    assert.equal(maxBytesOf({ memoryLimit: '64mb' }), 4 * MB)
    assert.equal(maxBytesOf({ memoryLimitMb: 64 }), 4 * MB)
    assert.equal(maxBytesOf({ memoryLimit: '1mb' }), 256 * KB)
    assert.equal(maxBytesOf({ memoryLimit: '64mb', nearCache: { maxEntries: 5 } }), 4 * MB)
  })

  it('does not apply where `maxBytes` is set', () => {
    assert.equal(maxBytesOf({ nearCache: { maxBytes: 1 } }), 1)
    assert.equal(maxBytesOf({ memoryLimit: '1mb', nearCache: { maxBytes: '20mb' } }), 20 * MB)
    assert.equal(maxBytesOf({ nearCache: false }), 0)
  })

  it('follows the limit of the map, whichever thread or reference set it', () => {
    const name = freshName()
    const [first, second] = [TypedMap.open(name, { memoryLimit: '64mb' }), TypedMap.open(name)]
    const own = TypedMap.open(name, { nearCache: { maxBytes: '2mb' } })
    assert.equal(near(second).maxBytes, 4 * MB)
    for (const map of [second, own]) map.setLimits({ memoryLimit: '32mb' })
    assert.equal(near(second).maxBytes, 2 * MB)
    second.setLimits({ maxEntries: 100 })
    assert.equal(near(second).maxBytes, 2 * MB)
    const third = TypedMap.open(name)
    assert.equal(near(third).maxBytes, 2 * MB)
    third.close()
    second.setLimits({ memoryLimit: null })
    assert.equal(near(second).maxBytes, 16 * MB)
    assert.equal(near(own).maxBytes, 2 * MB)
    for (const map of [first, second, own]) map.close()
  })

  it('a lowered bound is kept soon', async () => {
    const map = new TypedMap({ memoryLimit: '64mb' })
    for (let n = 0; n < 2_000; n++) map.set(n, { n, text: 'x'.repeat(800) })
    for (let n = 0; n < 2_000; n++) map.get(n)
    const { bytes } = near(map)
    assert.ok(bytes > 1.5 * MB)
    map.setLimits({ memoryLimit: '8mb' })
    await until(() => near(map).bytes <= 512 * KB)
    assert.ok(near(map).entries > 100)
  })
})

describe('near cache: copies of removed entries', () => {
  /** A map with a near cache full of copies, and another reference to it, which writes behind the first one's back. */
  function openBoth(options) {
    const name = freshName()
    const [map, other] = [1, 2].map(() => TypedMap.open(name, options))
    for (let n = 0; n < 2_000; n++) map.set(n, { n })
    const handles = Array.from({ length: 500 }, (_, n) => map.getHandle(n))
    for (let n = 0; n < 2_000; n++) map.get(n)
    for (const handle of handles) map.get(handle)
    assert.equal(near(map).entries, 2_500)
    return { map, other, handles }
  }

  const ENDS = {
    'are deleted': other => other.deleteMany(Array.from({ length: 2_000 }, (_, n) => n)),
    'are cleared': other => other.clear(),
    'are evicted': other => other.evict(2_000),
    expire: (_other, map) => {
      for (let n = 0; n < 2_000; n++) map.touch(n, { ttl: 1 })
    }
  }
  for (const [name, end] of Object.entries(ENDS)) {
    it(`that ${name} elsewhere: are removed where nothing is read`, async () => {
      const { map, other, handles } = openBoth({ maxEntries: 5_000 })
      end(other, map)
      await until(() => near(map).entries === 0)
      assert.equal(near(map).bytes, 0)
      assert.ok(near(map).outdated > 0)
      for (const handle of handles) assert.equal(map.get(handle), undefined)
      map.close()
      other.close()
    })
  }

  it('are removed by reads of others, without a turn of the event loop', () => {
    const { map, other } = openBoth()
    other.clear()
    for (let n = 0; n < 20; n++) other.set(n, { n })
    let reads = 0
    while (near(map).entries > 40) {
      other.set(reads % 20, { reads })
      assert.deepEqual(map.get(reads % 20), { reads })
      assert.ok(++reads < 20_000)
    }
    map.close()
    other.close()
  })

  it('are removed, and those of entries that merely changed keep their places for a round', async () => {
    const { map, other } = openBoth()
    for (let n = 0; n < 1_000; n++) other.delete(n)
    for (let waits = 0; near(map).entries > 1_000; waits++) {
      assert.ok(waits < 12_000, 'it takes minutes')
      // Written and read in turn: a copy that is outdated at times is renewed in its place.
      for (let n = 1_000; n < 1_010; n++) assert.deepEqual(map.get(n), { n })
      await sleep(10)
      for (let n = 1_000; n < 1_010; n++) other.set(n, { n })
    }
    map.close()
    other.close()
  })

  it('pin no version words of a map that another thread cleared', async () => {
    const { before, after } = await runCollected(
      `const [map, other] = [1, 2].map(() => TypedMap.open('words', { shards: 1 }))
       for (let n = 0; n < 100_000; n++) map.set(n, n)
       for (let n = 0; n < 100_000; n += 20) map.get(n)
       const words = () => other.getStats().memory.words
       const before = words()
       other.clear()
       let waits = 0
       const look = () => {
         const isOver = map.getStats().nearCache.entries === 0
         if (isOver) global.gc()
         if (!(isOver && words() < before / 10) && ++waits < 12_000) return setTimeout(look, 10)
         console.log(JSON.stringify({ before, after: words() }))
         map.close()
       }
       look()`
    )
    assert.ok(after < before / 10, `${after} bytes of ${before} are left`)
  })

  it("a test's clock does not stop that, and neither does a thread that only hits", async () => {
    const { entries, heap } = await runCollected(
      `const { mock } = require('node:test')
       const { setTimeout: later } = require('node:timers')
       mock.timers.enable()
       globalThis.setTimeout = globalThis.setInterval = globalThis.setImmediate = () => 0
       const name = 'fake clock'
       const [map, other] = [1, 2].map(() => TypedMap.open(name))
       map.set('hot', { hot: true })
       for (let n = 0; n < 500; n++) map.set(n, { n, rows: Array.from({ length: 100 }, (_, i) => ({ i })) })
       for (let n = 0; n < 500; n++) map.get(n)
       map.get('hot')
       for (let n = 0; n < 500; n++) other.delete(n)
       const look = () => {
         for (let read = 0; read < 1_000; read++) if (!map.get('hot').hot) throw new Error('wrong')
         const { entries } = map.getStats().nearCache
         if (entries > 1) return later(look, 10)
         global.gc()
         console.log(JSON.stringify({ entries, heap: process.memoryUsage().heapUsed }))
         process.exit()
       }
       later(look, 10)`
    )
    assert.equal(entries, 1)
    assert.ok(heap < 20_000_000, `${heap} bytes of heap`)
  })

  it('looking for them keeps neither the process nor an unnamed map nor an async context alive', async () => {
    const found = await runCollected(
      `const { AsyncLocalStorage } = require('node:async_hooks')
       const storage = new AsyncLocalStorage()
       const kept = new TypedMap([['a', { b: 1 }]])
       const refs = {}
       ;(() => {
         const context = { large: true }
         storage.run(context, () => kept.get('a'))
         const map = new TypedMap([['a', { b: 1 }]])
         map.get('a')
         Object.assign(refs, { context: new WeakRef(context), map: new WeakRef(map) })
       })()
       let turns = 0
       const look = () => {
         global.gc()
         if ((refs.map.deref() ?? refs.context.deref()) !== undefined && ++turns < 1_000) return setTimeout(look, 10)
         const found = { map: refs.map.deref() !== undefined, context: refs.context.deref() !== undefined }
         console.log(JSON.stringify({ ...found, entries: kept.getStats().nearCache.entries }))
       }
       setTimeout(look, 10)`
    )
    assert.deepEqual(found, { map: false, context: false, entries: 1 })
  })
})

describe('near cache: work in bounded steps', () => {
  const words = new Int32Array(2 * 300_000).fill(5)

  function openCache(options) {
    const hitLog = null
    return new NearCache({
      maxEntries: 100_000,
      maxBytes: 1_000 * MB,
      words: { of: () => words, tidy() {}, forget() {} },
      instance: 1,
      shards: 1,
      marking: MARKING.None,
      hitLog,
      origin: new Origin(1, () => undefined),
      ...options
    })
  }

  const state = new Uint32Array(ROW)
  function stateOf(slot) {
    state[SCRATCH.WORD] = 2 * slot
    state[SCRATCH.VERSION] = 5
    state[SCRATCH.SLOT] = slot
    return state
  }
  const keepHandle = (near, handle) => near.keepByHandle(handle, KIND.Int, handle.slot, stateOf(handle.slot), 0)
  const keepKey = (near, key, n) => near.keepByKey(key, near.placeOf(key), KIND.Int, n, stateOf(n), 0)

  it('a round of the sweep takes the values of changed entries, the next one their places', () => {
    const words = new Int32Array(4).fill(5)
    const keep = (item, entry, version) => {
      const state = Object.assign(new Uint32Array(ROW), { [SCRATCH.WORD]: 2 * entry, [SCRATCH.VERSION]: version })
      state[SCRATCH.SIZE] = 100
      if (typeof item === 'object') cache.keepByHandle(item, KIND.Json, { version }, state, 0)
      else cache.keepByKey(item, cache.placeOf(item), KIND.Json, { version }, state, 0)
    }
    const cache = openCache({ words: { of: () => words, tidy() {}, forget() {} } })
    for (const [item, entry] of [
      ['key', 0],
      [new Handle(1, 0, 7, 1), 1]
    ]) {
      const word = 2 * entry
      const sweep = () => cache.ring.sweep(100)
      keep(item, entry, 5)
      const { bytes } = cache.stats
      sweep()
      assert.deepEqual([cache.stats.entries, cache.stats.bytes], [1, bytes])
      words[word] = 6
      sweep()
      assert.equal(cache.stats.entries, 1)
      assert.ok(cache.stats.bytes < bytes - 100)
      keep(item, entry, 6)
      assert.deepEqual([cache.stats.entries, cache.stats.bytes], [1, bytes])
      words[word] = 7
      sweep()
      sweep()
      assert.deepEqual([cache.stats.entries, cache.stats.bytes], [0, 0])
    }
  })

  it('a sweep counts what it removes, also where the copies take no bytes', () => {
    const words = new Int32Array(64).fill(5)
    const cache = openCache({ words: { of: () => words, tidy() {}, forget() {} } })
    for (let n = 0; n < 32; n++) keepKey(cache, `key ${n}`, n)
    cache.ring.sweep(100)
    assert.deepEqual([cache.ring.released, cache.stats.outdated], [0, 0], 'all are fresh')
    words.fill(6)
    cache.ring.sweep(100)
    assert.deepEqual([cache.ring.released, cache.stats.outdated], [32, 32])
    cache.ring.sweep(100)
    assert.deepEqual([cache.ring.released, cache.stats.entries], [64, 0])
  })

  it('clearing again and again takes neither longer each time nor memory', async () => {
    const { heap, entries } = await runCollected(
      `const map = new TypedMap()
       const handles = []
       const run = times => {
         for (let n = 0; n < times; n++) {
           map.clear()
           const handle = map.insert({ n })
           map.get(handle)
           if (n < 100) handles.push(handle)
         }
         for (let n = 0; n < 4 * times; n++) map.clear()
         global.gc()
         return process.memoryUsage().heapUsed
       }
       const before = run(200)
       console.log(JSON.stringify({ heap: run(5_000) - before, entries: map.getStats().nearCache.entries }))`
    )
    assert.equal(entries, 0)
    assert.ok(heap < 1_000_000, `the heap grew by ${heap} bytes`)
  })

  it('clearing and closing remove the copies that handles carry in steps, and count them until then', () => {
    for (const end of ['successor', 'dispose']) {
      let near = openCache()
      const handles = Array.from({ length: 20_000 }, (_, slot) => new Handle(1, 0, slot, 1))
      for (const handle of handles) keepHandle(near, handle)
      assert.equal(near.stats.entries, 20_000)
      const { bytes } = near.stats
      const { ring } = near
      near = near[end]() ?? near
      const left = () => handles.filter(handle => near.findHandle(handle) !== STALE).length
      const atOnce = 20_000 - left()
      assert.ok(atOnce < 5_000, `${end} removed ${atOnce} at once`)
      assert.equal(near.stats.entries, 0)
      assert.ok(near.stats.bytes > bytes / 2)
      for (let steps = 0; !ring.isEmpty(); steps++) {
        assert.ok(ring.sweep(256) <= 256)
        assert.ok(steps < 100)
      }
      assert.deepEqual([left(), near.stats.bytes], [0, 0])
    }
  })

  it('a cache of many keys is split, and no part grows too large by keys that look alike', () => {
    const near = openCache({ maxEntries: 1_000_000 })
    assert.equal(near.isSplit, true)
    // They differ in characters that the hash does not look at.
    const keyOf = n => `a${String.fromCharCode(65 + (n >> 12))}b${String.fromCharCode(n & 4_095)}`.padEnd(400, 'end')
    for (let n = 0; n < 100_000; n++) keepKey(near, keyOf(n), n)
    assert.ok(near.stats.entries > 30_000)
    for (const part of near.ring.parts) assert.ok(part.size <= 65_536)
    let found = 0
    for (let n = 0; n < 100_000; n++) {
      const copy = near.findKey(keyOf(n), near.placeOf(keyOf(n)))
      if (copy === STALE) continue
      assert.equal(copy, n)
      found++
    }
    assert.equal(found, near.stats.entries)
  })

  it('a cache of many keys spreads them', () => {
    for (const keyOf of [
      n => n,
      n => `user:${n}`,
      n => `user:${n}:profile`,
      n => BigInt(n),
      n => n + 0.5,
      n => `${n}`
    ]) {
      const near = openCache({ maxEntries: 1_000_000 })
      for (let n = 0; n < 200_000; n++) keepKey(near, keyOf(n), n)
      assert.equal(near.stats.entries, 200_000)
      const mean = 200_000 / near.ring.parts.length
      const largest = Math.max(...near.ring.parts.map(({ size }) => size))
      assert.ok(largest < 3 * mean, `${keyOf(1)}: ${largest} of ${mean} in the mean`)
    }
  })

  it('split or not, handles and keys are read right and the number of entries holds', () => {
    for (const maxEntries of [50_000, 150_000]) {
      const map = new TypedMap({ nearCache: { maxEntries, maxBytes: '500mb' } })
      const handles = Array.from({ length: 160_000 }, (_, n) => map.insertWithHandle(n, n))
      for (let round = 0; round < 2; round++) {
        for (let n = 0; n < handles.length; n++) {
          assert.equal(map.get(n), n)
          if (n % 4 === 0) assert.equal(map.get(handles[n]), n)
        }
      }
      const { entries } = near(map)
      assert.ok(entries <= maxEntries && entries > maxEntries * 0.9, `${entries} entries`)
      map.close()
    }
  })
})
