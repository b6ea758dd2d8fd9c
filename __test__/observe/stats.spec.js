'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

describe('stats', () => {
  it('of a new map are zero', () => {
    const stats = new TypedMap().getStats()
    for (const name of ['entries', 'hits', 'misses', 'inserts', 'updates', 'deletes', 'clears', 'cacheHitRate']) {
      assert.equal(stats[name], 0, name)
    }
  })

  it('count each operation', () => {
    const map = new TypedMap()
    map.set('a', 1).set('b', 2).set('a', 3)
    map.insert('keyless')
    map.get('a')
    map.get('b')
    map.get('missing')
    map.delete('b')
    map.delete('missing')
    const stats = map.getStats()
    assert.equal(stats.inserts, 3)
    assert.equal(stats.updates, 1)
    assert.equal(stats.hits, 2)
    assert.equal(stats.misses, 1)
    assert.equal(stats.deletes, 1)
    assert.equal(stats.entries, 2)
    map.clear()
    assert.equal(map.getStats().clears, 1)
    assert.equal(map.getStats().entries, 0)
  })

  it('a batch counts like as many operations', () => {
    const map = new TypedMap()
    map.setMany([
      ['a', 1],
      ['b', 2],
      ['a', 3]
    ])
    const handles = map.insertMany([1, 2])
    map.updateMany([
      ['a', 4],
      ['missing', 1]
    ])
    map.getMany(['a', 'b', 'missing', ...handles])
    map.deleteMany(['a', 'missing'])
    const stats = map.getStats()
    assert.equal(stats.inserts, 4)
    assert.equal(stats.updates, 2)
    assert.equal(stats.hits, 4)
    assert.equal(stats.misses, 1)
    assert.equal(stats.deletes, 1)
  })

  it('the hit rate is that of reads, in percent', () => {
    const map = new TypedMap([['a', { b: 1 }]])
    for (let read = 0; read < 3; read++) map.get('a')
    assert.equal(map.getStats().cacheHitRate, 100)
    map.get('missing')
    assert.equal(map.getStats().cacheHitRate, 75)
    for (let read = 0; read < 4; read++) map.get('missing')
    assert.equal(map.getStats().cacheHitRate, 37.5)
  })

  it('hits of the near cache are hits', () => {
    for (const nearCache of [false, { maxEntries: 100 }]) {
      const map = new TypedMap([['a', { b: 1 }]], { nearCache })
      const handle = map.getHandle('a')
      for (let read = 0; read < 5_000; read++) {
        map.get('a')
        map.get(handle)
      }
      const { hits, nearHits } = map.getStats()
      assert.equal(hits, 10_000)
      assert.equal(nearHits > 9_000, nearCache !== false)
    }
  })

  it('the near cache is that of this thread and this reference', () => {
    const map = TypedMap.open('near cache of a reference', { nearCache: { maxEntries: 2, maxBytes: '1mb' } })
    const other = TypedMap.open('near cache of a reference')
    for (let key = 0; key < 3; key++) map.set(key, { key })
    const nothing = { entries: 0, bytes: 0, hits: 0, evictions: 0, outdated: 0 }
    assert.deepEqual(map.getStats().nearCache, { ...nothing, maxEntries: 2, maxBytes: 1_048_576 })
    for (let read = 0; read < 5; read++) map.get(0)
    map.get(1)
    const { bytes, ...stats } = map.getStats().nearCache
    assert.deepEqual({ ...stats, bytes: 0 }, { ...nothing, entries: 2, hits: 4, maxEntries: 2, maxBytes: 1_048_576 })
    assert.ok(bytes > 100 && bytes < 1_000, `${bytes} bytes`)
    assert.equal(map.getStats().nearCache.hits, 4)
    map.clear()
    assert.deepEqual(map.getStats().nearCache, { ...nothing, hits: 4, maxEntries: 2, maxBytes: 1_048_576 })
    assert.deepEqual(other.getStats().nearCache, { ...nothing, maxEntries: 10_000, maxBytes: 16_777_216 })
    const none = new TypedMap({ nearCache: false })
    assert.deepEqual(none.getStats().nearCache, { ...nothing, maxEntries: 0, maxBytes: 0 })
    for (const one of [map, other, none]) one.close()
  })

  it('bytes grow with what is stored, and come back', () => {
    const map = new TypedMap()
    const empty = map.getStats().memoryBytes
    for (let key = 0; key < 1_000; key++) map.set(key, 'x'.repeat(10_000))
    const full = map.getStats()
    assert.ok(full.memoryBytes > 10_000_000 && full.memoryBytes < 15_000_000, `${full.memoryBytes} bytes`)
    assert.equal(full.memoryMb, Math.round((full.memoryBytes / 1024 ** 2) * 100) / 100)
    assert.equal(full.memory.total, full.memoryBytes)
    assert.ok(full.memory.entries >= 10_000_000)
    const parts = ['entries', 'index', 'slab', 'words', 'order', 'types', 'shapes', 'fixed', 'retired']
    const sum = parts.reduce((total, part) => total + full.memory[part], 0)
    assert.ok(sum >= full.memoryBytes, 'every byte has a place where it belongs')
    assert.deepEqual([full.shapes.count, full.shapes.bytes, full.shapes.values], [0, 0, 0], 'texts have no shape')
    for (let key = 0; key < 1_000; key++) map.delete(key)
    map.set('a', 1)
    const after = map.getStats().memoryBytes
    assert.ok(after < 2_500_000, `${after} bytes of ${full.memoryBytes} are left, ${empty} were there before`)
  })

  it('an entry costs at most 64 bytes besides its key and value, once the index has grown', () => {
    const map = new TypedMap({ shards: 8, seed: 1 })
    // A number takes four bytes.
    const payload = 8
    // While the index moves to a larger table, there are two.
    const moving = 16
    let best = Number.POSITIVE_INFINITY
    for (let key = 1; key <= 400_000; key++) {
      map.set(key, 1)
      if (key % 50_000 !== 0) continue
      const perEntry = map.getStats().memoryBytes / key
      assert.ok(perEntry <= 64 + payload + moving, `${perEntry} bytes per entry at ${key}`)
      best = Math.min(best, perEntry)
    }
    assert.ok(best <= 64 + payload, `${best} bytes per entry at best`)
  })

  it('the load factor is below what was asked for', () => {
    const map = new TypedMap({ maxLoadFactor: 0.5 })
    for (let key = 0; key < 10_000; key++) {
      map.set(key, 1)
      if (key % 500 === 499) {
        const { loadFactor, capacity, entries } = map.getStats()
        assert.ok(loadFactor > 0 && loadFactor <= 0.55, `${loadFactor} at ${entries} entries of ${capacity}`)
      }
    }
    assert.ok(map.getStats().capacity >= 20_000)
  })

  it('are those of all threads', async () => {
    const name = `stats ${process.pid}`
    const map = TypedMap.open(name)
    map.set('a', { b: 1 })
    await inWorker(({ TypedMap, data }) => {
      const map = TypedMap.open(data)
      for (let read = 0; read < 500; read++) map.get('a')
      map.get('missing')
      map.set('b', 1)
      map.close()
    }, name)
    const stats = map.getStats()
    // The thread has ended; its counts stay.
    assert.equal(stats.hits, 500)
    assert.equal(stats.misses, 1)
    assert.equal(stats.inserts, 2)
    map.close()
  })

  it('operations per second are those since the last question', () => {
    const map = new TypedMap()
    for (let key = 0; key < 10_000; key++) map.set(key, 1)
    const { opsPerSecond } = map.getStats()
    assert.ok(Number.isInteger(opsPerSecond) && opsPerSecond > 0)
    const { uptimeMs } = map.getStats()
    assert.ok(uptimeMs > 0)
  })

  it('a call of advise() is no such question', () => {
    const map = new TypedMap()
    const { uptimeMs } = map.getStats()
    for (let key = 0; key < 10_000; key++) map.set(key, 1)
    // Longer than the least time that a rate is taken of.
    const wait = () => {
      const until = performance.now() + 3
      while (performance.now() < until);
    }
    wait()
    map.advise()
    wait()
    const stats = map.getStats()
    assert.ok(stats.uptimeMs > uptimeMs)
    assert.ok(stats.opsPerSecond > 0, 'what came before the call counts')
    map.close()
  })

  it('say which vector instructions are used, and none where they are off', () => {
    for (const [options, enabled] of [
      [{}, true],
      [{ enableSIMD: true }, true],
      [{ enableSIMD: false }, false],
      [{ simdEnabled: false }, false]
    ]) {
      const { simd } = new TypedMap(options).getStats()
      const level = enabled && process.arch === 'x64' ? 'sse2' : 'none'
      assert.deepEqual(simd, { enabled, level }, JSON.stringify(options))
    }
  })

  it('are a snapshot that belongs to the caller', () => {
    const map = new TypedMap([['a', 1]])
    const stats = map.getStats()
    map.set('b', 2)
    assert.equal(stats.entries, 1)
    stats.entries = 99
    assert.equal(map.getStats().entries, 2)
    assert.deepEqual(JSON.parse(JSON.stringify(stats)), stats)
  })

  it('the example of the design prints a rate', () => {
    const map = new TypedMap({ memoryLimitMb: 100, enableSIMD: true, logLevel: 'warn' })
    const handle = map.insert({ host: 'localhost', port: 8080 })
    const retrieved = map.get(handle)
    assert.equal(`Config: ${retrieved.host}:${retrieved.port}`, 'Config: localhost:8080')
    assert.equal(`Cache hit rate: ${map.getStats().cacheHitRate}%`, 'Cache hit rate: 100%')
  })
})
