'use strict'

// What is measured of a map: the instruments, and where in its statistics their numbers are. Names and units follow the
// semantic conventions of OpenTelemetry.

const NS_PER_SECOND = 1e9
const MS_PER_SECOND = 1e3

/** Percentiles of durations, by the names that statistics have for them. */
const QUANTILES = { p50Ns: 0.5, p99Ns: 0.99, p999Ns: 0.999 }

/** Operations that are timed. */
const TIMED = ['get', 'set', 'insert', 'delete', 'load']

const RESULT = 'typed_superdashmap.result'
const CAUSE = 'typed_superdashmap.cause'
const OPERATION = 'typed_superdashmap.operation'

/**
 * A number, with the attributes that tell it from others of its instrument. Where the number is `null` or `undefined`,
 * the map has none.
 *
 * @typedef {readonly [number: number | null | undefined, attributes?: Record<string, string | number>]} Observation
 *
 * @typedef {object} Instrument
 * @property {'counter' | 'upDownCounter' | 'gauge'} kind
 * @property {string} unit
 * @property {string} description
 * @property {(stats: any, map: { isBroken: boolean }) => Observation[]} read
 */

/**
 * @param {Instrument['kind']} kind
 * @param {string} unit
 * @param {string} description
 * @param {Instrument['read']} read
 * @returns {Instrument}
 */
const instrument = (kind, unit, description, read) => ({ kind, unit, description, read })

/**
 * Numbers that one attribute tells apart.
 *
 * @param {string} attribute
 * @param {Record<string, number>} numbers by the value of the attribute
 * @returns {Observation[]}
 */
const by = (attribute, numbers) => Object.entries(numbers).map(([value, number]) => [number, { [attribute]: value }])

/** @param {any} latency @returns {Observation[]} */
function quantilesOf(latency) {
  if (latency === null) return []
  return TIMED.filter(operation => latency[operation].count > 0).flatMap(operation =>
    Object.entries(QUANTILES).map(([name, quantile]) => [
      latency[operation][name] / NS_PER_SECOND,
      { [OPERATION]: operation, 'typed_superdashmap.quantile': quantile }
    ])
  )
}

/** @type {Record<string, Instrument>} */
const INSTRUMENTS = {
  gets: instrument('counter', '{read}', 'Reads, by whether they found an entry.', ({ hits: hit, misses: miss }) =>
    by(RESULT, { hit, miss })
  ),
  near_hits: instrument('counter', '{read}', 'Hits that the near cache of a thread answered.', stats => [
    [stats.nearHits]
  ]),
  puts: instrument('counter', '{write}', 'Writes of a value.', ({ inserts: insert, updates: update }) =>
    by(OPERATION, { insert, update })
  ),
  evictions: instrument('counter', '{entry}', 'Entries that the map removed.', ({ removals: { evicted, expired } }) =>
    by(CAUSE, { evicted, expired })
  ),
  removals: instrument(
    'counter',
    '{entry}',
    'Entries and values that the program removed.',
    ({ removals: { explicit, replaced, cleared } }) => by(CAUSE, { explicit, replaced, cleared })
  ),
  refusals: instrument('counter', '{write}', 'Writes that a limit refused.', stats => [[stats.refusals]]),
  loads: instrument('counter', '{load}', 'Loads of values that have ended.', ({ loads }) =>
    by(RESULT, { success: loads.count, failure: loads.failures })
  ),
  'loads.duration': instrument('counter', 's', 'Time that loads took, all together.', ({ loads }) => [
    [loads.timeMs / MS_PER_SECOND]
  ]),
  'loads.active': instrument('upDownCounter', '{load}', 'Loads under way.', ({ loads }) => [[loads.underWay]]),
  transactions: instrument('counter', '{transaction}', 'Transactions that have ended.', ({ transactions }) =>
    by(RESULT, {
      commit: transactions.commits,
      conflict: transactions.conflicts,
      rollback: transactions.rollbacks
    })
  ),
  errors: instrument('counter', '{error}', 'Errors that the map has thrown or reported.', ({ errors }) =>
    by('error.type', errors.byCode)
  ),
  'locks.acquisitions': instrument('counter', '{acquisition}', 'Times that the lock of a shard was taken.', stats => [
    [stats.locks.acquisitions]
  ]),
  'locks.waits': instrument('counter', '{wait}', 'Those of them that waited for another thread.', stats => [
    [stats.locks.waits]
  ]),
  'locks.waits.duration': instrument('counter', 's', 'Time of these waits, all together.', stats => [
    [stats.locks.waitNs / NS_PER_SECOND]
  ]),
  entries: instrument('upDownCounter', '{entry}', 'Entries.', stats => [[stats.entries]]),
  'entries.limit': instrument('upDownCounter', '{entry}', 'Entries that there may be.', stats => [[stats.maxEntries]]),
  'memory.usage': instrument('upDownCounter', 'By', 'What the map holds, everything counted.', stats => [
    [stats.memory.total]
  ]),
  'memory.limit': instrument('upDownCounter', 'By', 'What it may hold.', stats => [[stats.memory.limit]]),
  'memory.keys': instrument('upDownCounter', 'By', 'The part that keys fill.', stats => [[stats.memory.keys]]),
  'memory.values': instrument('upDownCounter', 'By', 'The part that values fill.', stats => [[stats.memory.values]]),
  'memory.fragmentation': instrument('gauge', '1', 'The part of the memory for entries that holds none.', stats => [
    [stats.memory.fragmentation]
  ]),
  opens: instrument('upDownCounter', '{reference}', 'Open references to the map, of all threads.', stats => [
    [stats.threads]
  ]),
  uptime: instrument('gauge', 's', 'Time since the map was made.', stats => [[stats.uptimeMs / MS_PER_SECOND]]),
  broken: instrument('gauge', '1', '1 for a map that refuses further use, else 0.', (_, { isBroken }) => [
    [isBroken ? 1 : 0]
  ]),
  'operation.duration': instrument(
    'gauge',
    's',
    'How long operations take, by quantile, where that is measured.',
    ({ latency }) => quantilesOf(latency)
  )
}

module.exports = { INSTRUMENTS }
