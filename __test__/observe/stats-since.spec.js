'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { startWorker } = require('../support/workers.js')

require('../support/sound.js')

/** One of each operation that has a rate, or several. */
async function doAll(map) {
  map.set('a', { a: 1 }).set('b', { a: 2 }).set('c', 3).set('c', 4)
  for (let read = 0; read < 5; read++) map.get('a')
  map.get('missing')
  map.delete('b')
  await map.getOrLoad('loaded', () => 1)
  await map.getOrLoad('not loaded', () => Promise.reject(new Error('no'))).catch(() => {})
  map.transaction(one => one.set('t', 1))
  map.shrinkToFit()
}

/** What `perSecond` counts, from statistics. */
const countsOf = ({ loads, transactions, memory, ...stats }, name) =>
  ({
    loads: loads.count,
    loadFailures: loads.failures,
    commits: transactions.commits,
    conflicts: transactions.conflicts,
    allocations: memory.allocations,
    frees: memory.frees
  })[name] ?? stats[name]

describe('getStats({ since })', () => {
  it('says what came in a second between two statistics', async () => {
    const map = new TypedMap()
    await doAll(map)
    const before = map.getStats()
    assert.equal(before.rates, undefined)
    await doAll(map)
    await new Promise(resolve => setTimeout(resolve, 20))
    // As it comes back from a file or another thread.
    const after = map.getStats({ since: JSON.parse(JSON.stringify(before)) })
    const { timeMs, perSecond, cacheHitRate } = after.rates
    assert.equal(timeMs, after.uptimeMs - before.uptimeMs)
    assert.ok(perSecond.hits > 0 && perSecond.sets > 0 && perSecond.loadFailures > 0 && perSecond.commits > 0)
    for (const [name, rate] of Object.entries(perSecond)) {
      const came = countsOf(after, name) - countsOf(before, name)
      assert.equal(rate, Math.round((came / timeMs) * 100_000) / 100, name)
    }
    const [hits, misses] = [after.hits - before.hits, after.misses - before.misses]
    assert.equal(cacheHitRate, Math.round((hits / (hits + misses)) * 10_000) / 100)
    assert.deepEqual(JSON.parse(JSON.stringify(after)), after)
  })

  it('counts from a reset, if there was one in between', async () => {
    const map = new TypedMap()
    for (let key = 0; key < 1_000; key++) map.set(key, 1)
    const before = map.getStats()
    map.resetStats()
    map.set('a', 1)
    const { rates, countedMs } = map.getStats({ since: before })
    assert.equal(rates.timeMs, countedMs)
    assert.equal(rates.perSecond.sets, Math.round((1 / countedMs) * 100_000) / 100)
  })

  it('refuses what is none', () => {
    const map = new TypedMap()
    const numbers = [Number.NaN, Number.POSITIVE_INFINITY, -1].flatMap(n => [
      { uptimeMs: n, resets: 0 },
      { uptimeMs: 1, resets: n }
    ])
    for (const since of [null, 5, 'a', {}, [], { uptimeMs: 1 }, ...numbers]) {
      assert.throws(() => map.getStats({ since }), /option since/, JSON.stringify(since))
    }
    assert.throws(() => map.getStats({ shards: 1 }), { code: 'ERR_INVALID_OPTION' })
    assert.throws(() => map.getStats({ shard: true }), { code: 'ERR_INVALID_OPTION' })
    map.close()
    assert.throws(() => map.getStats(), { code: 'ERR_CLOSED' })
    assert.throws(() => map.resetStats(), { code: 'ERR_CLOSED' })
  })
})

