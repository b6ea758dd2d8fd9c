'use strict'

// Writes that are made if a value is the expected one.

const { isHandleKey } = require('../handle.js')
const { GONE, decode, decodeWritten, encode, encodeAsText, kindOf, kindOfWire } = require('../codec/values.js')
const { binding, scratch } = require('../native/attach.js')
const { SCRATCH } = require('../native/layout.js')
const { readWriteOptions } = require('../options/ttl.js')
const { refused } = require('../session/refusals.js')
const { writeNative } = require('../session/room-maker.js')
const { throwDead } = require('./handles.js')
const { peek } = require('./lifetime.js')

const { compareAndSet: compareAndSetBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../session/room-maker.js').RoomMaker} RoomMaker */

const { REPLACED, STATE } = SCRATCH
const ABSENT = 0
const NAME = 'compareAndSet'

/**
 * Index of the next value among the parameters of the native call. The expected one is never a record, so that it can
 * be compared whatever becomes of its shape.
 */
const NEXT_AT = 3

/**
 * @param {OpenMap} open
 * @param {RoomMaker} room
 * @param {any} target
 * @param {any} expected
 * @param {any} next
 * @param {number} ttl
 * @returns {{ swapped: boolean, value: any }}
 */
function compareAndSet(open, room, target, expected, next, ttl) {
  const { id, shapes } = open
  const expectedKind = kindOf(shapes, expected)
  const asked = encodeAsText(expected, expectedKind)
  const known = kindOf(shapes, next)
  const wire = encode(shapes, next, known)
  const kind = kindOfWire(known, wire)
  for (;;) {
    const raw = swap(room, ttl, id, asked, expectedKind, wire, kind, target)
    const swapped = scratch[REPLACED] !== 0
    const found = swapped ? kind : scratch[STATE]
    if (found === ABSENT) return isHandleKey(target) ? throwDead(open, target) : { swapped, value: undefined }
    const value = swapped ? decodeWritten(shapes, kind, wire) : decode(shapes, found, raw)
    if (value !== GONE) {
      // Encoding a value can run its own code, which may have changed the cache.
      open.near.keep(target, found, value, scratch, 0)
      return { swapped, value }
    }
    // The shape of what was written is gone, because a later write came in its place.
    if (swapped) return { swapped, value: peek(open, target) }
  }
}

/**
 * @param {RoomMaker} room
 * @param {number} ttl
 * @param {number} id
 * @param {any} asked
 * @param {number} askedKind
 * @param {any} wire
 * @param {number} kind
 * @param {any} target
 */
function swap(room, ttl, id, asked, askedKind, wire, kind, target) {
  const cas = compareAndSetBinding
  if (!isHandleKey(target)) return writeNative(room, ttl, NAME, cas, NEXT_AT, id, asked, askedKind, wire, kind, target)
  const { shard, slot, generation } = target
  return writeNative(room, ttl, NAME, cas, NEXT_AT, id, asked, askedKind, wire, kind, shard, slot, generation)
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf, roomOf }) => ({
  /** @this {any} @param {any} given @param {any} expected @param {any} next @param {any} options */
  compareAndSet(given, expected, next, options = undefined) {
    const open = openOf(this)
    const key = open.keyOf(given)
    try {
      const ttl = readWriteOptions(options)
      open.checkJson(NAME)
      if (!open.mayHave(key)) throwDead(open, key)
      return compareAndSet(open, roomOf(this), key, expected, next, ttl)
    } catch (error) {
      throw refused(open, error)
    }
  }
})

module.exports = { methods }
