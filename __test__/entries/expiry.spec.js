'use strict'

// Entries that live for a while. Time stands still here until a test moves it.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { stillMap } = require('../support/clock.js')
const { throwsTyped } = require('../support/errors.js')
const { runNode } = require('../support/processes.js')
const { until } = require('../support/turns.js')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

const FOREVER = Number.POSITIVE_INFINITY

/** Runs `test` with a map of still time, and closes it. */
const still = (options, test) => async () => {
  const made = stillMap(options)
  try {
    await test(made)
  } finally {
    made.close()
  }
}

describe('expiry: deadlines', () => {
  it(
    'an entry is there until its deadline and gone at it, by every path',
    still({}, async ({ map, advance }) => {
      const handle = map.insertWithHandle('a', { b: 1 }, { ttl: 10 })
      map.set('stays', 1)
      advance(9)
      assert.deepEqual([map.get('a'), map.get(handle), map.peek('a')], [{ b: 1 }, { b: 1 }, { b: 1 }])
      assert.deepEqual([map.ttlOf('a'), map.ttlOf(handle), map.ttlOf('stays')], [1, 1, FOREVER])
      advance(1)
      // Copies that were kept of it are ended by a thread of their own.
      await until(() => map.get('a') === undefined && map.get(handle) === undefined)
      const nothing = {
        has: map.has('a'),
        'has by handle': map.has(handle),
        peek: map.peek('a'),
        getHandle: map.getHandle('a'),
        getMany: map.getMany(['a', handle]).filter(value => value !== undefined).length,
        keys: [...map.keys()].includes('a'),
        values: [...map.values()].length - 1,
        ttlOf: map.ttlOf('a'),
        memoryUsage: map.memoryUsage(handle),
        touch: map.touch('a'),
        'touch by handle': map.touch(handle),
        remove: map.remove('a'),
        delete: map.delete(handle),
        updateMany: map.updateMany([['a', 2]])
      }
      for (const [name, found] of Object.entries(nothing)) assert.ok(!found, name)
      throwsTyped(() => map.replace(handle, 1), ['ERR_HANDLE_NOT_FOUND', 'ERR_GENERATION_MISMATCH'])
      assert.equal(map.getOrInsert('a', 'new'), 'new')
      assert.deepEqual(
        [...map],
        [
          ['stays', 1],
          ['a', 'new']
        ]
      )
    })
  )

  it(
    'the first native read after it finds nothing, without waiting for the expiry thread',
    still({ nearCache: false }, ({ map, advance }) => {
      for (let n = 0; n < 100; n++) {
        map.set(n, n, { ttl: n + 1 })
      }
      for (let now = 1; now <= 100; now++) {
        advance(1)
        for (let n = 0; n < 100; n++) assert.equal(map.get(n), n + 1 > now ? n : undefined)
      }
    })
  )

  it(
    'entries leave by themselves, and are counted',
    still({ ttl: 10 }, async ({ map, advance }) => {
      for (let n = 0; n < 1_000; n++) map.set(n, { n })
      map.set('stays', 1, { ttl: FOREVER })
      assert.equal(map.getStats().deadlines, 1_000)
      advance(10)
      await until(() => map.size === 1)
      const stats = map.getStats()
      assert.equal(stats.expirations, 1_000)
      assert.equal(stats.deadlines, 0)
      assert.equal(stats.evictions, 0)
    })
  )

  it(
    'a ttl is in milliseconds, and fractions are rounded up',
    still({}, ({ map, advance }) => {
      map.set('a', 1, { ttl: 0.1 }).set('b', 1, { ttl: 1.5 })
      assert.deepEqual([map.ttlOf('a'), map.ttlOf('b')], [1, 2])
      advance(1)
      assert.deepEqual([map.has('a'), map.has('b')], [false, true])
    })
  )

  for (const options of [{ ttl: 2_000 }, { ttlSeconds: 2 }]) {
    it(
      `${JSON.stringify(options)} is for every entry that does not say otherwise, however it is written`,
      still(options, ({ map }) => {
        const handles = [
          map.insert(1),
          map.insertWithHandle('a', 1),
          ...map.insertMany([1, 2]),
          map.set('b', 1).getHandle('b'),
          map.setMany([['c', 1]]).getHandle('c')
        ]
        map.getOrInsert('d', 1)
        map.getOrInsertComputed('e', () => 1)
        for (const key of [...handles, 'd', 'e']) assert.equal(map.ttlOf(key), 2_000)
        assert.equal(map.ttlOf(map.insert(1, { ttl: FOREVER })), FOREVER)
        assert.equal(map.ttlOf(map.insert(1, { ttl: 5, type: 'T' })), 5)
      })
    )
  }

  it(
    'each way of writing takes a ttl of its own',
    still({}, ({ map }) => {
      const options = { ttl: 50 }
      const handles = [
        map.insert(1, options),
        map.insertWithHandle('a', 1, options),
        ...map.insertMany([1, { two: 2 }], options),
        map.set('b', 1, options).getHandle('b'),
        map.setMany([['c', { d: 1 }]], options).getHandle('c')
      ]
      map.getOrInsert('d', 1, options)
      map.getOrInsertComputed('e', () => 1, options)
      map.set('f', 1).replace(map.getHandle('f'), 2, options)
      map.set('g', 1).updateMany([['g', 2]], options)
      for (const key of [...handles, 'd', 'e', 'f', 'g']) assert.equal(map.ttlOf(key), 50)
      map.getOrInsert('d', 1, { ttl: 70 })
      map.getOrInsertComputed('e', () => 1, { ttl: 70 })
      assert.deepEqual([map.ttlOf('d'), map.ttlOf('e')], [50, 50], 'nothing was written')
    })
  )
})

