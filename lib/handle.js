'use strict'

// Handles: references to entries, for the user. Its four numbers identify the entry; its private fields hold a near
// cache's copy of the value, so that reading it costs no lookup.

const { share } = require('./addon/load.js')

/** Replaces the version words of a handle that carries no copy; matches no version. */
const NO_WORDS = new Int32Array(1)
const NO_VERSION = 1
/** The keeper of a handle that no near cache keeps a copy for. */
const NO_KEEPER = 0
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
/** @type {(value: object, keeper: number) => value is Handle} */
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
/** @type {(handle: Handle, keeper: number, words: Int32Array, word: number, version: number, value: any) => void} */
let keepCopy
/** @type {(handle: Handle) => void} */
let dropCopy
/** @type {(handle: Handle) => void} */
let leaveCache
/** @type {(handle: Handle) => boolean} */
let takeMark
/** @type {(handle: Handle, limit: number) => void} */
let markAccess

/**
 * A reference to one entry of one map, in any thread. Its own properties are plain numbers, so `postMessage` sends it
 * as data that `map.handle(data)` revives. It cannot be changed: its numbers are all that identifies the entry.
 */
class Handle {
  // The fields that a hit looks at come first, so that with the engine's own three they take 64 bytes: handles are
  // read at random, and each further line of the processor's cache costs more than the check it is needed for.
  /**
   * Number of the map whose near cache keeps a copy here; its complement if the copy was not read since that cache last
   * looked. So one comparison says that the copy is of the right map and need not be marked as read.
   */
  #keeper = NO_KEEPER
  /** @type {Int32Array} */
  #words = NO_WORDS
  /** Index of the entry's version word in `#words`. */
  #word = 0
  /** The version at which the copy was taken. */
  #version = NO_VERSION
  /** @type {any} */
  #copy = undefined

  /**
   * @param {number} map
   * @param {number} shard
   * @param {number} slot
   * @param {number} generation
   */
  constructor(map, shard, slot, generation) {
    // Unsigned 32-bit integers for every caller: native code takes nothing else.
    /** Number of the map in this process. */
    this.map = map >>> 0
    /** Number of the shard in the map. */
    this.shard = shard >>> 0
    /** Number of the slot in the shard. */
    this.slot = slot >>> 0
    /** Which tenant of the slot. */
    this.generation = generation >>> 0
    Object.freeze(this)
  }

  /** The same text for each handle of the same entry, and for no other. */
  get id() {
    return `${this.map}-${this.shard}-${this.slot}-${this.generation}`
  }

  static {
    isHandle = value => #keeper in value
    isHandleKey = key => typeof key === 'object' && key !== null && #keeper in key
    isHit = /** @type {typeof isHit} */ (
      (value, keeper) => #keeper in value && value.#keeper === keeper && value.#words[value.#word] === value.#version
    )
    hasFreshCopy = (handle, keeper) => isKeptBy(handle, keeper) && handle.#words[handle.#word] === handle.#version
    freshCopyOf = (value, keeper) => {
      if (!(#keeper in value && hasFreshCopy(value, keeper))) return STALE
      value.#keeper = keeper
      return value.#copy
    }
    copyOf = handle => handle.#copy
    isKeptBy = (handle, keeper) => handle.#keeper === keeper || handle.#keeper === ~keeper
    isCopyOf = (handle, keeper, version) => isKeptBy(handle, keeper) && handle.#version === version
    keepCopy = (handle, keeper, words, word, version, value) => {
      // A copy that is new was not read yet. One that is renewed keeps its mark.
      if (handle.#keeper !== keeper) handle.#keeper = ~keeper
      handle.#words = words
      handle.#word = word
      handle.#version = version
      handle.#copy = value
    }
    dropCopy = handle => {
      handle.#words = NO_WORDS
      handle.#word = 0
      handle.#version = NO_VERSION
      handle.#copy = undefined
    }
    leaveCache = handle => {
      dropCopy(handle)
      handle.#keeper = NO_KEEPER
    }
    takeMark = handle => {
      const isMarked = handle.#keeper > NO_KEEPER
      if (isMarked) handle.#keeper = ~handle.#keeper
      return isMarked
    }
    markAccess = (handle, limit) => markAccessWord(handle.#words, handle.#word, limit)
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
  STALE,
  copyOf,
  dropCopy,
  freshCopyOf,
  hasFreshCopy,
  isCopyOf,
  isHandle,
  isHandleKey,
  isHit,
  isKeptBy,
  keepCopy,
  leaveCache,
  markAccess,
  markAccessWord,
  takeMark
}

// All evaluations of the package in a thread share the class of the first, so that each of them knows the handles of
// the others.
const shared = share(module.exports)
Object.assign(module.exports, shared)

/** The shared class. Each evaluation holds it for its own lifetime. */
module.exports.shared = shared
