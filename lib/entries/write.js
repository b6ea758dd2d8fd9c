'use strict'

// Writes of one entry. `TypedMap.set` and `TypedMap.delete` are the ones that Map has, too.

const { handleOf, isHandleKey } = require('../handle.js')
const {
  GONE,
  decode,
  decodePrepared,
  decodeWritten,
  encode,
  kindOf,
  kindOfWire,
  prepare
} = require('../codec/values.js')
const { binding, scratch } = require('../native/attach.js')
const { SCRATCH } = require('../native/layout.js')
const { handleAt } = require('../native/rows.js')
const { readInsertOptions } = require('../options/call-options.js')
const { readWriteOptions } = require('../options/ttl.js')
const { about } = require('../session/open-map.js')
const { refused } = require('../session/refusals.js')
const { writeNative } = require('../session/room-maker.js')
const { notAHandle, throwDead } = require('./handles.js')
const { find, removeSeen } = require('./seen.js')

const {
  delete: deleteBinding,
  get: getBinding,
  getOrInsert: getOrInsertBinding,
  insert: insertBinding,
  remove: removeBinding,
  replace: replaceBinding,
  set: setBinding
} = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../session/room-maker.js').RoomMaker} RoomMaker */

const { STATE } = SCRATCH
const ABSENT = 0

/** How often a value is decoded before its entry is removed at once. */
const MOST_LOOKS = 100

/**
 * Sets the value of a key. Afterwards the scratch array holds the place of its entry.
 *
 * @param {OpenMap} open
 * @param {RoomMaker} room
 * @param {any} key no handle
 * @param {any} value
 * @param {unknown} options
 */
function setByKey(open, room, key, value, options) {
  try {
    const ttl = readWriteOptions(options)
    const known = kindOf(open.shapes, value)
    const wire = encode(open.shapes, value, known)
    const kind = kindOfWire(known, wire)
    writeNative(room, ttl, 'set', setBinding, 2, open.id, key, wire, kind)
    open.near.renew(key, kind, wire, scratch)
  } catch (error) {
    throw refused(open, error)
  }
}

/**
 * The value of a key; a missing one is written first. With `withState`, `{ value, inserted }`.
 *
 * @param {OpenMap} open
 * @param {RoomMaker} room
 * @param {any} key no handle
 * @param {any} value
 * @param {number} ttl
 * @param {boolean} withState
 * @returns {any}
 */
function getOrSet(open, room, key, value, ttl, withState) {
  const { id, shapes } = open
  const prepared = prepare(shapes, value)
  const { kind, wire } = prepared
  const raw = writeNative(room, ttl, 'getOrInsert', getOrInsertBinding, 2, id, key, wire, kind)
  const found = scratch[STATE]
  const isNew = found === ABSENT
  const known = isNew ? decodePrepared(shapes, prepared) : decode(shapes, found, raw)
  if (known === GONE) return getOrSet(open, room, key, decodeWritten(shapes, kind, wire), ttl, withState)
  // Encoding a value can run its own code, which may have changed the cache.
  open.near.keep(key, isNew ? kind : found, known, scratch, 0)
  return withState ? { value: known, inserted: isNew } : known
}

/**
 * The same for a value that is not encoded unless it is needed: a look costs less than a codec.
 *
 * @type {typeof getOrSet}
 */
function getOrEncode(open, room, key, value, ttl, withState) {
  const { id, shapes } = open
  if (shapes.codec !== undefined) {
    const raw = getBinding(id, key)
    const found = scratch[STATE]
    if (found !== ABSENT) {
      const known = decode(shapes, found, raw)
      return withState ? { value: known, inserted: false } : known
    }
  }
  return getOrSet(open, room, key, value, ttl, withState)
}

/**
 * Sets the value of a missing key; returns what a read of it would.
 *
 * @param {OpenMap} open
 * @param {RoomMaker} room
 * @param {any} key no handle
 * @param {any} value
 * @param {number} ttl
 */
