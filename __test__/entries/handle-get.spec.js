'use strict'

// `handle.get()`: a handle answers for itself, as its map would, and as long as that is open in this thread.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { setImmediate } = require('node:timers/promises')
const v8 = require('node:v8')
const { Handle, TypedMap } = require('../..')
const { isKeptBy } = require('../../lib/handle.js')
const { stillMap } = require('../support/clock.js')
const { throwsTyped } = require('../support/errors.js')
const { runNode } = require('../support/processes.js')
const { seededRandom } = require('../support/random.js')
const { until } = require('../support/turns.js')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

let names = 0
const freshName = () => `handle get ${process.pid} ${++names}`

/** More handles than `close` takes the copies from. */
const MANY = 10_000

describe('handle.get(): the value', () => {
  it('is what map.get(handle) returns, of every kind, the first time and again', () => {
    const map = new TypedMap()
    for (const value of [
      { a: [1] },
      [1, 2],
      'text',
      'x'.repeat(5_000),
      1,
      1.5,
      -0,
      Number.NaN,
      true,
      null,
      10n ** 30n
    ]) {
      const handle = map.insert(value)
      const other = map.getHandle(map.handle({ ...handle }))
      for (let time = 0; time < 3; time++) {
        assert.deepEqual(handle.get(), value)
        assert.ok(Object.is(handle.get(), map.get(handle)) || typeof value === 'bigint')
        assert.deepEqual(other.get(), value)
      }
    }
  })

  it('is the same frozen object as by the map, whichever asks first', () => {
    const map = new TypedMap()
    const handle = map.insert({ a: { b: 1 } })
    const first = handle.get()
    assert.ok(Object.isFrozen(first) && Object.isFrozen(first.a))
    assert.equal(map.get(handle), first)
    assert.equal(map.getByHandle(handle), first)
    map.replace(handle, { a: { b: 2 } })
    const second = map.get(handle)
    assert.deepEqual(second, { a: { b: 2 } })
    assert.equal(handle.get(), second)
  })

  it('of bytes is a fresh copy each time', () => {
    const map = new TypedMap()
    for (const value of [Uint8Array.of(1, 2), Buffer.from('ab'), Float64Array.of(1.5)]) {
      const handle = map.insert(value)
      const read = handle.get()
      assert.deepEqual(read, value)
      read.fill(9)
      assert.deepEqual(handle.get(), value)
    }
    assert.equal(map.getStats().nearCache.entries, 0)
  })

  it('of an entry whose value is undefined is undefined, and the entry is there', () => {
    const map = new TypedMap()
    const handle = map.insert(undefined)
    for (let time = 0; time < 3; time++) assert.equal(handle.get(), undefined)
    assert.equal(map.has(handle), true)
  })

  it('follows every write, by key, by handle and in batches', () => {
    const map = new TypedMap()
    const handle = map.insertWithHandle('key', { n: 0 })
    const writes = [
      n => map.set('key', { n }),
      n => map.replace(handle, { n }),
      n => map.setMany([['key', { n }]]),
      n => map.updateMany([[handle, { n }]]),
      n => map.insertWithHandle('key', { n })
    ]
    for (const [index, write] of [...writes, ...writes].entries()) {
      assert.equal(handle.get(), handle.get())
      write(index + 1)
      assert.deepEqual(handle.get(), { n: index + 1 })
    }
  })

  it('follows the writes of another thread', async () => {
    const name = freshName()
    const map = TypedMap.open(name)
    const handle = map.insertWithHandle('key', { n: 0 })
    const flag = new Int32Array(new SharedArrayBuffer(4))
    const done = inWorker(
      ({ TypedMap, data: { name, flag, handle } }) => {
        const map = TypedMap.open(name)
        const revived = map.handle(handle)
        for (let n = 1; n <= 1_000; n++) {
          map.set('key', { n })
          if (revived.get().n !== n) throw new Error('its own write is not seen')
          Atomics.store(flag, 0, n)
        }
        map.close()
        return 'done'
      },
      { name, flag, handle }
    )
    let seen = 0
    while (seen < 1_000) {
      const announced = Atomics.load(flag, 0)
      const { n } = handle.get()
      assert.ok(n >= announced && n >= seen, `${n} after ${announced} and ${seen}`)
      seen = n
      await setImmediate()
    }
    assert.equal(await done, 'done')
    map.close()
  })

  it('is decoded anew each time where nothing is kept, also if another open of the map keeps it', () => {
    const name = freshName()
    const keeps = TypedMap.open(name)
    const map = TypedMap.open(name, { nearCache: false })
    const handle = map.insert({ a: 1 })
    for (const read of [() => handle.get(), () => keeps.get(handle), () => handle.get()]) {
      assert.deepEqual(read(), { a: 1 })
    }
    assert.notEqual(handle.get(), handle.get())
    keeps.close()
    map.close()
  })

  it('agrees with map.get(handle) over random operations', t => {
    const random = seededRandom(t)
    for (const options of [
      {},
      { nearCache: { maxEntries: 3 } },
      { maxEntries: 8, evictionStrategy: 'lru', shards: 1 }
    ]) {
      const map = new TypedMap(options)
      let handles = []
      for (let step = 0; step < 5_000; step++) {
        if (handles.length < 12) handles.push(map.insert({ step }))
        const handle = random.pick(handles)
        if (random.oneIn(8) && map.has(handle)) map.replace(handle, [step])
        if (random.oneIn(20)) map.delete(handle)
        if (random.oneIn(500)) map.clear()
        const [first, second] = random.oneIn(2) ? [handle.get(), map.get(handle)] : [map.get(handle), handle.get()]
        assert.equal(first, second)
        handles = handles.filter(one => map.has(one) || random.oneIn(2))
      }
    }
  })
})

