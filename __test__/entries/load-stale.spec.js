'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')

require('../support/sound.js')

const turn = () => new Promise(resolve => setImmediate(resolve))
const never = () => assert.fail('a loader runs that should not')

/** A loader that brings what it is told to, when it is told to. */
function prompted() {
  const loads = []
  const loader = (key, { stale, signal }) =>
    new Promise((resolve, reject) => loads.push({ key, stale, signal, resolve, reject }))
  return { loads, loader }
}

/** A map whose key `a` was loaded with a ttl of 100 and `staleFor: 1000`, and has expired. */
async function expired(options, value = { n: 1 }) {
  const map = new TypedMap(options)
  const clock = TypedMap.setClock()
  const { loads, loader } = prompted()
  const read = () => map.getOrLoad('a', loader, { ttl: 100, staleFor: 1_000 })
  const first = read()
  loads[0].resolve(value)
  await first
  const handle = map.getHandle('a')
  clock.advance(100)
  return { map, clock, loads, loader, read, handle }
}

describe('staleFor', () => {
  it('to everything else the entry has expired', async () => {
    const map = new TypedMap()
    const clock = TypedMap.setClock()
    const heard = []
    map.onEvict(({ key, cause, value }) => heard.push([key, cause, value]), {
      causes: ['expired', 'explicit', 'cleared']
    })
    await map.getOrLoad('a', () => ({ n: 1 }), { ttl: 100, staleFor: 1_000 })
    const handle = map.getHandle('a')
    clock.advance(100)
    assert.deepEqual([map.size, map.has('a'), map.get('a'), map.peek('a')], [0, false, undefined, undefined])
    assert.deepEqual([map.get(handle), map.has(handle), handle.get()], [undefined, false, undefined])
    assert.deepEqual([...map.keys()], [])
    assert.deepEqual(map.scan('0').entries, [])
    assert.deepEqual([map.randomKey(), map.ttlOf('a'), map.touch('a')], [undefined, undefined, false])
    assert.deepEqual(await map.filter(() => true), [])
    const { entries, stale, expirations } = map.getStats()
    assert.deepEqual([entries, stale, expirations], [0, 1, 1])
    clock.advance(1_000)
    assert.equal(map.getStats().stale, 0)
    while (heard.length === 0) await turn()
    for (let turns = 0; turns < 20; turns++) await turn()
    assert.deepEqual(heard, [['a', 'expired', { n: 1 }]])
    clock.restore()
  })

  it('its value is handed out at once, while one loader runs, which gets it', async () => {
    const { map, clock, loads, loader, read } = await expired()
    const values = await Promise.all([read(), read(), map.getOrLoad('a', never), map.getManyOrLoad(['a'], never)])
    assert.deepEqual(values, [{ n: 1 }, { n: 1 }, { n: 1 }, [{ n: 1 }]])
    assert.ok(Object.isFrozen(values[0]))
    assert.deepEqual([loads.length, loads[1].key, loads[1].stale], [2, 'a', { n: 1 }])
    assert.equal(map.has('a'), false)
    loads[1].resolve({ n: 2 })
    await turn()
    assert.deepEqual([map.get('a'), await map.getOrLoad('a', loader)], [{ n: 2 }, { n: 2 }])
    assert.deepEqual([map.getStats().stale, map.ttlOf('a'), loads.length], [0, 100, 2])
    clock.restore()
  })

  it('it goes on where the refresh fails, until staleFor ends; then the call waits', async () => {
    const { map, clock, loads, read } = await expired()
    for (let failures = 1; failures < 4; failures++) {
      assert.deepEqual(await read(), { n: 1 })
      loads[failures].reject(new Error('no'))
      await turn()
    }
    clock.advance(999)
    assert.deepEqual(await read(), { n: 1 })
    loads[4].reject(new Error('no'))
    await turn()
    clock.advance(1)
    const waits = read()
    assert.equal(loads.length, 6)
    assert.equal(loads[5].stale, undefined)
    loads[5].reject(new Error('it is over'))
    await assert.rejects(waits, /it is over/)
    assert.equal(map.getStats().stale, 0)
    clock.restore()
  })

  const changes = {
    'a set': map => map.set('a', 'set'),
    'a delete': map => map.delete('a'),
    deleteMany: map => map.deleteMany(['a']),
    'a clear': map => map.clear(),
    increment: map => map.increment('a'),
    compareAndSet: map => {
      map.set('a', 1)
      assert.ok(map.compareAndSet('a', 1, 'swapped').swapped)
    }
  }
  for (const [what, change] of Object.entries(changes)) {
    it(`${what} of the key drops it, and voids the refresh`, async () => {
      const { map, clock, loads, read } = await expired()
      await read()
      change(map)
      assert.equal(map.getStats().stale, 0)
      const value = map.get('a')
      loads[1].resolve('late')
      await turn()
      assert.equal(map.get('a'), value)
      if (value === undefined) {
        const waits = read()
        assert.equal(loads[2].stale, undefined)
        loads[2].resolve('new')
        assert.equal(await waits, 'new')
      }
      clock.restore()
    })
  }

  it('a commit drops it, whether it writes the key or deletes it', async () => {
    for (const change of [tx => tx.set('a', 'set'), tx => tx.delete('a')]) {
      const { map, clock, loads, read } = await expired()
      await read()
      map.transaction(change)
      const value = map.get('a')
      loads[1].resolve('late')
      await turn()
      assert.equal(map.get('a'), value)
      if (value === undefined) {
        const waits = read()
        loads[2].resolve('new')
        assert.equal(await waits, 'new')
      }
      clock.restore()
    }
  })

  it('in a map that ignores case, and in one that normalises keys, the spelling does not matter', async () => {
    for (const options of [{ caseInsensitiveKeys: true }, { normalizeKey: key => key.toLowerCase() }]) {
      const { map, clock, loads, loader, read } = await expired(options)
      assert.deepEqual(await map.getOrLoad('A', loader), { n: 1 })
      clock.restore()
      loads.length = 0
      assert.equal(map.delete('A'), false)
      assert.equal(map.getStats().stale, 0)
      const waits = read()
      loads[0].resolve('new')
      assert.equal(await waits, 'new')
      assert.equal(await map.getOrLoad('A', loader), 'new')
    }
  })

  it('values of every kind', async () => {
    const values = [1, -0, 'é\ud800', 2n ** 70n, null, true, [1.5], { a: { b: ['c'] } }, Buffer.from('ab')]
    for (const value of values) {
      const { clock, loads, read } = await expired(undefined, value)
      assert.deepEqual(await read(), value)
      assert.deepEqual(loads[1].stale, value)
      loads[1].resolve(value)
      clock.restore()
    }
    const { clock, read } = await expired({ codec: 'v8' }, new Date(5))
    assert.deepEqual(await read(), new Date(5))
    clock.restore()
    const large = await expired(undefined, 'x'.repeat(1_100_000))
    assert.equal(large.map.getStats().stale, 0, 'what is too large is not kept')
    large.clock.restore()
  })

  it('it counts for maxEntries, and is the first to go', async () => {
    const { map, clock } = await expired({ maxEntries: 3 })
    for (const key of ['b', 'c']) map.set(key, 1)
    assert.equal(map.getStats().stale, 1)
    map.set('d', 1)
    const { stale, entries, evictions } = map.getStats()
    assert.deepEqual([stale, entries, evictions], [0, 3, 0])
    clock.restore()
  })

  it('with sliding and touch it begins at the deadline that counts in the end', async () => {
    const map = new TypedMap({ sliding: true, nearCache: false })
    const clock = TypedMap.setClock()
    await map.getOrLoad('a', () => 1, { ttl: 100, staleFor: 50 })
    clock.advance(99)
    map.get('a')
    clock.advance(99)
    assert.equal(map.touch('a', { ttl: 10 }), true)
    clock.advance(10)
    assert.deepEqual([map.has('a'), map.getStats().stale], [false, 1])
    clock.advance(49)
    assert.equal(map.getStats().stale, 1)
    clock.advance(1)
    assert.equal(map.getStats().stale, 0)
    clock.restore()
  })

  it('with refreshAfter: refreshed while it lives, handed out when it has expired', async () => {
    const map = new TypedMap()
    const clock = TypedMap.setClock()
    const { loads, loader } = prompted()
    const read = () => map.getOrLoad('a', loader, { ttl: 100, refreshAfter: 50, staleFor: 1_000 })
    const first = read()
    loads[0].resolve(1)
    await first
    clock.advance(50)
    assert.equal(await read(), 1)
    clock.advance(50)
    assert.equal(map.has('a'), false)
    assert.equal(await read(), 1)
    assert.equal(loads.length, 2, 'the loader of the refresh goes on')
    loads[1].resolve(2)
    await turn()
    assert.equal(map.get('a'), 2)
    clock.restore()
  })

  it('an entry that another write made, or without a deadline, has none', async () => {
    const { map, clock, loads, read } = await expired()
    map.set('a', 'set', { ttl: 10 })
    clock.advance(10)
    assert.equal(map.getStats().stale, 0)
    const waits = read()
    loads[1].resolve('loaded')
    assert.equal(await waits, 'loaded')
    await map.getOrLoad('b', () => 1, { staleFor: 5 })
    clock.advance(1_000_000)
    assert.deepEqual([map.has('b'), map.has('a')], [true, false])
    assert.equal((await map.getOrLoad('c', () => 1, { ttl: 1, staleFor: Number.POSITIVE_INFINITY })) === 1, true)
    clock.advance(1_000_000_000)
    assert.equal(await map.getOrLoad('c', () => new Promise(() => {})), 1)
    clock.restore()
    map.close()
  })
})