describe('resetStats', () => {
  it('forgets what threads counted that have ended, and counts no reset twice', async () => {
    const name = `reset: ended ${process.pid}`
    const map = TypedMap.open(name)
    const worker = startWorker(({ TypedMap, data }) => {
      const map = TypedMap.open(data)
      for (let key = 0; key < 10; key++) map.set(key, key)
      map.close()
    }, name)
    await worker.exit
    assert.equal(map.getStats().sets, 10)
    for (const count of [1, 2]) {
      map.resetStats()
      assert.equal(map.getStats().sets, 0)
      for (let n = 0; n < count; n++) map.set('a', n)
      assert.equal(map.getStats().sets, count)
    }
    map.close()
  })

  it('begins to count anew, for all threads and those that ended', async () => {
    const name = `reset ${process.pid}`
    const map = TypedMap.open(name, {
      latency: true,
      // Each write takes longer.
      timeTargets: { set: 0.000001 },
      maxEntries: 1_000,
      shards: 4
    })
    await doAll(map)
    const worker = startWorker(async ({ TypedMap, data, port }) => {
      const map = TypedMap.open(data)
      const next = () => new Promise(resolve => port.once('message', resolve))
      for (let step = 0; step < 2; step++) {
        for (let key = 0; key < 500; key++) map.set(`w${key}`, key)
        map.get('missing')
        const waits = next()
        port.postMessage('done')
        await waits
      }
    }, name)
    const step = () => new Promise(resolve => worker.once('message', resolve))
    await step()
    for (let key = 0; key < 5_000; key++) map.set(key, 1)
    map.evict(3)
    assert.throws(() => map.set(Symbol('no key'), 1), { code: 'ERR_KEY_TYPE' })
    map.set('big', Buffer.alloc(1_000_000)).delete('big')
    while (map.getStats().memory.total > 900_000) map.shrinkToFit()
    const before = map.getStats()
    map.resetStats()
    const after = map.getStats({ shards: true })
    for (const count of ['hits', 'misses', 'sets', 'inserts', 'updates', 'deletes', 'evictions', 'operations']) {
      assert.ok(before[count] > 0, count)
      assert.equal(after[count], 0, count)
    }
    const zeroes = list => assert.deepEqual(new Set(list), new Set([0]))
    zeroes(Object.values(after.removals))
    zeroes(Object.values(after.transactions))
    zeroes(Object.values(after.loads))
    zeroes(Object.values(after.eachShard.removals).flat())
    zeroes([
      after.memory.allocations,
      after.memory.frees,
      after.index.growths,
      after.locks.waits,
      after.latency.set.count,
      after.errors.total,
      ...Object.values(after.slow)
    ])
    assert.ok(before.errors.total === 1 && before.slow.set > 0)
    assert.deepEqual(after.errors.byCode, {})
    assert.deepEqual([after.resets, before.resets], [1, 0])
    // What is there stays.
    assert.deepEqual([after.entries, after.threads], [before.entries, 2])
    assert.ok(before.memory.peak > 1_000_000 && after.memory.peak < before.memory.peak)
    assert.ok(after.memory.peak >= after.memory.total)
    worker.postMessage('go on')
    await step()
    assert.deepEqual([map.getStats().sets, map.getStats().misses], [500, 1])
    worker.postMessage('end')
    await worker.exit
    assert.deepEqual([map.getStats().sets, map.getStats().misses], [500, 1])
    assert.ok(map.getStats().opsPerSecond >= 0)
    assert.equal((await map.validate()).ok, true)
    map.destroy()
  })
})

describe('getStats({ shards: true })', () => {
  it('has for each figure the numbers of all shards, which add up', async () => {
    const map = new TypedMap({ shards: 8, maxEntries: 500 })
    await doAll(map)
    for (let key = 0; key < 2_000; key++) map.set(`key ${key}`, key)
    for (let n = 0; n < 10; n++) map.insert(n)
    map.set('a', 1, { ttl: 1_000_000 })
    const stats = map.getStats({ shards: true })
    const { eachShard } = stats
    const sum = list => list.reduce((total, number) => total + number, 0)
    const compare = (whole, parts, name) => {
      if (!Array.isArray(parts)) {
        for (const [key, part] of Object.entries(parts)) compare(whole[key], part, `${name}.${key}`)
        return
      }
      assert.equal(parts.length, 8, name)
      assert.ok(parts.every(Number.isFinite), name)
      if (/longest/.test(name)) assert.equal(Math.max(...parts), whole, name)
      else if (/mean|Factor|Progress|collisions/.test(name)) assert.ok(Math.min(...parts) <= whole, name)
      else if (!/retired/.test(name)) assert.equal(sum(parts), whole, name)
    }
    compare(stats, eachShard, 'eachShard')
    assert.ok(sum(eachShard.removals.evicted) > 1_000 && sum(eachShard.handles) > 0 && sum(eachShard.deadlines) === 1)
    assert.equal(map.getStats().eachShard, undefined)
  })

  it('shows that shards of an even load are alike', () => {
    const map = new TypedMap({ shards: 16, hash: 'xxh3', seed: 1 })
    for (let key = 0; key < 20_000; key++) map.set(key, 1)
    const { entries } = map.getStats({ shards: true }).eachShard
    assert.ok(Math.max(...entries) < 2 * Math.min(...entries))
  })
})
