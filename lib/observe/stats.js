'use strict'

// What `getStats` returns.

const { binding } = require('../native/attach.js')
const { readData } = require('../native/data.js')

const { stats: statsBinding } = binding

const BYTES_PER_MB = 1024 ** 2
const MS_PER_SECOND = 1_000

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

/** @param {number} value */
const twoDigits = value => Math.round(value * 100) / 100

/** @param {{ entries: number, live: number, retired: number }} memory */
function fragmentation({ entries, live, retired }) {
  // Cleared entries count as retired, but their blocks are no longer counted.
  return entries === 0 ? 0 : twoDigits(Math.max(0, entries - live - retired) / entries)
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
 * @param {number} id
 * @param {Meter} meter
 * @param {Record<string, number>} nearCache its statistics
 * @param {Record<string, number>} texts objects that were written as text, by the reason
 * @returns {Record<string, any>}
 */
function readStats(id, meter, nearCache, texts) {
  const read = readData(statsBinding(id))
  const { uptimeMs, operations, hits, misses, memory, shapes, maxEntries, maxValueBytes, ...rest } = read
  const reads = hits + misses
  return {
    ...rest,
    hits,
    misses,
    cacheHitRate: reads === 0 ? 0 : twoDigits((hits / reads) * 100),
    operations,
    opsPerSecond: meter.rate(operations, uptimeMs),
    memoryMb: twoDigits(memory.total / BYTES_PER_MB),
    memoryBytes: memory.total,
    memory: { ...memory, fragmentation: fragmentation(memory) },
    shapes: { ...shapes, texts: { ...texts } },
    limits: { memoryLimit: memory.limit, maxEntries, maxValueBytes },
    nearCache,
    uptimeMs
  }
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  getStats() {
    const open = openOf(this)
    open.check()
    open.reportHits()
    return readStats(open.id, meterOf(open), open.near.stats, open.shapes.texts)
  }
})

module.exports = { methods }
