'use strict'

// `recover()` and option `autoRecovery`: what becomes of a map that a panic has broken, in all threads that have it.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { setTimeout: wait } = require('node:timers/promises')
const { TypedMap } = require('../..')
const { binding } = require('../../lib/native/attach.js')
const { throwsTyped } = require('../support/errors.js')
const { nextMessage, startWorker } = require('../support/workers.js')

require('../support/sound.js')

const SOUND = { ok: true, problems: [] }
const NOTHING = { recovered: 0, dropped: 0, expired: 0, leakedBytes: 0 }

/** A panic under a lock of the map of this name. */
function breakMap(name, options = '{}') {
  const { id } = binding.open(name, options)
  throwsTyped(() => binding.panicForTest(id), 'ERR_BROKEN')
  binding.close(id)
}

let names = 0
const newName = () => `recovery ${process.pid} ${++names}`

/** Until the map recovered by itself. */
async function untilOpen(map) {
  for (;;) {
    try {
      return map.size
    } catch (error) {
      assert.equal(error.code, 'ERR_BROKEN')
    }
    await wait(1)
  }
}

describe('recover()', () => {
  it('is refused where the limit of the process has no room for a copy, and goes on once it has', async () => {
    const name = newName()
    const map = TypedMap.open(name, { shards: 1 })
    for (let n = 0; n < 2_000; n++) map.set(n, { n, text: 'x'.repeat(100) })
    breakMap(name)
    try {
      TypedMap.setProcessLimit(TypedMap.processMemory().usedBytes)
      const refused = await map.recover().catch(error => error)
      assert.equal(refused.code, 'ERR_MEMORY_LIMIT')
      assert.equal(refused.details.scope, 'process')
      throwsTyped(() => map.get(0), 'ERR_BROKEN')
      assert.equal(map.getStats().recovery.last.outcome, 'ERR_MEMORY_LIMIT')
    } finally {
      TypedMap.setProcessLimit(null)
    }
    assert.equal((await map.recover()).recovered, 2_000)
    assert.deepEqual([map.size, map.get(1_999).n, await map.validate()], [2_000, 1_999, SOUND])
    map.close()
  })

  it('brings back what the map had: keys, values, order, deadlines, entries without a key', async () => {
    const name = newName()
    const map = TypedMap.open(name, { maxEntries: 10_000 })
    const expected = []
    for (let n = 0; n < 2_000; n++) {
      const [key, value] = [n % 2 === 0 ? n : `key-${n}`, { n, text: 'x'.repeat(n % 50), list: [n] }]
      map.set(key, value, n % 3 === 0 ? { ttl: 1e9 } : undefined)
      expected.push([key, value])
    }
    const large = 'large'.repeat(5_000)
    map.set('large', large)
    const loose = map.insert({ loose: true })
    const before = map.getStats()
    assert.equal(before.recovery.last, null)
    assert.deepEqual([map.get(0), map.get(loose)], [expected[0][1], { loose: true }])
    breakMap(name)
    throwsTyped(() => map.get(0), 'ERR_BROKEN')
    const recovery = await map.recover()
    assert.ok(recovery.leakedBytes > 0 && recovery.timeMs > 0, JSON.stringify(recovery))
    assert.deepEqual({ ...recovery, leakedBytes: 0, timeMs: 0 }, { ...NOTHING, recovered: 2_002, timeMs: 0 })
    assert.equal(map.size, 2_002)
    assert.deepEqual([...map].slice(0, 2_000), expected)
    assert.equal(map.get('large'), large)
    assert.ok(map.ttlOf(3 * 2) > 9e8 && map.ttlOf(2) === Number.POSITIVE_INFINITY)
    assert.deepEqual(await map.validate(), SOUND)
    // A handle of before is dead; the entry has another one.
    assert.equal(map.get(loose), undefined)
    assert.equal(loose.get(), undefined)
    throwsTyped(() => map.replace(loose, 1), 'ERR_HANDLE_INVALIDATED')
    const [[handle, value]] = [...map.entries()].filter(([key]) => typeof key === 'object')
    assert.notEqual(handle.id, loose.id)
    assert.deepEqual([value, map.get(handle)], [{ loose: true }, { loose: true }])
    assert.deepEqual(map.getStats().limits, before.limits)
    map.close()
  })

  it('has nothing to do with a map that is not broken, and rejects for one that has ended', async () => {
    const map = new TypedMap([['a', 1]])
    assert.deepEqual(await map.recover(), { ...NOTHING, timeMs: 0 })
    assert.equal(map.getStats().recovery.attempts, 0)
    map.close()
    await assert.rejects(map.recover(), { code: 'ERR_CLOSED' })
    const name = newName()
    const broken = TypedMap.open(name)
    breakMap(name)
    const other = TypedMap.open(name)
    other.destroy()
    await assert.rejects(broken.recover(), { code: 'ERR_CLOSED' })
    broken.close()
  })

  it('is one recovery for all calls, which all get its result', async () => {
    const name = newName()
    const map = TypedMap.open(name)
    const other = TypedMap.open(name)
    map.setMany(Array.from({ length: 5_000 }, (_, n) => [n, n]))
    breakMap(name)
    const [one, two, three] = await Promise.all([map.recover(), map.recover(), other.recover()])
    assert.deepEqual([two, three], [one, one])
    assert.equal(one.recovered, 5_000)
    const { last, ...sums } = map.getStats().recovery
    const { timeMs, ...tally } = one
    assert.deepEqual(sums, { ...tally, attempts: 1, automatic: 0, failures: 0 })
    assert.ok(timeMs > 0 && last.timeMs > 0)
    assert.deepEqual({ ...last, atMs: 0 }, { atMs: 0, timeMs: last.timeMs, outcome: 'recovered' })
    map.close()
    other.close()
  })

  it('gives the map back to every thread that has it open, with fresh copies', async () => {
    const name = newName()
    const map = TypedMap.open(name)
    map.set('a', { by: 'main', n: 0 })
    const worker = startWorker(async ({ TypedMap, data, port }) => {
      const map = TypedMap.open(data)
      const first = map.get('a')
      port.postMessage({ found: first, isSame: map.get('a') === first })
      await new Promise(resolve => {
        port.on('message', () => {
          let found
          try {
            found = map.get('a')
          } catch (error) {
            found = error.code
          }
          port.postMessage({ found, isSame: found === first })
        })
        port.on('close', resolve)
      })
    }, name)
    const answer = () => nextMessage(worker)
    assert.deepEqual(await answer(), { found: { by: 'main', n: 0 }, isSame: true })
    const ask = async () => {
      const next = answer()
      worker.postMessage('')
      return next
    }
    breakMap(name)
    assert.deepEqual(await ask(), { found: 'ERR_BROKEN', isSame: false })
    await map.recover()
    assert.deepEqual(await ask(), { found: { by: 'main', n: 0 }, isSame: false })
    for (let n = 1; n < 20; n++) {
      map.set('a', { by: 'main', n })
      assert.equal((await ask()).found.n, n)
    }
    await worker.terminate()
    map.close()
  })

  it('ends loads, transactions and jobs that were under way, and new ones work', async () => {
    const name = newName()
    const map = TypedMap.open(name)
    map.set('a', 1)
    const hung = map.getOrLoad('b', () => new Promise(() => {}))
    const joined = map.getOrLoad('b', () => assert.fail('it waits for the other'))
    const transaction = map.begin()
    transaction.get('a')
    transaction.set('a', 2)
    breakMap(name)
    const ended = Promise.all([
      assert.rejects(hung, { code: 'ERR_BROKEN' }),
      assert.rejects(joined, { code: 'ERR_BROKEN' })
    ])
    await map.recover()
    await ended
    throwsTyped(() => transaction.commit(), 'ERR_TRANSACTION_CONFLICT')
    assert.equal(map.get('a'), 1)
    assert.equal(await map.getOrLoad('b', () => 'loaded'), 'loaded')
    assert.equal(map.get('b'), 'loaded')
    map.transaction(t => t.set('a', t.get('a') + 1))
    assert.equal(map.get('a'), 2)
    assert.equal(await map.count({}), 2)
    map.close()
  })

  it('walks and iterators that began before go on, entries expire, and listeners hear of it', async () => {
    const name = newName()
    const map = TypedMap.open(name, { shards: 4 })
    const removed = []
    const lines = []
    map.onEvict(({ key, cause }) => removed.push([key, cause]))
    map.onLog(line => lines.push(line), { targets: ['typedmap.lifecycle'] })
    for (let n = 0; n < 300; n++) map.set(n, n)
    const walk = map.keys()
    const seen = Array.from({ length: 10 }, () => walk.next().value)
    map.set('soon', 1, { ttl: 30 })
    breakMap(name)
    await map.recover()
    map.set(300, 300)
    for (const key of walk) if (key !== 'soon') seen.push(key)
    assert.deepEqual(
      seen,
      Array.from({ length: 301 }, (_, n) => n)
    )
    while (removed.length === 0 || lines.length < 2) await wait(5)
    assert.deepEqual(removed, [['soon', 'expired']])
    assert.deepEqual(lines.map(({ level, code }) => [level, code]).slice(0, 2), [
      ['error', 'map.broken'],
      ['warn', 'map.recovered']
    ])
    assert.equal(lines[1].details.recovered + lines[1].details.expired, 301)
    map.close()
  })
})

