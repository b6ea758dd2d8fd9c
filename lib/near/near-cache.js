'use strict'

// The near cache: decoded values in front of the store, so that a repeated read never leaves JavaScript.
//
// Every write to an entry, in any thread, changes its version word. So no write has to invalidate a copy here: a read
// ignores a copy that is no longer fresh, and copies are removed only to free memory.
//
// What is kept. Copies of keys and of handles share one ring (ring.js), bounded in entries and in bytes. While it has
// room, every value read is admitted, unless reading it natively costs next to nothing for its size (copy-cost.js).
// After that, one in ADMITTED_PER is. Refusing most newcomers is what makes a load that exceeds the cache cheap, and it
// lets copies that are read often gather marks before the hand comes back: for Zipf-distributed reads (s = 0.99) over
// ten times the size, 0.773 of reads hit, against 0.733 when all are admitted and 0.81 at the optimum. The value read
// last is kept in any case, as the guest (guest.js), so that reading one entry twice returns one object.
//
// A handle carries its copy, so looking for it is free. For a key it costs a look into a Map, and admitting one costs
// half as much as reading it natively. Where fewer than one in WORTH_PER reads hit, all that is a loss, and it is
// done for one in SAMPLED_PER only, until one in WORTH_AGAIN_PER of those hits.
//
// Bytes are never kept, because they cannot be frozen.

const {
  Origin,
  STALE,
  copyOf,
  dropCopy,
  freshCopyOf,
  hasFreshCopy,
  isHandle,
  isKeptBy,
  keepCopy,
  markAccess
} = require('../handle.js')
const { HitCounter } = require('../hit-counter.js')
const { KIND, MARKING, SCRATCH, UNKEPT } = require('../native/layout.js')
const { COST_OF_HANDLE, NOT_WORTH, costOfKey } = require('./copy-cost.js')
const { Ring } = require('./ring.js')

/** @typedef {import('./copies.js').Copies} Copies */
/** @typedef {import('../handle.js').Handle} Handle */
/** @typedef {import('../native/words.js').HitLog} HitLog */
/** @typedef {import('../native/words.js').Words} Words */

/**
 * What a near cache is made with.
 *
 * @typedef {object} NearCacheOptions
 * @property {number} maxEntries 0 for a cache that keeps nothing
 * @property {number} maxBytes
 * @property {Words | null} words
 * @property {number} instance number of the map
 * @property {number} shards how many the map has
 * @property {number} marking one of MARKING, or what access words are counted up to
 * @property {HitLog | null} hitLog where marking is in order
 * @property {boolean} normalizes whether keys are another when they come here than when they were given
 * @property {Origin} origin what the handles of the map know of it, which counts hits of its own
 * @property {import('../hit-counter.js').Sampler | undefined} [sampler] what samples hits, in a map that wants that
 * @property {() => void} [onFull] reports hits, and takes them with that
 */

const { CHUNK, SHARD, SIZE, SLOT, VERSION, WORD } = SCRATCH

/** Kinds from this one on are never kept. */
const FIRST_BYTES = KIND.Uint8Array

/** One in so many newly read values is admitted to a full cache. A power of two. */
const ADMITTED_PER = 16

/** Reads by key are worth a look if one in so many finds a fresh copy. */
const WORTH_PER = 8

/** While they are not, one in so many is looked for, and admitted if it is not there. A power of two. */
const SAMPLED_PER = 64

/** They are again if one in so many samples finds one: more, so that chance does not turn the look on and off. */
const WORTH_AGAIN_PER = 6

/**
 * Reads by key that find nothing, and samples, after which it is judged whether looking is worth it. With 32 samples in
 * place of 128, a load of which one in ten hits was judged worth it four times in ten.
 */
const MISSES_PER_REVIEW = 2_048
const SAMPLES_PER_REVIEW = 128

/** What reads look into where looking is not worth it. Nothing is ever put in. @type {Map<unknown, number>} */
const NOTHING = new Map()

/** The keeper of a cache that keeps nothing, and the origin of its handles: no map gets this number, no handle it. */
const NO_MAP = 2 ** 31 - 1
const NO_HANDLES = new Origin(NO_MAP, () => undefined)

class NearCache extends HitCounter {
  /** Whether there is anything to record. */
  #isMarking
  /** What access words are counted up to, 0 where hits are not marked there. */
  limit = 0
  /** The log that records hits in order. @type {HitLog | null} */
  #hitLog
  #options
  ring
  /** Reads by key that found no copy here, or samples, until the next review. */
  #untilReview = MISSES_PER_REVIEW
  /** While looking, what `allHits` was at the last review; otherwise the samples since then that were hits. */
  #hitsAtReview = 0
  #isLooking = true
  #random = 0x2545f491

