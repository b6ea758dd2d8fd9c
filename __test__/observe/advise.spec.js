'use strict'

// `advise`, `predictOptimalShardCount` and `dump`: each sentence, caused, and absent where it is not.

const assert = require('node:assert/strict')
const { describe, it } = require('node:test')
const { TypedMap } = require('../..')
const { inWorker, startWorker } = require('../support/workers.js')

require('../support/sound.js')

const adviceOf = (map, code) => map.advise().find(advice => advice.code === code)
const codesOf = map => map.advise().map(({ code }) => code)

/** Checks the form of all advice. */
function checkForm(map) {
  for (const { code, sentence, figures, ...rest } of map.advise()) {
    assert.deepEqual(rest, {})
    assert.match(code, /^[A-Z_]+$/)
    assert.match(sentence, /^[A-Z\d].*\.$/)
    for (const figure of Object.values(figures)) {
      assert.ok(figure === null || Number.isFinite(figure) || typeof figure === 'string')
    }
  }
}

describe('advise', () => {
  it('says nothing of an ordinary map, full or empty', () => {
    const map = new TypedMap({ maxEntries: 5_000, shards: 4 })
    assert.deepEqual(map.advise(), [])
    for (let n = 0; n < 5_000; n++) map.set(n, n)
    for (let n = 0; n < 20_000; n++) map.get(n % 5_000)
    assert.deepEqual(map.advise(), [])
    map.close()
  })

  it('REFUSED_WRITES', () => {
    const map = new TypedMap({ memoryLimit: '1mb', oomStrategy: 'reject', shards: 1 })
    for (let n = 0; n < 100; n++) {
      try {
        map.set(n, 'x'.repeat(20_000))
      } catch {}
    }
    const { figures, sentence } = adviceOf(map, 'REFUSED_WRITES')
    assert.equal(figures.refusals, map.getStats().refusals)
    assert.equal(figures.writes, 100)
    assert.equal(figures.memoryLimit, 1024 ** 2)
    assert.match(sentence, new RegExp(`refused ${figures.refusals} of 100 writes`))
    checkForm(map)
    map.close()
  })

  it('HASH_FLOODING: keys of one hash', () => {
    const map = new TypedMap({ hash: 'fnv1a', seed: 1, shards: 8 })
    for (let n = 0; n < 4_000; n++) map.set(`key ${n}`, n)
    assert.equal(adviceOf(map, 'HASH_FLOODING'), undefined)
    map.clear()
    // Keys of one shard: found by asking for it.
    let found = 0
    for (let n = 0; found < 3_000; n++) {
      const key = `flood ${n}`
      map.set(key, n)
      if (map.explain(key).shard === 0) found++
      else map.delete(key)
    }
    const { figures } = adviceOf(map, 'HASH_FLOODING')
    assert.deepEqual([figures.fullestShard, figures.entries, figures.shards], [3_000, 3_000, 8])
    checkForm(map)
    map.close()
  })

  it('LIMIT_TOO_SMALL_FOR_SHARDS', () => {
    const map = new TypedMap({ maxEntries: 10_000, shards: 64 })
    const { figures } = adviceOf(map, 'LIMIT_TOO_SMALL_FOR_SHARDS')
    assert.deepEqual(figures, { shards: 64, shardsAtMost: 8, entriesPerShard: 156, bytesPerShard: null })
    map.setLimits({ maxEntries: 64 * 1_024, memoryLimit: '16mb' })
    assert.equal(adviceOf(map, 'LIMIT_TOO_SMALL_FOR_SHARDS'), undefined)
    map.setLimits({ maxEntries: null, memoryLimit: '8mb' })
    assert.equal(adviceOf(map, 'LIMIT_TOO_SMALL_FOR_SHARDS').figures.bytesPerShard, (8 * 1024 ** 2) / 64)
    checkForm(map)
    map.close()
  })

  it('CONTENDED_SHARDS: a shard that another thread holds again and again', { timeout: 120_000 }, async () => {
    const name = 'advice: contended'
    const times = 400
    const isOver = new Int32Array(new SharedArrayBuffer(4))
    const map = TypedMap.open(name, { shards: 1 })
    for (let n = 0; n < 10_000; n++) map.set(n, n)
    assert.equal(map.predictOptimalShardCount(), 1)
    const worker = startWorker(
      ({ TypedMap, data, port }) => {
        const { binding } = require(`${data.package}/lib/native/attach.js`)
        const map = TypedMap.open(data.name)
        const { id } = binding.open(data.name, '{}')
        port.postMessage('holding')
        for (let n = 0; n < data.times; n++) {
          binding.holdShardForTest(id, 0)
          // Until the thread that waits has the lock: it would be taken again before that.
          Atomics.wait(data.isOver, 0, 0, 2)
        }
        Atomics.store(data.isOver, 0, 1)
        binding.close(id)
        map.close()
      },
      { name, times, isOver, package: require('node:path').join(__dirname, '..', '..') }
    )
    await new Promise(resolve => worker.once('message', resolve))
    // What is not waited for is not released: only writes wait.
    while (Atomics.load(isOver, 0) === 0) {
      Atomics.wait(isOver, 0, 0, 1)
      map.set('key', 1)
    }
    await worker.result
    const { figures, sentence } = adviceOf(map, 'CONTENDED_SHARDS')
    const { acquisitions, waits } = map.getStats().locks
    assert.equal(figures.optimalShards, map.predictOptimalShardCount())
    const least = (waits / acquisitions) * 100
    assert.ok(figures.optimalShards >= least && figures.optimalShards < 2 * least + 2, `${waits} of ${acquisitions}`)
    assert.match(sentence, new RegExp(`with ${figures.optimalShards} shards`))
    checkForm(map)
    map.destroy()
  })

  it('MANY_NEVER_READ', () => {
    for (const evictionStrategy of ['w-tinylfu', 'sieve', 's3-fifo']) {
      const map = new TypedMap({ maxEntries: 10_000, shards: 1, evictionStrategy })
      for (let n = 0; n < 8_000; n++) map.set(n, n)
      for (let n = 0; n < 40_000; n++) map.get(n % 800)
      const { figures } = adviceOf(map, 'MANY_NEVER_READ')
      // 90 of 100, of 512 that were drawn.
      assert.ok(figures.unreadPercent >= 83 && figures.unreadPercent <= 97, `${figures.unreadPercent}`)
      assert.deepEqual([figures.sampledEntries, figures.entries], [512, 8_000])
      for (let n = 0; n < 40_000; n++) map.get(n % 8_000)
      assert.equal(adviceOf(map, 'MANY_NEVER_READ'), undefined)
      map.close()
    }
  })

  it('TTL_WITHOUT_EFFECT', () => {
    const map = new TypedMap({ maxEntries: 1_024, shards: 1, ttl: 3_600_000 })
    for (let n = 0; n < 5_000; n++) map.set(n, n)
    const { figures } = adviceOf(map, 'TTL_WITHOUT_EFFECT')
    assert.deepEqual(figures, {
      evictions: map.getStats().evictions,
      expirations: 0,
      deadlines: map.size,
      entries: map.size
    })
    map.close()
    const without = new TypedMap({ maxEntries: 1_024, shards: 1 })
    for (let n = 0; n < 5_000; n++) without.set(n, n)
    assert.equal(adviceOf(without, 'TTL_WITHOUT_EFFECT'), undefined)
    without.close()
  })

  it('NEAR_CACHE_TOO_SMALL', () => {
    const map = new TypedMap({ nearCache: { maxEntries: 100 } })
    for (let n = 0; n < 5_000; n++) map.set(n, `value ${n}`)
    for (let n = 0; n < 200_000; n++) map.get((n * 7_919) % 5_000)
    const { figures } = adviceOf(map, 'NEAR_CACHE_TOO_SMALL')
    const { nearCache, hits } = map.getStats()
    assert.deepEqual([figures.maxEntries, figures.hits, figures.evictions], [100, hits, nearCache.evictions])
    checkForm(map)
    map.close()
    const large = new TypedMap()
    for (let n = 0; n < 5_000; n++) large.set(n, `value ${n}`)
    for (let n = 0; n < 200_000; n++) large.get((n * 7_919) % 5_000)
    assert.equal(adviceOf(large, 'NEAR_CACHE_TOO_SMALL'), undefined)
    large.close()
  })

  it('tells all threads the same of what they share', async () => {
    const map = TypedMap.open('advice', { maxEntries: 10_000, shards: 64 })
    const theirs = await inWorker(({ TypedMap }) => TypedMap.open('advice').advise())
    assert.deepEqual(theirs, map.advise())
    assert.deepEqual(codesOf(map), ['LIMIT_TOO_SMALL_FOR_SHARDS'])
    map.close()
    assert.throws(() => map.advise(), { code: 'ERR_CLOSED' })
  })
})

