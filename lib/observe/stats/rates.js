'use strict'

// Rates: how many reads hit, and how many operations there are in a second.

const MS_PER_SECOND = 1_000

/** @param {number} value */
const twoDigits = value => Math.round(value * 100) / 100

/** What the rate of operations is counted from. */
class Meter {
  #operations = 0
  #uptimeMs = 0

  /**
   * Operations per second since the last call, or since the map was made if that was only just now.
   *
   * @param {number} operations
   * @param {number} uptimeMs
   */
  rate(operations, uptimeMs) {
    const elapsedMs = uptimeMs - this.#uptimeMs
    const isRecent = elapsedMs < 1
    const rate = isRecent ? operations / Math.max(uptimeMs, 1) : (operations - this.#operations) / elapsedMs
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
 * @param {import('../../session/open-map.js').OpenMap} open
 * @param {Record<string, any>} read
 */
function rates(open, { hits, misses, operations, uptimeMs }) {
  const reads = hits + misses
  return {
    cacheHitRate: reads === 0 ? 0 : twoDigits((hits / reads) * 100),
    opsPerSecond: meterOf(open).rate(operations, uptimeMs)
  }
}

module.exports = { rates, twoDigits }
