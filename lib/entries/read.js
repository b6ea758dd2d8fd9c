'use strict'

// Reads that ask for a type, for a copy, or for one field. Plain ones are `TypedMap.get`.

const { ERROR_NUMBERS, createError } = require('../errors.js')
const { isHandleKey } = require('../handle.js')
const { TYPED, typedArray, walk } = require('../codec/field.js')
const { GONE, decode, decodeCopy, decodeField } = require('../codec/values.js')
const { binding, scratch } = require('../native/attach.js')
const { KIND, SCRATCH } = require('../native/layout.js')
const { STALE } = require('../near/near-cache.js')
const { readGetOptions } = require('../options/call-options.js')
const { refused } = require('../session/refusals.js')

const { field: fieldBinding, get: getBinding, getByHandle: getByHandleBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../options/call-options.js').GetOptions} GetOptions */

const { STATE, TYPE } = SCRATCH
const ABSENT = 0
const FIRST_BYTES = KIND.Uint8Array
const NO_BYTES = new Uint8Array(0)

/**
 * @param {OpenMap} open
 * @param {any} key
 * @param {unknown} options
 * @returns {any}
 */
function readAs(open, key, options) {
  try {
    const read = readGetOptions(options)
    const own = open.keyOf(key)
    if (read.at === undefined) return readWhole(open, own, read)
    open.checkJson('option at')
    return readField(open, own, read, read.at)
  } catch (error) {
    throw refused(open, error)
  }
}

/**
 * A whole value. Always a native call.
 *
 * @param {OpenMap} open
 * @param {any} key
 * @param {GetOptions} options
 * @returns {any}
 */
function readWhole(open, key, options) {
  const { copy, type } = options
  if (!open.mayHave(key)) return undefined
  const raw = isHandleKey(key)
    ? getByHandleBinding(open.id, key.shard, key.slot, key.generation)
    : getBinding(open.id, key)
  const kind = scratch[STATE]
  if (kind === ABSENT) return undefined
  if (type !== undefined && !isOfType(open, type)) return undefined
  const { shapes } = open
  if (copy) {
    const own = decodeCopy(shapes, kind, raw)
    return own === GONE ? readWhole(open, key, options) : own
  }
  // The same object as without the type.
  const known = isHandleKey(key) ? open.near.sameAs(key) : STALE
  if (known !== STALE) return known
  const value = decode(shapes, kind, raw)
  if (value === GONE) return readWhole(open, key, options)
  open.near.keep(key, kind, value, scratch, 0)
  return value
}

/**
 * A field of a value: of the copy at hand, or else read natively, and not kept.
 *
 * @param {OpenMap} open
 * @param {any} key
 * @param {GetOptions} options
 * @param {import('../options/pointer.js').Pointer} at
 * @returns {any}
 */
function readField(open, key, options, at) {
  const { as, copy, type } = options
  // Copies do not say their type.
  const known = type === undefined ? copyAtHand(open, key) : STALE
  if (known !== STALE) {
    const value = walk(known, at.tokens)
    if (as !== undefined) return typedArray(value, as, at.text)
    if (!copy || typeof value !== 'object' || value === null) return value
  }
  const value = at.isNative ? readFieldNatively(open, key, options, at) : readAround(open, key, options, at)
  open.reportManyHits()
  return value
}

/**
 * The fresh copy of a key or handle, as a hit.
 *
 * @param {OpenMap} open
 * @param {any} key
 */
function copyAtHand({ near }, key) {
  if (isHandleKey(key)) return near.findHandle(key)
  return typeof key === 'object' && key !== null ? STALE : near.findKey(key, near.placeOf(key))
}

/** @type {typeof readField} */
function readFieldNatively(open, key, options, at) {
  const { as, copy, type } = options
  if (!open.mayHave(key)) return undefined
  const { id, shapes } = open
  const typed = as === undefined ? 0 : TYPED[as].kind
  const raw = isHandleKey(key)
    ? fieldBinding(id, at.text, typed, key.shard, key.slot, key.generation)
    : fieldBinding(id, at.text, typed, key)
  const kind = scratch[STATE]
  if (kind === ABSENT) return undefined
  if (type !== undefined && !isOfType(open, type)) return undefined
  // Of bytes, which are no array of numbers, there is no more than their kind.
  if (as !== undefined && kind >= FIRST_BYTES && raw === undefined) return typedArray(NO_BYTES, as, at.text)
  const value = decodeField(shapes, kind, raw, at.tokens, as === undefined && !copy)
  if (value === GONE) return readFieldNatively(open, key, options, at)
  // Native code made it of a record.
  return as === undefined || kind === typed ? value : typedArray(value, as, at.text)
}

/**
 * The same for a pointer that native code does not follow.
 *
 * @type {typeof readField}
 */
function readAround(open, key, options, at) {
  const value = walk(readWhole(open, key, options), at.tokens)
  return options.as === undefined ? value : typedArray(value, options.as, at.text)
}

/**
 * Checks the type of the entry that the last native call found. False if the entry is gone: a name exists as long as an
 * entry has it, so another thread has since removed the last such entry.
 *
 * @param {OpenMap} open
 * @param {string} expected
 */
function isOfType(open, expected) {
  const type = scratch[TYPE]
  const found = open.typeName(type)
  if (found === null && type !== 0) return false
  if (found !== expected) throw createError(ERROR_NUMBERS.ERR_WRONG_TYPE, { expected, found })
  return true
}

module.exports = { readAs }
