'use strict'

// Options of single calls.

const { MAX_TYPE_NAME_BYTES, boolean, checkObject, oneOf, readName } = require('./checks.js')
const { badOption } = require('../errors.js')
const { readPointer } = require('./pointer.js')
const { readTtl } = require('./ttl.js')

/**
 * @typedef {object} GetOptions
 * @property {boolean} copy
 * @property {string | undefined} type
 * @property {import('./pointer.js').Pointer | undefined} at
 * @property {'f32' | 'f64' | undefined} as
 */

const GET_OPTIONS = ['copy', 'type', 'at', 'as']
const typedArrayName = oneOf(['f32', 'f64'])

/**
 * Checks the options of a read: the name of a type, or an object.
 *
 * @param {unknown} given
 * @returns {GetOptions}
 */
function readGetOptions(given) {
  if (typeof given === 'string') {
    return { copy: false, type: readName('type', given, MAX_TYPE_NAME_BYTES), at: undefined, as: undefined }
  }
  const { copy = false, type, at, as } = checkGetOptions(given)
  if (copy !== false) boolean('copy', copy)
  if (as !== undefined) typedArrayName('as', as)
  if (as !== undefined && at === undefined) throw badOption('as', `needs option at; allowed: { at: '', as: '${as}' }`)
  return {
    copy,
    type: type === undefined ? undefined : readName('option type', type, MAX_TYPE_NAME_BYTES),
    at: at === undefined ? undefined : readPointer(at),
    as
  }
}

/**
 * As `checkObject`, which takes as long as the rest of a read: most objects have no names but these.
 *
 * @param {any} given
 */
function checkGetOptions(given) {
  let isOrdinary = typeof given === 'object' && given !== null && !Array.isArray(given)
  if (isOrdinary) for (const name in given) if (!isGetOption(name)) isOrdinary = false
  return isOrdinary ? given : checkObject('the second argument', given, GET_OPTIONS, 'the name of a type, or ')
}

/** @param {string} name */
const isGetOption = name => name === 'at' || name === 'as' || name === 'copy' || name === 'type'

/**
 * Checks the options of an insert.
 *
 * @param {unknown} given
 * @returns {{ type: string | undefined, ttl: number }} `ttl` from `readTtl`
 */
function readInsertOptions(given) {
  if (given === undefined) return NO_INSERT_OPTIONS
  const { type, ttl } = checkObject('options', given, ['type', 'ttl'])
  return {
    type: type === undefined ? undefined : readName('option type', type, MAX_TYPE_NAME_BYTES),
    ttl: readTtl(ttl)
  }
}

/**
 * Checks the options of `deleteMany`.
 *
 * @param {unknown} given
 * @returns {boolean} whether to say of each item if it was there
 */
function readDeleteManyOptions(given) {
  return given === undefined ? false : boolean('each', checkObject('options', given, ['each']).each ?? false)
}

const NO_INSERT_OPTIONS = Object.freeze({ type: undefined, ttl: 0 })

module.exports = { readDeleteManyOptions, readGetOptions, readInsertOptions }
