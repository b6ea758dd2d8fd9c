'use strict'

// Reads that ask for a type or for a copy. They are always native; plain ones are `TypedMap.get`.

const { ERROR_NUMBERS, createError } = require('../errors.js')
const { isHandleKey } = require('../handle.js')
const { GONE, decode, decodeCopy } = require('../codec/values.js')
const { binding, scratch } = require('../native/attach.js')
const { SCRATCH } = require('../native/layout.js')
const { STALE } = require('../near/near-cache.js')
const { readGetOptions } = require('../options/call-options.js')

const { get: getBinding, getByHandle: getByHandleBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

const { STATE, TYPE } = SCRATCH
const ABSENT = 0

/**
 * @param {OpenMap} open
 * @param {any} key
 * @param {unknown} options
 * @returns {any}
 */
function readAs(open, key, options) {
  const { copy, type } = readGetOptions(options)
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
    return own === GONE ? readAs(open, key, options) : own
  }
  // The same object as without the type.
  const known = isHandleKey(key) ? open.near.sameAs(key) : STALE
  if (known !== STALE) return known
  const value = decode(shapes, kind, raw)
  if (value === GONE) return readAs(open, key, options)
  open.near.keep(key, kind, value, scratch, 0)
  return value
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
