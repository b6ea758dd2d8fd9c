'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

const turn = () => new Promise(resolve => setImmediate(resolve))
const never = () => assert.fail('the loader of a key that is there runs')

/** A loader that counts, and brings its count when it is told to. */
function counting() {
  const loads = []
  const loader = (key, { stale }) =>
    new Promise((resolve, reject) => {
      loads.push({ key, stale, resolve: () => resolve({ n: loads.length }), reject })
    })
  return { loads, loader }
}

/** A map whose key `a` was loaded with `refreshAfter: 100`. */
async function refreshing(options, more) {
  const map = new TypedMap(options)
  const clock = TypedMap.setClock()
  const { loads, loader } = counting()
  const read = () => map.getOrLoad('a', loader, { refreshAfter: 100, ...more })
  const first = read()
  loads[0].resolve()
  assert.deepEqual(await first, { n: 1 })
  return { map, clock, loads, loader, read }
}

describe('refreshAfter', () => {
  for (const nearCache of [undefined, false]) {
    const what = nearCache === false ? 'without a near cache' : 'with a near cache'

    it(`a read after that time is answered at once, and one loader runs in the background: ${what}`, async () => {
      const { map, clock, loads, read } = await refreshing({ nearCache })
      for (let reads = 0; reads < 5; reads++) assert.deepEqual(await read(), { n: 1 })
      clock.advance(99)
      for (let reads = 0; reads < 5; reads++) assert.deepEqual(await read(), { n: 1 })
      assert.equal(loads.length, 1)
      clock.advance(1)
      assert.equal(loads.length, 1, 'nothing is loaded that nothing reads')
      // What other reads keep near does not hide that it is time.
      for (let reads = 0; reads < 5; reads++) map.get('a')
      for (let reads = 0; reads < 5; reads++) assert.deepEqual(await read(), { n: 1 })
      assert.deepEqual([loads.length, loads[1].key, loads[1].stale], [2, 'a', { n: 1 }])
      loads[1].resolve()
      await turn()
      assert.deepEqual([await read(), map.get('a')], [{ n: 2 }, { n: 2 }])
      clock.advance(99)
      await read()
      assert.equal(loads.length, 2)
      clock.advance(1)
      await read()
      assert.equal(loads.length, 3)
      loads[2].resolve()
      await turn()
      const { inserts, updates } = map.getStats()
      assert.deepEqual([inserts, updates], [1, 2])
      clock.restore()
    })
  }

  it('a hit is the same object until the value changes, and counts as a hit', async () => {
    const { map, clock, read } = await refreshing()
    await read()
    const before = map.getStats().hits
    const value = await read()
    for (let reads = 0; reads < 9; reads++) assert.equal(await read(), value)
    assert.equal(map.getStats().hits - before, 10)
    clock.restore()
  })

  it('a refresh that fails leaves the value, is reported, and the next read tries again', async () => {
    const { map, clock, loads, read } = await refreshing()
    const lines = []
    map.onLog(({ code, level }) => lines.push([code, level]), { targets: ['typedmap.lifecycle'] })
    clock.advance(100)
    for (let failures = 1; failures < 4; failures++) {
      await read()
      loads[failures].reject(new Error('no'))
      await turn()
      assert.deepEqual(map.get('a'), { n: 1 })
    }
    await read()
    loads[4].resolve()
    await turn()
    assert.deepEqual(await read(), { n: 5 })
    while (lines.length < 3) await turn()
    assert.deepEqual(
      lines.filter(([code]) => code === 'refresh.failed'),
      Array(3).fill(['refresh.failed', 'warn'])
    )
    clock.restore()
  })

  it('the ttl begins anew, and an entry that has expired is loaded as a missing one', async () => {
    const { map, clock, loads, read } = await refreshing(undefined, { ttl: 150 })
    clock.advance(100)
    await read()
    loads[1].resolve()
    await turn()
    assert.equal(map.ttlOf('a'), 150)
    clock.advance(150)
    assert.equal(map.has('a'), false)
    const waits = read()
    assert.equal(loads.length, 3)
    assert.equal(loads[2].stale, undefined)
    loads[2].resolve()
    assert.deepEqual(await waits, { n: 3 })
    clock.restore()
  })

  it('a write voids a refresh, and has no time of its own until it is read', async () => {
    const { map, clock, loads, read } = await refreshing()
    clock.advance(100)
    await read()
    map.set('a', 'set')
    loads[1].resolve()
    await turn()
    assert.equal(map.get('a'), 'set')
    clock.advance(500)
    assert.equal(await read(), 'set')
    clock.advance(99)
    assert.equal(await read(), 'set')
    assert.equal(loads.length, 2)
    clock.advance(1)
    assert.equal(await read(), 'set')
    assert.equal(loads.length, 3)
    map.delete('a')
    loads[2].resolve()
    await turn()
    assert.equal(map.has('a'), false)
    clock.restore()
  })

  it('a loader that hangs is replaced after a minute, and its value is not stored', async () => {
    const { map, clock, loads, read } = await refreshing()
    clock.advance(100)
    await read()
    clock.advance(59_999)
    await read()
    assert.equal(loads.length, 2)
    clock.advance(1)
    await read()
    assert.equal(loads.length, 3)
    loads[1].resolve()
    await turn()
    assert.deepEqual(map.get('a'), { n: 1 })
    loads[2].resolve()
    await turn()
    assert.deepEqual(map.get('a'), { n: 3 })
    clock.restore()
  })

  it('what is missed while it is refreshed waits for that', async () => {
    const { map, clock, loads, read } = await refreshing({ maxEntries: 10 })
    clock.advance(100)
    await read()
    map.evict(1)
    const waits = map.getOrLoad('a', never)
    loads[1].resolve()
    assert.deepEqual(await waits, { n: 2 })
    assert.deepEqual(map.get('a'), { n: 2 })
    clock.restore()
  })

  it('clear, close and destroy end it', async () => {
    const { map, clock, loads, read } = await refreshing()
    clock.advance(100)
    await read()
    map.clear()
    loads[1].resolve()
    await turn()
    assert.equal(map.size, 0)
    const next = read()
    loads[2].resolve()
    await next
    clock.advance(100)
    await read()
    clock.restore()
    map.close()
    loads[3].resolve()
    await turn()
    await assert.rejects(read(), { code: 'ERR_CLOSED' })
  })

  it('keys of every kind, and by handle it is a read', async () => {
    const map = new TypedMap()
    const clock = TypedMap.setClock()
    let loads = 0
    const loader = () => ++loads
    for (const key of ['a', 1, -0, Number.NaN, 3n, null, undefined, new Uint8Array([1])]) {
      const before = loads
      for (let reads = 0; reads < 3; reads++) {
        assert.equal(await map.getOrLoad(key, loader, { refreshAfter: 10 }), before + 1)
      }
      clock.advance(10)
      await map.getOrLoad(key, loader, { refreshAfter: 10 })
      await turn()
      assert.equal(await map.getOrLoad(key, loader, { refreshAfter: 10 }), before + 2)
    }
    const handle = map.getHandle('a')
    clock.advance(10)
    assert.equal(await map.getOrLoad(handle, never, { refreshAfter: 10 }), map.get('a'))
    await assert.rejects(map.getOrLoad({}, never, { refreshAfter: 10 }), { code: 'ERR_KEY_TYPE' })
    for (const refreshAfter of [0, -1, '1', Number.NaN]) {
      await assert.rejects(map.getOrLoad('a', never, { refreshAfter }), { code: 'ERR_INVALID_OPTION' })
    }
    assert.equal(await map.getOrLoad('a', never, { refreshAfter: Number.POSITIVE_INFINITY }), map.get('a'))
    clock.restore()
  })

  it('among threads one of them refreshes', async () => {
    const name = `refresh ${process.pid}`
    const map = TypedMap.open(name)
    const words = new Int32Array(new SharedArrayBuffer(8))
    const clock = TypedMap.setClock()
    await map.getOrLoad('a', () => 0, { refreshAfter: 10 })
    clock.advance(10)
    const work = async ({ TypedMap, data }) => {
      const map = TypedMap.open(data.name)
      const loader = async () => {
        Atomics.add(data.words, 0, 1)
        await new Promise(resolve => setTimeout(resolve, 200))
        return 1
      }
      Atomics.add(data.words, 1, 1)
      while (Atomics.load(data.words, 1) < 3);
      for (let reads = 0; reads < 100; reads++) await map.getOrLoad('a', loader, { refreshAfter: 10 })
      while (map.get('a') === 0) await new Promise(resolve => setTimeout(resolve, 1))
    }
    await Promise.all([1, 2, 3].map(() => inWorker(work, { name, words })))
    assert.deepEqual([map.get('a'), words[0]], [1, 1])
    clock.restore()
    map.close()
  })
})
