'use strict'

// How the index grows: by itself, held, and brought forward.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { throwsTyped } = require('../support/errors.js')
const { inWorker, startWorker } = require('../support/workers.js')

require('../support/sound.js')

const capacityOf = map => map.getStats().capacity

/** Sets the keys from a number on, below another. */
const fill = (map, from, to) => map.setMany(Array.from({ length: to - from }, (_, n) => [from + n, from + n]))

/** Inserts until the index grows; returns how many entries it had before that. */
function fillUntilItGrows(map) {
  const before = capacityOf(map)
  let { size } = map
  while (capacityOf(map) === before) map.set(size, size++)
  return size - 1
}

/** A map of one shard, whose index has just grown. */
function grown() {
  const map = new TypedMap({ shards: 1 })
  fill(map, 0, 30_000)
  map.rehash(1_000)
  fillUntilItGrows(map)
  return map
}

function hasAll(map) {
  for (let n = 0; n < map.size; n++) assert.equal(map.get(n), n)
}

describe('isMigrating and rehash', () => {
  it('a growth goes on with each write, or at once', () => {
    const map = grown()
    assert.equal(map.isMigrating, true)
    hasAll(map)
    assert.equal(map.rehash(1_000), false)
    assert.equal(map.isMigrating, false)
    assert.equal(map.rehash(1_000), false, 'nothing is left')
    hasAll(map)
    // By writes alone.
    const other = grown()
    for (let n = 0; other.isMigrating; n++) {
      other.set(n % 10, n % 10)
      assert.ok(n < 100_000)
    }
    hasAll(other)
  })

  it('in steps, between which entries come and go', () => {
    const map = new TypedMap({ shards: 4 })
    fill(map, 0, 20_000)
    let steps = 0
    map.reserve(500_000)
    assert.equal(map.isMigrating, true)
    // As little as there is: one step under a lock, then the time is over.
    for (; map.rehash(0.001); steps++) {
      map.set(`beside ${steps}`, steps)
      if (steps % 2 === 1) map.delete(`beside ${steps - 1}`)
      assert.equal(map.get(steps % 20_000), steps % 20_000)
    }
    assert.ok(steps > 10, `${steps} steps`)
    assert.equal(map.isMigrating, false)
    for (let n = 0; n < 20_000; n++) assert.equal(map.get(n), n)
  })

  it('of all shards, growing and shrinking', () => {
    const map = new TypedMap({ shards: 64 })
    fill(map, 0, 50_000)
    map.reserve(1_000_000)
    const capacity = capacityOf(map)
    while (map.rehash(1_000)) assert.equal(map.isMigrating, true)
    map.shrinkToFit()
    assert.equal(map.isMigrating, true)
    while (map.rehash(1_000)) assert.equal(map.isMigrating, true)
    assert.equal(map.isMigrating, false)
    assert.ok(capacityOf(map) < capacity / 10)
    hasAll(map)
  })

  it('a map without entries has nothing to move', () => {
    const map = new TypedMap()
    assert.equal(map.isMigrating, false)
    assert.equal(map.rehash(1), false)
  })

  it('takes a time', () => {
    const map = new TypedMap()
    for (const wrong of [0, -1, 1_000.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      throwsTyped(() => map.rehash(wrong), 'ERR_INVALID_OPTION', { kind: RangeError, says: [/^ms is/, /1000/] })
    }
    for (const wrong of [undefined, null, '5', 5n, {}]) {
      throwsTyped(() => map.rehash(wrong), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/^ms is/] })
    }
    map.close()
    throwsTyped(() => map.rehash(1), 'ERR_CLOSED')
    throwsTyped(() => map.isMigrating, 'ERR_CLOSED')
  })

  it('beside threads that read and write', async () => {
    const name = `growth ${process.pid}`
    const map = TypedMap.open(name, { shards: 2, nearCache: false })
    fill(map, 0, 20_000)
    const stop = new Int32Array(new SharedArrayBuffer(4))
    const workers = [0, 1].map(thread =>
      startWorker(
        ({ TypedMap: Api, data }) => {
          const own = Api.open(data.name, { nearCache: false })
          let round = 0
          for (; Atomics.load(data.stop, 0) === 0 || round < 20; round++) {
            for (let n = 0; n < 200; n++) {
              const key = (round * 7_919 + n * 31) % 20_000
              if (own.get(key) !== key) throw new Error(`${key} is ${own.get(key)}`)
            }
            own.set(`${data.thread} ${round % 500}`, round)
            own.delete(`${data.thread} ${(round + 250) % 500}`)
          }
          own.close()
          return round
        },
        { name, stop, thread }
      )
    )
    try {
      for (let round = 0; round < 60; round++) {
        if (round % 2 === 0) map.reserve(200_000 + round)
        else map.shrinkToFit()
        while (map.rehash(0.2));
      }
    } finally {
      Atomics.store(stop, 0, 1)
    }
    for (const rounds of await Promise.all(workers.map(worker => worker.result))) assert.ok(rounds >= 20)
    assert.deepEqual(await map.validate(), { ok: true, problems: [] })
    map.close()
  })
})

