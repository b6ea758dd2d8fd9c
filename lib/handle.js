'use strict'

// Handles: references to entries, for the user. What a handle is, is in its four numbers; what its private fields hold is
// the near cache's copy of the value, placed here because reading it then costs no lookup.

/** @typedef {import('./near-cache.js').NearCache} NearCache */

/** Words that no version is found in: what stands in place of the words of an entry when there is no copy. */
const NO_WORDS = new Int32Array(1)
const NO_VERSION = 1
/** What `freshCopyOf` gives for anything but a handle whose copy is fresh. A value can be `undefined`, this it cannot be. */
const STALE = Symbol('stale')

// Access to private state for the near cache, and for nobody outside lib/.
/** @type {(value: object) => value is Handle} */
let isHandle
/** @type {(handle: Handle, near: NearCache) => boolean} */
let hasFreshCopy
/** @type {(value: object, near: NearCache) => any} */
let freshCopyOf
/** @type {(handle: Handle) => any} */
let copyOf
/** @type {(handle: Handle, near: NearCache) => boolean} */
let isKeptBy
/** @type {(handle: Handle, near: NearCache, words: Int32Array, word: number, version: number, value: any) => void} */
let keepCopy
/** @type {(handle: Handle) => void} */
let dropCopy
/** @type {(handle: Handle) => boolean} */
let hasCopy
/** @type {(handle: Handle) => void} */
let leaveCache
/** @type {(handle: Handle) => boolean} */
let takeMark

/**
 * A reference to one entry of one map, in any thread. Its own properties are plain numbers, so `postMessage` sends it as
 * data that `map.handle(data)` revives. It cannot be changed: its numbers are all that tells entries apart.
 */
class Handle {
  // The fields that a read looks at come first and lie side by side: a handle that is read at random then costs one
  // or two cache lines.
  /** Number of the map in this process. */
  map = 0
  /** @type {Int32Array} */
  #words = NO_WORDS
  /** Index of the entry's version word in `#words`. */
  #word = 0
  /** The version at which the copy was taken. */
  #version = NO_VERSION
  /** @type {any} */
  #copy = undefined
  /** Whether the copy was read since the cache last looked. */
  #isUsed = false
  /** The cache that keeps this handle's copy. @type {NearCache | null} */
  #near = null

  /**
   * @param {number} map
   * @param {number} shard
   * @param {number} slot
   * @param {number} generation
   */
  constructor(map, shard, slot, generation) {
    // Unsigned 32-bit integers, whoever calls: native code takes nothing else.
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
    isHandle = /** @type {typeof isHandle} */ (value => #near in value)
    hasFreshCopy = (handle, near) => handle.map === near.instance && handle.#words[handle.#word] === handle.#version
    freshCopyOf = (value, near) => {
      if (!(#words in value) || value.#words[value.#word] !== value.#version || value.map !== near.instance)
        return STALE
      // Writing what is there already would cost memory traffic at every random read.
      if (!value.#isUsed) value.#isUsed = true
      return value.#copy
    }
    copyOf = handle => handle.#copy
    isKeptBy = (handle, near) => handle.#near === near
    keepCopy = (handle, near, words, word, version, value) => {
      handle.#near = near
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
      handle.#isUsed = false
    }
    hasCopy = handle => handle.#words !== NO_WORDS
    leaveCache = handle => {
      handle.#near = null
    }
    takeMark = handle => {
      const isUsed = handle.#isUsed
      handle.#isUsed = false
      return isUsed
    }
  }
}

module.exports = {
  Handle,
  NO_VERSION,
  NO_WORDS,
  STALE,
  copyOf,
  dropCopy,
  freshCopyOf,
  hasCopy,
  hasFreshCopy,
  isHandle,
  isKeptBy,
  keepCopy,
  leaveCache,
  takeMark
}
