'use strict'

const { afterEach, beforeEach, describe, it, mock } = require('node:test')
const assert = require('node:assert/strict')
const { Handle, TypedMap } = require('../..')
const { Origin } = require('../../lib/handle.js')
const { KIND, MARKING, ROW, SCRATCH, UNKEPT } = require('../../lib/native/layout.js')
const { NearCache, STALE } = require('../../lib/near/near-cache.js')
const { refuseForeignMemoryForTest } = require('../../lib/addon/load.js')
const { evaluateAgain } = require('../support/evaluations.js')
const { runNode } = require('../support/processes.js')
const { Random } = require('../support/random.js')
const { nextMessage, startWorker } = require('../support/workers.js')

const { setTimeout: sleep } = require('node:timers/promises')

require('../support/sound.js')

let names = 0
const freshName = () => `near cache ${process.pid} ${++names}`

/** A map under a name that no other test uses, and the name. */
function openFresh(options) {
  const title = freshName()
  return [TypedMap.open(title, options), title]
}

/** Each way to write an entry, or to end it, that a cached copy must not survive. */
const WRITERS = {
  set: map => map.set('key', { written: 2 }),
  'set of an equal value': map => map.set('key', { written: 1 }),
  insertWithHandle: map => map.insertWithHandle('key', { written: 2 }),
  replace: map => map.replace(map.getHandle('key'), { written: 2 }),
  setMany: map => map.setMany([['key', { written: 2 }]]),
  updateMany: map => map.updateMany([['key', { written: 2 }]]),
  'updateMany by handle': map => map.updateMany([[map.getHandle('key'), { written: 2 }]]),
  delete: map => map.delete('key'),
  'delete by handle': map => map.delete(map.getHandle('key')),
  remove: map => map.remove('key'),
  deleteMany: map => map.deleteMany(['key']),
  clear: map => map.clear(),
  'delete and set': map => {
    map.delete('key')
    map.set('key', { written: 2 })
  },
  'clear and set': map => {
    map.clear()
    map.set('key', { written: 2 })
  }
}
/** What is read after each of them. */
const LEFT = name => {
  if (name === 'set of an equal value') return { written: 1 }
  return /set|insert|replace|update/.test(name) ? { written: 2 } : undefined
}

describe('near cache: identity', () => {
  it('by key, returns the same object until a write', () => {
    const map = new TypedMap([['key', { a: [1] }]])
    const first = map.get('key')
    assert.equal(map.get('key'), first)
    map.set('other', 1)
    assert.equal(map.get('key'), first)
    map.set('key', { a: [1] })
    assert.notEqual(map.get('key'), first)
    assert.deepEqual(map.get('key'), first)
  })

  it('by handle, returns the same object until a write', () => {
    const map = new TypedMap()
    const handle = map.insert({ a: [1] })
    const first = map.get(handle)
    assert.equal(map.get(handle), first)
    assert.equal(map.getByHandle(handle), first)
    map.insert({ a: [1] })
    assert.equal(map.get(handle), first)
    map.replace(handle, { a: [1] })
    assert.notEqual(map.get(handle), first)
  })

  for (const [name, write] of Object.entries(WRITERS)) {
    it(`${name}: no copy survives, read by key or by handle`, () => {
      const map = new TypedMap([['key', { written: 1 }]])
      const handle = map.getHandle('key')
      const before = map.get('key')
      assert.equal(map.get('key'), before)
      const byHandle = map.get(handle)
      assert.equal(map.get(handle), byHandle)
      write(map)
      assert.deepEqual(map.get('key'), LEFT(name))
      assert.notEqual(map.get('key'), before)
      const dead = /delete|remove|clear/.test(name)
      assert.deepEqual(map.get(handle), dead ? undefined : LEFT(name))
      assert.equal(map.has(handle), !dead)
    })

    it(`${name}: through another reference of the thread, no copy survives either`, () => {
      const [mine, theirs] = [1, 2].map(() => TypedMap.open(`identity ${name}`))
      mine.set('key', { written: 1 })
      const handle = mine.getHandle('key')
      const before = mine.get('key')
      mine.get(handle)
      write(theirs)
      assert.deepEqual(mine.get('key'), LEFT(name))
      assert.notEqual(mine.get('key'), before)
      assert.deepEqual(mine.get(handle), /delete|remove|clear/.test(name) ? undefined : LEFT(name))
      mine.close()
      theirs.close()
    })
  }

  it('a slot with a new tenant does not return the cached copy of the old one', () => {
    const map = new TypedMap({ shards: 1 })
    const old = []
    for (let round = 0; round < 50; round++) {
      const handle = map.insert({ round })
      assert.deepEqual(map.get(handle), { round })
      for (const dead of old) assert.equal(map.get(dead), undefined)
      assert.equal(map.delete(handle), true)
      old.push(handle)
    }
  })

  it('after destroy and close, nothing is read from the cache', () => {
    const [map] = openFresh()
    map.set('key', { a: 1 })
    map.get('key')
    const handle = map.insert({ b: 1 })
    map.get(handle)
    map.close()
    for (const key of ['key', handle]) assert.throws(() => map.get(key), { code: 'ERR_CLOSED' })

    const [mine, theirs] = [1, 2].map(() => TypedMap.open('destroyed by another'))
    mine.set('key', { a: 1 })
    mine.get('key')
    const held = mine.insert({ b: 1 })
    mine.get(held)
    theirs.destroy()
    for (const key of ['key', held]) assert.throws(() => mine.get(key), { code: 'ERR_CLOSED' })
  })
})

