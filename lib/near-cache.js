'use strict'

// The near cache: decoded values in front of the store, so that a repeated read never leaves JavaScript.
//
// Whoever changes an entry, in whatever thread, changes its version word. So nothing is ever invalidated here; a copy that
// is no longer fresh is merely not found, and memory is the only reason to throw one away.
//
// Bound. Copies of keys and of handles share one ring (copies.js). While it has free places, every value read takes one.
// After that, one in ADMITTED_PER does. Refusing most newcomers is what makes a load that exceeds the cache cheap, and it
// lets copies that are read often gather marks before the hand comes back: for Zipf-distributed reads (s = 0.99) over ten
// times the size, 0.773 of reads hit, against 0.733 when all are admitted and 0.81 at the optimum. The value read last is
// kept in any case, as the guest, so that reading one thing twice gives one object.
//
// A handle carries its copy, so looking for it is free. For a key it costs a look into a Map, and admitting one costs half
// as much as reading it natively. Where fewer than one in WORTH_PER reads hit, all that is a loss, and it is done for one
// in SAMPLED_PER only, until those say otherwise.
//
// Bytes are never kept, because they cannot be frozen.

const { Copies, NOBODY } = require('./copies.js')
const {
  STALE,
  copyOf,
  dropCopy,
  freshCopyOf,
  hasFreshCopy,
  isHandle,
  isHit,
  isKeptBy,
  keepCopy,
  markAccess,
  markAccessWord
} = require('./handle.js')
const { MARKING, SCRATCH, UNKEPT } = require('./layout.js')

/** @typedef {import('./handle.js').Handle} Handle */
/** @typedef {import('./words.js').HitLog} HitLog */
/** @typedef {import('./words.js').Words} Words */

const { CHUNK, SHARD, SLOT, VERSION, WORD } = SCRATCH

/** One in so many newly read values is admitted to a full cache. A power of two. */
const ADMITTED_PER = 16

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

/** What reads look into while looking is not worth it. Nothing is ever put in. @type {Map<unknown, number>} */
const NOTHING = new Map()

/** The keeper of a cache that keeps nothing. No map gets this number, so no handle has it. */
const NO_MAP = 2 ** 31 - 1

class NearCache {
  /** Reads answered here that were not reported yet. */
  hits = 0
  /** What a hit has to note down for the policy of the map: one of MARKING, or what its access word is counted up to. */
  #marking
  #maxEntries
  #words
  /** Where hits are noted in order. @type {HitLog | null} */
  #hitLog
  /** What was read last without being admitted, a key or a handle, and its value. The words are looked for when it is read again. */
  #guest = NOBODY
  /** @type {any} */
  #guestValue = undefined
  #guestChunk = 0
  #guestWord = 0
  #guestVersion = 0
  #guestTicket = 0
  /** Reads by key that found no copy here, or samples, until the next review. */
  #untilReview = MISSES_PER_REVIEW
  /** While looking, what `hits` was at the last review; otherwise the samples since then that were hits. */
  #hitsAtReview = 0
  #random = 0x2545f491
  /** What this one took the place of, as far as handles may still hold copies. @type {Copies[]} */
  #outdated = []

  /**
   * @param {number} maxEntries 0 for a cache that keeps nothing
   * @param {Words | null} words
   * @param {number} instance number of the map
   * @param {number} marking one of MARKING, or what access words are counted up to
   * @param {HitLog | null} hitLog where marking is in order
   */
  constructor(maxEntries, words, instance, marking = MARKING.None, hitLog = null) {
    // Fields that every hit reads are set once, here: the engine then knows what is in them and need not look.
    /** Whether a hit has to be noted down for the policy of the map. */
    this.isMarking = marking !== MARKING.None
    /** Number of the map, by which handles know whose copy they have. */
    this.keeper = maxEntries === 0 ? NO_MAP : instance
    this.#maxEntries = maxEntries
    this.#words = words
    this.#marking = marking
    this.#hitLog = hitLog
    // The guest has one of the entries.
    this.copies = new Copies(Math.max(0, maxEntries - 1), this.keeper, hitLog !== null)
    /** Where reads by key look: the places of `copies`, or nothing while that is not worth it. */
    this.visible = this.copies.places
  }

