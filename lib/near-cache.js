'use strict'

// The near cache: decoded values in front of the store, so that a repeated read never leaves JavaScript.
//
// A copy belongs to a key or to a handle. With it goes the version at which it was taken, and where the entry's version
// word lies: as long as the word still says that version, the copy is what the store holds. Whoever changes an entry, in
// whatever thread, changes its word. So nothing here is ever invalidated; a copy that is no longer fresh is merely not
// found, and memory is the only reason to throw one away.
//
// Bound. Copies of keys and of handles share one ring of a fixed number of places. While there are free places, every
// value read takes one. After that, one in ADMITTED_PER newly read values takes a place, that of a copy which was not
// used since the hand last came by (CLOCK). Refusing most newcomers is what makes a load that exceeds the cache cheap,
// and it lets copies that are read often gather marks before the hand comes back: for Zipf-distributed reads (s = 0.99)
// over ten times the size, 0.765 of reads hit, against 0.734 when all are admitted and 0.81 at the optimum. The value
// read last is kept in any case, as the guest, so that reading one thing twice gives one object.
//
// Bytes are never kept, because they cannot be frozen.

const {
  NO_VERSION,
  NO_WORDS,
  copyOf,
  dropCopy,
  hasCopy,
  hasFreshCopy,
  isHandle,
  isKeptBy,
  keepCopy,
  leaveCache,
  takeMark
} = require('./handle.js')

/** @typedef {import('./handle.js').Handle} Handle */
/** @typedef {import('./words.js').Words} Words */

/** One in so many values is admitted to a full cache. A power of two. */
const ADMITTED_PER = 8

/** Places the hand looks at for one admission, so that no read pays for a whole round. */
const MAX_HAND_STEPS = 8

/** Copies of an outdated cache that are dropped with each new one. */
const DROPPED_PER_STEP = 64

/** Copies that are dropped at once when a map is closed: less than a millisecond. Others wait for the garbage collector. */
const DROPPED_AT_END = 65_536

/** The key of no copy, which equals none. */
const NOBODY = Symbol('nobody')

/** The place of what is not admitted. */
const NONE = -1

/** The copy of what is stored under one key. */
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

class NearCache {
  /** Copies by key; primitives only. @type {Map<unknown, KeyCopy>} */
  copies = new Map()
  /** Reads answered here that were not reported yet. */
  hits = 0
  #maxEntries
  #words
  /** @type {(KeyCopy | Handle)[]} */
  #ring = []
  #hand = 0
  /** What was read last without being admitted; its key may be a handle. */
  #guest = new KeyCopy(NOBODY)
  #random = 0x2545f491
  /** What this one took the place of, while it still holds copies. @type {NearCache | null} */
  #outdated = null

  /**
   * @param {number} maxEntries 0 for a cache that keeps nothing
   * @param {Words | null} words
   */
  constructor(maxEntries, words) {
    this.#maxEntries = maxEntries
    this.#words = words
  }

  /**
   * The guest, if it is the fresh copy of this key or handle.
   *
   * @param {unknown} key
   * @returns {KeyCopy | undefined}
   */
  guestOf(key) {
    const guest = this.#guest
    return guest.key === key && guest.isFresh() ? guest : undefined
  }

  /**
   * Keeps what was read by key.
   *
   * @param {unknown} key a primitive
   * @param {KeyCopy | undefined} copy what `copies` has for the key
   * @param {any} value
   * @param {number} chunk
   * @param {number} word
   * @param {number} version
   */
  keepByKey(key, copy, value, chunk, word, version) {
    const words = this.#wordsOf(chunk)
    if (words === null) return
    if (copy === undefined) {
      const place = this.#findPlace()
      if (place === NONE) return this.#welcome(key, words, word, version, value)
      copy = new KeyCopy(key)
      this.copies.set(key, copy)
      this.#ring[place] = copy
    }
    copy.keep(words, word, version | 0, value)
  }

  /**
   * Keeps what was read by handle.
   *
   * @param {Handle} handle
   * @param {any} value
   * @param {number} chunk
   * @param {number} word
   * @param {number} version
   */
  keepByHandle(handle, value, chunk, word, version) {
    const words = this.#wordsOf(chunk)
    if (words === null) return
    if (!isKeptBy(handle, this)) {
      const place = this.#findPlace()
      if (place === NONE) return this.#welcome(handle, words, word, version, value)
      this.#ring[place] = handle
    }
    keepCopy(handle, this, words, word, version | 0, value)
  }

