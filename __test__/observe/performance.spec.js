'use strict'

// What takes too long is logged to `typedmap.performance` and counted, and nothing is said that nothing listens to.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { collidingKeys } = require('../../examples/trouble/colliding-keys.js')
const { look } = require('../../lib/entries/running-loads.js')
const { openOf } = require('../support/opens.js')
const { startWorker } = require('../support/workers.js')

require('../support/sound.js')

const PERFORMANCE = { level: 'warn', targets: ['typedmap.performance'] }
const NONE = { get: 0, set: 0, insert: 0, delete: 0, load: 0, contended: 0, longProbes: 0, skewed: 0 }
/** Lines of a kind that are sent in a second. */
const LINES_PER_SECOND = 10
/** A nanosecond: every call takes longer. */
const IMPOSSIBLE_MS = 1e-6

/** Lets the event loop turn until `isDone`; a test that waits for nothing fails by its own timeout. */
async function until(isDone) {
  while (!isDone()) await new Promise(resolve => setTimeout(resolve, 1))
}

/** Turns that a delivery which must not come had time to come in. */
async function someTurns() {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

function linesOf(map, options = PERFORMANCE) {
  const lines = []
  const end = map.onLog(line => lines.push(line), options)
  return { lines, end }
}

describe('typedmap.performance', { timeout: 300_000 }, () => {
  const CALLS = {
    get: (map, n) => map.get(`missing ${n}`),
    set: (map, n) => map.set(n, n),
    insert: (map, n) => map.insert(n),
    delete: (map, n) => map.delete(n)
  }
  for (const [operation, call] of Object.entries(CALLS)) {
    it(`tells of a ${operation} above its target, and counts it`, async () => {
      const map = new TypedMap({ timeTargets: { [operation]: IMPOSSIBLE_MS } })
      const { lines } = linesOf(map)
      call(map, 1)
      for (const other of Object.values(CALLS)) if (other !== call) other(map, 2)
      await until(() => lines.length > 0)
      await someTurns()
      assert.equal(lines.length, 1)
      const [{ time, message, details, ...line }] = lines
      assert.deepEqual(line, { level: 'warn', target: 'typedmap.performance', code: `${operation}.slow` })
      assert.match(message, /took longer than its target/)
      assert.ok(details.durationNs > 1)
      assert.deepEqual({ ...details, durationNs: 0 }, { durationNs: 0, targetNs: 1, leftOut: 0 })
      assert.deepEqual(map.getStats().slow, { ...NONE, [operation]: 1 })
      map.close()
    })
  }

  it('has each call timed where there are targets, whether something listens or not', () => {
    const map = new TypedMap({ timeTargets: { set: IMPOSSIBLE_MS, get: 60_000 } })
    for (let n = 0; n < 1_000; n++) map.set(n, n).get(n)
    assert.deepEqual(map.getStats().slow, { ...NONE, set: 1_000 })
  })

  it('is about no call that is not above its target', async () => {
    const map = new TypedMap()
    const { lines } = linesOf(map)
    // Each native call is timed now, and what it may take is a matter of milliseconds.
    for (let n = 0; n < 100; n++) map.set(n, n)
    await someTurns()
    const { slow } = map.getStats()
    assert.equal(lines.length, slow.set)
    assert.deepEqual({ ...slow, set: 0 }, NONE)
    map.close()
  })

  it('says of a kind no more than some lines in a second, and with the next how many it left out', async () => {
    const clock = TypedMap.setClock()
    const map = new TypedMap({ timeTargets: { set: IMPOSSIBLE_MS, get: IMPOSSIBLE_MS } })
    const { lines } = linesOf(map)
    for (let n = 0; n < 1_000; n++) map.set(n, n)
    map.get('missing')
    clock.advance(1_000)
    map.set('key', 1)
    await until(() => lines.length >= LINES_PER_SECOND + 2)
    await someTurns()
    const sets = lines.filter(({ code }) => code === 'set.slow')
    assert.equal(sets.length, LINES_PER_SECOND + 1)
    assert.equal(lines.length, sets.length + 1, 'another kind has lines of its own')
    assert.equal(sets.at(-1).details.leftOut, 1_000 - LINES_PER_SECOND)
    assert.equal(map.getStats().slow.set, 1_001)
    map.close()
    clock.restore()
  })

  it('tells of a loader that takes a second, or longer than its target', async () => {
    const clock = TypedMap.setClock()
    for (const [timeTargets, limitMs] of [
      [undefined, 1_000],
      [{ load: 20 }, 20]
    ]) {
      const map = new TypedMap(timeTargets === undefined ? {} : { timeTargets })
      const { lines } = linesOf(map)
      const load = (key, ms) => map.getOrLoad(key, async () => clock.advance(ms))
      await load('fast', limitMs)
      await load('slow', limitMs + 1)
      await until(() => lines.some(({ code }) => code === 'load.slow'))
      const { details } = lines.find(({ code }) => code === 'load.slow')
      assert.deepEqual(details, { durationNs: (limitMs + 1) * 1e6, targetNs: limitMs * 1e6, leftOut: 0 })
      assert.equal(map.getStats().slow.load, 1)
      map.close()
    }
    clock.restore()
  })

  it('tells of a loader that never ends while it runs, in all threads that listen', async () => {
    const name = 'performance: running'
    const map = TypedMap.open(name, { timeTargets: { load: 20 } })
    const { lines } = linesOf(map)
    const worker = startWorker(({ TypedMap, data, port }) => {
      TypedMap.open(data).getOrLoad('key', () => new Promise(() => {}))
      port.once('message', () => process.exit())
    }, name)
    // Looked at once a second, and again when it has run for twice as long.
    await until(() => lines.filter(({ code }) => code === 'load.running').length === 2)
    const [first, second] = lines.filter(({ code }) => code === 'load.running')
    assert.equal(first.level, 'warn')
    assert.ok(first.details.durationNs > 20e6)
    assert.equal(first.details.targetNs, 20e6)
    assert.ok(second.details.durationNs >= 2 * first.details.durationNs)
    assert.equal(map.getStats().slow.load, 0)
    worker.postMessage('end')
    await worker.exit
    map.close()
  })

  it('looks at so many loaders at a time, and at each once for the time that it has run', () => {
    const map = new TypedMap({ timeTargets: { load: 20 } })
    const { id } = openOf(map)
    const end = map.onLog(() => {}, { targets: ['typedmap.performance'] })
    const jobs = Array.from({ length: 40 }, () => ({ isOver: false, seenMs: undefined, toldMs: 0 }))
    const all = [{ open: { id }, jobs: () => jobs.filter(({ isOver }) => !isOver) }]
    const told = () => jobs.filter(({ toldMs }) => toldMs > 0).length
    look(all, 1_000)
    look(all, 1_010)
    assert.equal(told(), 0, 'the target has not passed')
    jobs[0].isOver = true
    look(all, 1_030)
    assert.equal(told(), 32)
    look(all, 1_031)
    assert.equal(told(), 39)
    end()
    const before = jobs.map(({ toldMs }) => toldMs)
    look(all, 9_000)
    assert.deepEqual(
      before,
      jobs.map(({ toldMs }) => toldMs),
      'nothing listens'
    )
    map.close()
  })

  it('tells of a write that waited for another thread', async () => {
    const name = 'performance: contended'
    const map = TypedMap.open(name, { shards: 1 })
    const { lines } = linesOf(map)
    const worker = startWorker(
      ({ data, port }) => {
        const { binding } = require(`${data.package}/lib/native/attach.js`)
        const { id } = binding.open(data.name, '{}')
        port.postMessage('holding')
        const wasWaitedFor = binding.holdShardForTest(id, 0)
        binding.close(id)
        return wasWaitedFor
      },
      { name, package: require('node:path').join(__dirname, '..', '..') }
    )
    await new Promise(resolve => worker.once('message', resolve))
    let isOver = false
    worker.result.finally(() => {
      isOver = true
    })
    // Writes alone: a look at the statistics would wait for the lock, too, and is not counted.
    while (!isOver) {
      map.set('key', 1)
      await new Promise(setImmediate)
    }
    assert.equal(await worker.result, true)
    await until(() => lines.some(({ code }) => code === 'shard.contended'))
    const { details, level } = lines.find(({ code }) => code === 'shard.contended')
    assert.equal(level, 'warn')
    assert.equal(details.shard, 0)
    assert.ok(details.waitNs >= 100_000 && details.waitNs <= map.getStats().locks.waitNs)
    assert.equal(map.getStats().slow.contended, 1)
    map.destroy()
  })

  it('tells of keys that have the same hash, as soon as they make a long probe', async () => {
    const map = new TypedMap({ hash: 'fnv1a', seed: 7, shards: 1 })
    const { lines } = linesOf(map)
    const keys = collidingKeys(1_100, 7, 8)
    for (const key of keys.slice(0, 1_000)) map.set(key, 1)
    assert.equal(map.getStats().slow.longProbes, 0)
    for (const key of keys.slice(1_000)) map.set(key, 1)
    await until(() => lines.some(({ code }) => code === 'index.long-probe'))
    const { details } = lines.find(({ code }) => code === 'index.long-probe')
    assert.ok(details.words >= 1_024 && details.words < 1_100, `${details.words}`)
    assert.equal(details.shard, 0)
    const { longProbes } = map.getStats().slow
    assert.ok(longProbes > 0 && longProbes < 100, `${longProbes}`)
    map.close()
  })

  it('is about no long probe where keys are hashed well', () => {
    const map = new TypedMap({ shards: 1, maxLoadFactor: 0.8 })
    for (let n = 0; n < 50_000; n++) map.set(n, n)
    assert.equal(map.getStats().slow.longProbes, 0)
  })

  it('tells of a shard that has several times its share of the writes, as often as it looks', async () => {
    const map = new TypedMap({ shards: 16 })
    const { lines } = linesOf(map, { level: 'info', targets: ['typedmap.performance'] })
    for (let key = 0; key < 200_000; key++) map.set(key % 1_000, key)
    assert.equal(map.getStats().slow.skewed, 0, 'keys of all shards are written in turn')
    // Those before count until a shard looks, which it does once in 65,536 writes of its own.
    for (let n = 0; n < 200_000; n++) map.increment('counter')
    const { slow, eachShard } = map.getStats({ shards: true })
    assert.ok(slow.skewed >= 2 && slow.skewed <= 4, `${slow.skewed}`)
    await until(() => lines.filter(({ code }) => code === 'shard.skewed').length === slow.skewed)
    const { details, level } = lines.findLast(({ code }) => code === 'shard.skewed')
    const { shard } = map.getHandle('counter')
    assert.deepEqual([level, details], ['info', { shard, writesPercent: 100, leftOut: 0 }])
    assert.equal(Math.max(...eachShard.locks.acquisitions), eachShard.locks.acquisitions[shard])
    map.close()
  })

  it('is not heard by listeners to something else', async () => {
    const map = new TypedMap({ timeTargets: { set: IMPOSSIBLE_MS } })
    const memory = linesOf(map, { level: 'trace', targets: ['typedmap.memory'] })
    const errors = linesOf(map, { level: 'error', targets: ['typedmap.performance'] })
    for (let n = 0; n < 100; n++) map.set(n, n)
    await someTurns()
    assert.deepEqual([memory.lines, errors.lines], [[], []])
    map.close()
  })
})
