'use strict'

// Rates: how many reads hit, and how many operations there are in a second.

const MS_PER_SECOND = 1_000

/** @param {number} value */
const twoDigits = value => Math.round(value * 100) / 100

/** @param {number} hits @param {number} misses */
const hitRate = (hits, misses) => (hits + misses === 0 ? 0 : twoDigits((hits / (hits + misses)) * 100))

/** What the rate of operations is counted from. */
class Meter {
  #operations = 0
  #uptimeMs = 0
  #resets = 0

  /**
   * Operations per second since the last call; since the counts began if that was only just now, or before they did.
   *
   * @param {Record<string, any>} read
   */
  rate({ operations, uptimeMs, countedMs, resets }) {
    if (resets !== this.#resets) {
      this.#resets = resets
      this.#operations = 0
      this.#uptimeMs = uptimeMs - countedMs
    }
    const elapsedMs = uptimeMs - this.#uptimeMs
    const isRecent = elapsedMs < 1
    const rate = isRecent ? operations / Math.max(countedMs, 1) : (operations - this.#operations) / elapsedMs
    if (!isRecent) {
      this.#operations = operations
      this.#uptimeMs = uptimeMs
    }
    return Math.round(rate * MS_PER_SECOND)
  }
}

/** By the open map. @type {WeakMap<object, Meter>} */
const meters = new WeakMap()

/** @param {object} open */
function meterOf(open) {
  const known = meters.get(open)
  if (known !== undefined) return known
  const meter = new Meter()
  meters.set(open, meter)
  return meter
}

/**
 * Operations per second since this was last asked of the open map.
 *
 * @param {import('../../session/open-map.js').OpenMap} open
 * @param {Record<string, any>} read
 */
const opsPerSecond = (open, read) => meterOf(open).rate(read)

/**
 * The counts that have a rate.
 *
 * @param {Record<string, any>} stats
 * @returns {Record<string, number>}
 */
const countsOf = ({ loads, transactions, memory, ...stats }) => ({
  hits: stats.hits,
  nearHits: stats.nearHits,
  nativeHits: stats.nativeHits,
  misses: stats.misses,
  sets: stats.sets,
  inserts: stats.inserts,
  updates: stats.updates,
  deletes: stats.deletes,
  evictions: stats.evictions,
  expirations: stats.expirations,
  refusals: stats.refusals,
  operations: stats.operations,
  loads: loads?.count,
  loadFailures: loads?.failures,
  commits: transactions?.commits,
  conflicts: transactions?.conflicts,
  allocations: memory?.allocations,
  frees: memory?.frees
})

/**
 * What came between two statistics. If counts were reset in between, what came since then.
 *
 * @param {Record<string, any>} stats
 * @param {Record<string, any>} since
 */
function ratesSince(stats, since) {
  const isSame = stats.resets === since.resets
  const timeMs = isSame ? stats.uptimeMs - since.uptimeMs : stats.countedMs
  const before = isSame ? countsOf(since) : {}
  /** @type {Record<string, number>} */
  const perSecond = {}
  for (const [name, count] of Object.entries(countsOf(stats))) {
    const came = count - (before[name] ?? 0)
    perSecond[name] = timeMs > 0 ? twoDigits((came / timeMs) * MS_PER_SECOND) : 0
  }
  const [hits, misses] = [stats.hits - (before.hits ?? 0), stats.misses - (before.misses ?? 0)]
  return { timeMs, cacheHitRate: hitRate(hits, misses), perSecond }
}

module.exports = { hitRate, opsPerSecond, ratesSince, twoDigits }
