'use strict'

// Limits that change while the map is in use.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { throwsTyped } = require('../support/errors.js')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

const MB = 1024 * 1024

describe('setLimits', () => {
  it('raises a limit at once', () => {
    const map = new TypedMap({ maxEntries: 2, oomStrategy: 'reject' })
    map.set('a', 1).set('b', 2)
    assert.throws(() => map.set('c', 3), { code: 'ERR_MEMORY_LIMIT' })
    assert.equal(map.setLimits({ maxEntries: 3 }), undefined)
    map.set('c', 3)
    assert.throws(() => map.set('d', 3), { code: 'ERR_MEMORY_LIMIT' })
    assert.equal(map.getStats().limits.maxEntries, 3)
  })

  it('removes a limit with null or Infinity, and keeps those that are not mentioned', () => {
    for (const none of [null, Number.POSITIVE_INFINITY]) {
      const map = new TypedMap({ maxEntries: 2, memoryLimit: 8 * MB, maxValueBytes: 100 })
      map.setLimits({ maxEntries: none })
      for (let n = 0; n < 100; n++) map.set(n, n)
      assert.equal(map.size, 100)
      assert.deepEqual(map.getStats().limits, { memoryLimit: 8 * MB, maxEntries: null, maxValueBytes: 100 })
      map.setLimits({ memoryLimit: none, maxValueBytes: none })
      map.set('large', 'x'.repeat(10 * MB))
      assert.deepEqual(map.getStats().limits, { memoryLimit: null, maxEntries: null, maxValueBytes: null })
      map.setLimits({ maxEntries: undefined })
      map.setLimits({})
    }
  })

  it('a lowered limit is reached by the writes that follow, without one of them paying for all', () => {
    const map = new TypedMap({ maxEntries: 10_000, shards: 4 })
    for (let n = 0; n < 10_000; n++) map.set(n, n)
    map.setLimits({ maxEntries: 1_000 })
    let size = map.size
    let writes = 0
    for (; map.size > 1_000; writes++) {
      map.set(`new ${writes}`, 1)
      assert.ok(map.size < size, 'each write evicts more than it adds')
      assert.ok(size - map.size < 5_000)
      size = map.size
    }
    assert.ok(writes > 1)
    for (let n = 0; n < 100; n++) map.set(`more ${n}`, n)
    assert.ok(map.size <= 1_000)
  })

  it('the same in bytes', () => {
    const map = new TypedMap({ memoryLimit: 16 * MB })
    for (let n = 0; n < 10_000; n++) map.set(n, 'x'.repeat(1_000))
    map.setLimits({ memoryLimit: '4mb' })
    let writes = 0
    for (; map.memoryUsage() > 4 * MB; writes++) {
      assert.ok(writes < 20_000, `${map.memoryUsage()} bytes after so many writes`)
      map.set(`new ${writes}`, 'x'.repeat(1_000))
    }
    assert.ok(map.size > 1_000)
    for (let n = 0; n < 1_000; n++) {
      map.set(`more ${n}`, 'x'.repeat(1_000))
      assert.ok(map.memoryUsage() <= 4 * MB)
    }
    assert.equal(map.getStats().memory.limit, 4 * MB)
  })

  it('maxValueBytes holds for values that are written from now on', () => {
    const map = new TypedMap({ maxEntries: 10 })
    map.set('a', 'x'.repeat(1_000))
    map.setLimits({ maxValueBytes: 100 })
    assert.equal(map.get('a').length, 1_000)
    throwsTyped(() => map.set('b', 'x'.repeat(101)), 'ERR_VALUE_TOO_LARGE')
    map.setLimits({ maxValueBytes: 101 })
    map.set('b', 'x'.repeat(101))
  })

  it('takes what the options take', () => {
    const map = new TypedMap({ maxEntries: 10 })
    for (const [limits, bytes] of [
      [{ memoryLimit: '2mb' }, 2 * MB],
      [{ memoryLimitMb: 3 }, 3 * MB],
      [{ memoryLimitGb: 1 }, 1024 * MB],
      [{ memoryLimitMb: 1024, memoryLimitGb: 1 }, 1024 * MB],
      [{ memoryLimit: null, memoryLimitMb: null }, null]
    ]) {
      map.setLimits(limits)
      assert.equal(map.getStats().limits.memoryLimit, bytes)
    }
    map.setLimits({ memoryLimit: 'auto' })
    assert.ok(map.getStats().limits.memoryLimit > MB)
  })

  it('refuses invalid limits, and changes nothing', () => {
    const map = new TypedMap({ maxEntries: 10 })
    for (const limits of [undefined, null, 5, 'none', []]) {
      throwsTyped(() => map.setLimits(limits), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/limits/] })
    }
    for (const limits of [{ memoryLimit: 0 }, { memoryLimit: 'much' }, { maxEntries: 1.5 }, { maxValueBytes: -1 }]) {
      const [name] = Object.keys(limits)
      throwsTyped(() => map.setLimits({ maxEntries: 5, ...limits }), 'ERR_INVALID_OPTION', {
        kind: RangeError,
        says: [new RegExp(name)]
      })
    }
    throwsTyped(() => map.setLimits({ ttl: 5 }), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/ttl/] })
    throwsTyped(() => map.setLimits({ memoryLimitMb: 1, memoryLimitGb: 1 }), 'ERR_INVALID_OPTION', {
      kind: TypeError,
      says: [/memoryLimitMb/]
    })
    assert.equal(map.getStats().limits.maxEntries, 10)
  })

  it('a map that was made without limits gets none but that of a value', () => {
    const map = new TypedMap()
    throwsTyped(() => map.setLimits({ maxEntries: 5 }), 'ERR_INVALID_OPTION', {
      kind: TypeError,
      says: [/without limits/]
    })
    map.setLimits({ maxValueBytes: 5, memoryLimit: null })
    throwsTyped(() => map.set('a', 'too long'), 'ERR_VALUE_TOO_LARGE')
    const ready = new TypedMap(
      [
        ['a', 1],
        ['b', 2],
        ['c', 3]
      ],
      { evictionStrategy: 'fifo', shards: 1 }
    )
    ready.setLimits({ maxEntries: 3 })
    ready.set('d', 4)
    assert.deepEqual([...ready.keys()], ['b', 'c', 'd'])
  })

  it('holds for all threads, and a map is opened with what it was made with', async () => {
    const name = `set-limits ${process.pid}`
    const map = TypedMap.open(name, { maxEntries: 10 })
    await inWorker(({ TypedMap, data }) => TypedMap.open(data).setLimits({ maxEntries: 20 }), name)
    for (let n = 0; n < 50; n++) map.set(n, n)
    assert.equal(map.size, 20)
    TypedMap.open(name, { maxEntries: 10 }).close()
    map.close()
  })
})