  /**
   * @param {NearCacheOptions} options
   * @param {Ring} [ring] what the cache had that this one takes the place of, emptied
   */
  constructor(options, ring = undefined) {
    const { maxEntries, maxBytes, words, instance, shards, marking, hitLog, origin, onFull } = options
    super(options.sampler)
    if (onFull !== undefined) this.onFull = onFull
    // Fields that every hit reads are set once, here: the engine then knows what is in them and need not look.
    /** Number of the map. A handle stores it with a copy, so that each cache recognises its own copies. */
    this.keeper = maxEntries === 0 ? NO_MAP : instance
    /** What handles have whose copies are looked at first. */
    this.origin = maxEntries === 0 ? NO_HANDLES : origin
    this.#options = options
    this.#isMarking = marking !== MARKING.None
    this.limit = Math.max(0, marking)
    this.#hitLog = hitLog
    this.begin(this.#isMarking)
    const hasTickets = hitLog !== null
    const { keeper } = this
    this.ring = ring ?? new Ring({ maxEntries, maxBytes, keeper, shards, hasTickets, onTurn: onFull }, words)
    /** The copies, or the first part of them. */
    this.copies = this.ring.parts[0]
    /** Whether they have several parts. */
    this.isSplit = this.ring.parts.length > 1
    /** Whether a read has more to do than to look for the given key in one place. */
    this.isIndirect = this.isSplit || options.normalizes
    /** Where reads by key look: the places of `copies`; nothing while that is not worth it, or if it is not all. */
    this.visible = this.isIndirect ? NOTHING : this.copies.places
  }

  /** Its contents, bounds and counters, for `getStats`. */
  get stats() {
    const { maxEntries } = this.#options
    const { bytes, entries, evictions, maxBytes, outdated } = this.ring
    const hits = this.allHits + this.origin.allHits
    return { entries, bytes, maxEntries, maxBytes, hits, evictions, outdated }
  }

  /** Whether it ever keeps copies. */
  get keepsCopies() {
    return this.#options.maxEntries > 0
  }

  /** Whether looking for keys is worth it. */
  get looks() {
    return this.#isLooking && this.ring.entries > 0
  }

  /**
   * Changes the bound in bytes.
   *
   * @param {number} maxBytes
   */
  setMaxBytes(maxBytes) {
    this.ring.maxBytes = maxBytes
  }

  /**
   * The part of the copies that a key belongs to.
   *
   * @param {unknown} key
   */
  partOf(key) {
    return this.isSplit ? this.ring.partOf(key) : this.copies
  }

  /**
   * The place in its part where reads find a key.
   *
   * @param {unknown} key
   */
  placeOf(key) {
    if (!this.isIndirect) return this.visible.get(key)
    return this.#isLooking ? this.partOf(key).places.get(key) : undefined
  }

  /**
   * What a hit on the copy of a handle has to do beside being counted, in a read that may be timed.
   *
   * @param {Handle} handle
   * @returns {any} its value
   */
  recordHandle(handle) {
    if (this.left <= this.end) return this.#passHandle(handle)
    this.#markHandle(handle)
    return copyOf(handle)
  }

  /**
   * The same for a key.
   *
   * @param {Copies} copies
   * @param {number} place
   * @param {unknown} given the key as the program spells it: a function of the user may have made another one of it
   * @returns {any} its value
   */
  recordKey(copies, place, given) {
    if (this.left <= this.end) return this.#passKey(copies, place, given)
    this.#markKey(copies, place)
    return copies.valueAt(place)
  }

  /** @param {Handle} handle */
  #passHandle(handle) {
    const count = this.pass(handle)
    if (count > 0) return this.timed(count, handle)
    if (this.#isMarking) this.#markHandle(handle)
    return copyOf(handle)
  }

  /** @param {Copies} copies @param {number} place @param {unknown} given */
  #passKey(copies, place, given) {
    const count = this.pass(copies.tenantAt(place))
    if (count > 0) return this.timed(count, given)
    if (this.#isMarking) this.#markKey(copies, place)
    return copies.valueAt(place)
  }

  /**
   * What a hit has to do that is part of another operation.
   *
   * @param {Handle} handle
   */
  #countHandle(handle) {
    if (this.left <= this.end) this.owe(this.pass(handle))
    if (this.#isMarking) this.#markHandle(handle)
  }

  /** @param {Copies} copies @param {number} place */
  #countKey(copies, place) {
    if (this.left <= this.end) this.owe(this.pass(copies.tenantAt(place)))
    if (this.#isMarking) this.#markKey(copies, place)
  }

  /** @param {Handle} handle */
  #markHandle(handle) {
    if (this.#hitLog === null) markAccess(handle, this.limit)
    else this.#hitLog.noteHandle(handle)
  }

  /** @param {Copies} copies @param {number} place */
  #markKey(copies, place) {
    if (this.#hitLog === null) copies.markAccess(place, this.limit)
    else this.#hitLog.noteKey(copies, place)
  }

  /**
   * The fresh copy of a key or handle, for an operation that does more than read it. Counts it as a hit, and does not
   * look at the guest.
   *
   * @param {any} target
   * @returns {any} STALE if there is none
   */
  lookup(target) {
    if (typeof target === 'object' && target !== null) {
      const copy = isHandle(target) ? freshCopyOf(target, this.keeper) : STALE
      if (copy !== STALE && --this.left <= 0) this.#countHandle(target)
      return copy
    }
    const copies = this.partOf(target)
    const place = this.#freshPlace(copies, target)
    if (place === undefined) return STALE
    if (--this.left <= 0) this.#countKey(copies, place)
    return copies.valueAt(place)
  }

  /**
   * The same in a read of a key, which may be timed.
   *
   * @param {any} key
   * @param {unknown} given the key as the program spells it
   * @returns {any} STALE if there is none
   */
  read(key, given) {
    const copies = this.partOf(key)
    const place = this.#freshPlace(copies, key)
    if (place === undefined) return STALE
    return --this.left <= 0 ? this.recordKey(copies, place, given) : copies.valueAt(place)
  }

  /** @param {Copies} copies @param {any} key */
  #freshPlace(copies, key) {
    const place = this.#isLooking ? copies.places.get(key) : undefined
    return place !== undefined && copies.isFresh(place) ? place : undefined
  }

