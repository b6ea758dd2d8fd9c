'use strict'

// Room in a full map, made by functions of the user: an `evictionStrategy` function chooses the entries to evict, an
// `oomStrategy` function frees room itself. In such a map native code only refuses a write that does not fit. The
// writing thread then calls the function and writes again.

const { ERROR_NUMBERS, TypedMapError, evictionFailed } = require('../errors.js')
const { isHandleKey } = require('../handle.js')
const { ownBytes } = require('../codec/encoded.js')
const { textOfWritten } = require('../codec/values.js')
const { SHAPE_GONE, binding, scratch } = require('../native/attach.js')
const { KEY_KIND, KIND, SCRATCH, WALK_ROW } = require('../native/layout.js')
const records = require('../native/records.js')
const { handleAt } = require('../native/rows.js')
const { requestTtl } = require('../native/ttl.js')

const {
  candidates: candidatesBinding,
  evictEntry: evictEntryBinding,
  getHandle: getHandleBinding,
  giveUp: giveUpBinding
} = binding

/** @typedef {import('../handle.js').Handle} Handle */
/** @typedef {import('./open-map.js').OpenMap} OpenMap */
/**
 * The methods of the map that candidates use.
 *
 * @typedef {object} TypedMap
 * @property {(key: any) => number | undefined} memoryUsage
 */
/**
 * What candidates ask about their entries, past the methods of the map: those are calls of the program.
 *
 * @typedef {object} Looks
 * @property {(open: OpenMap, handle: Handle) => any} peek
 * @property {(open: OpenMap, handle: Handle) => number | undefined} ttlOf
 */

/** Candidates that a strategy chooses from. More make better choices and cost a microsecond each. */
const CANDIDATES = 32

const { COUNT } = SCRATCH

/** An entry that may be evicted. Its value, bytes and ttl are only looked up when they are read. */
class Candidate {
  #map
  #open
  #looks

  /**
   * @param {TypedMap} map
   * @param {OpenMap} open
   * @param {Looks} looks
   * @param {any} key the handle if there is none
   * @param {Handle} handle
   */
  constructor(map, open, looks, key, handle) {
    this.#map = map
    this.#open = open
    this.#looks = looks
    this.key = key
    this.handle = handle
  }

  /** The value, without counting as a read. */
  get value() {
    return this.#looks.peek(this.#open, this.handle)
  }

  /** What the entry costs. */
  get bytes() {
    return this.#map.memoryUsage(this.handle)
  }

  /** Milliseconds until it expires, `Infinity` if it never does. */
  get ttl() {
    return this.#looks.ttlOf(this.#open, this.handle)
  }
}

class RoomMaker {
  #map
  #open
  #looks
  #choose
  #free
  /** Whether a function is running. Its own writes must not call it again. */
  #isAsking = false

  /**
   * @param {TypedMap} map
   * @param {OpenMap} open
   * @param {import('../options/map-options.js').Options} options with the functions of this thread
   * @param {Looks} looks
   */
  constructor(map, open, { choose, free }, looks) {
    this.#map = map
    this.#open = open
    this.#looks = looks
    this.#choose = choose
    this.#free = free
  }

