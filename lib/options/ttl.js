'use strict'

// How long an entry lives: what a write asks for.

const { outOfRange, wrongType } = require('../errors.js')
const { MAPS_OWN } = require('../native/ttl.js')
const { MAX_TTL_MS, checkObject } = require('./checks.js')

const ALLOWED = `a number of milliseconds above 0, up to ${MAX_TTL_MS}, or Infinity for an entry that never expires`

/**
 * Checks the ttl of a write.
 *
 * @param {unknown} ttl
 * @param {string} [name] of the option
 * @returns {number} milliseconds, `Infinity` for never, MAPS_OWN if there is none
 */
function readTtl(ttl, name = 'ttl') {
  if (ttl === undefined) return MAPS_OWN
  if (typeof ttl !== 'number') throw wrongType(`option ${name}`, ttl, ALLOWED)
  if (!(ttl > 0) || (ttl > MAX_TTL_MS && ttl !== Number.POSITIVE_INFINITY)) {
    throw outOfRange(`option ${name}`, ttl, ALLOWED)
  }
  return Math.ceil(ttl)
}

/**
 * Checks the options of a write that has no others.
 *
 * @param {unknown} options
 */
function readWriteOptions(options) {
  return options === undefined ? MAPS_OWN : readTtl(checkObject('options', options, ['ttl']).ttl)
}

module.exports = { readTtl, readWriteOptions }
