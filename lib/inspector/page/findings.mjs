// What someone on call should see first, in sentences, made of two looks at a map.

import * as format from './format.mjs'
import { hitRate, last, rate } from './series.mjs'

/** A thread is asked once in an interval; it is blocked if it misses two in a row. */
const MISSED = 2.5
const LEAST_SILENCE_MS = 1_500
/** A map is full from here on, as a share of its limit. */
const FULL = 0.95
/** Reads in a second from which on a hit rate says something. */
const ENOUGH_READS = 10
const LOW_HIT_RATE = 50
/** The busiest shard, as a multiple of the mean, from which on the others are idle beside it. */
const SKEWED = 4
const ENOUGH_FOR_SKEW = 1_000
const FRAGMENTED = 0.25
/** Probes that a good hash does not need. */
const LONG_PROBE = 100
const CONTENDED = 0.05
const SLOW_LOAD_MS = 250

/** @param {number} thread */
export const threadName = thread => (thread === 0 ? 'main thread' : `worker ${thread}`)

/**
 * @param {{ thread: number, name: string | null, agoMs: number }[]} threads
 * @param {number} intervalMs
 */
export function silentThreads(threads, intervalMs) {
  return threads
    .filter(({ name, agoMs }) => name === null && agoMs > Math.max(MISSED * intervalMs, LEAST_SILENCE_MS))
    .map(({ thread, agoMs }) => `The ${threadName(thread)} is blocked: no answer for ${format.span(agoMs)}.`)
}

/**
 * @param {any} stats
 * @param {import('./series.mjs').Columns} columns
 * @param {any} [eachShard] figures of each shard
 * @returns {string[]}
 */
export function findingsOf(stats, columns, eachShard = undefined) {
  const now = (/** @type {string} */ name) => last(rate(columns, name)) ?? 0
  const found = []
  const { memoryLimit, maxEntries } = stats.limits
  const fullness = Math.max(
    memoryLimit === null ? 0 : stats.memoryBytes / memoryLimit,
    maxEntries === null ? 0 : stats.entries / maxEntries
  )
  if (now('refusals') > 0) found.push(`Writes are refused: ${format.count(now('refusals'))} in a second do not fit.`)
  if (fullness >= FULL && now('evicted') > 0) {
    found.push(`The map is full: it evicts ${format.count(now('evicted'))} entries in a second.`)
  } else if (fullness >= FULL) found.push(`The map is full: ${format.percent(fullness * 100)} of its limit.`)
  const reads = now('hits') + now('misses')
  const share = last(hitRate(columns))
  if (share !== null && share < LOW_HIT_RATE && reads > ENOUGH_READS) {
    found.push(`Most reads miss: only ${format.percent(share)} of ${format.count(reads)} in a second hit.`)
  }
  if (stats.memory.fragmentation > FRAGMENTED && stats.memory.entries > 2 ** 20) {
    found.push(`${format.percent(stats.memory.fragmentation * 100)} of the memory for entries lies idle between them.`)
  }
  return [...found, ...ofSections(stats), ...ofShards(eachShard)]
}

/** @param {any} stats */
function ofSections({ index, locks, loads }) {
  const found = []
  if (index?.longestProbe > LONG_PROBE) {
    found.push(`A lookup takes up to ${format.whole(index.longestProbe)} probes: the keys collide.`)
  }
  if (locks?.contentionRatio > CONTENDED) {
    found.push(`${format.percent(locks.contentionRatio * 100)} of the lock acquisitions wait for another thread.`)
  }
  if (loads?.meanMs > SLOW_LOAD_MS) found.push(`Loaders are slow: ${format.span(loads.meanMs)} on average.`)
  return found
}

/** @param {any} eachShard */
function ofShards(eachShard) {
  if (eachShard === undefined) return []
  const columns = { 'lock acquisitions': eachShard.locks.acquisitions, entries: eachShard.entries }
  return Object.entries(columns).flatMap(([name, counts]) => {
    const most = Math.max(...counts)
    const mean = counts.reduce((/** @type {number} */ sum, /** @type {number} */ one) => sum + one, 0) / counts.length
    if (counts.length < 2 || most < ENOUGH_FOR_SKEW || most < SKEWED * mean) return []
    const times = format.count(most / mean)
    return [`Shard ${counts.indexOf(most)} has ${times} times the ${name} of the mean: the load is skewed.`]
  })
}
