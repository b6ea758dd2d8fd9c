'use strict'

// Hits of near caches are timed where a map wants that, by the methods that every map has.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { NEAR_SAMPLING } = require('../../lib/native/layout.js')
const { probe } = require('../../lib/observe/probes.js')
const { openOf } = require('../support/opens.js')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

const { get, getByHandle } = TypedMap.prototype
/** Hits since the last one that was timed, of one way to read. */
const MOST_BEHIND = 2 * NEAR_SAMPLING
const READS = 100_000

const isPlain = () => TypedMap.prototype.get === get && TypedMap.prototype.getByHandle === getByHandle

/** The latency of reads is that of so many. */
function isOf(reads, map, behind = MOST_BEHIND) {
  const { latency, nearHits } = map.getStats()
  const { count, meanNs, p50Ns, maxNs } = latency.get
  assert.ok(count > reads - behind && count <= reads + 2, `${count} of ${reads}`)
  assert.ok(p50Ns > 0 && p50Ns <= maxNs && meanNs > 0)
  return { count, nearHits }
}

describe('latency of near hits', () => {
  it('has no method of the class replaced', () => {
    using(new TypedMap({ latency: true }), map => {
      for (let n = 0; n < READS; n++) map.get('key')
      assert.ok(isPlain())
    })
    assert.ok(isPlain())
  })

  const READERS = {
    'get(key)': map => map.get('key'),
    'get(handle)': (map, handle) => map.get(handle),
    getByHandle: (map, handle) => map.getByHandle(handle),
    'handle.get()': (_map, handle) => handle.get()
  }
  for (const [name, read] of Object.entries(READERS)) {
    it(`counts each hit of ${name}`, () => {
      using(new TypedMap({ latency: true }), map => {
        const handle = map.insertWithHandle('key', { a: 1 })
        for (let n = 0; n < READS; n++) assert.equal(read(map, handle).a, 1)
        const { nearHits } = isOf(READS, map)
        assert.ok(nearHits >= READS - 2 && nearHits <= READS, `${nearHits}`)
        // Asking for them changes nothing about which is next.
        for (let n = 0; n < READS; n++) {
          read(map, handle)
          if (n % 100 === 0) map.getStats()
        }
        isOf(2 * READS, map)
      })
    })
  }

  it('counts hits and native reads together', () => {
    using(new TypedMap({ latency: true }), map => {
      map.set('key', 1)
      for (let n = 0; n < READS; n++) {
        map.get('key')
        if (n % 10 === 0) map.get('missing')
      }
      isOf(READS * 1.1, map)
    })
  })

  it('reads the key as it was given once more, where a function makes another one of it', () => {
    using(new TypedMap({ latency: true, normalizeKey: key => `${key}!` }), map => {
      map.set('key', { a: 1 })
      map.set('key!', { a: 2 })
      for (let n = 0; n < READS; n++) assert.equal(map.get('key').a, 1)
      isOf(READS, map)
    })
  })

  it('goes on after a clear, and after a write', () => {
    using(new TypedMap({ latency: true }), map => {
      for (let round = 0; round < 100; round++) {
        map.set('key', { round })
        for (let n = 0; n < READS / 100; n++) assert.equal(map.get('key').round, round)
        if (round % 10 === 0) map.clear()
      }
      isOf(READS, map)
    })
  })

  it('leaves maps alone that do not want it', () => {
    using(new TypedMap({ latency: true }), timed => {
      const map = new TypedMap([['key', 1]])
      for (let n = 0; n < 10_000; n++) map.get('key')
      assert.equal(map.getStats().latency, null)
      assert.equal(timed.getStats().latency.get.count, 0)
      assert.ok(map.getStats().nearHits >= 9_999)
    })
  })

  it('goes on beside probes, whichever came first', () => {
    const sees = (map, read) => {
      let seen = 0
      const end = probe(openOf(map), ['get', 'handle.get'], () => seen++)
      for (let n = 0; n < 5_000; n++) read()
      end()
      return seen
    }
    const before = new TypedMap([['key', 1]])
    const end = probe(openOf(before), ['get'], () => {})
    using(new TypedMap({ latency: true }), map => {
      const handle = map.insertWithHandle('key', 1)
      assert.equal(
        sees(map, () => map.get('key')),
        5_000
      )
      assert.equal(
        sees(map, () => handle.get()),
        5_000
      )
      for (let n = 0; n < READS; n++) map.get('key')
      isOf(READS + 10_000, map, 5_000 + 2 * MOST_BEHIND)
      end()
      assert.ok(isPlain())
    })
    before.close()
  })

  it('is timed in each thread, and reported when the thread closes the map', async () => {
    const name = 'near latency: threads'
    const map = TypedMap.open(name, { latency: true })
    map.set('key', { a: 1 })
    await inWorker(
      ({ TypedMap, data }) => {
        const map = TypedMap.open(data.name)
        for (let n = 0; n < data.reads; n++) map.get('key')
        map.close()
      },
      { name, reads: READS }
    )
    isOf(READS, map)
    map.destroy()
    assert.ok(isPlain())
  })

  it('has an error go through, and times nothing', () => {
    using(new TypedMap({ latency: true }), map => {
      assert.throws(() => map.get(Symbol('no key')), { code: 'ERR_KEY_TYPE' })
      assert.throws(() => map.getByHandle('no handle'))
      assert.equal(map.getStats().latency.get.maxNs >= 0, true)
    })
  })
})

/** Runs `use`, and destroys the map. */
function using(map, use) {
  try {
    use(map)
  } finally {
    map.destroy()
  }
}