describe('near cache: its bound', () => {
  it('holds as many entries as `maxEntries`, and reads right beyond', () => {
    for (const maxEntries of [1, 2, 3, 100]) {
      const map = new TypedMap({ nearCache: { maxEntries } })
      for (let key = 0; key < 500; key++) map.set(key, { key })
      for (let round = 0; round < 3; round++) {
        for (let key = 0; key < 500; key++) assert.deepEqual(map.get(key), { key })
      }
      map.set(499, { key: 'new' })
      assert.deepEqual(map.get(499), { key: 'new' })
    }
  })

  it('one entry is enough to return the same object twice in a row', () => {
    const map = new TypedMap({ nearCache: { maxEntries: 1 } })
    map.set('a', { a: 1 })
    map.set('b', { b: 1 })
    const handle = map.insert({ c: 1 })
    for (const key of ['a', 'b', handle, 'a']) assert.equal(map.get(key), map.get(key))
  })

  it('false caches nothing, and reads right', () => {
    const map = new TypedMap({ nearCache: false })
    map.set('key', { a: 1 })
    const handle = map.insert({ b: 1 })
    for (const key of ['key', handle]) {
      const first = map.get(key)
      assert.ok(Object.isFrozen(first))
      assert.notEqual(map.get(key), first)
      assert.deepEqual(map.get(key), first)
    }
  })

  it('many handles do not pin many decoded values', async () => {
    // Each value is 10 kB once decoded, and each handle has been read: 20,000 of them unbounded are 200 MB.
    const script = `
      const map = new TypedMap({ nearCache: { maxEntries: 100 } })
      const handles = Array.from({ length: 20_000 }, (_, n) => map.insert({ n, text: String(n).padEnd(10_000, 'x') }))
      for (const handle of handles) if (map.get(handle).text.length !== 10_000) throw new Error('wrong text')
      for (const handle of handles) if (map.get(handle).text.length !== 10_000) throw new Error('wrong text')
      global.gc()
      console.log(process.memoryUsage().heapUsed, handles.length)`
    const { status, stdout, stderr } = await runNode(script, { flags: ['--expose-gc', '--max-old-space-size=120'] })
    assert.equal(status, 0, stderr)
    const [heap] = stdout.split(' ').map(Number)
    assert.ok(heap < 60_000_000, `${heap} bytes of heap are in use`)
  })

  it('many keys do not pin many decoded values', async () => {
    const script = `
      const map = new TypedMap({ nearCache: { maxEntries: 100 } })
      for (let n = 0; n < 20_000; n++) map.set(n, { n, text: String(n).padEnd(10_000, 'x') })
      for (let n = 0; n < 20_000; n++) if (map.get(n).text.length !== 10_000) throw new Error('wrong text')
      for (const value of map.values()) if (value.text.length !== 10_000) throw new Error('wrong text')
      global.gc()
      console.log(process.memoryUsage().heapUsed)`
    const { status, stdout, stderr } = await runNode(script, { flags: ['--expose-gc', '--max-old-space-size=120'] })
    assert.equal(status, 0, stderr)
    assert.ok(Number(stdout) < 60_000_000, `${stdout} bytes of heap are in use`)
  })

  it('a copy is never found under another key, whatever the code of a value does while it is written', () => {
    for (const maxEntries of [1, 2, 3, 10, 1_000]) {
      for (const write of ['set', 'getOrInsert', 'insertWithHandle']) {
        for (const clears of [false, true]) {
          const map = new TypedMap({ nearCache: { maxEntries } })
          const fill = () => {
            for (let key = 0; key < 60; key++) map.set(key, { key })
          }
          const check = () => {
            for (let key = 1; key < 60; key++) assert.deepEqual(map.get(key), { key })
          }
          fill()
          map.get(0)
          // The copy of 0 has a place in the cache, and is outdated.
          map.set(0, { key: 'new' })
          map[write](0, {
            toJSON() {
              if (clears) map.clear()
              fill()
              check()
              return { key: 'written' }
            }
          })
          check()
          assert.deepEqual(map.get(0), { key: write === 'getOrInsert' ? 0 : 'written' })
        }
      }
    }
  })

  it('handles and keys that take turns are read right, in a cache of any size', () => {
    for (const maxEntries of [1, 2, 3, 10, 1_000]) {
      const maps = [1, 2].map(() => TypedMap.open(`turns ${maxEntries}`, { nearCache: { maxEntries } }))
      const handles = Array.from({ length: 50 }, (_, n) => maps[0].insertWithHandle(n, { n }))
      for (let round = 0; round < 60; round++) {
        for (let n = 0; n < 50; n++) {
          const map = maps[(round + n) % 2]
          assert.deepEqual(map.get(n), { n })
          assert.deepEqual(map.get(handles[n]), { n })
          assert.deepEqual(map.getMany([n, handles[(n * 7) % 50]]), [{ n }, { n: (n * 7) % 50 }])
        }
        const changed = round % 50
        maps[round % 2].replace(handles[changed], { n: 'changed' })
        for (const map of maps) assert.deepEqual(map.get(handles[changed]), { n: 'changed' })
        maps[round % 2].set(changed, { n: changed })
      }
      for (const map of maps) map.close()
    }
  })

  it('a load of which one read in ten hits is not looked for, whatever chance says; one that hits is again', () => {
    const random = new Random(0x5eed)
    const map = new TypedMap({ nearCache: { maxEntries: 1_000 } })
    for (let n = 0; n < 10_000; n++) map.set(n, { n })
    const read = (reads, keys) => {
      const before = map.getStats().nearCache.hits
      for (let n = 0; n < reads; n++) map.get(random.below(keys))
      return (map.getStats().nearCache.hits - before) / reads
    }
    read(100_000, 10_000)
    const hits = read(1_000_000, 10_000)
    assert.ok(hits < 0.01, `${hits} of the reads were answered here, so they were looked for (seed 0x5eed)`)
    read(200_000, 500)
    assert.ok(read(10_000, 500) > 0.9)
    map.close()
  })

  it('hits count as hits', () => {
    const map = new TypedMap([['key', { a: 1 }]])
    for (let read = 0; read < 100; read++) map.get('key')
    const handle = map.getHandle('key')
    for (let read = 0; read < 100; read++) map.get(handle)
    assert.equal(map.getStats().hits, 200)
  })
})