describe('autoRecovery', () => {
  it('recovers the map by itself, as often as it may', async () => {
    const [name, options] = [newName(), { autoRecovery: { attempts: 2 } }]
    const map = TypedMap.open(name, options)
    map.set('a', 1)
    for (let attempt = 1; attempt <= 2; attempt++) {
      breakMap(name)
      assert.equal(await untilOpen(map), 1)
      assert.equal(map.getStats().recovery.automatic, attempt)
    }
    breakMap(name)
    await wait(20)
    throwsTyped(() => map.get('a'), 'ERR_BROKEN')
    assert.equal((await map.recover()).recovered, 1)
    assert.equal(map.get('a'), 1)
    map.close()
  })

  it('is compared with that of an open map', () => {
    const name = newName()
    const map = TypedMap.open(name, { autoRecovery: { attempts: 2, timeout: 500 } })
    TypedMap.open(name, { autoRecovery: { attempts: 2, timeout: 500 } }).close()
    for (const autoRecovery of [false, { attempts: 3, timeout: 500 }, {}]) {
      throwsTyped(() => TypedMap.open(name, { autoRecovery }), 'ERR_INVALID_OPTION', { says: [/autoRecovery/] })
    }
    map.close()
    const plain = TypedMap.open(name)
    TypedMap.open(name, { autoRecovery: false }).close()
    plain.close()
  })
})
