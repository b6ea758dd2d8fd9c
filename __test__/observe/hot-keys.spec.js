'use strict'

// `getHotKeys`: which keys are read most, by which way they may be read, by all threads.

const assert = require('node:assert/strict')
const { describe, it } = require('node:test')
const { Handle, TypedMap } = require('../..')
const { inWorker, startWorker } = require('../support/workers.js')

require('../support/sound.js')

/** Whether a true count is where an estimate says. Twice as far as 95 of 100 are. */
const isNear = ({ hits, errorHits }, exact) => Math.abs(hits - exact) <= 2 * errorHits

/** Reads `hot` in `hotReads` of 100 cases, else one of many others. */
function readSkewed(reads, read) {
  let hot = 0
  let state = 12345
  for (let n = 0; n < reads; n++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    if (state >>> 16 < 65_536 * 0.3) {
      hot++
      read('hot')
    } else {
      read(`key:${(state >>> 8) % 2_000}`)
    }
  }
  return hot
}

function filled(options) {
  const map = new TypedMap({ hotKeys: true, ...options })
  map.set('hot', { n: 1 })
  for (let n = 0; n < 2_000; n++) map.set(`key:${n}`, n)
  return map
}

describe('getHotKeys', () => {
  const worlds = {
    'native reads': { nearCache: false },
    'near hits': {},
    'near hits of a policy that marks': { maxEntries: 10_000 },
    'near hits of a policy that goes by their order': { maxEntries: 10_000, evictionStrategy: 'lru' },
    'near hits and native reads': { nearCache: { maxEntries: 500 } },
    'sliding deadlines': { ttl: 100_000, sliding: true }
  }
  for (const [world, options] of Object.entries(worlds)) {
    it(`estimates how often keys are read: ${world}`, () => {
      const map = filled(options)
      const exact = readSkewed(options.nearCache === false ? 400_000 : 4_000_000, key => map.get(key))
      const [first, second] = map.getHotKeys()
      assert.equal(first.key, 'hot')
      assert.ok(isNear(first, exact), `${first.hits} ± ${first.errorHits} of ${exact}`)
      assert.ok(first.errorHits < exact / 4, `${first.errorHits} of ${exact}`)
      assert.ok(second === undefined || second.hits < first.hits / 4)
      assert.ok(first.handle instanceof Handle)
      assert.deepEqual(map.get(first.handle), { n: 1 })
      map.close()
    })
  }

  for (const [world, options] of Object.entries({ plain: {}, marking: { maxEntries: 10_000 } })) {
    it(`counts reads by handle, and each is counted once: ${world}`, () => {
      const map = filled(options)
      const hot = map.getHandle('hot')
      const others = Array.from({ length: 500 }, (_, n) => map.getHandle(`key:${n}`))
      const before = map.getStats().hits
      for (let n = 0; n < 200_000; n++) {
        hot.get()
        if (n % 2 === 0) others[n % 500].get()
        map.get(hot)
      }
      const [first] = map.getHotKeys(1)
      assert.equal(first.key, 'hot')
      assert.ok(isNear(first, 400_000), `${first.hits} ± ${first.errorHits}`)
      assert.equal(map.getStats().hits - before, 500_000)
      map.close()
    })
  }

  it('counts batches and loads', async () => {
    const map = filled({ nearCache: false })
    for (let n = 0; n < 20_000; n++) map.getMany(['hot', `key:${n % 2_000}`])
    for (let n = 0; n < 20_000; n++) await map.getOrLoad('hot', () => assert.fail('it is there'))
    const [first] = map.getHotKeys(1)
    assert.equal(first.key, 'hot')
    assert.ok(isNear(first, 40_000), `${first.hits} ± ${first.errorHits}`)
    map.close()
  })

  it('adds up all threads, also those that have ended', async () => {
    const map = TypedMap.open('hot keys', { hotKeys: true })
    map.setMany(Array.from({ length: 100 }, (_, n) => [n, n]))
    const reads = await Promise.all(
      [3, 4].map(key =>
        inWorker(({ TypedMap, data }) => {
          // The map has the option already.
          const map = TypedMap.open('hot keys', { nearCache: data === 3 ? false : undefined })
          for (let n = 0; n < 1_000_000; n++) map.get(n % 4 === 0 ? n % 100 : data)
          return map.getHotKeys(1)[0].key
        }, key)
      )
    )
    assert.deepEqual(reads.sort(), reads, 'each saw its own or that of the other')
    const hottest = map.getHotKeys(2)
    assert.deepEqual(hottest.map(({ key }) => key).sort(), [3, 4])
    for (const one of hottest) assert.ok(isNear(one, 750_000), `${one.hits} ± ${one.errorHits}`)
    map.close()
  })

  it('begins anew when asked to, and leaves out what is gone', () => {
    const map = filled({ nearCache: false })
    for (let n = 0; n < 20_000; n++) map.get(n % 2 === 0 ? 'hot' : 'key:7')
    assert.equal(map.getHotKeys(10, { reset: true }).length, 2)
    assert.deepEqual(map.getHotKeys(), [])
    for (let n = 0; n < 20_000; n++) map.get(n % 2 === 0 ? 'hot' : 'key:7')
    map.delete('hot')
    assert.deepEqual(
      map.getHotKeys().map(({ key }) => key),
      ['key:7']
    )
    const handle = map.insert('without a key')
    for (let n = 0; n < 50_000; n++) map.get(handle)
    const [first] = map.getHotKeys(1)
    assert.deepEqual([first.key, first.handle.id], [undefined, handle.id])
    map.close()
  })

  it('goes on behind keys that are gone, however many these are', () => {
    const map = filled({ nearCache: false })
    // Each of the first eighty twice as often as each of forty others.
    for (let n = 0; n < 200_000; n++) map.get(`key:${n % 5 === 0 ? 100 + ((n / 5) % 40) : n % 100}`)
    for (let n = 0; n < 100; n++) map.delete(`key:${n}`)
    const keys = map.getHotKeys(2).map(({ key }) => key)
    assert.equal(keys.length, 2)
    for (const key of keys) assert.ok(map.has(key), key)
    assert.equal(map.getHotKeys(1_000).length, 40)
    map.close()
  })

  it('finds a key whose entry was made anew, although idle threads knew the one before', async () => {
    const name = `hot keys, anew ${process.pid}`
    const map = TypedMap.open(name, { hotKeys: true, nearCache: false })
    map.set('k', 1).set('other', 2)
    const worker = startWorker(({ TypedMap, data, port }) => {
      const map = TypedMap.open(data, { nearCache: false })
      for (let n = 0; n < 10_000; n++) map.get('k')
      port.on('message', () => port.close())
    }, name)
    await worker.result
    map.delete('k')
    map.set('k', 3)
    for (let n = 0; n < 100_000; n++) map.get(n % 10 === 0 ? 'other' : 'k')
    const [first] = map.getHotKeys()
    assert.equal(first.key, 'k')
    assert.ok(isNear(first, 100_000), `${first.hits} ± ${first.errorHits}`)
    assert.equal(map.get(first.handle), 3)
    worker.postMessage('end')
    await worker.exit
    assert.equal(map.getHotKeys(1)[0].key, 'k')
    map.close()
  })

  it('is nothing where nothing was read, and refuses what it does not know', () => {
    const map = filled()
    assert.deepEqual(map.getHotKeys(), [])
    const refused = [
      [['1'], TypeError],
      [[0], RangeError],
      [[1.5], RangeError],
      [[1_001], RangeError],
      [[1, 1], TypeError],
      [[1, { reset: 1 }], TypeError],
      [[1, { resets: true }], TypeError]
    ]
    for (const [args, type] of refused) {
      assert.throws(
        () => map.getHotKeys(...args),
        error => error instanceof type && error.code === 'ERR_INVALID_OPTION'
      )
    }
    map.close()
    assert.throws(() => map.getHotKeys(), { code: 'ERR_CLOSED' })
    const without = new TypedMap()
    assert.throws(() => without.getHotKeys(), { code: 'ERR_INVALID_OPTION', message: /hotKeys/ })
    without.close()
    assert.throws(() => new TypedMap({ hotKeys: 1 }), { code: 'ERR_INVALID_OPTION' })
  })

  it('is compared when a map is opened', () => {
    const map = TypedMap.open('hot keys, compared', { hotKeys: true })
    assert.throws(() => TypedMap.open('hot keys, compared', { hotKeys: false }), { code: 'ERR_INVALID_OPTION' })
    map.close()
  })
})