describe('near cache: what a hit records for the policy of the map', () => {
  const CHUNK = 7
  /** Version words of three entries, each followed by an access word; the version of each is 5. */
  const makeWords = () => Int32Array.of(5, 0, 5, 0, 5, 0)

  /** What native code says of an entry. */
  function stateOf(entry, chunk = CHUNK, version = 5) {
    const state = new Uint32Array(ROW)
    state[SCRATCH.CHUNK] = chunk
    state[SCRATCH.WORD] = 2 * entry
    state[SCRATCH.VERSION] = version
    state[SCRATCH.SHARD] = 1
    state[SCRATCH.SLOT] = entry
    return state
  }

  function openCache(marking, maxEntries = 10, words = makeWords()) {
    const noted = []
    const ticketOf = (shard, slot) => slot * 2 + shard
    const hitLog = {
      ticketOf,
      noteHandle: ({ shard, slot }) => noted.push(ticketOf(shard, slot)),
      noteKey: (copies, place) => noted.push(copies.ticketAt(place)),
      noteGuest: ({ ticket }) => noted.push(ticket)
    }
    const chunks = {
      tidy() {},
      forget() {},
      of: chunk => (chunk === CHUNK ? words : assert.fail(`asks for chunk ${chunk}`))
    }
    const origin = new Origin(1, handle => read(near, handle, 2))
    if (marking !== MARKING.Order) origin.open(marking)
    const near = new NearCache({
      maxEntries,
      maxBytes: 1_000_000,
      words: chunks,
      instance: 1,
      shards: 2,
      marking,
      hitLog: marking === MARKING.Order ? hitLog : null,
      origin
    })
    return {
      near,
      origin,
      handle: new Handle(1, 1, 2, 1),
      words,
      noted
    }
  }

  /** Reads a key, or a handle, as a map does: from the cache, else natively. */
  function read(near, item, entry, state = stateOf(entry)) {
    const isHandle = item instanceof Handle
    const place = near.placeOf(item)
    const found = isHandle ? near.findHandle(item) : near.findKey(item, place)
    if (found !== STALE) return found
    if (isHandle) near.keepByHandle(item, KIND.Int, entry, state, 0)
    else near.keepByKey(item, place, KIND.Int, entry, state, 0)
    return undefined
  }

  for (const [name, limit] of [
    ['none', MARKING.None],
    ['a bit', 1],
    ['a count', 255]
  ]) {
    it(`${name}: a hit by key, by handle or of the guest counts its access word up to ${limit}, no other`, () => {
      // With one entry all that is kept is the guest.
      for (const maxEntries of [10, 1]) {
        const { near, words, handle } = openCache(limit, maxEntries)
        for (const [item, entry] of [
          ['key', 0],
          [handle, 2]
        ]) {
          assert.equal(read(near, item, entry), undefined)
          assert.equal(words[2 * entry + 1], 0, 'a miss')
          for (let hit = 1; hit <= 300; hit++) {
            assert.equal(read(near, item, entry), entry)
            assert.equal(words[2 * entry + 1], Math.min(hit, limit))
          }
        }
        assert.deepEqual([...words], [5, limit, 5, 0, 5, limit])
        assert.equal(near.takeWaitingHits(), 600)
      }
    })
  }

  for (const [name, limit] of [
    ['none', MARKING.None],
    ['a bit', 1],
    ['a count', 255]
  ]) {
    it(`${name}: a hit by handle.get() counts its access word up to ${limit}, and one hit`, () => {
      for (const maxEntries of [10, 1]) {
        const { near, words, origin } = openCache(limit, maxEntries)
        const handle = new Handle(1, 1, 2, 1, origin)
        assert.equal(handle.get(), undefined, 'a miss')
        for (let hit = 1; hit <= 300; hit++) {
          assert.equal(handle.get(), 2)
          assert.equal(words[2 * 2 + 1], Math.min(hit, limit))
        }
        assert.equal(near.takeWaitingHits(), 300)
      }
    })
  }

  it('Order: hits by key, by handle and of the guest are recorded in one log, in order', () => {
    for (const maxEntries of [10, 1]) {
      const { near, handle, words, noted } = openCache(MARKING.Order, maxEntries)
      const expected = []
      for (const [item, entry] of [
        ['key', 0],
        [handle, 2],
        ['other', 1],
        [handle, 2],
        ['key', 0]
      ]) {
        if (read(near, item, entry) !== undefined) expected.push(2 * entry + 1)
        assert.equal(read(near, item, entry), entry)
        expected.push(2 * entry + 1)
      }
      assert.deepEqual(noted, expected)
      assert.deepEqual(words, makeWords())
    }
  })

  it('a value with the chunk UNKEPT is not kept', () => {
    const { near, handle } = openCache(MARKING.None)
    for (const item of ['key', handle]) {
      assert.equal(read(near, item, 2, stateOf(2, UNKEPT)), undefined)
      assert.equal(read(near, item, 2, stateOf(2, UNKEPT)), undefined)
    }
    assert.equal(read(near, 'key', 0), undefined)
    near.renewKey('key', KIND.String, 'renewed', stateOf(0, UNKEPT))
    assert.equal(read(near, 'key', 0), undefined)
    assert.equal(near.stats.bytes > 0, true)
  })

  it('a value is never kept with version 0, although its word says 0, too: its entry was gone when read', () => {
    // With one entry all that is kept is the guest.
    for (const maxEntries of [10, 1]) {
      const { near, handle } = openCache(MARKING.None, maxEntries, new Int32Array(6))
      const gone = stateOf(2, CHUNK, 0)
      for (const item of ['key', handle]) {
        for (let time = 0; time < 3; time++) assert.equal(read(near, item, 2, gone), undefined)
      }
      assert.deepEqual([near.stats.entries, near.stats.bytes], [0, 0])
    }
    const { near, words } = openCache(MARKING.None)
    read(near, 'key', 0)
    assert.equal(read(near, 'key', 0), 0)
    words.fill(0)
    near.renewKey('key', KIND.Int, 1, stateOf(0, CHUNK, 0))
    assert.equal(near.findKey('key', near.placeOf('key')), STALE)
    assert.equal(near.stats.entries, 0)
  })

  it('a copy that no word would end is not kept: no such word, words taken away, another version', () => {
    const detached = makeWords()
    structuredClone(detached.buffer, { transfer: [detached.buffer] })
    for (const [words, state] of [
      [makeWords(), stateOf(3)],
      [makeWords(), stateOf(2_000_000_000)],
      [detached, stateOf(2)],
      [new Int32Array(0), stateOf(2)],
      [makeWords(), stateOf(2, CHUNK, 6)]
    ]) {
      for (const maxEntries of [10, 1]) {
        const { near, handle } = openCache(1, maxEntries, words)
        for (const item of ['key', handle]) {
          for (let time = 0; time < 3; time++) assert.equal(read(near, item, 2, state), undefined)
        }
        if (maxEntries > 1) assert.deepEqual([near.stats.entries, near.stats.bytes], [0, 0])
      }
    }
  })
})

