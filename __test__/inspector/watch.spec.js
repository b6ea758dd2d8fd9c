'use strict'

// A watch looks at a named map without holding it open.

require('../support/sound.js')
const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../../index.js')
const { GONE, Watch } = require('../../lib/inspector/watch.js')
const { inWorker } = require('../support/workers.js')

describe('watch', () => {
  it('reads a map that this thread has not open', async () => {
    await inWorker(async ({ TypedMap, assert }) => {
      const { Watch } = require(`${process.cwd()}/lib/inspector/watch.js`)
      const map = TypedMap.open('watched: read', { maxEntries: 100 })
      map.set('a', { b: 1 })
      const watch = Watch.of('watched: read', 'off', ['typedmap.lifecycle'])
      const { entries, threads, hits, misses } = watch.visit(map => map.getStats())
      assert.deepEqual([entries, threads, hits, misses], [1, 1, 0, 0])
      assert.equal(watch.options.maxEntries, 100)
      assert.deepEqual(
        watch.visit(map => [map.has('a'), map.ttlOf('a'), map.peek('a')]),
        [true, Number.POSITIVE_INFINITY, { b: 1 }]
      )
      assert.equal(map.getStats().threads, 1)
    })
  })

  it('says how long operations took since it was asked last', () => {
    const map = TypedMap.open('watched: latency', { latency: true, nearCache: false })
    const watch = Watch.of('watched: latency', 'off', ['typedmap.lifecycle'])
    const recent = () => watch.visit(() => watch.takeLatency())
    assert.equal(recent().get, undefined, 'there was no call')
    map.set('a', 1)
    for (let n = 0; n < 1_000; n++) map.get('a')
    const { get, insert } = recent()
    assert.ok(get.p50Ns > 0 && get.p50Ns <= get.p99Ns, JSON.stringify(get))
    assert.equal(insert, undefined)
    map.resetStats()
    assert.equal(recent().get, undefined, 'nothing was read since, and a reset takes nothing back')
    for (let n = 0; n < 1_000; n++) map.get('a')
    assert.ok(recent().get.p99Ns > 0)
    watch.end()
    map.destroy()
  })

  it('measures no latency of a map that does not', () => {
    const map = TypedMap.open('watched: no latency')
    const watch = Watch.of('watched: no latency', 'off', ['typedmap.lifecycle'])
    assert.deepEqual(
      watch.visit(() => watch.takeLatency()),
      {}
    )
    watch.end()
    map.destroy()
  })

  it('lets a map end with its last holder', () => {
    const map = TypedMap.open('watched: end')
    map.set('a', 1)
    const watch = Watch.of('watched: end', 'info', ['typedmap.lifecycle'])
    assert.equal(
      watch.visit(map => map.size),
      1
    )
    map.close()
    assert.ok(!TypedMap.names().includes('watched: end'))
    assert.equal(
      watch.visit(() => assert.fail('there is no map')),
      GONE
    )
    assert.equal(Watch.of('watched: end', 'info', ['typedmap.lifecycle']), undefined)
    watch.end()
  })

  it('is of one map, not of the next one with its name', () => {
    const first = TypedMap.open('watched: again')
    const watch = Watch.of('watched: again', 'off', ['typedmap.lifecycle'])
    first.destroy()
    const second = TypedMap.open('watched: again')
    assert.equal(
      watch.visit(() => 1),
      GONE
    )
    const other = Watch.of('watched: again', 'off', ['typedmap.lifecycle'])
    assert.notEqual(other.instance, watch.instance)
    assert.equal(
      other.visit(map => map.size),
      0
    )
    second.close()
  })

  it('is over with a map that was destroyed, although a reference to it is left', () => {
    const map = TypedMap.open('watched: destroyed')
    const left = TypedMap.open('watched: destroyed')
    const watch = Watch.of('watched: destroyed', 'off', ['typedmap.lifecycle'])
    map.destroy()
    assert.equal(
      watch.visit(map => map.size),
      GONE
    )
    watch.end()
    left.close()
  })

  it('reads only within a visit', () => {
    const map = TypedMap.open('watched: within')
    const watch = Watch.of('watched: within', 'off', ['typedmap.lifecycle'])
    let kept
    watch.visit(map => {
      kept = map
      assert.equal(map.size, 0)
    })
    assert.throws(() => kept.size, { code: 'ERR_CLOSED' })
    assert.throws(
      () =>
        watch.visit(() => {
          throw new Error('of the look')
        }),
      /of the look/
    )
    assert.throws(() => kept.getStats(), { code: 'ERR_CLOSED' })
    watch.end()
    assert.equal(
      watch.visit(() => 1),
      GONE
    )
    map.close()
  })

  it('hears that memory is nearly full and that it is fragmented, although no thread of the program listens', () => {
    const name = 'watched: memory'
    const map = TypedMap.open(name, { shards: 64, memoryLimit: '12mb' })
    const watch = Watch.of(name, 'info', ['typedmap.memory'])
    const codes = () => watch.visit(() => watch.takeLines()).map(({ code }) => code)
    for (let key = 0; key < 20_000; key++) map.set(`${key}`, 'v'.repeat(500))
    assert.deepEqual(codes(), ['memory.pressure'])
    for (let key = 0; key < 20_000; key++) if (key % 10 !== 0) map.delete(`${key}`)
    assert.deepEqual(codes(), [])
    watch.visit(() => watch.checkMemory())
    assert.deepEqual(codes(), ['memory.fragmented'])
    watch.end()
    map.close()
  })

  it('takes the log lines of a map between its visits, and leaves those of listeners alone', async () => {
    const map = TypedMap.open('watched: log')
    const heard = []
    map.onLog(({ code }) => heard.push(code), { targets: ['typedmap.lifecycle'] })
    const watch = Watch.of('watched: log', 'info', ['typedmap.lifecycle'])
    map.set('a', 1)
    map.clear()
    const lines = watch.visit(() => watch.takeLines())
    assert.deepEqual(
      lines.map(({ code, level, target, details }) => ({ code, level, target, entries: details.entries })),
      [{ code: 'map.cleared', level: 'info', target: 'typedmap.lifecycle', entries: 1 }]
    )
    map.clear()
    assert.equal(watch.visit(() => watch.takeLines()).length, 1)
    assert.equal(watch.visit(() => watch.takeLines()).length, 0)
    while (heard.length < 2) await new Promise(resolve => setImmediate(resolve))
    watch.end()
    map.close()
  })

  it('watches a map with a codec, and one with a function that makes keys', () => {
    const codec = { contentType: 'application/x', encode: () => new Uint8Array(1), decode: () => 1 }
    const one = TypedMap.open('watched: codec', { codec })
    const other = TypedMap.open('watched: normal', { normalizeKey: key => String(key).toLowerCase() })
    one.set('a', 1)
    other.set('A', 1)
    for (const name of ['watched: codec', 'watched: normal']) {
      const watch = Watch.of(name, 'off', ['typedmap.lifecycle'])
      assert.deepEqual(
        watch.visit(map => [map.getStats().entries, map.has('a')]),
        [1, true]
      )
      watch.end()
    }
    one.close()
    other.close()
  })
})
