'use strict'

// The near cache: decoded values in front of the store, so that a repeated read never leaves JavaScript.
//
// Whoever changes an entry, in whatever thread, changes its version word. So nothing is ever invalidated here; a copy that
// is no longer fresh is merely not found, and memory is the only reason to throw one away.
//
// Bound. Copies of keys and of handles share one ring (copies.js). While it has free places, every value read takes one.
// After that, one in ADMITTED_PER does. Refusing most newcomers is what makes a load that exceeds the cache cheap, and it
// lets copies that are read often gather marks before the hand comes back: for Zipf-distributed reads (s = 0.99) over ten
// times the size, 0.765 of reads hit, against 0.734 when all are admitted and 0.81 at the optimum. The value read last is
// kept in any case, as the guest, so that reading one thing twice gives one object.
//
// A handle carries its copy, so looking for it is free. For a key it costs a look into a Map, and admitting one costs half
// as much as reading it natively. Where fewer than one in WORTH_PER reads hit, all that is a loss, and it is done for one
// in SAMPLED_PER only, until those say otherwise.
//
// Bytes are never kept, because they cannot be frozen.

const { KeyCopy, Ring, evictHandle, isEmpty } = require('./copies.js')
const { STALE, copyOf, dropCopy, freshCopyOf, hasFreshCopy, isHandle, isKeptBy, keepCopy } = require('./handle.js')

/** @typedef {import('./handle.js').Handle} Handle */
/** @typedef {import('./words.js').Words} Words */

/** One in so many newly read values is admitted to a full cache. A power of two. */
const ADMITTED_PER = 8

/** Reads by key are worth a look if one in so many finds a fresh copy. */
const WORTH_PER = 8

/** While they are not, one in so many is looked for, and admitted if it is not there. A power of two. */
const SAMPLED_PER = 64

/** Reads by key that find nothing, and samples, after which it is judged whether looking is worth it. */
const MISSES_PER_REVIEW = 2_048
const SAMPLES_PER_REVIEW = MISSES_PER_REVIEW / SAMPLED_PER

/** Copies of an outdated cache that are dropped with each new one. */
const DROPPED_PER_STEP = 64

/** Copies that are dropped at once when a map is closed: less than a millisecond. Others wait for the garbage collector. */
const DROPPED_AT_END = 65_536

/** The key of no copy, which equals none. */
const NOBODY = Symbol('nobody')

/** What reads look into while looking is not worth it. Nothing is ever put in. @type {Map<unknown, KeyCopy>} */
const NOTHING = new Map()

const NO_INSTANCE = -1

class NearCache {
  /** Number of the map whose handles may have copies here; none has this number in a cache that keeps nothing. */
  instance
  /** Where reads by key look: `#copies`, or nothing while that is not worth it. @type {Map<unknown, KeyCopy>} */
  visible
  /** Reads answered here that were not reported yet. */
  hits = 0
  /** Copies by key; primitives only. @type {Map<unknown, KeyCopy>} */
  #copies = new Map()
  #maxEntries
  #words
  #ring
  /** What was read last without being admitted; its key may be a handle. */
  #guest = new KeyCopy(NOBODY)
  /** Reads by key that found no copy here, or samples, until the next review. */
  #untilReview = MISSES_PER_REVIEW
  /** While looking, what `hits` was at the last review; otherwise the samples since then that were hits. */
  #hitsAtReview = 0
  #random = 0x2545f491
  /** What this one took the place of, while it still holds copies. @type {NearCache | null} */
  #outdated = null

