'use strict'

// `registerMetrics`: named maps as metrics of OpenTelemetry, read by its own SDK.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { AggregationTemporality, MeterProvider, MetricReader } = require('@opentelemetry/sdk-metrics')
const { TypedMap } = require('../..')
const { registerMetrics } = require('../../otel.js')
const { binding } = require('../../lib/native/attach.js')
const { throwsTyped } = require('../support/errors.js')
const { inWorker, PACKAGE } = require('../support/workers.js')

require('../support/sound.js')

/** A reader that collects when it is asked: what came since. A sum of all, the SDK repeats when a map has ended. */
class Reader extends MetricReader {
  constructor() {
    super({ aggregationTemporalitySelector: () => AggregationTemporality.DELTA })
  }

  async onForceFlush() {}
  async onShutdown() {}
}

const NAME = 'typed_superdashmap.map.name'

/** A meter, and what has been observed with it: numbers by instrument and attributes. */
function meterOf() {
  const reader = new Reader()
  const provider = new MeterProvider({ readers: [reader] })
  const collect = async () => {
    const { resourceMetrics, errors } = await reader.collect()
    assert.deepEqual(errors, [])
    return resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)
  }
  /** Those of a map, `{ 'gets hit': 5, … }`. */
  const numbersOf = async name => {
    const numbers = {}
    for (const { descriptor, dataPoints } of await collect()) {
      for (const { attributes, value } of dataPoints) {
        const { [NAME]: map, ...more } = attributes
        if (map !== name) continue
        const key = [descriptor.name.replace('typed_superdashmap.', ''), ...Object.values(more)].join(' ')
        assert.ok(!(key in numbers), key)
        numbers[key] = value
      }
    }
    return numbers
  }
  return { meter: provider.getMeter('test'), collect, numbersOf, end: () => provider.shutdown() }
}

/** Where `getStats` has each number. */
const NUMBERS = {
  'gets hit': stats => stats.hits,
  'gets miss': stats => stats.misses,
  near_hits: stats => stats.nearHits,
  'puts insert': stats => stats.inserts,
  'puts update': stats => stats.updates,
  'evictions evicted': stats => stats.evictions,
  'evictions expired': stats => stats.expirations,
  'removals explicit': stats => stats.removals.explicit,
  'removals replaced': stats => stats.removals.replaced,
  'removals cleared': stats => stats.removals.cleared,
  refusals: stats => stats.refusals,
  'loads success': stats => stats.loads.count,
  'loads failure': stats => stats.loads.failures,
  'loads.duration': stats => stats.loads.timeMs / 1e3,
  'loads.active': stats => stats.loads.underWay,
  'transactions commit': stats => stats.transactions.commits,
  'transactions conflict': stats => stats.transactions.conflicts,
  'transactions rollback': stats => stats.transactions.rollbacks,
  'errors ERR_VALUE_TOO_LARGE': stats => stats.errors.byCode.ERR_VALUE_TOO_LARGE,
  'locks.acquisitions': stats => stats.locks.acquisitions,
  'locks.waits': stats => stats.locks.waits,
  'locks.waits.duration': stats => stats.locks.waitNs / 1e9,
  entries: stats => stats.entries,
  'entries.limit': stats => stats.limits.maxEntries,
  'memory.usage': stats => stats.memory.total,
  'memory.limit': stats => stats.memory.limit,
  'memory.keys': stats => stats.memory.keys,
  'memory.values': stats => stats.memory.values,
  'memory.fragmentation': stats => stats.memory.fragmentation,
  opens: stats => stats.threads,
  uptime: stats => stats.uptimeMs / 1e3,
  broken: () => 0,
  'operation.duration get 0.5': stats => stats.latency.get.p50Ns / 1e9,
  'operation.duration get 0.99': stats => stats.latency.get.p99Ns / 1e9,
  'operation.duration get 0.999': stats => stats.latency.get.p999Ns / 1e9,
  'operation.duration set 0.5': stats => stats.latency.set.p50Ns / 1e9,
  'operation.duration set 0.99': stats => stats.latency.set.p99Ns / 1e9,
  'operation.duration set 0.999': stats => stats.latency.set.p999Ns / 1e9,
  'operation.duration delete 0.5': stats => stats.latency.delete.p50Ns / 1e9,
  'operation.duration delete 0.99': stats => stats.latency.delete.p99Ns / 1e9,
  'operation.duration delete 0.999': stats => stats.latency.delete.p999Ns / 1e9,
  'operation.duration load 0.5': stats => stats.latency.load.p50Ns / 1e9,
  'operation.duration load 0.99': stats => stats.latency.load.p99Ns / 1e9,
  'operation.duration load 0.999': stats => stats.latency.load.p999Ns / 1e9
}

