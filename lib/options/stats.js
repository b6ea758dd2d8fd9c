'use strict'

// Options of `getStats`.

const { boolean, checkObject } = require('./checks.js')
const { outOfRange, wrongType } = require('../errors.js')

const STATISTICS = 'statistics that getStats of this map returned'

/**
 * Checks the options of `getStats`.
 *
 * @param {unknown} options
 * @returns {{ shards: boolean, since: Record<string, any> | undefined }}
 */
function readStatsOptions(options) {
  if (options === undefined) return NO_STATS_OPTIONS
  const { shards = false, since } = checkObject('options', options, ['shards', 'since'])
  return { shards: boolean('shards', shards), since: since === undefined ? undefined : readSince(since) }
}

/** @param {any} since */
function readSince(since) {
  if (typeof since !== 'object' || since === null) throw wrongType('option since', since, STATISTICS)
  const isCount = (/** @type {unknown} */ given) => Number.isFinite(given) && /** @type {number} */ (given) >= 0
  if (!isCount(since.uptimeMs) || !isCount(since.resets)) throw outOfRange('option since', since, STATISTICS)
  return since
}

const NO_STATS_OPTIONS = Object.freeze({ shards: false, since: undefined })

module.exports = { readStatsOptions }
