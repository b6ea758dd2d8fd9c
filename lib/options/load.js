'use strict'

// Options of loads.

const { wrongType } = require('../errors.js')
const { MAPS_OWN } = require('../native/ttl.js')
const { MAX_TTL_MS, checkObject, integer } = require('./checks.js')
const { readTtl } = require('./ttl.js')

/**
 * @typedef {object} LoadOptions
 * @property {number | ((value: any) => unknown)} ttl from `readTtl`, or what gives it
 * @property {number | undefined} negativeTtl from `readTtl`
 * @property {number} refreshAfter milliseconds, 0 for never
 * @property {number} staleFor milliseconds
 * @property {number | undefined} timeout milliseconds
 * @property {AbortSignal | undefined} signal
 */

const OPTIONS = ['ttl', 'negativeTtl', 'refreshAfter', 'staleFor', 'timeout', 'signal']

/** What a timer takes. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1
const timeoutCheck = integer(1, MAX_TIMEOUT_MS)

/** @type {Readonly<LoadOptions>} */
const NO_LOAD_OPTIONS = Object.freeze({
  ttl: MAPS_OWN,
  negativeTtl: undefined,
  refreshAfter: 0,
  staleFor: 0,
  timeout: undefined,
  signal: undefined
})

/**
 * Checks the options of a load.
 *
 * @param {unknown} given
 * @returns {Readonly<LoadOptions>}
 */
function readLoadOptions(given) {
  if (given === undefined) return NO_LOAD_OPTIONS
  const { ttl, negativeTtl, refreshAfter, staleFor, timeout, signal } = checkObject('options', given, OPTIONS)
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function') {
    throw wrongType('option signal', signal, 'an AbortSignal')
  }
  return {
    ttl: typeof ttl === 'function' ? ttl : readTtl(ttl),
    negativeTtl: negativeTtl === undefined ? undefined : readTtl(negativeTtl, 'negativeTtl'),
    refreshAfter: readRefreshAfter(refreshAfter),
    staleFor: readStaleFor(staleFor),
    timeout: timeout === undefined ? undefined : timeoutCheck('timeout', timeout),
    signal
  }
}

/** @param {unknown} refreshAfter */
function readRefreshAfter(refreshAfter) {
  const ms = refreshAfter === undefined ? Number.POSITIVE_INFINITY : readTtl(refreshAfter, 'refreshAfter')
  return ms === Number.POSITIVE_INFINITY ? 0 : ms
}

/** @param {unknown} staleFor */
function readStaleFor(staleFor) {
  if (staleFor === undefined) return 0
  const ms = readTtl(staleFor, 'staleFor')
  return ms === Number.POSITIVE_INFINITY ? MAX_TTL_MS : ms
}

module.exports = { readLoadOptions }
