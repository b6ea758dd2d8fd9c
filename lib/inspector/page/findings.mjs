// What someone on call should see first, in sentences, made of two looks at a map.

import * as format from './format.mjs'
import { lately, perSecond } from './series.mjs'

/** A map is full from here on, as a share of its limit. */
const FULL = 0.95
/** Reads in a second from which on a hit rate says something. */
const ENOUGH_READS = 10
const LOW_HIT_RATE = 50
/** The busiest shard, as a multiple of the mean, from which on the others are idle beside it. */
const SKEWED = 4
const ENOUGH_FOR_SKEW = 1_000
/** The share of the hottest key among hot keys, in per cent, from which on it is worth a sentence. */
const HOT_SHARE = 50
const FRAGMENTED = 0.25
/** Probes that a good hash does not need. */
const LONG_PROBE = 100
/** Milliseconds that all threads wait in a second, and the share of writes that wait at all. */
const CONTENDED_MS = 100
const CONTENDED_SHARE = 0.05
const NS_PER_MS = 1e6
const SLOW_LOAD_MS = 250

/** @param {string} text */
const capital = text => text[0].toUpperCase() + text.slice(1)

/** @param {number} thread */
export const threadName = thread => (thread === 0 ? 'main thread' : `worker ${thread}`)

/** @param {{ thread: number, name: string | null, agoMs: number, isSilent: boolean }[]} threads */
export function silentThreads(threads) {
  return threads
    .filter(({ name, isSilent }) => name === null && isSilent)
    .map(({ thread, agoMs }) => `${capital(threadName(thread))} is blocked: no answer for ${format.span(agoMs)}.`)
}

/**
 * @param {any} stats
 * @param {import('./series.mjs').Columns} columns
 * @param {any} [eachShard] figures of each shard
 * @param {{ type: string, text: string, hits: number }[]} [hotKeys]
 * @returns {string[]}
 */
export function findingsOf(stats, columns, eachShard = undefined, hotKeys = undefined) {
  return [
    ...ofRoom(stats, columns),
    ...ofIndex(stats),
    ...ofLocks(columns, eachShard),
    ...ofLoads(columns),
    ...ofShards(eachShard),
    ...ofHotKeys(hotKeys)
  ]
}

/** @param {any} stats @param {import('./series.mjs').Columns} columns */
function ofRoom(stats, columns) {
  const now = (/** @type {string} */ name) => perSecond(columns, name)
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
  const share = reads === 0 ? 100 : (100 * now('hits')) / reads
  if (share < LOW_HIT_RATE && reads > ENOUGH_READS) {
    found.push(`Most reads miss: only ${format.percent(share)} of ${format.count(reads)} in a second hit.`)
  }
  if (stats.memory.fragmentation > FRAGMENTED && stats.memory.entries > 2 ** 20) {
    found.push(`${format.percent(stats.memory.fragmentation * 100)} of the memory for entries lies idle between them.`)
  }
  return found
}

/** @param {any} stats */
function ofIndex({ index }) {
  if (!(index?.longestProbe > LONG_PROBE)) return []
  return [`A lookup takes up to ${format.whole(index.longestProbe)} probes: the keys collide.`]
}

/** @param {number[]} counts */
const sumOf = counts => counts.reduce((sum, one) => sum + one, 0)

/** @param {import('./series.mjs').Columns} columns @param {any} eachShard */
function ofLocks(columns, eachShard) {
  const waitMs = perSecond(columns, 'lockWaitNs') / NS_PER_MS
  const share = lately(columns, 'lockWaits') / Math.max(1, lately(columns, 'lockAcquisitions'))
  if (waitMs < CONTENDED_MS && share < CONTENDED_SHARE) return []
  const waits = eachShard?.locks.waits ?? []
  const most = Math.max(0, ...waits)
  const where = waits.length > 1 && 2 * most > sumOf(waits) ? `, mostly in shard ${waits.indexOf(most)}` : ''
  const what =
    waitMs < CONTENDED_MS
      ? `${format.percent(share * 100)} of the writes wait for another thread`
      : `${format.span(waitMs)} in each second, all threads together`
  return [`Writers wait for each other: ${what}${where}.`]
}

/** @param {import('./series.mjs').Columns} columns */
function ofLoads(columns) {
  const loads = lately(columns, 'loads')
  const meanMs = lately(columns, 'loadTimeMs') / Math.max(1, loads)
  return meanMs > SLOW_LOAD_MS ? [`Loaders are slow: ${format.span(meanMs)} on average.`] : []
}

/** How many times the mean the busiest of so many shards has where the load is skewed: of few shards, nearly all. */
const skewedFrom = (/** @type {number} */ shards) => Math.min(SKEWED, (1 + shards) / 2)

/** @param {any} eachShard */
function ofShards(eachShard) {
  if (eachShard === undefined) return []
  const columns = { 'lock acquisitions': eachShard.locks.acquisitions, entries: eachShard.entries }
  return Object.entries(columns).flatMap(([name, counts]) => {
    const most = Math.max(...counts)
    const mean = sumOf(counts) / counts.length
    if (counts.length < 2 || most < ENOUGH_FOR_SKEW || most < skewedFrom(counts.length) * mean) return []
    const times = format.count(most / mean)
    return [`Shard ${counts.indexOf(most)} has ${times} times the ${name} of the mean: the load is skewed.`]
  })
}

/** @param {{ type: string, text: string, hits: number }[] | undefined} hotKeys */
function ofHotKeys(hotKeys = []) {
  const share = (100 * (hotKeys[0]?.hits ?? 0)) / Math.max(ENOUGH_FOR_SKEW, sumOf(hotKeys.map(({ hits }) => hits)))
  if (hotKeys.length < 2 || share < HOT_SHARE) return []
  const percent = format.percent(Math.round(share))
  return [`One key is read far more than others: ${hotKeys[0].text}, ${percent} of the reads of hot keys.`]
}
