'use strict'

// What `increment` is asked for.

const { badOption, outOfRange, wrongType } = require('../errors.js')
const { MAPS_OWN } = require('../native/ttl.js')
const { MAX_POINTER_STEPS } = require('../native/layout.js')
const { boolean, checkObject } = require('./checks.js')
const { readPointer } = require('./pointer.js')
const { readTtl } = require('./ttl.js')

/** @typedef {import('./pointer.js').Pointer} Pointer */
/**
 * @typedef {object} Increment
 * @property {any} by a number, or a bigint as all of these are
 * @property {any} initial
 * @property {any} min `undefined` for no bound of a bigint
 * @property {any} max
 * @property {number} ttl from `readTtl`
 * @property {boolean} withTtl
 * @property {Pointer | undefined} at where the number is; `undefined` if the value is it
 */

const OPTIONS = ['initial', 'ttl', 'min', 'max', 'withTtl', 'at']

const FINITE = 'a number that is neither NaN nor infinite, or a bigint'

const NONE = Object.freeze({})

/** @type {Increment} */
const BY_ONE = Object.freeze({
  by: 1,
  initial: 0,
  min: Number.NEGATIVE_INFINITY,
  max: Number.POSITIVE_INFINITY,
  ttl: MAPS_OWN,
  withTtl: false,
  at: undefined
})

/**
 * Checks the arguments.
 *
 * @param {unknown} by
 * @param {unknown} options
 * @returns {Increment}
 */
function readIncrement(by, options) {
  if (options === undefined && (by === undefined || by === 1)) return BY_ONE
  const {
    initial,
    ttl,
    min,
    max,
    withTtl = false,
    at
  } = checkObject('options', options === undefined ? NONE : options, OPTIONS)
  const given = { by, 'option initial': initial, 'option min': min, 'option max': max }
  const isBig = Object.values(given).some(value => typeof value === 'bigint')
  for (const [name, value] of Object.entries(given)) checkNumber(name, value, isBig)
  boolean('withTtl', withTtl)
  if (min !== undefined && max !== undefined && min > max) {
    throw badOption('min', `is ${min}, above option max, which is ${max}`)
  }
  const common = { ttl: readTtl(ttl), withTtl, at: readAt(at, isBig) }
  if (isBig) return { by: by ?? 1n, initial: initial ?? 0n, min, max, ...common }
  return {
    by: by ?? BY_ONE.by,
    initial: initial ?? BY_ONE.initial,
    min: min ?? BY_ONE.min,
    max: max ?? BY_ONE.max,
    ...common
  }
}

/**
 * @param {unknown} given
 * @param {boolean} isBig whether a bigint is added
 */
function readAt(given, isBig) {
  if (given === undefined) return undefined
  const at = readPointer(given)
  if (at.tokens.length === 0) return undefined
  if (isBig) throw badOption('at', 'is of a number in an object, which has no bigints, and one of the arguments is one')
  if (!at.isNative) throw badOption('at', `has a lone surrogate, or more than ${MAX_POINTER_STEPS} steps`)
  return at
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {boolean} isBig whether one of them is a bigint, so that all have to be
 */
function checkNumber(name, value, isBig) {
  if (value === undefined) return
  if (typeof value !== 'number' && typeof value !== 'bigint') throw wrongType(name, value, FINITE)
  if (isBig && typeof value !== 'bigint') throw wrongType(name, value, 'a bigint, as another of the arguments is')
  const isBound = name === 'option min' || name === 'option max'
  if (typeof value === 'number' && !(isBound ? !Number.isNaN(value) : Number.isFinite(value))) {
    throw outOfRange(name, value, FINITE)
  }
}

module.exports = { readIncrement }