describe('predictOptimalShardCount', () => {
  it('is the present number until something is known, and fewer where nothing waits', () => {
    const map = new TypedMap({ shards: 64 })
    assert.equal(map.predictOptimalShardCount(), 64)
    for (let n = 0; n < 50_000; n++) map.set(n, n)
    // 3 waits that may have been missed of 50,000: 64 * 3 / 50,000 * 100.
    assert.equal(map.predictOptimalShardCount(), 1)
    assert.equal(map.advise().length, 0, 'too many shards are no harm')
    map.close()
    assert.throws(() => map.predictOptimalShardCount(), { code: 'ERR_CLOSED' })
  })

  it('is no more than a limit allows', () => {
    const map = new TypedMap({ shards: 64, maxEntries: 4_096 })
    assert.equal(map.predictOptimalShardCount(), 4)
    map.close()
  })
})

describe('dump', () => {
  it('returns a line for each slot, with the key and without the value', () => {
    const map = new TypedMap({ shards: 1, maxEntries: 1_000 })
    map
      .set('user:1', 'secret value', { ttl: 60_000 })
      .set(7, 1)
      .set(1.5, 1)
      .set('x'.repeat(50), 1)
      .set('line\nbreak', 1)
    const handle = map.insert(2)
    map.set('gone', 1)
    map.delete('gone')
    const text = map.dump(0)
    const lines = text.split('\n')
    assert.equal(lines[0], 'shard 0 of 1')
    assert.match(text, /^entries: 6, \d+ bytes, 1 with a deadline; 0 evicted, 0 expired$/m)
    assert.match(text, /^index: 5 of \d+ words, migrating: false$/m)
    assert.match(text, /^policy: w-tinylfu, 6 entries, \d+ bytes$/m)
    assert.match(text, /^lock: taken \d+ times, waited for 0 times, 0 ns in all$/m)
    assert.match(
      text,
      /^slot 0: generation 1, version \d+, key "user:1", a string of 12 bytes, .* expires in \d+ ms, probe of 1/m
    )
    assert.match(text, /key 7, a number/)
    assert.match(text, /key 1\.5, a number/)
    assert.match(text, /key "x{32}"…, a number/)
    assert.match(text, /key "line\\nbreak", a number/)
    assert.match(text, new RegExp(`^slot ${handle.slot}: .* key none, `, 'm'))
    assert.match(text, /^slot 6: generation \d+, version \d+, vacant$/m)
    assert.ok(!text.includes('secret'))
    assert.match(map.dump(0, { slots: 2 }), /^\d+ slots more\n$/m)
    const slots = options => [...map.dump(0, options).matchAll(/^slot (\d+):/gm)].map(([, number]) => Number(number))
    assert.deepEqual(slots({ slots: 2, from: 3 }), [3, 4])
    assert.deepEqual(slots({ slots: 0 }), [])
    assert.deepEqual(slots({ from: 2 ** 32 - 1 }), [])
    map.close()
  })

  it('is bounded, and refuses what it does not know', () => {
    const map = new TypedMap({ shards: 2 })
    for (let n = 0; n < 10_000; n++) map.set(`key ${n}`, n)
    assert.ok(map.dump(1, { slots: 1_000 }).length < 300_000)
    const refused = [
      [['0'], TypeError],
      [[], TypeError],
      [[-1], RangeError],
      [[2], RangeError],
      [[0.5], RangeError],
      [[0, 1], TypeError],
      [[0, { slots: 1_001 }], RangeError],
      [[0, { from: -1 }], RangeError],
      [[0, { slot: 1 }], TypeError]
    ]
    for (const [args, type] of refused) {
      assert.throws(
        () => map.dump(...args),
        error => error instanceof type && error.code === 'ERR_INVALID_OPTION'
      )
    }
    map.close()
    assert.throws(() => map.dump(0), { code: 'ERR_CLOSED' })
  })
})