  /**
   * Lets go of the copy of a key whose entry is gone.
   *
   * @param {unknown} key
   */
  forgetKey(key) {
    const copy = this.copies.get(key)
    if (copy === undefined) return
    this.copies.delete(key)
    copy.drop()
  }

  /**
   * Lets go of the copy of a handle whose entry is gone.
   *
   * @param {Handle} handle
   */
  forgetHandle(handle) {
    if (isKeptBy(handle, this)) dropCopy(handle)
  }

  /** An empty cache in place of this one, made at once however much this one holds. */
  successor() {
    const next = new NearCache(this.#maxEntries, this.#words)
    next.hits = this.hits
    next.#outdated = this
    return next
  }

  /** Lets go of everything, when the map is closed. */
  dispose() {
    this.copies.clear()
    this.#drop(DROPPED_AT_END)
    this.#ring = []
    this.#outdated = null
  }

  /**
   * @param {number} chunk
   * @returns {Int32Array | null}
   */
  #wordsOf(chunk) {
    if (this.#maxEntries === 0 || this.#words === null) return null
    if (this.#outdated !== null && !this.#outdated.#drop(DROPPED_PER_STEP)) this.#outdated = this.#outdated.#outdated
    return this.#words.of(chunk)
  }

  /**
   * Keeps a copy until the next one that is not admitted either.
   *
   * @param {unknown} key
   * @param {Int32Array} words
   * @param {number} word
   * @param {number} version
   * @param {any} value
   */
  #welcome(key, words, word, version, value) {
    const guest = this.#guest
    guest.key = key
    guest.keep(words, word, version | 0, value)
  }

  /** An empty place in the ring for a new copy, or NONE if it is not admitted. */
  #findPlace() {
    const ring = this.#ring
    // The guest has one of the entries.
    if (ring.length < this.#maxEntries - 1) return ring.length
    if (ring.length === 0) return NONE
    if (!isEmpty(/** @type {KeyCopy | Handle} */ (ring[this.#hand]))) {
      // Random, because a count would go in step with reads that repeat.
      let random = this.#random
      random ^= random << 13
      random ^= random >>> 17
      random ^= random << 5
      this.#random = random
      if ((random & (ADMITTED_PER - 1)) !== 0) return NONE
      for (let step = 1; step < MAX_HAND_STEPS; step++) {
        if (!wasUsed(/** @type {KeyCopy | Handle} */ (ring[this.#hand]))) break
        this.#advance()
      }
    }
    const place = this.#advance()
    this.#evict(/** @type {KeyCopy | Handle} */ (ring[place]))
    return place
  }

  /** Where the hand stands; it goes on. */
  #advance() {
    const place = this.#hand
    this.#hand = place + 1 === this.#ring.length ? 0 : place + 1
    return place
  }

  /** @param {KeyCopy | Handle} copy */
  #evict(copy) {
    if (copy instanceof KeyCopy) {
      // The key of an empty copy may have another one by now.
      if (!isEmpty(copy)) this.copies.delete(copy.key)
      copy.drop()
    } else if (isKeptBy(copy, this)) {
      dropCopy(copy)
      leaveCache(copy)
    }
  }

  /**
   * Lets go of up to `count` copies; whether there may be more.
   *
   * @param {number} count
   */
  #drop(count) {
    const ring = this.#ring
    this.#guest.key = NOBODY
    this.#guest.drop()
    for (let dropped = 0; dropped < count; dropped++) {
      const copy = ring.pop()
      if (copy === undefined) return false
      if (!(copy instanceof KeyCopy)) this.#evict(copy)
    }
    return true
  }
}

/** @param {KeyCopy | Handle} copy */
const isEmpty = copy => (copy instanceof KeyCopy ? copy.words === NO_WORDS : !hasCopy(copy))

/**
 * Whether the copy was used since this was last asked.
 *
 * @param {KeyCopy | Handle} copy
 */
function wasUsed(copy) {
  if (!(copy instanceof KeyCopy)) return takeMark(copy)
  const isUsed = copy.isUsed
  copy.isUsed = false
  return isUsed
}

module.exports = { NearCache, copyOf, hasFreshCopy, isHandle }