describe('near cache: where the engine refuses memory that is not its own', () => {
  beforeEach(() => refuseForeignMemoryForTest(true))
  afterEach(() => refuseForeignMemoryForTest(false))

  it('nothing is cached, and every read is right', () => {
    const map = new TypedMap([['key', { written: 1 }]])
    const handle = map.getHandle('key')
    for (const item of ['key', handle]) {
      const first = map.get(item)
      assert.deepEqual(first, { written: 1 })
      assert.notEqual(map.get(item), first)
    }
    for (const [name, write] of Object.entries(WRITERS)) {
      map.set('key', { written: 1 })
      const held = map.getHandle('key')
      map.get('key')
      map.get(held)
      write(map)
      assert.deepEqual(map.get('key'), LEFT(name), name)
      assert.equal(map.has(held), !/delete|remove|clear/.test(name), name)
    }
  })

  it('iteration sees changes as they are', () => {
    const entries = Array.from({ length: 200 }, (_, key) => [key, { round: 0 }])
    const [visited, expected] = [new TypedMap(entries), new Map(entries)].map(map => {
      const seen = []
      for (const [key, { round }] of map) {
        seen.push([key, round])
        if (key % 3 === 0) map.set(key + 1, { round: key })
        if (key % 5 === 0) map.delete(key + 3)
        if (seen.length > 400) break
      }
      return seen
    })
    assert.deepEqual(visited, expected)
  })
})

