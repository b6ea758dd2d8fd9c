'use strict'

// `metrics()`: what maps report, as OpenMetrics text.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { binding } = require('../../lib/native/attach.js')
const { throwsTyped } = require('../support/errors.js')
const { noParser, parsedSamplesOf, samplesOf } = require('../support/openmetrics.js')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

const PREFIX = 'typed_superdashmap_cache_'

/** Where `getStats` has the number of each sample, by name and the label that is not `map`. */
const NUMBERS = {
  'gets_total hit': stats => stats.hits,
  'gets_total miss': stats => stats.misses,
  near_hits_total: stats => stats.nearHits,
  'puts_total insert': stats => stats.inserts,
  'puts_total update': stats => stats.updates,
  'evictions_total evicted': stats => stats.evictions,
  'evictions_total expired': stats => stats.expirations,
  'removals_total explicit': stats => stats.removals.explicit,
  'removals_total replaced': stats => stats.removals.replaced,
  'removals_total cleared': stats => stats.removals.cleared,
  refusals_total: stats => stats.refusals,
  'loads_total success': stats => stats.loads.count,
  'loads_total failure': stats => stats.loads.failures,
  shared_loads_total: stats => stats.loads.shared,
  load_duration_seconds_total: stats => stats.loads.timeMs / 1_000,
  'transactions_total commit': stats => stats.transactions.commits,
  'transactions_total conflict': stats => stats.transactions.conflicts,
  'transactions_total rollback': stats => stats.transactions.rollbacks,
  'slow_operations_total get': stats => stats.slow.get,
  'slow_operations_total set': stats => stats.slow.set,
  'slow_operations_total insert': stats => stats.slow.insert,
  'slow_operations_total delete': stats => stats.slow.delete,
  'slow_operations_total load': stats => stats.slow.load,
  lock_acquisitions_total: stats => stats.locks.acquisitions,
  lock_waits_total: stats => stats.locks.waits,
  lock_wait_duration_seconds_total: stats => stats.locks.waitNs / 1e9,
  allocations_total: stats => stats.memory.allocations,
  frees_total: stats => stats.memory.frees,
  corruptions_total: stats => stats.errors.corruptionDetections,
  'errors_total ERR_VALUE_TOO_LARGE': stats => stats.errors.byCode.ERR_VALUE_TOO_LARGE,
  'errors_total ERR_MEMORY_LIMIT': stats => stats.errors.byCode.ERR_MEMORY_LIMIT,
  'errors_total ERR_TRANSACTION_CONFLICT': stats => stats.errors.byCode.ERR_TRANSACTION_CONFLICT,
  size: stats => stats.entries,
  size_limit: stats => stats.limits.maxEntries,
  deadlines: stats => stats.deadlines,
  stale_entries: stats => stats.stale,
  memory_bytes: stats => stats.memory.total,
  memory_limit_bytes: stats => stats.memory.limit,
  memory_peak_bytes: stats => stats.memory.peak,
  keys_bytes: stats => stats.memory.keys,
  values_bytes: stats => stats.memory.values,
  memory_fragmentation_ratio: stats => stats.memory.fragmentation,
  loads_under_way: stats => stats.loads.underWay,
  opens: stats => stats.threads,
  shards: stats => stats.shards,
  index_load_ratio: stats => stats.loadFactor,
  uptime_seconds: stats => stats.uptimeMs / 1_000,
  broken: () => 0
}

/** What takes another thread that holds a lock. */
const LOCK_WAITS = ['lock_wait_duration_seconds_total', 'lock_waits_total']