describe('autoResize', () => {
  it('is true, and a table grows at its load factor', () => {
    for (const maxLoadFactor of [0.5, 0.8, 0.95]) {
      const map = new TypedMap({ shards: 1, maxLoadFactor })
      assert.equal(map.autoResize, true)
      fill(map, 0, 5_000)
      map.rehash(1_000)
      const capacity = capacityOf(map)
      const full = fillUntilItGrows(map)
      assert.equal(full, Math.floor(capacity * maxLoadFactor))
    }
  })

  it('that is false lets tables grow at 95 %', () => {
    for (const maxLoadFactor of [0.5, 0.8, 0.95]) {
      const map = new TypedMap({ shards: 1, maxLoadFactor })
      fill(map, 0, 5_000)
      map.rehash(1_000)
      map.autoResize = false
      assert.equal(map.autoResize, false)
      const capacity = capacityOf(map)
      assert.equal(fillUntilItGrows(map), Math.floor(capacity * 0.95))
      hasAll(map)
      assert.equal(map.isMigrating, true)
      // The growth goes on all the same.
      map.rehash(1_000)
      assert.equal(map.isMigrating, false)
    }
  })

  it('that is true again has a table grow that is too full', () => {
    const map = new TypedMap({ shards: 1 })
    map.reserve(1_000)
    map.autoResize = false
    const capacity = capacityOf(map)
    fill(map, 0, Math.floor(capacity * 0.9))
    assert.equal(capacityOf(map), capacity)
    map.autoResize = true
    assert.equal(capacityOf(map), capacity, 'not before the next entry')
    map.set('next', 1)
    assert.ok(capacityOf(map) > capacity)
  })

  it('that is false keeps tables from shrinking, unless that is asked for', () => {
    const map = new TypedMap({ shards: 1 })
    fill(map, 0, 20_000)
    map.rehash(1_000)
    map.autoResize = false
    const capacity = capacityOf(map)
    for (let n = 100; n < 20_000; n++) map.delete(n)
    assert.equal(capacityOf(map), capacity)
    assert.equal(map.isMigrating, false)
    map.shrinkToFit()
    map.rehash(1_000)
    assert.ok(capacityOf(map) < 1_000)
    map.reserve(50_000)
    assert.ok(capacityOf(map) >= 50_000)
    hasAll(map)
  })

  it('belongs to the map, for all threads and after clear()', async () => {
    const name = `held ${process.pid}`
    const map = TypedMap.open(name, { shards: 1 })
    const seen = await inWorker(({ TypedMap: Api, data }) => {
      const own = Api.open(data)
      const before = own.autoResize
      own.autoResize = false
      own.close()
      return before
    }, name)
    assert.equal(seen, true)
    assert.equal(map.autoResize, false)
    map.set('a', 1)
    map.clear()
    assert.equal(map.autoResize, false)
    fill(map, 0, 5_000)
    map.rehash(1_000)
    const capacity = capacityOf(map)
    assert.equal(fillUntilItGrows(map), Math.floor(capacity * 0.95))
    map.close()
  })

  it('is a boolean', () => {
    const map = new TypedMap()
    for (const wrong of [0, 1, 'false', null, undefined, {}]) {
      throwsTyped(
        () => {
          map.autoResize = wrong
        },
        'ERR_INVALID_OPTION',
        { kind: TypeError, says: [/autoResize is/, /true or false/] }
      )
    }
    assert.equal(map.autoResize, true)
    map.close()
    throwsTyped(() => map.autoResize, 'ERR_CLOSED')
    throwsTyped(() => {
      map.autoResize = true
    }, 'ERR_CLOSED')
  })
})