describe('near cache: copies of entries that are gone', { timeout: 300_000 }, () => {
  it('are removed, although a test had faked timers when it loaded the package', async () => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate'] })
    const { TypedMap: Again } = evaluateAgain()
    const map = new Again([['a', { n: 1 }]])
    mock.timers.reset()
    map.get('a')
    assert.equal(map.getStats().nearCache.entries, 1)
    map.evict(1)
    while (map.getStats().nearCache.entries > 0) await sleep(1)
    map.close()
  })
})

describe('near cache: other threads', () => {
  it('a write is seen after a message', async () => {
    const [map, title] = openFresh()
    map.set('key', { round: -1 })
    const handle = map.getHandle('key')
    const worker = startWorker(async ({ TypedMap, data, port }) => {
      const { once } = require('node:events')
      const map = TypedMap.open(data)
      for (;;) {
        const [round] = await once(port, 'message')
        if (round === 'end') return
        if (round % 3 === 0) map.replace(map.getHandle('key'), { round })
        else map.set('key', { round })
        port.postMessage(round)
      }
    }, title)
    for (let round = 0; round < 200; round++) {
      map.get('key')
      map.get(handle)
      worker.postMessage(round)
      assert.equal(await nextMessage(worker), round)
      assert.equal(map.get('key').round, round)
      assert.equal(map.get(handle).round, round)
    }
    worker.postMessage('end')
    await worker.exit
    map.close()
  })

  it('a write is seen after Atomics, without a turn of the event loop', async () => {
    const [map, title] = openFresh()
    map.set('key', { round: 0 })
    const handle = map.getHandle('key')
    const flags = new Int32Array(new SharedArrayBuffer(8))
    const rounds = 2_000
    const worker = startWorker(
      ({ TypedMap, data }) => {
        const { flags, rounds } = data
        const map = TypedMap.open(data.title)
        for (let round = 1; round <= rounds; round++) {
          while (Atomics.load(flags, 0) < round) Atomics.wait(flags, 0, round - 1, 1_000)
          map.set('key', { round })
          Atomics.store(flags, 1, round)
          Atomics.notify(flags, 1)
        }
      },
      { title, flags, rounds }
    )
    for (let round = 1; round <= rounds; round++) {
      assert.equal(map.get('key').round, round - 1)
      assert.equal(map.get(handle).round, round - 1)
      Atomics.store(flags, 0, round)
      Atomics.notify(flags, 0)
      while (Atomics.load(flags, 1) < round) Atomics.wait(flags, 1, round - 1, 1_000)
      assert.equal(map.get('key').round, round)
      assert.equal(map.get(handle).round, round)
    }
    await worker.exit
    map.close()
  })

  it('a clear, a delete and a destroy of another thread are seen', async () => {
    const [map, title] = openFresh()
    const worker = startWorker(async ({ TypedMap, data, port }) => {
      const { once } = require('node:events')
      const map = TypedMap.open(data)
      for (;;) {
        const [operation] = await once(port, 'message')
        if (operation === 'delete') map.delete('key')
        else map[operation]()
        port.postMessage(operation)
        if (operation === 'destroy') return
      }
    }, title)
    for (const operation of ['clear', 'delete', 'destroy']) {
      map.set('key', { operation })
      const handle = map.getHandle('key')
      map.get('key')
      map.get(handle)
      worker.postMessage(operation)
      await nextMessage(worker)
      if (operation === 'destroy') {
        assert.throws(() => map.get('key'), { code: 'ERR_CLOSED' })
        assert.throws(() => map.get(handle), { code: 'ERR_CLOSED' })
      } else {
        assert.equal(map.get('key'), undefined)
        assert.equal(map.get(handle), undefined)
      }
    }
    await worker.exit
  })

  it('the memory of words outlives the map for as long as a thread can look at it', async () => {
    // Handles keep views of the words of maps that are gone, in a heap that is collected now and then.
    const script = `
      const { Worker } = require('node:worker_threads')
      const handles = []
      for (let round = 0; round < 200; round++) {
        const map = new TypedMap()
        for (let n = 0; n < 50; n++) {
          const handle = map.insert({ n })
          if (map.get(handle).n !== n) throw new Error('wrong')
          handles.push([map, handle])
        }
        if (round % 3 === 0) map.clear()
        if (round % 3 === 1) map.destroy()
        if (round % 3 === 2) map.close()
        if (round % 20 === 0) global.gc()
      }
      for (const [map, handle] of handles) {
        try {
          if (map.get(handle) !== undefined) throw new Error('a dead handle reads')
        } catch (error) {
          if (error.code !== 'ERR_CLOSED') throw error
        }
      }
      handles.length = 0
      global.gc()
      console.log('done')`
    const { status, stdout, stderr } = await runNode(script, { flags: ['--expose-gc'] })
    assert.equal(stderr, '')
    assert.equal(status, 0)
    assert.equal(stdout, 'done\n')
  })
})
