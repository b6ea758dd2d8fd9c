'use strict'

// The ring that decides which copies stay: all places of all parts, in turn.
//
// Bounds. There is one in entries and one in bytes, and a value that would take more than MAX_SHARE of the latter is
// not kept. A newcomer to a full ring takes the room of copies that were not used lately (CLOCK): the hand goes on
// until there is enough, or until it has looked at MAX_HAND_STEPS places, and then the newcomer is not kept; so no read
// pays for a whole round. One share, and one entry, are reserved for the guest, so it never displaces a copy.
//
// A second hand removes copies that are no longer fresh, a few at each value that is read natively; where none is read,
// the sweeper (sweeper.js) removes them.
//
// Parts. Keys and handles are spread over as many parts as keep each of them small (copies.js).

const { Copies, FRESH } = require('./copies.js')
const { COST_OF_HANDLE, NOT_WORTH, costOfKey, costOfValue } = require('./copy-cost.js')
const { Guest } = require('./guest.js')
const { watch } = require('./sweeper.js')

/** @typedef {import('../handle.js').Handle} Handle */
/** @typedef {import('../native/words.js').Words} Words */

/**
 * What bounds a ring, and what its parts have to know of the map.
 *
 * @typedef {object} RingOptions
 * @property {number} maxEntries 0 for a ring that keeps nothing
 * @property {number} maxBytes
 * @property {number} keeper number of the map, which a handle stores with a copy
 * @property {number} shards how many the map has
 * @property {boolean} hasTickets
 * @property {(() => void) | undefined} onTurn called once in a second while there are copies
 */

/** Places that the hand looks at for one newcomer. */
const MAX_HAND_STEPS = 64

/** How many of them it spares because they were used. */
const MAX_SPARED = 15

/** Places that are swept at each value that is kept. Others are refused without a look: one costs 100 ns. */
const SWEPT_PER_STEP = 2

/** Copies of handles that are removed after `clear` with each value that is kept, and at once when a map is closed. */
const DISMANTLED_PER_STEP = 64
const DISMANTLED_AT_END = 4_096

/** One copy takes at most one in so many of the bytes. */
const SHARES = 16

/**
 * Entries up to which there is one part. The engine's Map takes 45 ns for each key when it grows, or is tidied by the
 * engine: 4 ms for these. Finding the part of a key takes 20 to 40 ns of each read that is answered here.
 */
const MAX_UNSPLIT = 100_000

/** Places that a part of several has at most, and those that it is meant to have: keys do not spread evenly. */
const MAX_PLACES = 65_536
const PLACES_PER_PART = MAX_PLACES / 2

class Ring {
  /** Copies that were evicted for newcomers. */
  evictions = 0
  /** Copies that were removed because they were no longer fresh. */
  outdated = 0
  /** Number of sweeps that removed something, even of no bytes: copies of numbers take none. */
  released = 0
  /** Whether the sweeper watches this ring. */
  isWatched = false
  /** @type {Guest} */
  guest
  /** @type {Copies[]} */
  parts
  /** Places that are taken, and the bytes of them. */
  #entries = 0
  #bytes = 0
  #options
  #words
  /** Where the hand is, and where the sweep. */
  #handPart = 0
  #handPlace = 0
  #sweptPart = 0
  #sweptPlace = 0
  /** Parts that `reset` replaced, while handles carry copies of them, and the copies' bytes. @type {Copies[]} */
  #aside = []
  #asideBytes = 0

  /**
   * @param {RingOptions} options
   * @param {Words | null} words
   */
  constructor(options, words) {
    this.#options = options
    this.#words = words
    this.guest = new Guest(words)
    this.parts = this.#makeParts()
  }

  /** Copies that are kept. */
  get entries() {
    return this.#entries + (this.guest.cost > 0 ? 1 : 0)
  }

  /** Bytes that they take. */
  get bytes() {
    return this.#bytes + this.guest.cost
  }

  get maxBytes() {
    return this.#options.maxBytes
  }

  /** Takes effect with the copies that are kept next, and with the sweep. @param {number} maxBytes */
  set maxBytes(maxBytes) {
    this.#options.maxBytes = maxBytes
  }

  /** Has hits reported that wait for that. */
  tellHits() {
    this.#options.onTurn?.()
  }

  /** True if no copy is kept and none waits to be removed. */
  isEmpty() {
    return this.#entries === 0 && this.guest.cost === 0 && this.#aside.length === 0
  }

  /**
   * The part that a key belongs to.
   *
   * @param {unknown} key
   */
  partOf(key) {
    const { parts } = this
    return parts.length === 1 ? parts[0] : parts[hashOf(key) & (parts.length - 1)]
  }

