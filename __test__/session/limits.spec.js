'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { contentOf, isTyped, refusesUnchanged } = require('../support/errors.js')
const { seededRandom } = require('../support/random.js')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

const MB = 1024 * 1024

/** Fills a map until it refuses; returns the error and the number of entries that it took. */
function fill(map, makeValue = n => n, makeKey = n => n) {
  for (let n = 0; ; n++) {
    try {
      map.set(makeKey(n), makeValue(n))
    } catch (error) {
      return { error, count: n }
    }
  }
}

describe('limits: maxEntries', () => {
  it('takes exactly as many, and refuses the next', () => {
    for (const maxEntries of [1, 2, 10, 1_000]) {
      const map = new TypedMap({ maxEntries, oomStrategy: 'reject' })
      const { error, count } = fill(map)
      assert.equal(count, maxEntries)
      isTyped(error, 'ERR_MEMORY_LIMIT', { says: [new RegExp(maxEntries.toLocaleString('en-US'))] })
      assert.equal(map.size, maxEntries)
    }
  })

  it('holds over all shards, however keys fall', () => {
    const map = new TypedMap({ maxEntries: 5_000, oomStrategy: 'reject', shards: 64 })
    assert.equal(
      fill(
        map,
        () => 1,
        n => `key ${n}`
      ).count,
      5_000
    )
  })

  it('a refused insert changes nothing, whatever the method', () => {
    const map = new TypedMap({ maxEntries: 3, oomStrategy: 'reject' })
    map.set('a', 1).set('b', { two: 2 })
    const handle = map.insert(3)
    for (const call of [
      () => map.set('c', 1),
      () => map.insert(1),
      () => map.insertWithHandle('c', 1),
      () => map.getOrInsert('c', 1),
      () => map.getOrInsertComputed('c', () => 1),
      () => map.setMany([['c', 1]]),
      () => map.insertMany([1])
    ]) {
      refusesUnchanged(map, call, 'ERR_MEMORY_LIMIT')
    }
    assert.equal(map.get(handle), 3)
  })

  it('a full map can be read, written and emptied', () => {
    const map = new TypedMap({ maxEntries: 3, oomStrategy: 'reject' })
    fill(map)
    map.set(0, 'new')
    map.replace(map.getHandle(1), 'newer')
    map.updateMany([[2, 'newest']])
    assert.equal(map.getOrInsert(0, 1), 'new')
    assert.deepEqual([...map.values()], ['new', 'newer', 'newest'])
    map.delete(1)
    map.set('more', 1)
    assert.deepEqual([...map.keys()], [0, 2, 'more'])
    map.clear()
    assert.equal(fill(map).count, 3)
  })

  it('a batch that is stopped says how far it came', () => {
    const map = new TypedMap({ maxEntries: 5, oomStrategy: 'reject' })
    map.set('a', 1)
    const entries = Array.from({ length: 10 }, (_, n) => [n, n])
    let thrown
    try {
      map.setMany([['a', 2], ...entries])
    } catch (error) {
      thrown = error
    }
    isTyped(thrown, 'ERR_MEMORY_LIMIT')
    assert.equal(thrown.details.written, 5)
    assert.deepEqual([...map.keys()], ['a', 0, 1, 2, 3])
    assert.equal(map.get('a'), 2)
    map.delete(0)
    try {
      map.insertMany([1, 2, 3])
      assert.fail('not refused')
    } catch (error) {
      isTyped(error, 'ERR_MEMORY_LIMIT')
      assert.equal(error.details.written, 1)
    }
    assert.equal(map.size, 5)
  })

  it('a constructor throws if its entries do not fit', () => {
    const entries = [
      ['a', 1],
      ['b', 2]
    ]
    assert.throws(() => new TypedMap(entries, { maxEntries: 1, oomStrategy: 'reject' }), { code: 'ERR_MEMORY_LIMIT' })
    assert.equal(new TypedMap(entries, { maxEntries: 2, oomStrategy: 'reject' }).size, 2)
  })

  it('is never exceeded by threads that insert at once, and all of it can be used', async () => {
    const name = `limits ${process.pid}`
    const map = TypedMap.open(name, { maxEntries: 1_000, oomStrategy: 'reject' })
    const counts = await Promise.all(
      [0, 1, 2, 3].map(worker =>
        inWorker(
          ({ TypedMap, data }) => {
            const map = TypedMap.open(data.name)
            let count = 0
            for (let n = 0; n < 2_000; n++) {
              try {
                map.set(`${data.worker} ${n}`, n)
                count++
              } catch (error) {
                if (error.code !== 'ERR_MEMORY_LIMIT') throw error
              }
              if (map.size > 1_000) throw new Error('more entries than the limit')
            }
            return count
          },
          { name, worker }
        )
      )
    )
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      1_000
    )
    assert.equal(map.size, 1_000)
    map.close()
  })
})

