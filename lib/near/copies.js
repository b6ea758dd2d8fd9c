'use strict'

// A part of the near cache: copies of values, each in a place of its own.
//
// A copy belongs to a key or to a handle. With it goes the version at which it was taken, and where the entry's
// version word lies: as long as the word still says that version, the copy is what the store holds.
//
// A place is an even number, because the arrays have two elements for each. A handle carries its copy itself, so its
// place only names the handle. The copies of keys lie in two arrays, place by place, and a Map says which place a key
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

/** What `sweep` returns for a place without an outdated copy. */
const FRESH = -1

/** Marks a free place. A symbol, so it can never equal a key. */
const FREE = Symbol('none')

/** What `seen` holds at a place without a copy of a key. */
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
  /** The owner of each place: a key, a handle, or FREE. @type {unknown[]} */
  #tenants = []
  /** For each place the bytes that it takes with its copy. */
  #costs = new Int32Array(0)
  /** Places that were freed. @type {number[]} */
  #vacant = []
  /** The place of the latest handle with each hash. A hint: the place may be free or another handle's by now. */
  #hints = new Int32Array(0)
  /** For each place the ticket of the entry, if hits are logged in order. @type {number[] | null} */
  #tickets
  #keeper
  #shards

  /**
   * @param {number} keeper number of the map, which a handle stores with a copy
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
   * The key or handle that a place belongs to.
   *
   * @param {number} place
   */
  tenantAt(place) {
    return this.#tenants[place >> 1]
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
   * Stores the version at which a handle took its copy.
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
   * Assigns a place to a newcomer. Its cost is 0 until `setCost` is called.
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
   * Frees a place and removes its copy.
   *
   * @param {number} place
   * @returns {number} bytes that it took
   */
  evict(place) {
    const tenant = this.#tenants[place >> 1]
    if (tenant === FREE) return 0
    const cost = this.costAt(place)
    this.setCost(place, 0)
    if (typeof tenant === 'object') this.#release(place, tenant)
    else this.places.delete(tenant)
    this.#tenants[place >> 1] = FREE
    this.#clear(place)
    this.size--
    if (this.size === 0 && this.end > 2 * FIRST_PLACES) this.#shrink()
    else this.#vacant.push(place)
    return cost
  }

  /**
   * Removes the copy at a place if it is no longer fresh. The place keeps its owner until the next sweep, because the
   * entry may merely have changed, and an entry that was worth a place is likely to be read again.
   *
   * @param {number} place
   * @returns {number} bytes that it took, which may be none; FRESH if it is fresh, or nothing is there
   */
  sweep(place) {
    const tenant = this.#tenants[place >> 1]
    if (tenant === FREE) return FRESH
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

  /** Removes all copies of keys at once. This part admits no newcomer after that. */
  forgetKeys() {
    this.places = new Map()
    this.seen = new Int32Array(0)
    this.kept = []
    this.#tickets = null
    this.#vacant = []
    this.#hints = new Int32Array(0)
  }

  /**
   * Removes copies of handles after `forgetKeys`, so that a handle in use does not keep its value alive.
   *
   * @param {number} count number of places to look at
   * @returns {number} number of places that it looked at
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
   * Whether the copy that a handle carries is the one of this place. The handle may have got another place since.
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
    this.#tenants.push(FREE)
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

  /** Releases the arrays once all places are free. */
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
    // Slots and shards count from 0, so different handles have different hashes as long as there are no more handles
    // than hints.
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