  /**
   * The part that a handle belongs to.
   *
   * @param {Handle} handle
   */
  partOfHandle({ shard, slot }) {
    const { parts } = this
    const { shards } = this.#options
    return parts.length === 1 ? parts[0] : parts[(slot * shards + shard) & (parts.length - 1)]
  }

  /**
   * What the copy of a value would take, without its place.
   *
   * @param {number} kind
   * @param {number} size bytes that it takes in the store
   * @param {any} value
   * @returns {number} NOT_WORTH if it is not kept
   */
  costOf(kind, size, value) {
    const cost = costOfValue(kind, size, value)
    return cost > this.#options.maxBytes / SHARES ? NOT_WORTH : cost
  }

  /**
   * Whether a newcomer would take the room of others.
   *
   * @param {number} cost
   */
  isCrowded(cost) {
    return !this.#fits(cost)
  }

  /**
   * Reserves a place for a key.
   *
   * @param {Copies} part
   * @param {unknown} key
   * @param {number} cost bytes that its value takes
   * @returns {number | undefined} `undefined` if there is no room
   */
  addKey(part, key, cost) {
    const whole = cost + costOfKey(key)
    if (!this.#makeRoom(part, whole)) return undefined
    const place = part.addKey(key)
    this.#entries++
    this.#charge(part, place, whole)
    return place
  }

  /**
   * Makes room for another value at the place of a key.
   *
   * @param {Copies} part
   * @param {number} place
   * @param {unknown} key
   * @param {number} cost
   * @returns {number | undefined} the place, which may be another; `undefined` if there is no room
   */
  renewKey(part, place, key, cost) {
    return this.#recharge(part, place, cost + costOfKey(key)) ? place : this.addKey(part, key, cost)
  }

  /**
   * Reserves a place for a handle, unless it has one, with room for its copy.
   *
   * @param {Copies} part
   * @param {number | undefined} place the one that it has
   * @param {Handle} handle
   * @param {number} cost
   * @returns {number | undefined} `undefined` if there is no room
   */
  placeHandle(part, place, handle, cost) {
    const whole = cost + COST_OF_HANDLE
    if (place !== undefined && this.#recharge(part, place, whole)) return place
    if (!this.#makeRoom(part, whole)) return undefined
    const added = part.addHandle(handle)
    this.#entries++
    this.#charge(part, added, whole)
    return added
  }

  /**
   * Frees a place and removes its copy.
   *
   * @param {Copies} part
   * @param {number} place
   */
  evict(part, place) {
    const { size } = part
    this.#bytes -= part.evict(place)
    this.#entries += part.size - size
  }

  /** Does a step of the sweep; called with each value that is kept. */
  step() {
    if (!this.isWatched) watch(this)
    if (this.#aside.length > 0) this.#dismantle(DISMANTLED_PER_STEP)
    for (let step = 0; step < SWEPT_PER_STEP; step++) this.#sweepNext()
  }

  /**
   * Takes in a guest.
   *
   * @param {unknown} item a key or a handle
   * @param {any} value
   * @param {number} cost
   * @param {number} ticket
   * @param {Uint32Array} states
   * @param {number} row
   */
  setGuest(item, value, cost, ticket, states, row) {
    // With its key it may take more than the share that is left to the guest.
    if (cost > this.#options.maxBytes / SHARES) return this.guest.leave()
    if (!this.isWatched) watch(this)
    this.guest.set(item, value, cost, ticket, states, row)
  }

  /**
   * Goes on with the sweep: looks at so many places at most, and not beyond the end of the round.
   *
   * @param {number} count
   * @returns {number} how many it looked at
   */
  sweep(count) {
    if (this.#aside.length > 0) {
      this.#dismantle(count)
      return count
    }
    // The limit may have been lowered.
    const { evictions } = this
    this.#makeRoom(null, 0)
    if (this.evictions !== evictions) this.released++
    let looked = 1
    while (looked < count && !this.#sweepNext()) looked++
    // No copy is compared with these words any more, and while they can be read here the map cannot free their memory.
    if (this.isEmpty()) this.#words?.forget()
    return looked
  }

  /** Removes everything at once, except the copies that handles carry. */
  reset() {
    this.#bytes = this.#asideBytes
    for (const part of this.parts) {
      part.forgetKeys()
      if (part.handleBytes === 0) continue
      this.#aside.push(part)
      this.#bytes += part.handleBytes
    }
    this.#asideBytes = this.#bytes
    this.#entries = 0
    this.guest.leave()
    this.parts = this.#makeParts()
  }

  /** Removes everything; the copies that handles carry, in steps. */
  dispose() {
    this.reset()
    this.#dismantle(DISMANTLED_AT_END)
    if (!this.isEmpty() && !this.isWatched) watch(this)
  }

  #makeParts() {
    const { maxEntries, keeper, shards, hasTickets } = this.#options
    let count = 1
    if (maxEntries > MAX_UNSPLIT) while (count * PLACES_PER_PART < maxEntries) count *= 2
    return Array.from({ length: count }, () => new Copies(keeper, shards, hasTickets))
  }

  /** @param {number} cost */
  #fits(cost) {
    const { maxEntries, maxBytes } = this.#options
    return this.#entries < maxEntries - 1 && this.#bytes + cost <= maxBytes - maxBytes / SHARES
  }

  /**
   * Makes room for a newcomer.
   *
   * @param {Copies | null} part where it needs a place, if it does
   * @param {number} cost
   * @returns {boolean} whether there is room now
   */
  #makeRoom(part, cost) {
    let spared = 0
    for (let step = 0; step < MAX_HAND_STEPS; step++) {
      const isFull = part !== null && this.parts.length > 1 && part.size >= MAX_PLACES
      if (!isFull && (part === null ? this.#isWithin() : this.#fits(cost))) return true
      const at = isFull ? part : this.parts[this.#handPart]
      const place = this.#handPlace
      if (place >= at.end) {
        this.#handPlace = 0
        this.#handPart = (this.#handPart + 1) & (this.parts.length - 1)
        continue
      }
      this.#handPlace = place + 2
      if (spared < MAX_SPARED && at.takeMark(place)) {
        spared++
        continue
      }
      const { size } = at
      this.evict(at, place)
      this.evictions += size - at.size
    }
    return false
  }

  /** Whether the ring is within its limits. It may not be after one was lowered. */
  #isWithin() {
    return this.#bytes === 0 || this.#bytes <= this.#options.maxBytes - this.#options.maxBytes / SHARES
  }

  /**
   * Looks at the next place of the sweep.
   *
   * @returns {boolean} whether that was the end of its round
   */
  #sweepNext() {
    const part = this.parts[this.#sweptPart]
    const place = this.#sweptPlace
    if (place >= part.end) {
      this.#sweptPlace = 0
      this.#sweptPart = (this.#sweptPart + 1) & (this.parts.length - 1)
      if (this.#sweptPart !== 0) return false
      this.guest.sweep()
      this.#words?.tidy()
      return true
    }
    this.#sweptPlace = place + 2
    const { size } = part
    const freed = part.sweep(place)
    if (freed === FRESH) return false
    this.released++
    this.#bytes -= freed
    this.#entries += part.size - size
    if (part.size === size) this.outdated++
    return false
  }

  /** @param {number} count */
  #dismantle(count) {
    let left = count
    if (this.#aside.length > 0) this.released++
    while (left > 0) {
      const part = this.#aside[this.#aside.length - 1]
      if (part === undefined) return
      const before = part.handleBytes
      left -= part.dismantle(left)
      this.#bytes -= before - part.handleBytes
      this.#asideBytes -= before - part.handleBytes
      if (part.handleBytes === 0) this.#aside.pop()
    }
  }

  /**
   * @param {Copies} part
   * @param {number} place
   * @param {number} cost bytes that the place takes from now on
   */
  #charge(part, place, cost) {
    this.#bytes += cost - part.costAt(place)
    part.setCost(place, cost)
  }

  /**
   * Charges another cost for a place, or frees the place if there is no room for that.
   *
   * @param {Copies} part
   * @param {number} place
   * @param {number} cost
   * @returns {boolean} whether there is room
   */
  #recharge(part, place, cost) {
    const more = cost - part.costAt(place)
    if (more === 0) return true
    const { maxBytes } = this.#options
    if (more > 0 && this.#bytes + more > maxBytes - maxBytes / SHARES) {
      this.evict(part, place)
      return false
    }
    this.#charge(part, place, cost)
    return true
  }
}

/** Characters that are looked at to find the part of a key, more or less. */
const SAMPLED_CHARACTERS = 16

/**
 * A number that spreads keys over the parts. It is computed for each read, so of long names it takes every second
 * character, or every third, and so on.
 *
 * @param {unknown} key
 */
function hashOf(key) {
  if (typeof key === 'string') {
    let hash = key.length
    const step = Math.trunc(key.length / SAMPLED_CHARACTERS) + 1
    for (let index = key.length - 1; index >= 0; index -= step) hash = Math.imul(hash, 31) + key.charCodeAt(index)
    return hash
  }
  if (typeof key === 'number') return (key | 0) + (((key - Math.trunc(key)) * 0x1_0000) | 0)
  return typeof key === 'bigint' ? Number(BigInt.asIntN(32, key)) : 0
}

module.exports = { Ring }
