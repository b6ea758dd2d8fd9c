'use strict'

// Copies of values, and the ring that decides which of them stay.
//
// A copy belongs to a key or to a handle. With it goes the version at which it was taken, and where the entry's version
// word lies: as long as the word still says that version, the copy is what the store holds.
//
// Each copy has a place in the ring, an even number, because the arrays have two elements for each. A handle carries its copy itself, so its place only says who it is. The copies of keys
// lie in two arrays, place by place, and a Map says which place a key has. An object for each copy would be three times as
// large, and looking into one that the processor has not at hand costs as much as the look into the Map.

const { NO_VERSION, NO_WORDS, dropCopy, isKeptBy, leaveCache, markAccessWord, takeMark } = require('./handle.js')

/** @typedef {import('./handle.js').Handle} Handle */

/** Places the hand looks at for one newcomer, so that no read pays for a whole round. */
const MAX_HAND_STEPS = 16

/** Places that room is made for at first. */
const FIRST_PLACES = 64

/** Who has a place that nobody has. No key, because symbols are none. */
const NOBODY = Symbol('nobody')

/** What is seen at a place without a copy of a key. */
const UNSEEN = ~0

/** A fixed number of places for copies. A newcomer to a full ring takes that of one which was not used lately (CLOCK). */
class Copies {
  /** Which place a key has; primitives only. @type {Map<unknown, number>} */
  places = new Map()
  /**
   * For each place the index of the entry's version word, and the version at which the copy was taken. The index is
   * complemented, and so below 0, as long as the copy was not read since the hand last came by.
   */
  seen = new Int32Array(0)
  /** For each place the words, and the copy. @type {any[]} */
  kept = []
  /** Who has each place: a key, a handle or NOBODY. @type {unknown[]} */
  #tenants = []
  /** For each place the ticket of the entry, where hits are noted in order. @type {number[] | null} */
  #tickets
  #limit
  #keeper
  #hand = 0

  /**
   * @param {number} limit
   * @param {number} keeper number of the map, by which handles know who keeps them
   * @param {boolean} hasTickets
   */
  constructor(limit, keeper, hasTickets) {
    this.#limit = limit
    this.#keeper = keeper
    this.#tickets = hasTickets ? [] : null
  }

  /**
   * Whether the copy of a key is fresh; marks it as read.
   *
   * @param {number} place
   */
  isFresh(place) {
    const seen = this.seen
    const word = this.#wordAt(place)
    if (this.kept[place][word] !== seen[place | 1]) return false
    seen[place] = word
    return true
  }

  /**
   * The copy of a key.
   *
   * @param {number} place
   */
  valueAt(place) {
    return this.kept[place | 1]
  }

  /**
   * @param {number} place
   * @returns {number} `undefined` in a ring without tickets
   */
  ticketAt(place) {
    return /** @type {number} */ (this.#tickets?.[place >> 1])
  }

  /**
   * @param {number} place
   * @param {number} limit
   */
  markAccess(place, limit) {
    markAccessWord(this.kept[place], this.#wordAt(place), limit)
  }

  /**
   * Keeps a copy of a key.
   *
   * @param {number} place
   * @param {Int32Array} words
   * @param {number} word
   * @param {number} version
   * @param {any} value
   * @param {number} ticket
   */
  keep(place, words, word, version, value, ticket) {
    const seen = this.seen
    const kept = this.kept
    // A copy that is new was not read yet. One that is renewed keeps its mark.
    seen[place] = /** @type {number} */ (seen[place]) < 0 ? ~word : word
    seen[place | 1] = version
    kept[place] = words
    kept[place | 1] = value
    if (this.#tickets !== null) this.#tickets[place >> 1] = ticket
  }

  /** Whether a newcomer would take the place of somebody. */
  isCrowded() {
    const tenants = this.#tenants
    if (tenants.length < this.#limit) return false
    return this.#limit === 0 || tenants[this.#hand >> 1] !== NOBODY
  }

  /**
   * Gives a place to a newcomer.
   *
   * @param {unknown} key a primitive
   */
  addKey(key) {
    const place = this.#makePlace()
    this.#tenants[place >> 1] = key
    this.places.set(key, place)
    return place
  }

  /** @param {Handle} handle */
  addHandle(handle) {
    this.#tenants[this.#makePlace() >> 1] = handle
  }

  /** @param {unknown} key */
  deleteKey(key) {
    const place = this.places.get(key)
    if (place !== undefined) this.#evict(place)
  }

  /** Lets go of the copies of keys, all at once. The ring takes no newcomers after. */
  forgetKeys() {
    this.places = new Map()
    this.seen = new Int32Array(0)
    this.kept = []
    this.#tickets = null
  }

  /**
   * Lets go of copies of handles after `forgetKeys`, so that handles which somebody holds do not hold values.
   *
   * @param {number} count how many places are looked at
   * @returns {boolean} whether there may be more
   */
  dismantle(count) {
    for (let step = 0; step < count; step++) {
      if (this.#tenants.length === 0) return false
      this.#release(this.#tenants.pop())
    }
    return true
  }

  /** @param {number} place */
  #wordAt(place) {
    const word = /** @type {number} */ (this.seen[place])
    return word < 0 ? ~word : word
  }

  /** A place that nobody has: a new one, or that of a copy which has to go. */
  #makePlace() {
    if (this.#tenants.length < this.#limit) return this.#extend()
    for (let step = 1; step < MAX_HAND_STEPS && this.#takeMark(this.#hand); step++) this.#advance()
    const place = this.#hand
    this.#advance()
    this.#evict(place)
    return place
  }

  #extend() {
    const place = this.kept.length
    if (place === this.seen.length) {
      const larger = new Int32Array(2 * Math.min(this.#limit, Math.max(FIRST_PLACES, place)))
      larger.set(this.seen)
      this.seen = larger
    }
    this.#tenants.push(NOBODY)
    this.kept.push(NO_WORDS, undefined)
    this.#clear(place)
    return place
  }

  /**
   * Whether the copy was used since this was last asked.
   *
   * @param {number} place
   */
  #takeMark(place) {
    const tenant = this.#tenants[place >> 1]
    if (typeof tenant === 'object')
      return isKeptBy(/** @type {Handle} */ (tenant), this.#keeper) && takeMark(/** @type {Handle} */ (tenant))
    const seen = this.seen
    const word = /** @type {number} */ (seen[place])
    if (word < 0) return false
    seen[place] = ~word
    return true
  }

  /** @param {number} place */
  #evict(place) {
    const tenant = this.#tenants[place >> 1]
    if (tenant === NOBODY) return
    this.#tenants[place >> 1] = NOBODY
    if (typeof tenant === 'object') return this.#release(tenant)
    this.places.delete(tenant)
    this.#clear(place)
  }

  /** @param {number} place */
  #clear(place) {
    this.seen[place] = UNSEEN
    this.seen[place | 1] = NO_VERSION
    this.kept[place] = NO_WORDS
    this.kept[place | 1] = undefined
  }

  /** @param {unknown} tenant */
  #release(tenant) {
    if (typeof tenant !== 'object') return
    const handle = /** @type {Handle} */ (tenant)
    if (!isKeptBy(handle, this.#keeper)) return
    dropCopy(handle)
    leaveCache(handle)
  }

  #advance() {
    this.#hand = this.#hand + 2 === this.kept.length ? 0 : this.#hand + 2
  }
}

module.exports = { Copies, NOBODY }