describe('handle.get(): handles of all kinds', () => {
  it('every handle that a map gives can be asked', async () => {
    const map = new TypedMap({ shards: 1 })
    const made = [
      map.insert('a'),
      map.insertWithHandle('key', 'b'),
      ...map.insertMany(['c', 'd']),
      map.getHandle('key'),
      map.handle({ ...map.insert('e') }),
      ...[...map.keys()].filter(key => key instanceof Handle),
      ...[...map].map(([key]) => key).filter(key => key instanceof Handle)
    ]
    map.forEach((_, key) => {
      if (key instanceof Handle) made.push(key)
    })
    made.push(map.getHandle(made[0]), map.insertWithHandle(made[0], 'a'))
    for (const handle of made) assert.equal(handle.get(), map.get(handle))
    const removals = []
    map.onEvict(removal => removals.push(removal), { causes: ['explicit'] })
    map.delete('key')
    await until(() => removals.length > 0)
    assert.equal(removals[0].handle.get(), undefined)
    map.close()
  })

  it('a candidate of an eviction function can be asked', () => {
    const seen = []
    const map = new TypedMap({
      maxEntries: 2,
      evictionStrategy: candidates => {
        for (const { handle, value } of candidates) seen.push([handle.get(), value])
        return candidates[0]
      }
    })
    for (let n = 0; n < 4; n++) map.set(n, n)
    assert.ok(seen.length >= 4)
    for (const [byHandle, value] of seen) assert.equal(byHandle, value)
  })

  it('of another map answers from that, whatever is asked of this one', () => {
    const map = new TypedMap()
    const other = new TypedMap()
    const handle = other.insert({ theirs: 1 })
    map.insert('ours')
    assert.equal(map.get(handle), undefined)
    assert.deepEqual(handle.get(), { theirs: 1 })
    map.close()
    assert.deepEqual(handle.get(), { theirs: 1 })
  })

  it('of a removed entry is undefined, also when its slot has another tenant', () => {
    const map = new TypedMap({ shards: 1 })
    const dead = []
    for (let round = 0; round < 300; round++) {
      const handle = map.insert({ round })
      assert.equal(handle.get().round, round)
      map.delete(handle)
      dead.push(handle)
      for (const old of dead.slice(-10)) assert.equal(old.get(), undefined)
    }
    assert.ok(new Set(dead.map(({ slot }) => slot)).size < 300, 'slots are used again, or this test shows nothing')
  })

  it('of before a clear is undefined for good, and of after it is read as ever', () => {
    const map = new TypedMap({ shards: 2 })
    const handles = map.insertMany(Array.from({ length: 200 }, (_, n) => ({ n })))
    for (const handle of handles) handle.get()
    map.clear()
    for (const handle of handles) assert.equal(handle.get(), undefined)
    const next = map.insertMany(Array.from({ length: 200 }, (_, n) => ({ n })))
    const { hits } = map.getStats().nearCache
    for (let time = 0; time < 4; time++) for (const handle of next) assert.equal(handle.get(), map.get(handle))
    assert.equal(map.getStats().nearCache.hits, hits + 7 * 200)
    for (const handle of handles) assert.equal(handle.get(), undefined)
  })

  it('of an entry that another thread cleared is undefined', async () => {
    const name = freshName()
    const map = TypedMap.open(name)
    const handle = map.insert({ a: 1 })
    assert.equal(handle.get(), handle.get())
    await inWorker(({ TypedMap, data }) => void TypedMap.open(data).clear(), name)
    assert.equal(handle.get(), undefined)
    map.close()
  })

  it('made by calling its constructor throws ERR_HANDLE_INVALIDATED until a map makes one of it', () => {
    const map = new TypedMap()
    const { map: number, shard, slot, generation } = map.insert({ a: 1 })
    const forged = new Handle(number, shard, slot, generation)
    throwsTyped(() => forged.get(), 'ERR_HANDLE_INVALIDATED', { says: [/map\.handle/] })
    // A copy that it carries for its map is not its own to give.
    assert.deepEqual(map.get(forged), { a: 1 })
    throwsTyped(() => forged.get(), 'ERR_HANDLE_INVALIDATED')
    assert.deepEqual(map.handle(forged).get(), { a: 1 })
    assert.deepEqual(map.getHandle(forged).get(), { a: 1 })
  })

  it('is a method of handles and of nothing else', () => {
    for (const other of [undefined, null, {}, { map: 1, shard: 0, slot: 0, generation: 0 }, new TypedMap()]) {
      assert.throws(() => Handle.prototype.get.call(other), TypeError)
    }
    assert.equal(Handle.prototype.get.length, 0)
  })

  it('leaves a handle frozen, with four numbers of its own, and the data that postMessage sends as small', () => {
    const map = new TypedMap()
    const handle = map.insert({ text: 'x'.repeat(1_000) })
    const before = v8.serialize(handle).length
    handle.get()
    assert.equal(v8.serialize(handle).length, before)
    assert.equal(before, v8.serialize({ ...handle }).length)
    assert.ok(Object.isFrozen(handle))
    assert.deepEqual(structuredClone(handle), { ...handle })
    assert.deepEqual(Object.keys(handle), ['map', 'shard', 'slot', 'generation'])
    assert.deepEqual(map.handle(structuredClone(handle)).get(), { text: 'x'.repeat(1_000) })
  })
})

