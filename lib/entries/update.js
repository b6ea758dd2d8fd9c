'use strict'

// Updates by a function of the user: what it makes of a value is written, unless the entry has changed meanwhile. Then
// it is called again, with what is there by now. No lock is held while it runs.

const { ERROR_NUMBERS, createError } = require('../errors.js')
const { isHandleKey } = require('../handle.js')
const { GONE, decodePrepared, prepare } = require('../codec/values.js')
const { binding, scratch } = require('../native/attach.js')
const { SCRATCH } = require('../native/layout.js')
const { checkFunction } = require('../options/checks.js')
const { readUpdateOptions } = require('../options/update.js')
const { refused } = require('../session/refusals.js')
const { writeNative } = require('../session/room-maker.js')
const { throwDead } = require('./handles.js')
const { peek } = require('./lifetime.js')
const { find, removeSeen } = require('./seen.js')

const { getOrInsert: getOrInsertBinding, replaceIf: replaceIfBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../session/room-maker.js').RoomMaker} RoomMaker */
/** @typedef {import('./seen.js').Seen} Seen */

const { STATE } = SCRATCH
const ABSENT = 0

/**
 * @param {OpenMap} open
 * @param {any} target
 * @returns {Seen | undefined} `undefined` for a key without an entry
 */
function look(open, target) {
  return find(open, target) ?? (isHandleKey(target) ? throwDead(open, target) : undefined)
}

/**
 * Writes the next value, if nothing has changed the entry since it was seen. Returns what a read of it would; GONE if
 * something has.
 *
 * @param {OpenMap} open
 * @param {RoomMaker} room
 * @param {any} target
 * @param {Seen | undefined} seen
 * @param {any} next
 * @param {number} ttl
 */
function writeNext(open, room, target, seen, next, ttl) {
  const { id, shapes } = open
  const prepared = prepare(shapes, next)
  const { kind, wire } = prepared
  if (seen === undefined) {
    writeNative(room, ttl, 'update', getOrInsertBinding, 2, id, target, wire, kind)
    if (scratch[STATE] !== ABSENT) return GONE
  } else {
    const { shard, slot, generation, version } = seen
    const write = replaceIfBinding
    const isDone = writeNative(room, ttl, 'update', write, 4, id, shard, slot, generation, wire, kind, version)
    if (!isDone) return GONE
  }
  const written = decodePrepared(shapes, prepared)
  // Its shape is gone, because a later write came in its place.
  if (written === GONE) return peek(open, target)
  open.near.keep(target, kind, written, scratch, 0)
  return written
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf, roomOf }) => ({
  /** @this {any} @param {any} given @param {(value: any) => any} callback @param {any} options */
  update(given, callback, options = undefined) {
    const open = openOf(this)
    try {
      checkFunction('callback', callback)
      const { retries, ttl } = readUpdateOptions(options)
      const key = open.keyOf(given)
      if (!open.mayHave(key)) throwDead(open, key)
      for (let tries = 0; tries <= retries; tries++) {
        const seen = look(open, key)
        const next = Reflect.apply(callback, undefined, [seen?.value])
        if (next === undefined) {
          if (removeSeen(open, key, seen)) return undefined
        } else {
          const written = writeNext(open, roomOf(this), key, seen, next, ttl)
          if (written !== GONE) return written
        }
      }
      throw createError(ERROR_NUMBERS.ERR_TRANSACTION_CONFLICT, { retries })
    } catch (error) {
      throw refused(open, error)
    }
  }
})

module.exports = { methods }