describe('limits: memoryLimit', () => {
  it('refuses what is above, with the numbers, and changes nothing', () => {
    const map = new TypedMap({ memoryLimit: 4 * MB, oomStrategy: 'reject' })
    const { error, count } = fill(map, n => ({ n, text: 'x'.repeat(1_000) }))
    isTyped(error, 'ERR_MEMORY_LIMIT')
    assert.ok(count > 500, `${count} entries of about a kilobyte fit in 4 MB`)
    assert.ok(count < 4_000, `${count} entries of about a kilobyte do not`)
    assert.equal(map.size, count)
    assert.ok(error.details.limitBytes === 4 * MB)
    assert.ok(error.details.requestedBytes > 0)
    refusesUnchanged(map, () => map.set('new', 'x'.repeat(100_000)), 'ERR_MEMORY_LIMIT')
    refusesUnchanged(map, () => map.insert('x'.repeat(100_000)), 'ERR_MEMORY_LIMIT')
    refusesUnchanged(map, () => map.set(0, 'x'.repeat(100_000)), 'ERR_MEMORY_LIMIT')
    refusesUnchanged(map, () => map.replace(map.getHandle(1), 'x'.repeat(100_000)), 'ERR_MEMORY_LIMIT')
    refusesUnchanged(map, () => map.updateMany([[2, 'x'.repeat(100_000)]]), 'ERR_MEMORY_LIMIT')
    for (let n = 0; n < count; n++) assert.equal(map.get(n).n, n)
  })

  it('is what the map itself measures, and never exceeded', t => {
    const random = seededRandom(t)
    const limit = 6 * MB
    const map = new TypedMap({ memoryLimit: limit, oomStrategy: 'reject' })
    const model = new Map()
    let refused = 0
    for (let step = 0; step < 30_000; step++) {
      const key = random.below(3_000)
      if (random.oneIn(4)) {
        assert.equal(map.delete(key), model.delete(key))
      } else {
        const value = 'v'.repeat(random.below(random.oneIn(20) ? 60_000 : 3_000))
        try {
          map.set(key, value)
          model.set(key, value)
        } catch (error) {
          isTyped(error, 'ERR_MEMORY_LIMIT')
          refused++
        }
      }
      if (step % 500 === 0) {
        assert.ok(map.getStats().memoryMb * MB <= limit, `${map.getStats().memoryMb} MB in use`)
        assert.equal(map.size, model.size)
      }
    }
    assert.ok(refused > 100, 'this test runs at the limit')
    for (const [key, value] of model) assert.equal(map.get(key), value)
  })

  it('releases deleted and cleared memory, again and again', () => {
    const map = new TypedMap({ memoryLimit: 4 * MB, oomStrategy: 'reject' })
    const first = fill(map, () => 'x'.repeat(2_000)).count
    for (let round = 0; round < 20; round++) {
      if (round % 2 === 0) map.clear()
      else for (const key of [...map.keys()]) map.delete(key)
      assert.equal(map.size, 0)
      const { error, count } = fill(map, () => 'x'.repeat(2_000))
      isTyped(error, 'ERR_MEMORY_LIMIT')
      assert.ok(count >= first * 0.8, `round ${round}: ${count} entries where ${first} went in at first`)
    }
  })

  it('counts small entries with all they need', () => {
    const map = new TypedMap({ memoryLimit: 8 * MB, oomStrategy: 'reject' })
    const { count } = fill(map, () => 1)
    // An entry that costs less than 16 bytes or more than 256 was not counted right.
    assert.ok(count > (8 * MB) / 256 && count < (8 * MB) / 16, `${count} small entries in 8 MB`)
  })

  it('a value that could never fit is refused as such, and evicts nothing', () => {
    const map = new TypedMap({ memoryLimit: 4 * MB, oomStrategy: 'reject' })
    map.set('a', 1)
    for (const call of [
      () => map.set('big', 'x'.repeat(5 * MB)),
      () => map.set('a', new Uint8Array(5 * MB)),
      () => map.insert({ big: 'x'.repeat(5 * MB) })
    ]) {
      refusesUnchanged(map, call, ['ERR_VALUE_TOO_LARGE', 'ERR_MEMORY_LIMIT'])
    }
    assert.equal(map.get('a'), 1)
  })

  it('a batch that is stopped says how far it came', () => {
    const map = new TypedMap({ memoryLimit: 4 * MB, oomStrategy: 'reject' })
    const entries = Array.from({ length: 10_000 }, (_, n) => [n, 'x'.repeat(1_000)])
    let thrown
    try {
      map.setMany(entries)
    } catch (error) {
      thrown = error
    }
    isTyped(thrown, 'ERR_MEMORY_LIMIT')
    assert.ok(thrown.details.written > 0)
    assert.equal(map.size, thrown.details.written)
    assert.deepEqual(
      [...map.keys()],
      Array.from({ length: map.size }, (_, n) => n)
    )
  })

  it('is one limit for all threads', async () => {
    const name = `limits shared ${process.pid}`
    const map = TypedMap.open(name, { memoryLimitMb: 8, oomStrategy: 'reject' })
    const codes = await Promise.all(
      [0, 1].map(worker =>
        inWorker(
          ({ TypedMap, data }) => {
            const map = TypedMap.open(data.name)
            for (let n = 0; ; n++) {
              try {
                map.set(`${data.worker} ${n}`, 'x'.repeat(1_000))
              } catch (error) {
                return [n, error.code]
              }
            }
          },
          { name, worker }
        )
      )
    )
    const count = codes.reduce((sum, [n]) => sum + n, 0)
    for (const [, code] of codes) assert.equal(code, 'ERR_MEMORY_LIMIT')
    assert.equal(map.size, count)
    assert.ok(count < 8_000)
    assert.ok(map.getStats().memoryMb <= 8)
    assert.deepEqual(contentOf(map).size, count)
    map.close()
  })
})