function setComputed(open, room, key, value, ttl) {
  const { id, shapes } = open
  const prepared = prepare(shapes, value)
  const { kind, wire } = prepared
  writeNative(room, ttl, 'set', setBinding, 2, id, key, wire, kind)
  const known = decodePrepared(shapes, prepared)
  open.near.keep(key, kind, known, scratch, 0)
  return known
}

/**
 * Deletes a key or the entry of a handle; returns whether it was in the map.
 *
 * @param {OpenMap} open
 * @param {any} target
 * @returns {boolean}
 */
function deleteEntry(open, target) {
  if (!open.mayHave(target)) return false
  const deleted = about(deleteBinding, open, target)
  open.near.forget(target)
  return deleted
}

/**
 * Removes an entry and returns its value.
 *
 * @param {OpenMap} open
 * @param {any} target
 * @returns {any}
 */
function removeNow(open, target) {
  const raw = about(removeBinding, open, target)
  open.near.forget(target)
  const kind = scratch[STATE]
  // The shape of the record that was removed last is known until the next is.
  return kind === ABSENT ? undefined : decode(open.shapes, kind, raw)
}

/**
 * The same where code of the user decodes the value. That comes first, so that the entry stays if it throws.
 *
 * @param {OpenMap} open
 * @param {any} target
 * @returns {any}
 */
function removeDecoded(open, target) {
  for (let tries = 0; tries < MOST_LOOKS; tries++) {
    const seen = find(open, target)
    // Asked for all the same: what is being loaded for the key is older than this.
    if (seen === undefined) return removeNow(open, target)
    if (removeSeen(open, target, seen)) return seen.value
  }
  // Other threads write the entry faster than its value is decoded.
  return removeNow(open, target)
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf, roomOf }) => ({
  /** @param {any} given */
  remove(given) {
    const open = openOf(this)
    const key = open.keyOf(given)
    if (!open.mayHave(key)) return undefined
    return open.shapes.codec === undefined ? removeNow(open, key) : removeDecoded(open, key)
  },

  /** @param {any} value @param {any} options */
  insert(value, options = undefined) {
    const open = openOf(this)
    try {
      const { id, origin, shapes } = open
      const { type, ttl } = readInsertOptions(options)
      const kind = kindOf(shapes, value)
      const wire = encode(shapes, value, kind)
      writeNative(roomOf(this), ttl, 'insert', insertBinding, 1, id, wire, kindOfWire(kind, wire), type)
      return handleAt(origin, scratch, 0)
    } catch (error) {
      throw refused(open, error)
    }
  },

  /** @this {any} @param {any} key @param {any} value @param {any} options */
  insertWithHandle(key, value, options = undefined) {
    const open = openOf(this)
    if (isHandleKey(key)) {
      this.replace(key, value, options)
      return handleOf(key, open.origin)
    }
    setByKey(open, roomOf(this), open.keyOf(key), value, options)
    return handleAt(open.origin, scratch, 0)
  },

  /** @param {any} handle @param {any} value @param {any} options */
  replace(handle, value, options = undefined) {
    const open = openOf(this)
    if (!isHandleKey(handle)) throw notAHandle(open, handle)
    if (!open.owns(handle)) throwDead(open, handle)
    const { shard, slot, generation } = handle
    try {
      const ttl = readWriteOptions(options)
      const known = kindOf(open.shapes, value)
      const wire = encode(open.shapes, value, known)
      const kind = kindOfWire(known, wire)
      writeNative(roomOf(this), ttl, 'replace', replaceBinding, 4, open.id, shard, slot, generation, wire, kind)
      open.near.renew(handle, kind, wire, scratch)
      return this
    } catch (error) {
      throw refused(open, error)
    }
  }
})

module.exports = { deleteEntry, getOrEncode, getOrSet, methods, setByKey, setComputed }