describe('expiry: writing to an entry', () => {
  it(
    'gives it a new deadline, as making it would',
    still({ ttl: 100 }, ({ map, advance }) => {
      map.set('a', 1).set('b', 1, { ttl: 30 }).set('c', 1)
      advance(20)
      map.set('a', 2).set('b', 2)
      map.set('c', 2, { ttl: FOREVER })
      assert.deepEqual([map.ttlOf('a'), map.ttlOf('b'), map.ttlOf('c')], [100, 100, FOREVER])
    })
  )

  it(
    "with ttlOnUpdate 'keep' leaves its deadline, unless the write says one",
    still({ ttl: 100, ttlOnUpdate: 'keep' }, ({ map, advance }) => {
      map.set('a', 1).set('b', 1, { ttl: 30 }).set('c', 1)
      advance(20)
      map.set('a', 2)
      map.replace(map.getHandle('b'), 2)
      map.set('c', 2, { ttl: 70 })
      assert.deepEqual([map.ttlOf('a'), map.ttlOf('b'), map.ttlOf('c')], [80, 10, 70])
    })
  )

  it(
    'makes a new entry of one that has expired',
    still({}, ({ map, advance }) => {
      const handle = map.insertWithHandle('a', 1, { ttl: 10 })
      advance(10)
      map.set('a', 2)
      assert.equal(map.get('a'), 2)
      assert.equal(map.get(handle), undefined, 'the entry of the handle is gone')
      assert.equal(map.ttlOf('a'), FOREVER)
    })
  )
})

describe('expiry: touch', () => {
  it(
    'gives an entry what it was written with anew, or another ttl',
    still({ ttl: 100 }, ({ map, advance }) => {
      const handle = map.insertWithHandle('a', { b: 1 }, { ttl: 50 })
      map.set('b', 1)
      advance(40)
      assert.equal(map.touch('a'), true)
      assert.equal(map.ttlOf('a'), 50)
      assert.equal(map.touch(handle, { ttl: 500 }), true)
      assert.equal(map.ttlOf(handle), 500)
      advance(10)
      map.touch(handle)
      assert.equal(map.ttlOf(handle), 500, 'it has that now')
      map.touch('b', { ttl: FOREVER })
      assert.equal(map.ttlOf('b'), FOREVER)
      map.touch('b', { ttl: 5 })
      assert.equal(map.ttlOf('b'), 5)
      assert.deepEqual(map.get('a'), { b: 1 }, 'the value is untouched')
    })
  )

  it(
    'of nothing is false, and leaves no ttl behind',
    still({}, ({ map }) => {
      assert.equal(map.touch('missing', { ttl: 5 }), false)
      assert.equal(map.touch(new TypedMap().insert(1), { ttl: 5 }), false)
      map.set('a', 1)
      assert.equal(map.ttlOf('a'), FOREVER)
      assert.equal(map.touch('a'), true)
      assert.equal(map.ttlOf('a'), FOREVER)
      throwsTyped(() => map.touch({}, { ttl: 5 }), 'ERR_KEY_TYPE')
      map.set('b', 1)
      assert.equal(map.ttlOf('b'), FOREVER)
    })
  )
})

