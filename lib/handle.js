'use strict'

// Handles: references to entries, for the user. Its four numbers identify the entry; its private fields hold a near
// cache's copy of the value, so that reading it costs no lookup. And it knows the map of this thread that made it, so
// that it can be read without naming the map.

const { ERROR_NUMBERS, createError } = require('./errors.js')
const { share } = require('./addon/load.js')
const { HitCounter } = require('./hit-counter.js')

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

/** @typedef {{ map: number, shard: number, slot: number, generation: number }} Coordinates */

/**
 * One `open` of a map in this thread, as its handles see it: what answers `handle.get()`. All handles that this `open`
 * made share it, so closing the map ends their reads at the cost of some stores.
 *
 * A handle keeps its map from being collected, because an unreachable map is closed, and no read may depend on a
 * garbage collection. A near cache holds handles, so whatever lives longer than the map must not hold its near cache:
 * the sweeper holds it weakly, and what ends a collected map does not know it (`session/lifeline.js`).
 */
class Origin extends HitCounter {
  /** What the access words of hits are counted up to, 0 where a hit marks nothing. */
  limit = 0
  /** What `open` was called with, `undefined` if it was not. @type {number | undefined} */
  #opened
  /** Answers what handles do not. @type {(handle: Handle) => any} */
  #read
  /** The read by the map. */
  #readByMap

  /**
   * @param {number} instance number of the map in this process
   * @param {(handle: Handle) => any} read a read by the map, which counts and marks it; a closure over the map
   * @param {import('./hit-counter.js').Sampler} [sampler]
   */
  constructor(instance, read, sampler = undefined) {
    super(sampler)
    this.instance = instance
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
    this.limit = limit
    this.begin(limit > 0)
  }

  /** Has each read answered by the map. */
  close() {
    this.#opened = undefined
    this.stop()
  }

  /**
   * Has each read answered by the map, by way of an observer, until this is called without one.
   *
   * @param {((handle: Handle, read: (handle: Handle) => any) => any) | undefined} observer
   */
  observe(observer) {
    const read = this.#readByMap
    this.stop()
    this.#read = observer === undefined ? read : handle => observer(handle, read)
    if (observer === undefined && this.#opened !== undefined) this.open(this.#opened)
  }

  /**
   * A read that finds no fresh copy at hand.
   *
   * @param {Handle} handle
   */
  read(handle) {
    // The engine inlines no call that is made this way, and what a read natively takes is no part of a hit.
    return apply(this.#read, undefined, [handle])
  }

  /**
   * A read with a fresh copy at hand that has more to do than to be marked: always where handles do not answer.
   *
   * @param {Handle} handle
   */
  readAtEnd(handle) {
    if (!this.isCounting) {
      this.left = 0
      return this.read(handle)
    }
    const count = this.pass(handle)
    if (count > 0) return this.timed(count, handle)
    if (this.limit > 0) markAccess(handle, this.limit)
    return copyOf(handle)
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
    if (--origin.left <= 0) return readOrMark(this, origin)
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
      if (origin.left <= origin.end) return origin.readAtEnd(handle)
      markAccessWord(handle.#words, handle.#word, origin.limit)
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
  Handle,
  NO_VERSION,
  NO_WORDS,
  Origin,
  STALE,
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