  /**
   * Counts a hit on the copy of a handle.
   *
   * @param {Handle} handle
   */
  hitHandle(handle) {
    this.hits++
    if (this.isMarking) this.markHandle(handle)
  }

  /**
   * Counts a hit on the copy of a key.
   *
   * @param {number} place
   */
  hitKey(place) {
    this.hits++
    if (this.isMarking) this.markKey(place)
  }

  /**
   * What is kept of a handle, its mark or the guest taken into account. Counts it as a hit.
   *
   * @param {Handle} handle
   * @returns {any} STALE if nothing fresh is kept
   */
  findHandle(handle) {
    const copy = freshCopyOf(handle, this.keeper)
    if (copy === STALE) return this.#findGuest(handle)
    this.hitHandle(handle)
    return copy
  }

  /**
   * The same by key.
   *
   * @param {unknown} key
   * @param {number | undefined} place what `visible` has for the key
   */
  findKey(key, place) {
    if (place === undefined || !this.copies.isFresh(place)) return this.#findGuest(key)
    this.hitKey(place)
    return this.copies.valueAt(place)
  }

  /**
   * Keeps what was read by key.
   *
   * @param {unknown} key a primitive
   * @param {number | undefined} place what `visible` has for the key
   * @param {any} value
   * @param {Uint32Array} states where native code said what it is about
   * @param {number} row where it begins there
   */
  keepByKey(key, place, value, states, row) {
    const chunk = /** @type {number} */ (states[row + CHUNK])
    if (this.#maxEntries === 0 || chunk === UNKEPT) return
    const taken = place ?? this.#placeOfKey(key)
    if (taken === undefined) this.#welcome(key, value, states, row)
    else this.#keepAt(taken, key, value, states, row)
  }

  /**
   * Keeps what was written by key, if there is a copy already.
   *
   * @param {unknown} key
   * @param {any} value
   * @param {Uint32Array} states
   */
  renewKey(key, value, states) {
    const place = this.visible.get(key)
    if (place !== undefined && states[CHUNK] !== UNKEPT) this.#keepAt(place, key, value, states, 0)
  }

  /**
   * Keeps what was read by handle.
   *
   * @param {Handle} handle
   * @param {any} value
   * @param {Uint32Array} states
   * @param {number} row
   */
  keepByHandle(handle, value, states, row) {
    const chunk = /** @type {number} */ (states[row + CHUNK])
    if (this.#maxEntries === 0 || chunk === UNKEPT) return
    const isKept = isKeptBy(handle, this.keeper)
    if (!isKept && this.copies.isCrowded() && !this.#draws(ADMITTED_PER)) {
      return this.#welcome(handle, value, states, row)
    }
    const words = this.#wordsOf(chunk)
    if (words === null) return
    if (!isKept) this.copies.addHandle(handle)
    const version = /** @type {number} */ (states[row + VERSION]) | 0
    keepCopy(handle, this.keeper, words, /** @type {number} */ (states[row + WORD]), version, value)
  }

  /**
   * Lets go of the copy of a key whose entry is gone.
   *
   * @param {unknown} key
   */
  forgetKey(key) {
    this.copies.deleteKey(key)
  }

  /**
   * Lets go of the copy of a handle whose entry is gone.
   *
   * @param {Handle} handle
   */
  forgetHandle(handle) {
    if (isKeptBy(handle, this.keeper)) dropCopy(handle)
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
    const next = new NearCache(this.#maxEntries, this.#words, this.keeper, this.#marking, this.#hitLog)
    next.hits = this.takeHits()
    this.copies.forgetKeys()
    next.#outdated = [...this.#outdated, this.copies]
    return next
  }

  /** Lets go of everything, when the map is closed. */
  dispose() {
    this.#guest = NOBODY
    this.#guestValue = undefined
    this.copies.forgetKeys()
    this.copies.dismantle(DROPPED_AT_END)
    this.#outdated = []
  }

  /**
   * Notes down a hit on the copy of a handle, where `isMarking`.
   *
   * @param {Handle} handle
   */
  markHandle(handle) {
    if (this.#hitLog !== null) this.#hitLog.note(this.#hitLog.ticketOf(handle.shard, handle.slot))
    else markAccess(handle, this.#marking)
  }

  /**
   * The same for a key.
   *
   * @param {number} place
   */
  markKey(place) {
    if (this.#hitLog !== null) this.#hitLog.note(this.copies.ticketAt(place))
    else this.copies.markAccess(place, this.#marking)
  }

  /**
   * @param {number} chunk
   * @returns {Int32Array | null}
   */
  #wordsOf(chunk) {
    const outdated = this.#outdated
    if (outdated.length > 0 && !outdated[0]?.dismantle(DROPPED_PER_STEP)) outdated.shift()
    return this.#words === null ? null : this.#words.of(chunk)
  }

  /**
   * The ticket of an entry, where hits are noted in order.
   *
   * @param {Uint32Array} states
   * @param {number} row
   */
  #ticketAt(states, row) {
    if (this.#hitLog === null) return 0
    return this.#hitLog.ticketOf(
      /** @type {number} */ (states[row + SHARD]),
      /** @type {number} */ (states[row + SLOT])
    )
  }

  /**
   * @param {number} place
   * @param {unknown} key
   * @param {any} value
   * @param {Uint32Array} states
   * @param {number} row
   */
  #keepAt(place, key, value, states, row) {
    const words = this.#wordsOf(/** @type {number} */ (states[row + CHUNK]))
    if (words === null) return this.forgetKey(key)
    const word = /** @type {number} */ (states[row + WORD])
    const version = /** @type {number} */ (states[row + VERSION]) | 0
    this.copies.keep(place, words, word, version, value, this.#ticketAt(states, row))
  }

  /**
   * The place to keep a value at that was read by key and not found, or undefined if it is not admitted.
   *
   * @param {unknown} key
   * @returns {number | undefined}
   */
  #placeOfKey(key) {
    const isLooking = this.#isLooking()
    if (this.copies.isCrowded()) {
      const isDrawn = this.#draws(isLooking ? ADMITTED_PER : SAMPLED_PER)
      if ((isLooking || isDrawn) && --this.#untilReview === 0) this.#review()
      if (!isDrawn) return undefined
    }
    // Nobody looked, so there may be one.
    const known = isLooking ? undefined : this.copies.places.get(key)
    if (known === undefined) return this.copies.addKey(key)
    if (this.copies.isFresh(known)) this.#hitsAtReview++
    return known
  }

  #isLooking() {
    return this.visible === this.copies.places
  }

  /** Judges whether reads by key are worth a look. */
  #review() {
    if (this.#isLooking()) {
      const hits = this.hits - this.#hitsAtReview
      // So many of all reads, those that missed included.
      if (hits * (WORTH_PER - 1) < MISSES_PER_REVIEW) this.visible = NOTHING
    } else if (this.#hitsAtReview * WORTH_PER >= SAMPLES_PER_REVIEW) {
      this.visible = this.copies.places
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
   * Keeps a value until the next one that is not admitted either.
   *
   * @param {unknown} item a key or a handle
   * @param {any} value
   * @param {Uint32Array} states
   * @param {number} row
   */
  #welcome(item, value, states, row) {
    this.#guest = /** @type {any} */ (item)
    this.#guestValue = value
    this.#guestChunk = /** @type {number} */ (states[row + CHUNK])
    this.#guestWord = /** @type {number} */ (states[row + WORD])
    this.#guestVersion = /** @type {number} */ (states[row + VERSION]) | 0
    this.#guestTicket = this.#ticketAt(states, row)
  }

  /**
   * The value of the guest, if it is this key or handle and fresh. Counts it as a hit.
   *
   * @param {unknown} item
   * @returns {any} STALE if it is not
   */
  #findGuest(item) {
    if (this.#guest !== item) return STALE
    const words = this.#wordsOf(this.#guestChunk)
    const word = this.#guestWord
    if (words === null || words[word] !== this.#guestVersion) return STALE
    this.hits++
    if (this.#hitLog !== null) this.#hitLog.note(this.#guestTicket)
    else if (this.isMarking) markAccessWord(words, word, this.#marking)
    return this.#guestValue
  }
}

/** What stands in place of the near cache of a closed map: nothing is ever found in it. */
const NO_CACHE = new NearCache(0, null, 0)

module.exports = { NO_CACHE, NearCache, STALE, copyOf, freshCopyOf, hasFreshCopy, isHandle, isHit, isKeptBy }
