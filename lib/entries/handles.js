'use strict'

// Handles as arguments: the handle of a key, checks of data that stands for a handle, and the reason why a handle has
// no entry.

const { ERROR_NUMBERS, createError, wrongType } = require('../errors.js')
const { Handle, handleOf, isHandleKey, isPending } = require('../handle.js')
const { binding, scratch } = require('../native/attach.js')
const { handleAt } = require('../native/rows.js')
const { refused } = require('../session/refusals.js')

const { check: checkBinding, getHandle: getHandleBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

/** Numbers of slots and generations have 32 bits. */
const MAX_COORDINATE = 2 ** 32 - 1

/** @param {OpenMap} open @param {unknown} given */
function notAHandle(open, given) {
  const details = { argument: 'handle', given: given === null ? 'null' : typeof given, allowed: 'a handle of this map' }
  return refused(open, createError(ERROR_NUMBERS.ERR_KEY_TYPE, details))
}

/**
 * Explains why a handle has no entry.
 *
 * @param {OpenMap} open
 * @param {Handle} handle
 * @returns {never}
 */
function throwDead(open, handle) {
  if (isPending(handle)) throw refused(open, createError(ERROR_NUMBERS.ERR_HANDLE_NOT_FOUND, { pending: true }))
  if (handle.map !== open.instance) {
    const details = { given: handle.map, map: open.instance }
    throw refused(open, createError(ERROR_NUMBERS.ERR_HANDLE_INVALIDATED, details))
  }
  checkBinding(open.id, handle.shard, handle.slot, handle.generation)
  throw refused(open, createError(ERROR_NUMBERS.ERR_HANDLE_NOT_FOUND, {}))
}

/**
 * Revives a handle that `postMessage` sent as plain data.
 *
 * @param {OpenMap} open
 * @param {any} data
 * @returns {Handle}
 */
function revive(open, data) {
  open.check()
  if (isHandleKey(data)) {
    if (data.map !== open.instance) throwDead(open, data)
    return handleOf(data, open.origin)
  }
  if (typeof data !== 'object' || data === null) {
    throw wrongType('data', data, '{ map, shard, slot, generation }, as postMessage sends a handle')
  }
  const { map, shard, slot, generation } = data
  for (const [name, number] of Object.entries({ map, shard, slot, generation })) {
    if (!Number.isInteger(number) || number < 0) throw wrongType(`data.${name}`, number, 'an integer from 0 on')
  }
  if (map !== open.instance) {
    throw createError(ERROR_NUMBERS.ERR_HANDLE_INVALIDATED, { given: map, map: open.instance })
  }
  if (shard >= open.shards) throw createError(ERROR_NUMBERS.ERR_INVALID_SHARD_INDEX, { shard, shards: open.shards })
  if (slot > MAX_COORDINATE || generation > MAX_COORDINATE) throw createError(ERROR_NUMBERS.ERR_HANDLE_NOT_FOUND, {})
  return new Handle(map, shard, slot, generation, open.origin)
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** @this {any} @param {any} key */
  getHandle(key) {
    const open = openOf(this)
    if (isHandleKey(key)) return this.has(key) ? handleOf(key, open.origin) : undefined
    return getHandleBinding(open.id, open.keyOf(key)) ? handleAt(open.origin, scratch, 0) : undefined
  },

  /** @param {any} data */
  handle(data) {
    return revive(openOf(this), data)
  }
})

module.exports = { methods, notAHandle, throwDead }