/** Does something of everything, but for what takes another thread. */
async function useUp(map, clock) {
  map.set('to be cleared', 1)
  map.clear()
  for (let n = 0; n < 200; n++) map.set(`key ${n}`, { n }, { ttl: 1_000 })
  for (let n = 0; n < 1_000; n++) map.get(`key ${n % 250}`)
  map.set('key 199', 'another')
  map.delete('key 198')
  for (let n = 0; n < 50; n++) map.insert({ n })
  map.evict(3)
  throwsTyped(() => map.set('large', 'x'.repeat(10_000)), 'ERR_VALUE_TOO_LARGE')
  const many = Array.from({ length: 400 }, (_, n) => n)
  throwsTyped(() => map.setMany(many.map(n => [n, n])), 'ERR_MEMORY_LIMIT')
  map.deleteMany(many)
  const load = async () => {
    clock.advance(250)
    return 1
  }
  await map.getOrLoad('loaded', load, { staleFor: 60_000, ttl: 1_000 })
  await map.getOrLoad('failed', () => Promise.reject(new Error('it is away'))).catch(() => {})
  await Promise.all([1, 2].map(() => map.getOrLoad('shared', load)))
  map.transaction(tx => tx.set('in', 1))
  map.begin().rollback()
  const transaction = map.begin()
  transaction.get('in')
  map.set('in', 2)
  transaction.set('in', 3)
  throwsTyped(() => transaction.commit(), 'ERR_TRANSACTION_CONFLICT')
  clock.advance(2_000)
  map.purgeExpired()
  map.set('last', 1, { ttl: 1_000 })
}

const keyOf = ({ name, labels: { map, ...labels } }) => [name.replace(PREFIX, ''), ...Object.values(labels)].join(' ')