describe('expiry: sliding', () => {
  it(
    'each read gives an entry its ttl anew, in whatever way it is read',
    still({ ttl: 100, sliding: true }, ({ map, advance }) => {
      const handle = map.insertWithHandle('a', { b: 1 })
      const reads = {
        get: () => map.get('a'),
        'get by handle': () => map.get(handle),
        getByHandle: () => map.getByHandle(handle),
        'get of a copy': () => map.get('a', { copy: true }),
        getMany: () => map.getMany(['a']),
        'getMany by handle': () => map.getMany([handle]),
        getOrInsert: () => map.getOrInsert('a', 1),
        getOrInsertComputed: () => map.getOrInsertComputed('a', () => 1)
      }
      for (const [name, read] of Object.entries(reads)) {
        // More than once, because the second may find a copy at hand.
        for (let time = 0; time < 3; time++) {
          advance(60)
          read()
          assert.equal(map.ttlOf('a'), 100, `${name}, time ${time}`)
        }
      }
      advance(99)
      map.peek('a')
      map.ttlOf('a')
      advance(1)
      assert.equal(map.get('a'), undefined, 'peek and ttlOf prolong nothing')
    })
  )

  it(
    'prolongs by what the entry was written with',
    still({ sliding: true }, ({ map, advance }) => {
      map.set('a', 1, { ttl: 10 }).set('b', 1)
      advance(5)
      assert.deepEqual([map.get('a'), map.get('b')], [1, 1])
      assert.deepEqual([map.ttlOf('a'), map.ttlOf('b')], [10, FOREVER])
    })
  )
})

describe('expiry: strictTtl', () => {
  it(
    'no read is late, not even one of what was just read',
    still({ strictTtl: true }, ({ map, advance }) => {
      for (let n = 0; n < 200; n++) {
        const handle = map.insertWithHandle('a', { n }, { ttl: 1 })
        for (let time = 0; time < 3; time++) assert.deepEqual([map.get('a'), map.get(handle)], [{ n }, { n }])
        advance(1)
        assert.deepEqual([map.get('a'), map.get(handle), map.has(handle)], [undefined, undefined, false])
      }
    })
  )

  it(
    'entries without a deadline are kept at hand as ever',
    still({ strictTtl: true }, ({ map }) => {
      map.set('a', { b: 1 })
      assert.equal(map.get('a'), map.get('a'))
      assert.ok(map.getStats().nearHits > 0)
    })
  )
})

describe('expiry: purgeExpired', () => {
  it(
    'takes out what is over, and says how many',
    still({}, ({ map, advance }) => {
      assert.equal(map.purgeExpired(), 0)
      for (let n = 0; n < 100; n++) map.set(n, n, { ttl: n < 60 ? 10 : 20 })
      advance(10)
      const purged = map.purgeExpired()
      assert.ok(purged <= 60)
      assert.equal(map.size, 40)
      assert.equal(map.getStats().expirations, 60, 'by this call or by the thread that was faster')
      assert.equal(map.purgeExpired(), 0)
    })
  )
})

describe('expiry: threads', () => {
  it(
    'a deadline holds in every thread',
    still({}, async ({ map, name, advance }) => {
      map.set('a', { b: 1 }, { ttl: 10 })
      const look = () =>
        inWorker(({ TypedMap, data }) => {
          const map = TypedMap.open(data)
          return [map.get('a'), map.ttlOf('a')]
        }, name)
      assert.deepEqual(await look(), [{ b: 1 }, 10])
      advance(10)
      assert.deepEqual(await look(), [undefined, undefined])
    })
  )

  it('entries that wait for their deadline do not keep a process alive', async () => {
    const { status, stderr } = await runNode(`
      const map = TypedMap.open('waits', { ttl: 100_000_000 })
      map.onEvict(() => {})
      for (let n = 0; n < 1_000; n++) map.set(n, n)
    `)
    assert.equal(stderr, '')
    assert.equal(status, 0)
  })

  it('by the clock of the system they are removed within a moment', { timeout: 300_000 }, async () => {
    const map = new TypedMap({ ttl: 20 })
    const handle = map.insertWithHandle('a', { b: 1 })
    // On a busy machine it is gone already.
    assert.ok((map.ttlOf('a') ?? 0) <= 20)
    await until(() => map.size === 0)
    assert.deepEqual([map.get('a'), map.get(handle)], [undefined, undefined])
    assert.equal(map.getStats().expirations, 1)
    map.close()
  })
})
