'use strict'

// Handles: references to entries, for the user. Its four numbers identify the entry; its private fields hold a near
// cache's copy of the value, so that reading it costs no lookup. And it knows the map of this thread that made it, so
// that it can be read without naming the map.

const { ERROR_NUMBERS, createError } = require('./errors.js')
const { share } = require('./addon/load.js')

const { apply } = Reflect

/** Replaces the version words of a handle that carries no copy; matches no version. */
const NO_WORDS = new Int32Array(1)
const NO_VERSION = 1
/** In place of the index of the version word of a handle that has no place in a near cache. */
const NO_PLACE = -(2 ** 30)
/**
 * What `freshCopyOf` returns for anything but a handle whose copy is fresh. Not `undefined`, which is a possible value.
 */
const STALE = Symbol('stale')

/** Hits that an origin counts before it has to look what else there is to do. */
const HITS_AT_ONCE = 2 ** 30 - 1

// Access to private state for the near cache; for lib/ only. A `keeper` is the number of the map for which a near cache
// keeps copies.
/** @type {(value: object) => value is Handle} */
let isHandle
/** Whether an argument that may be a key is a handle. @type {(key: any) => key is Handle} */
let isHandleKey
/** @type {(value: object, origin: Origin) => value is Handle} */
let isHit
/** @type {(handle: Handle, keeper: number) => boolean} */
let hasFreshCopy
/** @type {(value: object, keeper: number) => any} */
let freshCopyOf
/** @type {(handle: Handle) => any} */
let copyOf
/** @type {(handle: Handle, keeper: number) => boolean} */
let isKeptBy
/** @type {(handle: Handle, keeper: number, version: number) => boolean} */
let isCopyOf
/** @type {(handle: Handle, words: Int32Array, word: number, version: number, value: any) => void} */
let keepCopy
/** @type {(handle: Handle) => void} */
let dropCopy
/** @type {(handle: Handle) => void} */
let leaveCache
/** @type {(handle: Handle) => boolean} */
let takeMark
/** Answers a hit that is more than a number. @type {(handle: Handle, origin: Origin) => any} */
let readOrMark
/** @type {(handle: Handle, limit: number) => void} */
let markAccess
/** @type {(handle: Handle, origin: Origin) => Handle} */
let handleOf
/** Makes a pending handle that of an entry. @type {(pending: Handle, numbers: Coordinates, origin: Origin) => void} */
let fillHandle
/** @type {(handle: Handle) => boolean} */
let isPending

/** After so many hits they are reported, those of handles and those of a near cache apart. */
const HITS_PER_REPORT = 2_048

/** @typedef {{ map: number, shard: number, slot: number, generation: number }} Coordinates */

/**
 * Samples hits at random distances.
 *
 * @typedef {object} Sampler
 * @property {() => number} draw the hits until the next sample, that one included
 * @property {(target: any) => void} take notes a sample
 */

/**
 * Times hits at random distances.
 *
 * @typedef {object} Timer
 * @property {() => number} drawGap the hits until the next that is timed, that one included
 * @property {(count: number, handle: Handle) => any} timeHandle reads by a handle; its time counts for so many hits
 */

/**
 * One `open` of a map in this thread, as its handles see it: what answers `handle.get()`. All handles that this `open`
 * made share it, so closing the map ends their reads at the cost of some stores.
 *
 * A handle keeps its map from being collected, because an unreachable map is closed, and no read may depend on a
 * garbage collection. A near cache holds handles, so whatever lives longer than the map must not hold its near cache:
 * the sweeper holds it weakly, and what ends a collected map does not know it (`session/lifeline.js`).
 */
class Origin {
  /**
   * Hits that are left before a hit has to do more than to count itself down here. 0 if there is always more: hits are
   * marked for a policy, nothing is kept, or the map was closed.
   */
  left = 0
  /** What the access words of hits are counted up to; 0 if `readOrMark` has to see to all that there is to do. */
  limit = 0
  /** Reports hits, and takes them with that: called after HITS_PER_REPORT of them. */
  onFull = () => {}
  /** Hits that were counted in another way than by `left`. */
  #counted = 0
  /** What `left` was when hits were last taken. */
  #atOnce = HITS_AT_ONCE
  /** What it was when it was set. */
  #portion = HITS_AT_ONCE
  /** Samples hits, where the map wants it. @type {Sampler | undefined} */
  #sampler
  /** Hits until the next one that is sampled. */
  #untilSampled = HITS_AT_ONCE
  /** Times some of the hits, where the map wants that. @type {Timer | undefined} */
  #timer
  /** Hits until the next one that is timed, and how many that one counts for. */
  #untilTimed = HITS_AT_ONCE
  #counts = 0
  #isPlain = false
  /** What `open` was called with, `undefined` if it was not. @type {number | undefined} */
  #opened
  /** Answers what handles do not. @type {(handle: Handle) => any} */
  #read
  /** The read by the map. */
  #readByMap