  /**
   * The fresh copy of a key or handle. Counts no hit, and marks nothing.
   *
   * @param {any} target
   * @returns {any} STALE if there is none
   */
  peek(target) {
    if (typeof target === 'object' && target !== null) {
      return isHandle(target) && hasFreshCopy(target, this.keeper) ? copyOf(target) : STALE
    }
    const place = this.placeOf(target)
    if (place === undefined) return STALE
    const copies = this.partOf(target)
    return copies.isFresh(place) ? copies.valueAt(place) : STALE
  }

  /**
   * The fresh copy of a handle that was read natively all the same: the object that other reads return. Marks it as
   * used; the hit is already counted.
   *
   * @param {Handle} handle
   * @returns {any} STALE if there is none
   */
  sameAs(handle) {
    return freshCopyOf(handle, this.keeper)
  }

  /**
   * Keeps what was read of a key or handle, if a copy of it may be kept.
   *
   * @param {any} target
   * @param {number} kind
   * @param {any} value
   * @param {Uint32Array} states where native code said what it is about
   * @param {number} row where it begins there
   */
  keep(target, kind, value, states, row) {
    // Bytes belong to the caller, and keys that are objects cannot be looked up.
    if (kind >= FIRST_BYTES) return
    if (typeof target !== 'object') this.keepByKey(target, this.placeOf(target), kind, value, states, row)
    else if (target !== null && isHandle(target)) this.keepByHandle(target, kind, value, states, row)
  }

  /**
   * Keeps what was written to a key or handle, if there is a copy already. The copy of a scalar is the scalar: as good
   * as read again. That of an object is made by the next read.
   *
   * @param {any} target
   * @param {number} kind
   * @param {any} value
   * @param {Uint32Array} states where native code said what it is about
   */
  renew(target, kind, value, states) {
    if (kind >= KIND.Json) return
    if (typeof target !== 'object') this.renewKey(target, kind, value, states)
    else if (target !== null && isHandle(target) && isKeptBy(target, this.keeper)) {
      this.keepByHandle(target, kind, value, states, 0)
    }
  }

  /**
   * Removes the copy of a key or handle whose entry was removed.
   *
   * @param {any} target
   */
  forget(target) {
    if (typeof target !== 'object') this.forgetKey(target)
    else if (target !== null && isHandle(target)) this.forgetHandle(target)
  }

  /**
   * The copy of a handle, or else the guest's value. Counts it as a hit.
   *
   * @param {Handle} handle
   * @returns {any} STALE if nothing fresh is kept
   */
  findHandle(handle) {
    const copy = freshCopyOf(handle, this.keeper)
    if (copy === STALE) return this.#findGuest(handle)
    if (--this.left <= 0) this.#countHandle(handle)
    return copy
  }