  /**
   * @param {number} maxEntries 0 for a cache that keeps nothing
   * @param {Words | null} words
   * @param {number} instance number of the map
   */
  constructor(maxEntries, words, instance) {
    this.instance = maxEntries === 0 ? NO_INSTANCE : instance
    this.#maxEntries = maxEntries
    this.#words = words
    // The guest has one of the entries.
    this.#ring = new Ring(Math.max(0, maxEntries - 1))
    this.visible = this.#copies
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
   * @param {KeyCopy | undefined} copy what `visible` has for the key
   * @param {any} value
   * @param {number} chunk
   * @param {number} word
   * @param {number} version
   */
  keepByKey(key, copy, value, chunk, word, version) {
    const words = this.#wordsOf(chunk)
    if (words === null) return
    const signed = version | 0
    const kept = copy ?? this.#placeOfKey(key)
    if (kept === undefined) this.#welcome(key, words, word, signed, value)
    else kept.keep(words, word, signed, value)
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
    const signed = version | 0
    if (!isKeptBy(handle, this)) {
      if (this.#ring.isCrowded() && !this.#draws(ADMITTED_PER)) return this.#welcome(handle, words, word, signed, value)
      this.#evict(this.#ring.add(handle))
    }
    keepCopy(handle, this, words, word, signed, value)
  }

  /**
   * Lets go of the copy of a key whose entry is gone.
   *
   * @param {unknown} key
   */
  forgetKey(key) {
    const copy = this.#copies.get(key)
    if (copy === undefined) return
    this.#copies.delete(key)
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

  /** Hits that were not taken yet. */
  takeHits() {
    const { hits } = this
    this.hits = 0
    if (this.#isLooking()) this.#hitsAtReview -= hits
    return hits
  }

  /** An empty cache in place of this one, made at once however much this one holds. */
  successor() {
    const next = new NearCache(this.#maxEntries, this.#words, this.instance)
    next.hits = this.takeHits()
    next.#outdated = this
    return next
  }

  /** Lets go of everything, when the map is closed. */
  dispose() {
    this.#dismantle(DROPPED_AT_END)
    this.#copies.clear()
    this.#ring = new Ring(0)
    this.#outdated = null
  }

  /**
   * @param {number} chunk
   * @returns {Int32Array | null}
   */
  #wordsOf(chunk) {
    if (this.#maxEntries === 0 || this.#words === null) return null
    const outdated = this.#outdated
    if (outdated !== null && !outdated.#dismantle(DROPPED_PER_STEP)) this.#outdated = outdated.#outdated
    return this.#words.of(chunk)
  }

  /**
   * The copy to keep a value in that was read by key and not found, or undefined if it is not admitted.
   *
   * @param {unknown} key
   * @returns {KeyCopy | undefined}
   */
  #placeOfKey(key) {
    const isLooking = this.#isLooking()
    if (this.#ring.isCrowded()) {
      const isDrawn = this.#draws(isLooking ? ADMITTED_PER : SAMPLED_PER)
      if ((isLooking || isDrawn) && --this.#untilReview === 0) this.#review()
      if (!isDrawn) return undefined
    }
    // Nobody looked, so there may be one.
    const known = isLooking ? undefined : this.#copies.get(key)
    if (known !== undefined) {
      if (known.isFresh()) this.#hitsAtReview++
      known.isUsed = true
      return known
    }
    const copy = new KeyCopy(key)
    this.#copies.set(key, copy)
    this.#evict(this.#ring.add(copy))
    return copy
  }

  #isLooking() {
    return this.visible === this.#copies
  }

  /** Judges whether reads by key are worth a look. */
  #review() {
    if (this.#isLooking()) {
      const hits = this.hits - this.#hitsAtReview
      // So many of all reads, those that missed included.
      if (hits * (WORTH_PER - 1) < MISSES_PER_REVIEW) this.visible = NOTHING
    } else if (this.#hitsAtReview * WORTH_PER >= SAMPLES_PER_REVIEW) {
      this.visible = this.#copies
    }
    const isLooking = this.#isLooking()
    this.#untilReview = isLooking ? MISSES_PER_REVIEW : SAMPLES_PER_REVIEW
    this.#hitsAtReview = isLooking ? this.hits : 0
  }

  /**
   * True one in `per` times. At random, because a count would go in step with reads that repeat.
   *
   * @param {number} per
   */
  #draws(per) {
    let random = this.#random
    random ^= random << 13
    random ^= random >>> 17
    random ^= random << 5
    this.#random = random
    return (random & (per - 1)) === 0 && this.#maxEntries > 1
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
    guest.keep(words, word, version, value)
  }

  /** @param {KeyCopy | Handle | undefined} copy what had to leave the ring */
  #evict(copy) {
    if (copy === undefined) return
    if (!(copy instanceof KeyCopy)) {
      if (isKeptBy(copy, this)) evictHandle(copy)
    } else if (!isEmpty(copy)) {
      // The key of an empty copy may have another one by now.
      this.#copies.delete(copy.key)
    }
  }

  /**
   * Lets go of up to `count` copies; whether there may be more.
   *
   * @param {number} count
   */
  #dismantle(count) {
    this.#guest.key = NOBODY
    this.#guest.drop()
    return this.#ring.dismantle(count)
  }
}

module.exports = { NearCache, STALE, copyOf, freshCopyOf, hasFreshCopy, isHandle, isKeptBy }