describe('handle.get(): the end of its map', () => {
  for (const end of ['close', 'destroy']) {
    it(`after ${end}() each of many handles throws ERR_CLOSED, read before or not`, () => {
      const map = new TypedMap({ nearCache: { maxEntries: 2 * MANY, maxBytes: '1gb' } })
      const handles = map.insertMany(Array.from({ length: MANY }, (_, n) => ({ n })))
      for (const handle of handles.slice(MANY / 100)) handle.get()
      map[end]()
      for (const handle of handles) throwsTyped(() => handle.get(), 'ERR_CLOSED')
      for (const handle of handles.slice(0, 10)) throwsTyped(() => handle.get(), 'ERR_CLOSED')
    })
  }

  it('closing looks at a bounded number of handles', () => {
    const map = new TypedMap({ nearCache: { maxEntries: 2 * MANY, maxBytes: '1gb' } })
    const handles = map.insertMany(Array.from({ length: MANY }, (_, n) => ({ n })))
    for (const handle of handles) handle.get()
    map.close()
    // The others still carry their copies: closing did not visit them, and the sweeper has not come by.
    assert.ok(handles.filter(handle => isKeptBy(handle, handle.map)).length > MANY / 2)
  })

  it('another thread that destroys the map ends it, too', async () => {
    const name = freshName()
    const map = TypedMap.open(name)
    const handle = map.insert({ a: 1 })
    assert.equal(handle.get(), handle.get())
    await inWorker(({ TypedMap, data }) => void TypedMap.open(data).destroy(), name)
    throwsTyped(() => handle.get(), 'ERR_CLOSED')
    throwsTyped(() => map.get(handle), 'ERR_CLOSED')
    map.close()
  })

  it('a handle is of the open that made it: closing another one of the same map changes nothing', () => {
    const name = freshName()
    const one = TypedMap.open(name)
    const two = TypedMap.open(name)
    const handle = one.insert({ a: 1 })
    // The copy is one of the second.
    const value = two.get(handle)
    assert.equal(handle.get(), value)
    two.close()
    assert.deepEqual(handle.get(), { a: 1 })
    one.close()
    throwsTyped(() => handle.get(), 'ERR_CLOSED')
  })

  it('a handle of a closed open throws while another open of the map, which keeps its copy, goes on', () => {
    const name = freshName()
    const one = TypedMap.open(name)
    const two = TypedMap.open(name)
    const handle = one.insert({ a: 1 })
    assert.deepEqual(two.get(handle), { a: 1 })
    one.close()
    throwsTyped(() => handle.get(), 'ERR_CLOSED')
    assert.deepEqual(two.get(handle), { a: 1 })
    throwsTyped(() => handle.get(), 'ERR_CLOSED')
    for (const own of [two.handle(handle), two.getHandle(handle), two.insertWithHandle(handle, { a: 1 })]) {
      assert.deepEqual(own.get(), { a: 1 })
      assert.equal(own.id, handle.id)
    }
    two.close()
  })

  it('map.handle and map.getHandle give a handle of that open itself', () => {
    const name = freshName()
    const one = TypedMap.open(name)
    const two = TypedMap.open(name)
    const handle = one.insert(1)
    assert.equal(one.handle(handle), handle)
    assert.equal(one.getHandle(handle), handle)
    assert.notEqual(two.handle(handle), handle)
    one.close()
    two.close()
  })

  it('a handle keeps its map from being collected', async () => {
    const { status, stdout, stderr } = await collecting(`
      const handle = new TypedMap().insert({ a: 1 })
      const read = new TypedMap().insert({ a: 2 })
      read.get()
      await collect()
      console.log(handle.get().a, read.get().a)`)
    assert.equal(stderr, '')
    assert.equal(status, 0)
    assert.equal(stdout, '1 2\n')
  })

  it('a map whose handles nothing reaches is collected, with copies and with a log listener', async () => {
    const { status, stdout, stderr } = await collecting(`
      const alive = new Set()
      const gone = new FinalizationRegistry(n => alive.delete(n))
      const unsubscribe = []
      const once = n => {
        const map = new TypedMap()
        alive.add(n)
        gone.register(map, n)
        if (n % 2 === 0) unsubscribe.push(map.onLog(() => {}, { level: n % 4 === 0 ? 'debug' : 'info' }))
        for (let i = 0; i < 100; i++) {
          const handle = map.insert({ i })
          if (handle.get() !== handle.get()) throw new Error('not kept')
        }
      }
      for (let n = 0; n < 50; n++) once(n)
      for (let looks = 0; alive.size > 3 && looks < 20; looks++) await collect()
      console.log(alive.size <= 3, unsubscribe.length)`)
    assert.equal(stderr, '')
    assert.equal(status, 0)
    assert.equal(stdout, 'true 25\n')
  })
})