  /**
   * The same by key.
   *
   * @param {unknown} key
   * @param {number | undefined} place what `placeOf` gives for the key
   */
  findKey(key, place) {
    if (place !== undefined) {
      const copies = this.partOf(key)
      if (copies.isFresh(place)) {
        if (--this.left <= 0) this.#countKey(copies, place)
        return copies.valueAt(place)
      }
    }
    return this.#findGuest(key)
  }

  /**
   * Keeps what was read by key.
   *
   * @param {unknown} key a primitive
   * @param {number | undefined} place what `placeOf` gives for the key
   * @param {number} kind
   * @param {any} value
   * @param {Uint32Array} states where native code said what it is about
   * @param {number} row where it begins there
   */
  keepByKey(key, place, kind, value, states, row) {
    const cost = this.#costOf(kind, value, states, row)
    if (cost === NOT_WORTH) {
      if (place !== undefined) this.forgetKey(key)
      return
    }
    const copies = this.partOf(key)
    const isLooking = this.#isLooking
    if (place === undefined && !this.#admits(cost)) return this.#setGuest(key, value, cost, states, row)
    // Without a lookup before, there may be a copy.
    const known = place === undefined && !isLooking ? copies.places.get(key) : place
    if (!isLooking && known !== undefined && copies.isFresh(known)) this.#hitsAtReview++
    this.#keepAt(copies, known, key, value, cost, states, row)
    this.ring.step()
  }

  /**
   * Keeps what was written by key, if there is a copy already. Nothing is added, so the sweep need not go on for it.
   *
   * @param {unknown} key
   * @param {number} kind
   * @param {any} value
   * @param {Uint32Array} states
   */
  renewKey(key, kind, value, states) {
    const place = this.placeOf(key)
    if (place === undefined) return
    const cost = this.#costOf(kind, value, states, 0)
    if (cost === NOT_WORTH) this.forgetKey(key)
    else this.#keepAt(this.partOf(key), place, key, value, cost, states, 0)
  }

  /**
   * Keeps what was read by handle.
   *
   * @param {Handle} handle
   * @param {number} kind
   * @param {any} value
   * @param {Uint32Array} states
   * @param {number} row
   */
  keepByHandle(handle, kind, value, states, row) {
    const cost = this.#costOf(kind, value, states, row)
    if (cost === NOT_WORTH) return this.forgetHandle(handle)
    const { ring } = this
    const isKept = isKeptBy(handle, this.keeper)
    if (!isKept && ring.isCrowded(cost) && !this.#draws(ADMITTED_PER)) {
      return this.#setGuest(handle, value, cost, states, row)
    }
    ring.step()
    const words = this.#freshWords(states, row)
    if (words === null) return this.forgetHandle(handle)
    const copies = ring.partOfHandle(handle)
    const place = ring.placeHandle(copies, isKept ? copies.placeOfHandle(handle) : undefined, handle, cost)
    if (place === undefined) return
    const version = states[row + VERSION] | 0
    copies.noteVersion(place, version)
    keepCopy(handle, words, states[row + WORD], version, value)
  }

  /**
   * Removes the copy of a key whose entry was removed.
   *
   * @param {unknown} key
   */
  forgetKey(key) {
    const copies = this.partOf(key)
    const place = copies.places.get(key)
    if (place !== undefined) this.ring.evict(copies, place)
  }

  /**
   * Removes the copy of a handle whose entry was removed.
   *
   * @param {Handle} handle
   */
  forgetHandle(handle) {
    if (!isKeptBy(handle, this.keeper)) return
    const copies = this.ring.partOfHandle(handle)
    const place = copies.placeOfHandle(handle)
    if (place !== undefined) this.ring.evict(copies, place)
    // Its place may be in another cache of this thread, or unknown.
    dropCopy(handle)
  }

  /** Hits that were not taken yet, those that handles counted included. */
  get waitingHits() {
    return this.hits + this.origin.hits
  }

  /** Takes them. */
  takeWaitingHits() {
    return this.takeHits() + this.origin.takeHits()
  }

  /** An empty cache in place of this one, made at once however much this one holds. */
  successor() {
    this.ring.reset()
    const next = new NearCache(this.#options, this.ring)
    next.continue(this)
    return next
  }

  /** Removes all copies when the map is closed. */
  dispose() {
    this.ring.dispose()
  }

  /**
   * What the copy of a value would take. This also decides whether a copy may be kept at all: it may not if the entry
   * was removed (its version is 0), nor if native code says that nothing would end the copy.
   *
   * @param {number} kind
   * @param {any} value
   * @param {Uint32Array} states
   * @param {number} row
   * @returns {number} NOT_WORTH if none is kept
   */
  #costOf(kind, value, states, row) {
    if (this.#options.maxEntries === 0 || states[row + CHUNK] === UNKEPT || states[row + VERSION] === 0)
      return NOT_WORTH
    return this.ring.costOf(kind, states[row + SIZE], value)
  }

  /**
   * The version words of the entry's chunk; null if they cannot be read or the value is not fresh.
   *
   * @param {Uint32Array} states
   * @param {number} row
   * @returns {Int32Array | null}
   */
  #freshWords(states, row) {
    const words = this.#options.words?.of(states[row + CHUNK]) ?? null
    if (words === null) return null
    const version = states[row + VERSION] | 0
    return words[states[row + WORD]] === version ? words : null
  }

  /**
   * The ticket of an entry, for maps that log hits in order.
   *
   * @param {Uint32Array} states
   * @param {number} row
   */
  #ticketAt(states, row) {
    const hitLog = this.#hitLog
    if (hitLog === null) return 0
    return hitLog.ticketOf(states[row + SHARD], states[row + SLOT])
  }