describe('metrics', () => {
  it('has the numbers of getStats, in base units', async () => {
    const clock = TypedMap.setClock()
    const map = TypedMap.open('metrics: numbers', {
      maxEntries: 400,
      memoryLimit: '16mb',
      maxValueBytes: 5_000,
      oomStrategy: 'reject',
      // Each of them takes longer.
      timeTargets: { get: 1e-6, set: 1e-6, insert: 1e-6, delete: 1e-6, load: 1e-6 }
    })
    await useUp(map, clock)
    const loading = new AbortController()
    const underWay = map.getOrLoad('never', () => new Promise(() => {}), { signal: loading.signal })
    const samples = samplesOf(map.metrics())
    const stats = map.getStats()
    const found = new Map(samples.map(sample => [keyOf(sample), sample]))
    assert.deepEqual([...found.keys()].sort(), Object.keys(NUMBERS).sort())
    for (const [key, { name, labels, value }] of found) {
      assert.ok(name.startsWith(PREFIX), name)
      assert.equal(labels.map, 'metrics: numbers')
      const expected = NUMBERS[key](stats)
      const isRounded = key === 'memory_fragmentation_ratio'
      assert.ok(Math.abs(value - expected) <= (isRounded ? 0.005 : 1e-9 * expected), `${key}: ${value} for ${expected}`)
    }
    // What is 0 may be read from anywhere.
    const zeroes = [...found].filter(([, { value }]) => value === 0).map(([key]) => key)
    assert.deepEqual(zeroes.sort(), ['broken', 'corruptions_total', ...LOCK_WAITS])
    loading.abort()
    await assert.rejects(underWay, { name: 'AbortError' })
    map.close()
    clock.restore()
  })

  it('has what this thread has read without a native call', () => {
    const map = TypedMap.open('metrics: near')
    map.set('a', { n: 1 })
    const hits = () => [map.metrics(), TypedMap.metrics()].map(text => ofMap(text, 'metrics: near').gets_total_hit)
    const ofMap = (text, name) => {
      const own = samplesOf(text).filter(({ labels }) => labels.map === name)
      return Object.fromEntries(own.map(sample => [keyOf(sample).replace(' ', '_'), sample.value]))
    }
    for (let n = 0; n < 10; n++) map.get('a')
    assert.equal(ofMap(TypedMap.metrics(), 'metrics: near').near_hits_total, map.getStats().nearHits)
    for (let n = 0; n < 10; n++) map.get('a')
    assert.deepEqual(hits(), [20, 20])
    assert.ok(ofMap(map.metrics(), 'metrics: near').near_hits_total > 10)
    map.close()
  })

  it('of the class is about all named maps, whichever thread has them, and none without a name', async () => {
    const sizes = text =>
      Object.fromEntries(
        samplesOf(text)
          .filter(({ name, labels }) => name === `${PREFIX}size` && !labels.map?.includes('elsewhere'))
          .map(({ labels, value }) => [labels.map, value])
      )
    const unnamed = new TypedMap([['a', 1]])
    const first = TypedMap.open('metrics: 2')
    const text = await inWorker(({ TypedMap, data }) => {
      const map = TypedMap.open(data)
      map.set('b', 1)
      return TypedMap.metrics()
    }, 'metrics: 1')
    assert.deepEqual(sizes(text), { 'metrics: 1': 1, 'metrics: 2': 0 })
    assert.deepEqual(sizes(TypedMap.metrics()), { 'metrics: 2': 0 })
    // Its name is held on by another reference.
    const [ended, still] = [1, 2].map(() => TypedMap.open('metrics: ended'))
    ended.destroy()
    first.close()
    assert.deepEqual(sizes(TypedMap.metrics()), {})
    assert.equal(TypedMap.metrics(), '# EOF\n')
    still.close()
    const samples = samplesOf(unnamed.metrics())
    assert.ok(samples.every(({ labels }) => !('map' in labels)))
    assert.equal(samples.find(({ name }) => name === `${PREFIX}size`).value, 1)
    unnamed.close()
  })

  it('has durations of operations where they are measured', () => {
    const map = TypedMap.open('metrics: durations', { latency: true, nearCache: false })
    for (let n = 0; n < 2_000; n++) map.get('a')
    const durations = samplesOf(map.metrics()).filter(({ name }) => name.includes('operation_duration_seconds'))
    const { count, meanNs } = map.getStats().latency.get
    const [sum, counted, ...buckets] = durations.map(({ value }) => value)
    assert.ok(durations.every(({ labels, type }) => labels.operation === 'get' && type === 'histogram'))
    assert.equal(counted, count)
    assert.ok(Math.abs(sum - (meanNs * count) / 1e9) < count / 1e9, 'the mean is rounded')
    assert.equal(buckets.at(-1), count)
    assert.deepEqual(
      [...buckets].sort((one, other) => one - other),
      buckets
    )
    const bounds = durations.slice(2).map(({ labels }) => Number(labels.le.replace('+Inf', 'Infinity')))
    assert.deepEqual([bounds[0], bounds.at(-2), bounds.at(-1)], [2.5e-8, 10, Number.POSITIVE_INFINITY])
    map.close()
  })

  it('has as many samples whatever the map holds', () => {
    const map = TypedMap.open('metrics: keys')
    const before = samplesOf(map.metrics()).length
    for (let n = 0; n < 1_000; n++) map.set(`key ${n}`, n)
    const text = map.metrics()
    assert.equal(samplesOf(text).length, before)
    assert.ok(!text.includes('key 1'))
    map.close()
  })

  it('tells of a map that is broken, and not of one that is closed', () => {
    const map = TypedMap.open('metrics: broken')
    const { id } = binding.open('metrics: broken', '{}')
    throwsTyped(() => binding.panicForTest(id), 'ERR_BROKEN')
    binding.close(id)
    for (const text of [map.metrics(), TypedMap.metrics()]) {
      assert.equal(samplesOf(text).find(({ name }) => name === `${PREFIX}broken`).value, 1)
    }
    map.close()
    throwsTyped(() => map.metrics(), 'ERR_CLOSED')
  })

  it('is read by the parser of Prometheus, whatever a map is called', { skip: noParser() }, () => {
    const names = ['"', '\\', '\\n', 'a\nb', '\r', '\0', ',}', '="', 'ä😀', ' ', '# EOF', '\u2028', 'x'.repeat(60_000)]
    const maps = names.map(name => TypedMap.open(`metrics: ${name}`, { latency: true }))
    for (const map of maps) for (let n = 0; n < 100; n++) map.set(n, n)
    const text = TypedMap.metrics()
    const samples = samplesOf(text)
    assert.deepEqual(parsedSamplesOf(text), samples)
    const told = samples.filter(({ name }) => name === `${PREFIX}size`).map(({ labels }) => labels.map)
    assert.deepEqual(told.sort(), names.map(name => `metrics: ${name}`).sort())
    for (const map of maps) map.close()
    assert.deepEqual(parsedSamplesOf(TypedMap.metrics()), [])
  })
})
