'use strict'

// What a pointer leads to in a value, and arrays of numbers as typed arrays.

const { ERROR_NUMBERS, createError } = require('../errors.js')
const { KIND } = require('../native/layout.js')

const { isArray } = Array
const { hasOwnProperty: isOwn } = Object.prototype

/** The typed arrays that can be asked for, and the kinds that native code knows them by. */
const TYPED = /** @type {const} */ ({
  f32: { View: Float32Array, kind: KIND.Float32Array },
  f64: { View: Float64Array, kind: KIND.Float64Array }
})

/**
 * Goes down into a value. Objects and arrays have members, which are their own; others have none.
 *
 * @param {any} value
 * @param {readonly string[]} tokens
 * @returns {any} undefined if they lead nowhere
 */
function walk(value, tokens) {
  let at = value
  for (const token of tokens) {
    if (typeof at !== 'object' || at === null || ArrayBuffer.isView(at)) return undefined
    // Of an array those are its indexes, and one more.
    if (!isOwn.call(at, token) || (token === 'length' && isArray(at))) return undefined
    at = at[token]
  }
  return at
}

/**
 * An array of numbers as a typed array.
 *
 * @param {any} value
 * @param {keyof typeof TYPED} as
 * @param {string} at the pointer that led to it
 * @returns {Float32Array | Float64Array | undefined} undefined if there was no value
 * @throws TypedMapError with ERR_WRONG_TYPE for anything else
 */
function typedArray(value, as, at) {
  if (value === undefined) return undefined
  if (!isArray(value)) throw notNumbers(at, nounOf(value))
  for (const number of value) {
    if (!Number.isFinite(number)) throw notNumbers(at, `an array with ${nounOf(number)} in it`)
  }
  return new TYPED[as].View(value)
}

/** @param {string} at @param {string} found */
const notNumbers = (at, found) =>
  createError(ERROR_NUMBERS.ERR_WRONG_TYPE, { at, expected: 'an array of numbers', found })

/** @param {unknown} value */
function nounOf(value) {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value !== 'object') return typeof value === 'number' ? `the number ${value}` : `a ${typeof value}`
  if (ArrayBuffer.isView(value)) return 'a typed array'
  return isArray(value) ? 'an array' : 'an object'
}

module.exports = { TYPED, typedArray, walk }