  /**
   * @param {Copies} copies
   * @param {number | undefined} place
   * @param {unknown} key
   * @param {any} value
   * @param {number} cost
   * @param {Uint32Array} states
   * @param {number} row
   */
  #keepAt(copies, place, key, value, cost, states, row) {
    const words = this.#freshWords(states, row)
    if (words === null) return this.forgetKey(key)
    const { ring } = this
    const taken = place === undefined ? ring.addKey(copies, key, cost) : ring.renewKey(copies, place, key, cost)
    if (taken === undefined) return
    const version = states[row + VERSION] | 0
    copies.keep(taken, words, states[row + WORD], version, value, this.#ticketAt(states, row))
  }

  /**
   * Whether a value that was read by key, and has no copy, is to have one.
   *
   * @param {number} cost
   */
  #admits(cost) {
    if (!this.ring.isCrowded(cost)) return true
    const isLooking = this.#isLooking
    const isDrawn = this.#draws(isLooking ? ADMITTED_PER : SAMPLED_PER)
    if ((isLooking || isDrawn) && --this.#untilReview === 0) this.#review()
    return isDrawn
  }

  /** Judges whether reads by key are worth a look. */
  #review() {
    if (this.#isLooking) {
      const hits = this.allHits - this.#hitsAtReview
      // So many of all reads, those that missed included.
      this.#look(hits * (WORTH_PER - 1) >= MISSES_PER_REVIEW)
    } else {
      this.#look(this.#hitsAtReview * WORTH_AGAIN_PER >= SAMPLES_PER_REVIEW)
    }
    this.#untilReview = this.#isLooking ? MISSES_PER_REVIEW : SAMPLES_PER_REVIEW
    this.#hitsAtReview = this.#isLooking ? this.allHits : 0
  }

  /** @param {boolean} isLooking */
  #look(isLooking) {
    this.#isLooking = isLooking
    this.visible = isLooking && !this.isIndirect ? this.copies.places : NOTHING
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
    return (random & (per - 1)) === 0 && this.#options.maxEntries > 1
  }

  /**
   * Keeps a value until the next one that is not admitted either.
   *
   * @param {unknown} item a key or a handle
   * @param {any} value
   * @param {number} cost
   * @param {Uint32Array} states
   * @param {number} row
   */
  #setGuest(item, value, cost, states, row) {
    const whole = cost + (typeof item === 'object' ? COST_OF_HANDLE : costOfKey(item))
    this.ring.setGuest(item, value, whole, this.#ticketAt(states, row), states, row)
  }

  /**
   * The value of the guest, if it is this key or handle and fresh. Counts it as a hit.
   *
   * @param {unknown} item
   * @returns {any} STALE if it is not
   */
  #findGuest(item) {
    const { guest } = this.ring
    if (!guest.isFresh(item)) return STALE
    if (--this.left <= this.end) this.owe(this.pass(item))
    if (this.#hitLog !== null) this.#hitLog.noteGuest(guest)
    else if (this.#isMarking) guest.markAccess(this.limit)
    return guest.value
  }
}

/** Replaces the near cache of a closed map. Always empty. */
const NO_CACHE = new NearCache({
  maxEntries: 0,
  maxBytes: 0,
  words: null,
  instance: 0,
  shards: 1,
  marking: MARKING.None,
  hitLog: null,
  normalizes: false,
  origin: NO_HANDLES
})

module.exports = { NO_CACHE, NearCache, STALE }