  /**
   * @param {number} instance number of the map in this process
   * @param {(handle: Handle) => any} read a read by the map, which counts and marks it; a closure over the map
   * @param {Sampler} [sampler] what is told of the hit with which none is left
   */
  constructor(instance, read, sampler = undefined) {
    this.instance = instance
    this.#sampler = sampler
    if (sampler !== undefined) this.#untilSampled = sampler.draw()
    this.#read = read
    this.#readByMap = read
  }

  /**
   * Has hits answered by the handles themselves.
   *
   * @param {number} limit what access words are counted up to, 0 where a hit marks nothing
   */
  open(limit) {
    this.#opened = limit
    this.#start(limit)
  }

  /** @param {number} limit */
  #start(limit) {
    this.#isPlain = limit === 0
    this.limit = limit
    this.left = this.#isPlain ? this.#next() : 0
  }

  /** How many hits are counted down until there is more to do. */
  #next() {
    this.#portion = Math.min(this.#untilSampled, this.#untilTimed, HITS_PER_REPORT)
    this.#atOnce = this.#portion
    return this.#portion
  }

  /**
   * Has some of the hits timed, where a hit is no more than a number.
   *
   * @param {Timer} timer
   */
  time(timer) {
    this.#timer = timer
    this.#counted = this.hits
    this.#drawTimed(0)
    if (this.#isPlain) this.left = this.#next()
  }

  /** @param {number} owed hits before, for which none was timed */
  #drawTimed(owed) {
    this.#untilTimed = /** @type {Timer} */ (this.#timer).drawGap()
    this.#counts = this.#untilTimed + owed
  }

  /** Has each read answered by the map. */
  close() {
    this.#opened = undefined
    this.#stop()
  }

  /**
   * Has each read answered by the map, by way of an observer, until this is called without one.
   *
   * @param {((handle: Handle, read: (handle: Handle) => any) => any) | undefined} observer
   */
  observe(observer) {
    const read = this.#readByMap
    this.#stop()
    this.#read = observer === undefined ? read : handle => observer(handle, read)
    if (observer === undefined && this.#opened !== undefined) this.#start(this.#opened)
  }

  #stop() {
    this.#counted = this.hits
    this.#isPlain = false
    this.limit = 0
    this.left = 0
  }

  /** Hits that handles answered themselves and that were not taken. */
  get hits() {
    return this.#counted + (this.#isPlain ? this.#atOnce - this.left : 0)
  }

  takeHits() {
    const { hits } = this
    this.#counted = 0
    if (this.#isPlain) {
      // The next hit that is sampled or timed stays the one that was drawn.
      if (this.#sampler === undefined && this.#timer === undefined) this.left = HITS_PER_REPORT
      this.#atOnce = this.left
    }
    return hits
  }

  /**
   * The hits have come that were counted down: samples one, where it is time for that. Returns how many hits this read
   * counts for if it is to be timed, which it is if it is a hit.
   *
   * @param {Handle} handle
   */
  #pass(handle) {
    if (this.#sampler !== undefined) {
      this.#untilSampled -= this.#portion
      if (this.#untilSampled === 0) {
        this.#untilSampled = this.#sampler.draw()
        this.#sampler.take(handle)
      }
    }
    if (this.#timer === undefined) return 0
    this.#untilTimed -= this.#portion
    if (this.#untilTimed > 0) return 0
    const count = this.#counts
    const isTimed = isHit(handle, this)
    this.#drawTimed(isTimed ? 0 : count)
    return isTimed ? count : 0
  }

  /**
   * A read that finds no fresh copy at hand, or whose hit is more than a number.
   *
   * @param {Handle} handle
   */
  read(handle) {
    if (this.#isPlain && this.left === 0) {
      this.#counted = this.hits
      const count = this.#pass(handle)
      this.left = this.#next()
      if (this.#counted >= HITS_PER_REPORT) this.onFull()
      if (count > 0) return /** @type {Timer} */ (this.#timer).timeHandle(count, handle)
    }
    // The engine inlines no call that is made this way, and what a read natively takes is no part of a hit.
    return apply(this.#read, undefined, [handle])
  }

  /** Counts a hit whose access word was marked. */
  countMarked() {
    this.#counted++
    if (this.#counted >= HITS_PER_REPORT) this.onFull()
  }
}

/**
 * The same where hits are marked and sampled: they are counted down here, and then the next one is answered by the map.
 */
class SampledOrigin extends Origin {
  #sampler
  /** What hits are marked up to when the next one is no sample. */
  #limit = 0
  /** Marked hits until the next sample. */
  #untilSample

  /**
   * @param {number} instance
   * @param {(handle: Handle) => any} read
   * @param {Sampler} sampler
   */
  constructor(instance, read, sampler) {
    super(instance, read, sampler)
    this.#sampler = sampler
    this.#untilSample = sampler.draw()
  }

  /** @override @param {number} limit */
  open(limit) {
    super.open(limit)
    this.#limit = limit
  }

  /** @override */
  close() {
    super.close()
    // Not 0, so no read marks again.
    this.#untilSample = 1
  }

  /** @override @param {((handle: Handle, read: (handle: Handle) => any) => any) | undefined} observer */
  observe(observer) {
    super.observe(observer)
    this.#untilSample = this.#sampler.draw()
  }

  /** @override @param {Handle} handle */
  read(handle) {
    if (this.#untilSample === 0) {
      this.#untilSample = this.#sampler.draw()
      this.limit = this.#limit
      this.#sampler.take(handle)
    }
    return super.read(handle)
  }

  /** @override */
  countMarked() {
    super.countMarked()
    if (--this.#untilSample === 0) this.limit = 0
  }
}

/** Answers a handle that no map made: one whose class was called by a program, with numbers of its own. */
const NO_ORIGIN = new Origin(0, handle => {
  throw createError(ERROR_NUMBERS.ERR_HANDLE_INVALIDATED, { given: handle.map })
})

/** Answers a handle whose entry a transaction will insert. */
const PENDING = new Origin(0, () => {
  throw createError(ERROR_NUMBERS.ERR_HANDLE_NOT_FOUND, { pending: true })
})

/** A handle of no entry, until a commit inserts one. */
const pendingHandle = () => new Handle(0, 0, 0, 0, PENDING)

/**
 * A reference to one entry of one map, in any thread. Its own properties are plain numbers, so `postMessage` sends it
 * as data that `map.handle(data)` revives. It cannot be changed: its numbers are all that identifies the entry.
 */
class Handle {
  // The fields that a hit looks at come first, so that with the engine's own three they take 64 bytes: handles are
  // read at random, and each further line of the processor's cache costs more than the check it is needed for. Each
  // begins with a value of the class that it always has, so that the engine need not look what it is. There are no
  // private methods, which would take a field of their own.
  /** The map that made it, and answers `get`. */
  #origin = NO_ORIGIN
  /** @type {Int32Array} */
  #words = NO_WORDS
  /**
   * Index of the entry's version word in `#words`; its complement if the copy was not read since the near cache last
   * looked; NO_PLACE without a place in a near cache. So one comparison says that the copy need not be marked as read.
   */
  #word = NO_PLACE
  /** The version at which the copy was taken. */
  #version = NO_VERSION
  /** @type {any} */
  #copy = undefined

  /**
   * @param {number} map
   * @param {number} shard
   * @param {number} slot
   * @param {number} generation
   * @param {Origin} origin
   */
  constructor(map, shard, slot, generation, origin = NO_ORIGIN) {
    this.#origin = origin
    // Unsigned 32-bit integers for every caller: native code takes nothing else.
    /** Number of the map in this process. */
    this.map = map >>> 0
    /** Number of the shard in the map. */
    this.shard = shard >>> 0
    /** Number of the slot in the shard. */
    this.slot = slot >>> 0
    /** Which tenant of the slot. */
    this.generation = generation >>> 0
    if (origin !== PENDING) Object.freeze(this)
  }

  /** The same text for each handle of the same entry, and for no other. */
  get id() {
    return `${this.map}-${this.shard}-${this.slot}-${this.generation}`
  }

  /** The value of the entry, as `map.get(handle)` returns it. */
  get() {
    const word = this.#word
    if (word < 0 || this.#words[word] !== this.#version) return this.#origin.read(this)
    const origin = this.#origin
    if (origin.left <= 0) return readOrMark(this, origin)
    origin.left--
    return this.#copy
  }

  static {
    // A copy is one of the handle's own map, so its keeper is known by the number.
    const indexOf = (/** @type {number} */ word) => (word < 0 ? ~word : word)
    isHandle = value => #origin in value
    isHandleKey = key => typeof key === 'object' && key !== null && #origin in key
    isHit = /** @type {typeof isHit} */ (
      (value, origin) =>
        #origin in value && value.#origin === origin && value.#word >= 0 && value.#words[value.#word] === value.#version
    )
    hasFreshCopy = (handle, keeper) =>
      isKeptBy(handle, keeper) && handle.#words[indexOf(handle.#word)] === handle.#version
    freshCopyOf = (value, keeper) => {
      if (!(#origin in value && hasFreshCopy(value, keeper))) return STALE
      value.#word = indexOf(value.#word)
      return value.#copy
    }
    copyOf = handle => handle.#copy
    isKeptBy = (handle, keeper) => handle.#word !== NO_PLACE && handle.map === keeper
    isCopyOf = (handle, keeper, version) => isKeptBy(handle, keeper) && handle.#version === version
    keepCopy = (handle, words, word, version, value) => {
      // A copy that is new was not read yet. One that is renewed keeps its mark.
      handle.#word = handle.#word < 0 ? ~word : word
      handle.#words = words
      handle.#version = version
      handle.#copy = value
    }
    dropCopy = handle => {
      if (handle.#word !== NO_PLACE) handle.#word = handle.#word < 0 ? ~0 : 0
      handle.#words = NO_WORDS
      handle.#version = NO_VERSION
      handle.#copy = undefined
    }
    leaveCache = handle => {
      dropCopy(handle)
      handle.#word = NO_PLACE
    }
    takeMark = handle => {
      const isMarked = handle.#word >= 0
      if (isMarked) handle.#word = ~handle.#word
      return isMarked
    }
    readOrMark = (handle, origin) => {
      const { limit } = origin
      if (limit === 0) return origin.read(handle)
      markAccessWord(handle.#words, handle.#word, limit)
      origin.countMarked()
      return handle.#copy
    }
    markAccess = (handle, limit) => markAccessWord(handle.#words, indexOf(handle.#word), limit)
    isPending = handle => handle.#origin === PENDING
    fillHandle = (pending, { map, shard, slot, generation }, origin) => {
      Object.assign(pending, { map, shard, slot, generation })
      pending.#origin = origin
      Object.freeze(pending)
    }
    handleOf = (handle, origin) => {
      if (handle.#origin === origin) return handle
      return new Handle(handle.map, handle.shard, handle.slot, handle.generation, origin)
    }
  }
}

/**
 * Marks the access word of an entry, for the policy that chooses the entries to evict from a full map. Threads may do
 * this at the same time and lose a mark.
 *
 * @param {Int32Array} words
 * @param {number} word index of the version word, which the access word follows
 * @param {number} limit what it is counted up to
 */
function markAccessWord(words, word, limit) {
  const marks = words[word + 1]
  if (marks < limit) words[word + 1] = marks + 1
}

module.exports = {
  HITS_PER_REPORT,
  Handle,
  NO_VERSION,
  NO_WORDS,
  Origin,
  STALE,
  SampledOrigin,
  copyOf,
  dropCopy,
  fillHandle,
  freshCopyOf,
  handleOf,
  hasFreshCopy,
  isCopyOf,
  isHandle,
  isHandleKey,
  isHit,
  isKeptBy,
  isPending,
  keepCopy,
  leaveCache,
  markAccess,
  markAccessWord,
  pendingHandle,
  takeMark
}

// All evaluations of the package in a thread share the class of the first, so that each of them knows the handles of
// the others; and what they have open, for a clock that a test sets (`session/told-time.js`).
const shared = share({ ...module.exports, told: { opens: new Set(), tell: undefined } })
Object.assign(module.exports, shared)

/** The shared class. Each evaluation holds it for its own lifetime. */
module.exports.shared = shared
