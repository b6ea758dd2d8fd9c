'use strict'

// A part of the near cache: copies of values, each in a place of its own.
//
// A copy belongs to a key or to a handle. With it goes the version at which it was taken, and where the entry's
// version word lies: as long as the word still says that version, the copy is what the store holds.
//
// A place is an even number, because the arrays have two elements for each. A handle carries its copy itself, so its
// place only says whose it is. The copies of keys lie in two arrays, place by place, and a Map says which place a key
// has. An object for each copy would be three times as large, and looking into one that the processor has not at hand
// costs as much as the look into the Map.
//
// The ring sees to it that a part has a bounded number of places: nothing that grows here, the engine's Map included,
// then takes long to grow.

const {
  NO_VERSION,
  NO_WORDS,
  dropCopy,
  hasFreshCopy,
  isCopyOf,
  isKeptBy,
  leaveCache,
  markAccessWord,
  takeMark
} = require('../handle.js')
const { COST_OF_HANDLE, costOfKey } = require('./copy-cost.js')
const { detach } = require('./detach.js')

/** @typedef {import('../handle.js').Handle} Handle */

/** Places that room is made for at first. A power of two. */
const FIRST_PLACES = 16

/** What `sweep` finds where there is nothing to let go of. */
const FRESH = -1

/** Marks a free place. A symbol, so it can never equal a key. */
const NOBODY = Symbol('none')

/** What is seen at a place without a copy of a key. */
const UNSEEN = ~0

class Copies {
  /** Which place a key has; primitives only. @type {Map<unknown, number>} */
  places = new Map()
  /**
   * For each place the index of the entry's version word, and the version at which the copy was taken. The index is
   * complemented, and so below 0, as long as the copy was not read since the hand last came by. Of a handle, the
   * version alone.
   */
  seen = new Int32Array(0)
  /** For each place the words, and the copy. @type {any[]} */
  kept = []
  /** How many places are taken. */
  size = 0
  /** Bytes that the copies of handles take. */
  handleBytes = 0
  /** Who has each place: a key, a handle or NOBODY. @type {unknown[]} */
  #tenants = []
  /** For each place the bytes that it takes with its copy. */
  #costs = new Int32Array(0)
  /** Places that were given back. @type {number[]} */
  #vacant = []
  /** Where the latest handle with each hash has its place. A hint: another handle, or none, may have it by now. */
  #hints = new Int32Array(0)
  /** For each place the ticket of the entry, where hits are noted in order. @type {number[] | null} */
  #tickets
  #keeper
  #shards

  /**
   * @param {number} keeper number by which handles know whose copy they have
   * @param {number} shards how many the map has
   * @param {boolean} hasTickets
   */
  constructor(keeper, shards, hasTickets) {
    this.#keeper = keeper
    this.#shards = shards
    this.#tickets = hasTickets ? [] : null
  }