describe('handle.get(): what a read counts as', () => {
  it('hits are counted, near and native, as those of map.get(handle)', () => {
    const map = new TypedMap()
    const handle = map.insert({ a: 1 })
    for (let n = 0; n < 5_000; n++) handle.get()
    const { hits, misses, nearHits, nearCache } = map.getStats()
    assert.equal(hits, 5_000)
    assert.equal(misses, 0)
    assert.equal(nearHits, 4_999)
    assert.equal(nearCache.hits, 4_999)
    map.delete(handle)
    handle.get()
    assert.equal(map.getStats().misses, 1)
  })

  it('hits count for the thread that reads, whoever made the entry', async () => {
    const name = freshName()
    const map = TypedMap.open(name)
    const handle = map.insert({ a: 1 })
    await inWorker(
      ({ TypedMap, data: { name, handle } }) => {
        const map = TypedMap.open(name)
        const revived = map.handle(handle)
        for (let n = 0; n < 3_000; n++) revived.get()
        map.close()
      },
      { name, handle }
    )
    assert.equal(map.getStats().hits, 3_000)
    map.close()
  })

  for (const evictionStrategy of ['lru', 'sieve', 's3-fifo', 'w-tinylfu', 'lfu']) {
    it(`${evictionStrategy}: entries that are read by handle.get() again and again stay`, () => {
      const map = new TypedMap({ maxEntries: 100, shards: 1, evictionStrategy })
      const handles = Array.from({ length: 100 }, (_, n) => map.insertWithHandle(n, { n }))
      const used = handles.filter((_, n) => n % 10 === 0)
      // Each of them is near from the second read on, so it is by their marks that the policy learns of the others.
      for (let time = 0; time < 5; time++) for (const handle of used) handle.get()
      for (let n = 0; n < 400; n++) {
        map.set(`new ${n}`, n)
        for (const handle of used) handle.get()
      }
      assert.ok(used.filter(handle => map.has(handle)).length >= 9)
    })
  }

  it('what was read by handle.get() is marked for the near cache: it stays while newcomers come and go', () => {
    const map = new TypedMap({ nearCache: { maxEntries: 50 } })
    const used = map.insert({ used: true })
    const value = used.get()
    const others = map.insertMany(Array.from({ length: 5_000 }, (_, n) => ({ n })))
    for (const other of others) {
      other.get()
      assert.equal(used.get(), value)
    }
  })

  it('an entry is gone at its deadline', () => {
    const { map, advance, close } = stillMap({ strictTtl: true })
    const handle = map.insert({ a: 1 }, { ttl: 100 })
    assert.deepEqual(handle.get(), { a: 1 })
    advance(99)
    assert.deepEqual(handle.get(), { a: 1 })
    advance(1)
    assert.equal(handle.get(), undefined)
    close()
  })

  it('with sliding, a read renews the ttl', () => {
    const { map, advance, close } = stillMap({ sliding: true, ttl: 100 })
    const handle = map.insert({ a: 1 })
    for (let time = 0; time < 5; time++) {
      advance(60)
      assert.deepEqual(handle.get(), { a: 1 })
    }
    advance(100)
    assert.equal(handle.get(), undefined)
    close()
  })
})

/** Runs `script` where `collect()` lets what nothing reaches be collected, and its finalizers run. */
function collecting(script) {
  const prelude = `
    const collect = async () => {
      for (let round = 0; round < 5; round++) {
        gc()
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    }
    ;(async () => {${script}})().catch(error => { console.error(error); process.exit(1) })`
  return runNode(prelude, { flags: ['--expose-gc'] })
}