  /**
   * Makes room for a write that was refused. Throws if no more room can be made, and rethrows errors other than
   * refusals.
   *
   * @param {unknown} refused what the write threw
   * @param {number} tries how often room was made for this write before
   * @param {string} operation what users know the write as
   */
  make(refused, tries, operation) {
    if (!(refused instanceof TypedMapError) || refused.number !== ERROR_NUMBERS.ERR_MEMORY_LIMIT) throw refused
    if (this.#open.roomFunction === 'none') throw refused
    try {
      this.#ask(refused, tries)
    } catch (failed) {
      giveUpBinding(this.#open.id, operation)
      throw failed
    }
  }

  /**
   * Replaces a record by JSON text, because its shape is gone: all of its entries were removed, and another shape took
   * its place.
   *
   * @param {any[]} parameters of a write
   * @param {number} valueAt index of the record among them
   */
  writeAsText(parameters, valueAt) {
    const { shapes } = this.#open
    parameters[valueAt] = textOfWritten(shapes, parameters[valueAt])
    parameters[valueAt + 1] = KIND.Json
    shapes.renew()
  }

  /**
   * @param {TypedMapError} refused
   * @param {number} tries
   */
  #ask(refused, tries) {
    const { roomFunction } = this.#open
    if (this.#isAsking) throw evictionFailed(`a write of the ${roomFunction} function needs room itself`, refused)
    const ask = roomFunction === 'evictionStrategy' ? this.#choose : this.#free
    if (ask === undefined)
      throw evictionFailed(`this thread opened the map without the ${roomFunction} function`, refused)
    this.#isAsking = true
    try {
      if (roomFunction === 'evictionStrategy') this.#evictChosen(ask, refused)
      else this.#callOnce(ask, refused, tries)
    } finally {
      this.#isAsking = false
    }
  }

  /**
   * @param {Function} free
   * @param {TypedMapError} refused
   * @param {number} tries
   */
  #callOnce(free, refused, tries) {
    if (tries > 0) throw evictionFailed('the oomStrategy function freed too little', refused)
    // A map at its limit of entries lacks no bytes.
    const { requestedBytes = 0 } = refused.details
    try {
      free(this.#map, requestedBytes)
    } catch (cause) {
      throw evictionFailed('the oomStrategy function threw', refused, cause)
    }
  }

  /**
   * @param {Function} choose
   * @param {TypedMapError} refused
   */
  #evictChosen(choose, refused) {
    const { requestedBytes = 0 } = refused.details
    let evicted = 0
    try {
      const chosen = choose(this.#candidates(), requestedBytes)
      const choices = Array.isArray(chosen) ? chosen : chosen === undefined || chosen === null ? [] : [chosen]
      for (const choice of choices) if (this.#evict(choice)) evicted++
    } catch (cause) {
      throw evictionFailed('the evictionStrategy function threw', refused, cause)
    }
    if (evicted === 0) throw evictionFailed('the evictionStrategy function chose no entry of the map', refused)
  }

  /** The candidates; first the entries that the policy would probably evict next. */
  #candidates() {
    const open = this.#open
    const states = new Uint32Array(CANDIDATES * WALK_ROW)
    const keys = candidatesBinding(open.id, CANDIDATES, states)
    return Array.from({ length: scratch[COUNT] }, (_, index) => {
      const row = index * WALK_ROW
      const handle = handleAt(open.origin, states, row)
      const key = states[row + KEY_KIND] === 0 ? handle : keys[index]
      return new Candidate(this.#map, open, this.#looks, key, handle)
    })
  }

  /**
   * Evicts the entry that a strategy chose; returns whether it was in the map.
   *
   * @param {unknown} choice a candidate, a handle or a key
   */
  #evict(choice) {
    const open = this.#open
    const asked = choice instanceof Candidate ? choice.handle : choice
    const handle = isHandleKey(asked) ? asked : this.#find(asked)
    if (handle === undefined || !open.owns(handle)) return false
    return evictEntryBinding(open.id, handle.shard, handle.slot, handle.generation)
  }

  /** @param {unknown} key */
  #find(key) {
    const open = this.#open
    return getHandleBinding(open.id, open.keyOf(key)) ? handleAt(open.origin, scratch, 0) : undefined
  }
}

/**
 * Runs a native write with its ttl. If there is no room and the map's functions make some, it runs again.
 *
 * @template {any[]} A
 * @template T
 * @param {RoomMaker} room @param {number} ttl from `readTtl`
 * @param {string} operation what users know the write as
 * @param {(...parameters: A) => T} write
 * @param {number} valueAt index of the value among its parameters, which its kind follows
 * @param {A} parameters
 * @returns {T}
 */
function writeNative(room, ttl, operation, write, valueAt, ...parameters) {
  for (let tries = 0; ; tries++) {
    try {
      requestTtl(ttl)
      return write(...parameters)
    } catch (refused) {
      if (refused === SHAPE_GONE) {
        room.writeAsText(parameters, valueAt)
        continue
      }
      // The functions may write, too, and a codec use its memory again.
      if (parameters[valueAt + 1] === KIND.Encoded) parameters[valueAt] = ownBytes(parameters[valueAt])
      const held = records.hold()
      try {
        room.make(refused, tries, operation)
      } finally {
        records.release(held)
      }
    }
  }
}

module.exports = { RoomMaker, writeNative }