  /** Where the places end. */
  get end() {
    return this.kept.length
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
   * @returns {number} `undefined` where there are no tickets
   */
  ticketAt(place) {
    return /** @type {number} */ (this.#tickets?.[place >> 1])
  }

  /**
   * Bytes that a place takes with its copy.
   *
   * @param {number} place
   */
  costAt(place) {
    return this.#costs[place >> 1]
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
    seen[place] = seen[place] < 0 ? ~word : word
    seen[place | 1] = version
    kept[place] = words
    kept[place | 1] = value
    if (this.#tickets !== null) this.#tickets[place >> 1] = ticket
  }

  /**
   * Says at which version the handle that has a place took its copy.
   *
   * @param {number} place
   * @param {number} version
   */
  noteVersion(place, version) {
    this.seen[place | 1] = version
  }

  /**
   * @param {number} place
   * @param {number} cost bytes that the place takes with its copy
   */
  setCost(place, cost) {
    if (typeof this.#tenants[place >> 1] === 'object') this.handleBytes += cost - this.costAt(place)
    this.#costs[place >> 1] = cost
  }

  /**
   * Gives a place to a newcomer. It costs nothing until `setCost` says so.
   *
   * @param {unknown} key a primitive
   */
  addKey(key) {
    if (typeof key === 'string') detach(key)
    const place = this.#makePlace()
    this.#tenants[place >> 1] = key
    this.places.set(key, place)
    return place
  }

  /** @param {Handle} handle */
  addHandle(handle) {
    const place = this.#makePlace()
    this.#tenants[place >> 1] = handle
    if (this.#hints.length < this.#costs.length) this.#makeHints()
    this.#hints[this.#hashOf(handle)] = place
    return place
  }

  /**
   * The place of a handle, if it is known.
   *
   * @param {Handle} handle
   * @returns {number | undefined}
   */
  placeOfHandle(handle) {
    const place = this.#hints[this.#hashOf(handle)]
    return place !== undefined && this.#tenants[place >> 1] === handle ? place : undefined
  }

  /**
   * Whether the copy at a place was used since this was last asked; false for a free place.
   *
   * @param {number} place
   */
  takeMark(place) {
    const tenant = this.#tenants[place >> 1]
    if (typeof tenant === 'object') return this.#isCopyAt(place, tenant) && takeMark(/** @type {Handle} */ (tenant))
    const seen = this.seen
    const word = seen[place]
    if (word < 0) return false
    seen[place] = ~word
    return true
  }

  /**
   * Takes a place back, with its copy.
   *
   * @param {number} place
   * @returns {number} bytes that it took
   */
  evict(place) {
    const tenant = this.#tenants[place >> 1]
    if (tenant === NOBODY) return 0
    const cost = this.costAt(place)
    this.setCost(place, 0)
    if (typeof tenant === 'object') this.#release(place, tenant)
    else this.places.delete(tenant)
    this.#tenants[place >> 1] = NOBODY
    this.#clear(place)
    this.size--
    if (this.size === 0 && this.end > 2 * FIRST_PLACES) this.#shrink()
    else this.#vacant.push(place)
    return cost
  }

  /**
   * Lets go of the copy at a place if it is not fresh any more. Its tenant stays until the next time, because the
   * entry may merely have changed, and what was worth a place is likely to be read again.
   *
   * @param {number} place
   * @returns {number} bytes that it took, which may be none; FRESH if it is fresh, or nothing is there
   */
  sweep(place) {
    const tenant = this.#tenants[place >> 1]
    if (tenant === NOBODY) return FRESH
    const isHandle = typeof tenant === 'object'
    if (isHandle) {
      const handle = /** @type {Handle} */ (tenant)
      if (!this.#isCopyAt(place, tenant)) return this.evict(place)
      if (hasFreshCopy(handle, this.#keeper)) return FRESH
      if (this.seen[place | 1] === NO_VERSION) return this.evict(place)
      dropCopy(handle)
    } else {
      if (this.kept[place][this.#wordAt(place)] === this.seen[place | 1]) return FRESH
      if (this.kept[place] === NO_WORDS) return this.evict(place)
    }
    const cost = this.costAt(place)
    this.#clear(place)
    this.setCost(place, isHandle ? COST_OF_HANDLE : costOfKey(tenant))
    return cost - this.costAt(place)
  }

  /** Lets go of the copies of keys, all at once. No newcomer is taken in after that. */
  forgetKeys() {
    this.places = new Map()
    this.seen = new Int32Array(0)
    this.kept = []
    this.#tickets = null
    this.#vacant = []
    this.#hints = new Int32Array(0)
  }

  /**
   * Lets go of copies of handles after `forgetKeys`, so that handles which are held do not hold values.
   *
   * @param {number} count how many places are looked at
   * @returns {number} how many were
   */
  dismantle(count) {
    let step = 0
    while (step < count && this.handleBytes > 0) {
      step++
      const tenant = this.#tenants.pop()
      if (typeof tenant !== 'object') continue
      this.handleBytes -= this.costAt(2 * this.#tenants.length)
      const handle = /** @type {Handle} */ (tenant)
      if (isKeptBy(handle, this.#keeper)) leaveCache(handle)
    }
    return step
  }

  /** @param {number} place */
  #wordAt(place) {
    const word = this.seen[place]
    return word < 0 ? ~word : word
  }

  /**
   * Whether what a handle carries is what was kept with this place. It may have been kept with another since.
   *
   * @param {number} place
   * @param {unknown} tenant
   */
  #isCopyAt(place, tenant) {
    return isCopyOf(/** @type {Handle} */ (tenant), this.#keeper, this.seen[place | 1])
  }

  #makePlace() {
    this.size++
    const vacant = this.#vacant.pop()
    if (vacant !== undefined) return vacant
    const place = this.kept.length
    if (place === this.seen.length) this.#grow(Math.max(FIRST_PLACES, place))
    this.#tenants.push(NOBODY)
    this.kept.push(NO_WORDS, undefined)
    this.#clear(place)
    return place
  }

  /** @param {number} places */
  #grow(places) {
    const seen = new Int32Array(2 * places)
    const costs = new Int32Array(places)
    seen.set(this.seen)
    costs.set(this.#costs)
    this.seen = seen
    this.#costs = costs
  }

  /** Gives back the room of places that are all free. */
  #shrink() {
    this.seen = new Int32Array(0)
    this.kept = []
    this.#tenants = []
    this.#costs = new Int32Array(0)
    this.#vacant = []
    this.#hints = new Int32Array(0)
    if (this.#tickets !== null) this.#tickets = []
  }

  /** @param {Handle} handle */
  #hashOf(handle) {
    // Slots and shards count from 0, so this tells handles apart as long as there are no more of them than hints.
    return (Math.imul(handle.slot, this.#shards) + handle.shard) & (this.#hints.length - 1)
  }

  #makeHints() {
    this.#hints = new Int32Array(this.#costs.length)
    for (const [index, tenant] of this.#tenants.entries()) {
      if (typeof tenant === 'object') this.#hints[this.#hashOf(/** @type {Handle} */ (tenant))] = 2 * index
    }
  }

  /** @param {number} place */
  #clear(place) {
    this.seen[place] = UNSEEN
    this.seen[place | 1] = NO_VERSION
    this.kept[place] = NO_WORDS
    this.kept[place | 1] = undefined
  }

  /**
   * @param {number} place
   * @param {unknown} tenant
   */
  #release(place, tenant) {
    if (this.#isCopyAt(place, tenant)) leaveCache(/** @type {Handle} */ (tenant))
  }
}

module.exports = { Copies, FRESH }