describe('registerMetrics', () => {
  it('observes what statistics count, in seconds and bytes', async () => {
    const clock = TypedMap.setClock()
    const options = { maxEntries: 5_000, memoryLimit: '16mb', maxValueBytes: 5_000, latency: true }
    const map = TypedMap.open('otel: numbers', options)
    const { meter, numbersOf, end } = meterOf()
    const unregister = registerMetrics(meter)
    map.set('a', 1)
    map.clear()
    for (let n = 0; n < 500; n++) map.set(n, { n }, { ttl: n < 5 ? 100 : 100_000 })
    for (let n = 0; n < 2_000; n++) map.get(n % 600)
    map.set(20, 1)
    // So many that some are timed.
    for (let n = 100; n < 200; n++) map.delete(n)
    map.evict(3)
    clock.advance(1_000)
    map.purgeExpired()
    throwsTyped(() => map.set('large', 'x'.repeat(6_000)), 'ERR_VALUE_TOO_LARGE')
    const load = async () => {
      clock.advance(250)
      return 1
    }
    await map.getOrLoad('loaded', load)
    await map.getOrLoad('failed', () => Promise.reject(new Error('it is away'))).catch(() => {})
    map.transaction(tx => tx.set('in', 1))
    map.begin().rollback()
    // Without a call that would tell of them.
    for (let n = 0; n < 10; n++) map.get('in')
    const found = await numbersOf('otel: numbers')
    const stats = map.getStats()
    assert.deepEqual(Object.keys(found).sort(), Object.keys(NUMBERS).sort())
    for (const [key, number] of Object.entries(found)) {
      const expected = NUMBERS[key](stats)
      assert.ok(Math.abs(number - expected) <= 1e-9 * expected, `${key}: ${number} for ${expected}`)
    }
    for (const key of ['gets hit', 'near_hits', 'evictions expired', 'loads.duration', 'memory.usage', 'uptime']) {
      assert.ok(found[key] > 0, key)
    }
    unregister()
    assert.deepEqual(await numbersOf('otel: numbers'), {})
    map.close()
    clock.restore()
    await end()
  })

  it('describes its instruments by the conventions of OpenTelemetry', async () => {
    const map = TypedMap.open('otel: instruments', { latency: true, maxEntries: 9, memoryLimit: '1mb' })
    for (let n = 0; n < 100; n++) map.set(1, n)
    throwsTyped(() => map.set('large', 'x'.repeat(2_000_000)), 'ERR_VALUE_TOO_LARGE')
    const { meter, collect, end } = meterOf()
    registerMetrics(meter)
    const metrics = await collect()
    assert.equal(metrics.length, 25)
    for (const { descriptor, dataPoints } of metrics) {
      const { name, unit, description, type } = descriptor
      assert.match(name, /^typed_superdashmap(\.[a-z]+(_[a-z]+)*)+$/)
      assert.match(unit, /^(s|By|1|\{[a-z]+\})$/)
      assert.match(description, /^[A-Z1].+\.$/)
      assert.match(type, /^(OBSERVABLE_COUNTER|OBSERVABLE_UP_DOWN_COUNTER|OBSERVABLE_GAUGE)$/)
      for (const { attributes } of dataPoints) {
        for (const attribute of Object.keys(attributes))
          assert.match(attribute, /^(typed_superdashmap\.[a-z.]+|error\.type)$/)
      }
    }
    map.close()
    await end()
  })

  it('sees maps of all threads that are open at the time, and holds none', async () => {
    const { meter, numbersOf, end } = meterOf()
    registerMetrics(meter)
    assert.deepEqual(await numbersOf('otel: elsewhere'), {})
    const first = TypedMap.open('otel: elsewhere')
    await inWorker(({ TypedMap, data }) => {
      const map = TypedMap.open(data)
      map.set('a', { n: 1 })
      for (let n = 0; n < 10; n++) map.get('a')
      map.close()
    }, 'otel: elsewhere')
    const { entries, opens, 'gets hit': hits } = await numbersOf('otel: elsewhere')
    assert.deepEqual({ entries, opens, hits }, { entries: 1, opens: 1, hits: 10 })
    first.close()
    assert.deepEqual(TypedMap.names(), [])
    assert.deepEqual(await numbersOf('otel: elsewhere'), {})
    await end()
  })

  it('observes the maps that it is told, with attributes of the program', async () => {
    const maps = ['otel: meant', 'otel: other'].map(name => TypedMap.open(name))
    const { meter, collect, end } = meterOf()
    registerMetrics(meter, { maps: ['otel: meant', 'otel: not yet'], attributes: { 'service.shard': 3 } })
    const points = (await collect()).flatMap(({ dataPoints }) => dataPoints)
    assert.ok(points.length > 20)
    for (const { attributes } of points) {
      assert.deepEqual([attributes[NAME], attributes['service.shard']], ['otel: meant', 3])
    }
    for (const map of maps) map.close()
    await end()
  })

  it('observes a map that is broken, next to others', async () => {
    const maps = ['otel: broken', 'otel: whole'].map(name => TypedMap.open(name))
    const { id } = binding.open('otel: broken', '{}')
    throwsTyped(() => binding.panicForTest(id), 'ERR_BROKEN')
    binding.close(id)
    const { meter, numbersOf, end } = meterOf()
    registerMetrics(meter)
    assert.equal((await numbersOf('otel: broken')).broken, 1)
    assert.equal((await numbersOf('otel: whole')).broken, 0)
    for (const map of maps) map.close()
    await end()
  })

  it('refuses what is no meter, and options that it does not know', () => {
    const { meter } = meterOf()
    for (const other of [undefined, null, {}, 'meter', { ...meter, createObservableGauge: 1 }]) {
      throwsTyped(() => registerMetrics(other), 'ERR_INVALID_OPTION')
    }
    const wrong = [{ maps: 'one' }, { maps: [1] }, { attributes: [] }, { attributes: 1 }, { names: [] }, 1]
    for (const options of wrong) throwsTyped(() => registerMetrics(meter, options), 'ERR_INVALID_OPTION')
  })

  it('needs no package of OpenTelemetry', () => {
    const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(
      readFileSync(path.join(PACKAGE, 'package.json'), 'utf8')
    )
    assert.deepEqual([dependencies, optionalDependencies, peerDependencies], [undefined, undefined, undefined])
  })
})
