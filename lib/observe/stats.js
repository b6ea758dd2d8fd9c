'use strict'

// `getStats`: what native code counts, with what is known in JavaScript alone. A section that is native arrives by its
// name (`src/store/observe/stats/`); one that is not has a file in `stats/`.

const { binding } = require('../native/attach.js')
const { readData } = require('../native/data.js')
const { readStatsOptions } = require('../options/stats.js')
const { eachOpen, reportHitsOf } = require('../session/opens.js')
const { errors } = require('./stats/errors.js')
const { memory } = require('./stats/memory.js')
const { hitRate, opsPerSecond, ratesSince } = require('./stats/rates.js')
const { recovery } = require('./stats/recovery.js')
const { roomFor, shardsIn } = require('./stats/shards.js')

const { evaluation, resetStats: resetStatsBinding, stats: statsBinding, statsOfNamed: statsOfNamedBinding } = binding

/**
 * All but the rate of operations, which is told once to each that asks for it.
 *
 * @param {import('../session/open-map.js').OpenMap} open
 * @param {Float64Array | undefined} [figures] where those of the shards go
 * @returns {Record<string, any>}
 */
function readStats(open, figures = undefined) {
  const { maxEntries, maxValueBytes, ...read } = readData(statsBinding(open.id, figures))
  return {
    ...read,
    cacheHitRate: hitRate(read.hits, read.misses),
    ...memory(read),
    ...errors(read),
    ...recovery(read),
    shapes: { ...read.shapes, texts: { ...open.shapes.texts } },
    limits: { memoryLimit: read.memory.limit, maxEntries, maxValueBytes },
    nearCache: open.near.stats
  }
}

/**
 * Statistics of all named maps of the process, without what is known to an open map alone.
 *
 * @returns {{ name: string, isBroken: boolean, stats: Record<string, any> }[]}
 */
function statsOfNamed() {
  eachOpen(open => open.reportHits())
  const maps = /** @type {any[]} */ (/** @type {unknown} */ (readData(statsOfNamedBinding(evaluation))))
  return maps.map(({ stats: read, ...map }) => ({ ...map, stats: { ...read, ...memory(read), ...errors(read) } }))
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** @param {any} options */
  getStats(options = undefined) {
    const open = openOf(this)
    const { shards, since } = readStatsOptions(options)
    open.check()
    reportHitsOf(open)
    const figures = shards ? roomFor(open.shards) : undefined
    const stats = readStats(open, figures)
    stats.opsPerSecond = opsPerSecond(open, stats)
    if (since !== undefined) stats.rates = ratesSince(stats, since)
    if (figures !== undefined) stats.eachShard = shardsIn(figures)
    return stats
  },

  resetStats() {
    const open = openOf(this)
    open.check()
    reportHitsOf(open)
    resetStatsBinding(open.id)
  }
})

module.exports = { methods, readStats, statsOfNamed }
