'use strict'

// Options of writes that depend on what is there.

const { boolean, checkObject, integer } = require('./checks.js')
const { MAPS_OWN } = require('../native/ttl.js')
const { readTtl } = require('./ttl.js')

/** How often an update or a transaction is tried again. */
const RETRIES = 1_000
const MOST_RETRIES = 2 ** 31

const retriesCheck = integer(0, MOST_RETRIES)

/**
 * Checks the options of `update`.
 *
 * @param {unknown} options
 * @returns {{ retries: number, ttl: number }} `ttl` from `readTtl`
 */
function readUpdateOptions(options) {
  if (options === undefined) return { retries: RETRIES, ttl: MAPS_OWN }
  const { retries = RETRIES, ttl } = checkObject('options', options, ['retries', 'ttl'])
  return { retries: retriesCheck('retries', retries), ttl: readTtl(ttl) }
}

/**
 * Checks the options of `transaction`.
 *
 * @param {unknown} options
 * @returns {{ retries: number }}
 */
function readTransactionOptions(options) {
  if (options === undefined) return { retries: RETRIES }
  const { retries = RETRIES } = checkObject('options', options, ['retries'])
  return { retries: retriesCheck('retries', retries) }
}

/**
 * Checks the options of `getOrInsert` and `getOrInsertComputed`.
 *
 * @param {unknown} options
 * @returns {{ ttl: number, withState: boolean }} `ttl` from `readTtl`
 */
function readPutOptions(options) {
  if (options === undefined) return NO_PUT_OPTIONS
  const { ttl, withState = false } = checkObject('options', options, ['ttl', 'withState'])
  return { ttl: readTtl(ttl), withState: boolean('withState', withState) }
}

const NO_PUT_OPTIONS = Object.freeze({ ttl: MAPS_OWN, withState: false })

module.exports = { readPutOptions, readTransactionOptions, readUpdateOptions }
