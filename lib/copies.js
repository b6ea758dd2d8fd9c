'use strict'

// Copies of values, and the ring that decides which of them stay.
//
// A copy belongs to a key or to a handle. With it goes the version at which it was taken, and where the entry's version
// word lies: as long as the word still says that version, the copy is what the store holds.

const { NO_VERSION, NO_WORDS, dropCopy, hasCopy, leaveCache, takeMark } = require('./handle.js')

/** @typedef {import('./handle.js').Handle} Handle */

/** Places the hand looks at for one newcomer, so that no read pays for a whole round. */
const MAX_HAND_STEPS = 8

/** The copy of what is stored under one key. That of a handle lies in the handle itself. */
class KeyCopy {
  /** @param {unknown} key */
  constructor(key) {
    this.key = key
    /** @type {Int32Array} */
    this.words = NO_WORDS
    this.word = 0
    this.version = NO_VERSION
    /** @type {any} */
    this.value = undefined
    /** Whether the copy was read since the hand last came by. */
    this.isUsed = false
  }

  isFresh() {
    return this.words[this.word] === this.version
  }

  /**
   * @param {Int32Array} words
   * @param {number} word
   * @param {number} version
   * @param {any} value
   */
  keep(words, word, version, value) {
    this.words = words
    this.word = word
    this.version = version
    this.value = value
  }

  drop() {
    this.keep(NO_WORDS, 0, NO_VERSION, undefined)
    this.isUsed = false
  }
}

/** @typedef {KeyCopy | Handle} Copy */

/** @param {Copy} copy */
const isEmpty = copy => (copy instanceof KeyCopy ? copy.words === NO_WORDS : !hasCopy(copy))

/**
 * Whether the copy was used since this was last asked.
 *
 * @param {Copy} copy
 */
function wasUsed(copy) {
  if (!(copy instanceof KeyCopy)) return takeMark(copy)
  const isUsed = copy.isUsed
  copy.isUsed = false
  return isUsed
}

/** A fixed number of places for copies. A newcomer to a full ring takes that of one which was not used lately (CLOCK). */
class Ring {
  #limit
  /** @type {Copy[]} */
  #places = []
  #hand = 0

  /** @param {number} limit */
  constructor(limit) {
    this.#limit = limit
  }

  /** Whether a newcomer would take the place of a copy that is worth something. */
  isCrowded() {
    const places = this.#places
    if (places.length < this.#limit) return false
    return this.#limit === 0 || !isEmpty(/** @type {Copy} */ (places[this.#hand]))
  }

  /**
   * Gives a place to a newcomer.
   *
   * @param {Copy} newcomer
   * @returns {Copy | undefined} what had it before, still as it was
   */
  add(newcomer) {
    const places = this.#places
    if (places.length < this.#limit) {
      places.push(newcomer)
      return undefined
    }
    for (let step = 1; step < MAX_HAND_STEPS; step++) {
      if (!wasUsed(/** @type {Copy} */ (places[this.#hand]))) break
      this.#advance()
    }
    const previous = places[this.#hand]
    places[this.#hand] = newcomer
    this.#advance()
    return previous
  }

  /**
   * Empties places of handles, up to `count`, so that handles that somebody holds do not hold values. The ring takes no
   * newcomers after.
   *
   * @param {number} count
   * @returns {boolean} whether there may be more
   */
  dismantle(count) {
    for (let step = 0; step < count; step++) {
      const copy = this.#places.pop()
      if (copy === undefined) return false
      if (!(copy instanceof KeyCopy)) evictHandle(copy)
    }
    return true
  }

  #advance() {
    this.#hand = this.#hand + 1 === this.#places.length ? 0 : this.#hand + 1
  }
}

/** @param {Handle} handle */
function evictHandle(handle) {
  dropCopy(handle)
  leaveCache(handle)
}

module.exports = { KeyCopy, Ring, evictHandle, isEmpty }
