'use strict'

// One `open` of a map in this thread: what the parts of TypedMap share, and its end.

const { ERROR_NUMBERS, closed, createError, outOfRange } = require('../errors.js')
const { binding, scratch } = require('../native/attach.js')
const { Origin, isHandleKey } = require('../handle.js')
const { readData, writeData } = require('../native/data.js')
const { MARKING, SCRATCH } = require('../native/layout.js')
const { HitLog, Words, changesOf, commitWordOf } = require('../native/words.js')
const { codecFor } = require('../codec/encoded.js')
const { Shapes } = require('../codec/shapes.js')
const { NO_CACHE, NearCache } = require('../near/near-cache.js')
const { HitSampler } = require('../near/hit-sampler.js')
const { FUNCTION, nearBytesFor } = require('../options/map-options.js')
const { Lifeline } = require('./lifeline.js')
const { enter } = require('./opens.js')
const { refused } = require('./refusals.js')
const { join } = require('./told-time.js')

const {
  addNearHits: addNearHitsBinding,
  close: closeBinding,
  destroy: destroyBinding,
  holdViewType: holdViewTypeBinding,
  memoryLimit: memoryLimitBinding,
  open: openBinding,
  publishShape: publishShapeBinding,
  shapeOf: shapeOfBinding,
  typeName: typeNameBinding
} = binding

/** @typedef {import('../handle.js').Handle} Handle */
/** @typedef {import('../options/map-options.js').Options} Options */

/** Near-cache hits are reported to the store at the first miss after so many, for the statistics of other threads. */
const HITS_PER_REPORT = 1_024

/** Types that have a view, which keep their names: at most so many in one `open`. */
const MOST_VIEW_TYPES = 256

/** Names of types that are kept, for those that are read again and again. */
const MOST_TYPE_NAMES = 1_024

/**
 * The option that is a function of the user, in a map that has one.
 *
 * @param {Record<string, any>} config the options of the map
 * @returns {'evictionStrategy' | 'oomStrategy' | 'none'}
 */
function roomFunctionOf({ evictionStrategy, oomStrategy }) {
  if (evictionStrategy === FUNCTION) return 'evictionStrategy'
  return oomStrategy === FUNCTION ? 'oomStrategy' : 'none'
}

/**
 * The codec of a map that was opened, which is released if this thread has none for it.
 *
 * @param {number} id
 * @param {Record<string, any>} config the options of the map
 * @param {Options} options
 */
function takeCodec(id, config, options) {
  try {
    return codecFor(config.codec, options.codec)
  } catch (error) {
    closeBinding(id)
    throw error
  }
}

class OpenMap {
  /** @type {Map<number, string>} */
  #typeNames = new Map()
  /** Names of the types that have a view. @type {Set<string>} */
  #viewTypes = new Set()
  #lifeline
  /** @type {Uint32Array | undefined} */
  #changes
  /** @type {Uint32Array | undefined} */
  #commitWord
  /** @type {WeakRef<object> | undefined} */
  #map
  /** What sees the calls of this map, by operation (`observe/probes.js`). @type {Map<string, any> | undefined} */
  probes
  /** Whether the callback of a transaction is running. */
  isInTransaction = false
  /** Whether the bytes of the near cache follow from the limit of the map. */
  #followsLimit
  /** What makes a key of what was given as one. @type {((key: any) => any) | undefined} */
  #normalize

  /**
   * @param {string | null} name
   * @param {Options} options
   * @param {(handle: Handle) => any} read reads a handle; a closure over the map
   * @param {import('../addon/binding.js').Opened} [watched] what is known of a map that is watched and not opened:
   *   nothing decodes its values
   */
  constructor(name, options, read, watched = undefined) {
    const opened = watched ?? openBinding(name, writeData(options.native))
    const { id, instance, shards, marking, memoryLimit, config: shown } = opened
    const config = readData(shown)
    const codec = watched === undefined ? takeCodec(id, config, options) : undefined
    this.name = name
    /** The number that native operations take. */
    this.id = id
    /** The number of the map in this process. */
    this.instance = instance
    /** How many shards it has. */
    this.shards = shards
    this.#lifeline = new Lifeline(id)
    /** The options that the map was made with. */
    this.config = config
    /** The near cache of this `open`, as its options have it. */
    this.nearOptions = { maxEntries: options.nearMaxEntries, maxBytes: options.nearMaxBytes }
    /** The option that holds the user's function which makes room in a full map. */
    this.roomFunction = roomFunctionOf(config)
    /** Whether operations are timed. */
    this.isTimed = config.latency === true
    this.logLevel = options.logLevel
    this.logTargets = options.logTargets
    this.words = new Words(id)
    /** Handles whose copies end when their entries are to be loaded again, by key. @type {Map<any, Handle>} */
    this.refreshed = new Map()
    /** What the handles of this `open` know of it. */
    const sampler = config.hotKeys === true ? new HitSampler(id) : undefined
    this.origin = new Origin(instance, read, sampler)
    /** The shapes of the values that are objects. */
    this.shapes = new Shapes(
      definition => publishShapeBinding(id, definition),
      number => shapeOfBinding(id, number),
      codec
    )
    const hitLog = marking === MARKING.Order ? new HitLog(id, shards) : null
    this.#followsLimit = options.nearMaxBytes === undefined
    this.#normalize = options.normalizeKey
    this.near = new NearCache({
      maxEntries: options.nearMaxEntries,
      maxBytes: options.nearMaxBytes ?? nearBytesFor(memoryLimit),
      words: this.words,
      instance,
      shards,
      marking,
      hitLog,
      normalizes: this.normalizes,
      origin: this.origin,
      sampler,
      onFull: () => this.reportHits()
    })
    this.origin.onFull = () => this.reportHits()
    // Where hits are logged in order, the near cache sees to each of them.
    if (options.nearMaxEntries > 0 && marking !== MARKING.Order) this.origin.open(marking)
    join(this)
    enter(this)
  }

  /**
   * Releases this `open` when `map` is collected without having been closed.
   *
   * @param {object} map
   */
  watch(map) {
    this.#map = new WeakRef(map)
    this.#lifeline.watch(map)
  }

  /** The map, unless it was collected. */
  get map() {
    return this.#map?.deref()
  }

  /** Throws if the map is closed. For operations without a native call, which would throw the same. */
  check() {
    if (this.#lifeline.isEnded) throw closed()
  }

  /**
   * Has `ending` called with the id when the map is closed or collected; once, however often this is asked for.
   *
   * @param {(id: number) => void} ending it holds nothing of the map
   */
  atEnd(ending) {
    this.#lifeline.atEnd(ending)
  }

  /**
   * Throws for an operation that looks into values, where a codec hides what is in them.
   *
   * @param {string} operation
   */
  checkJson(operation) {
    const { codec } = this.shapes
    if (codec === undefined) return
    this.check()
    const details = { operation, expected: 'json', found: codec.contentType }
    throw refused(this, createError(ERROR_NUMBERS.ERR_WRONG_TYPE, details))
  }

  /**
   * Whether a handle is of this map. Throws if the map is closed, because no native call may follow to say so.
   *
   * @param {import('../handle.js').Handle} handle
   */
  owns(handle) {
    if (handle.map === this.instance) return true
    this.check()
    return false
  }

  /**
   * Whether the entry of a key or handle can be in this map: not that of another map's handle.
   *
   * @param {any} target
   */
  mayHave(target) {
    return !isHandleKey(target) || this.owns(target)
  }

  /** Whether keys go through a function of the user. */
  get normalizes() {
    return this.#normalize !== undefined
  }

  /**
   * The key under which the map has what was given as one: every method passes what its user gave through here, once,
   * before anything else sees it. A handle stays what it is.
   *
   * @param {any} given
   * @returns {any}
   */
  keyOf(given) {
    return this.#normalize === undefined || isHandleKey(given) ? given : normalized(this, this.#normalize, given)
  }

  /** Bytes that the map may hold now, `null` for no limit. */
  memoryLimit() {
    return memoryLimitBinding(this.id)
  }

  /** Replaces the near cache by an empty one. */
  renewNear() {
    this.words.forget()
    this.near = this.near.successor()
    return this.near
  }

  /**
   * Adopts a new limit of the map.
   *
   * @param {number | null | undefined} memoryLimit bytes, `null` for none, `undefined` for the same as before
   */
  limitMemory(memoryLimit) {
    if (this.#followsLimit && memoryLimit !== undefined) this.near.setMaxBytes(nearBytesFor(memoryLimit))
  }

  /** How often each shard changed, as words. Native code keeps them for as long as this does. */
  get changes() {
    this.#changes ??= changesOf(this.id)
    return this.#changes
  }

  /** The word that tells of commits. Native code keeps it for as long as this does. */
  get commitWord() {
    this.#commitWord ??= commitWordOf(this.id)
    return this.#commitWord
  }

  /** Reports near-cache hits to the store. */
  reportHits() {
    if (this.near.waitingHits === 0) return
    try {
      addNearHitsBinding(this.id, this.near.takeWaitingHits())
    } catch {
      // The map was destroyed or broken meanwhile, and its statistics will not be read.
    }
  }

  /** The same, if it is worth a call. */
  reportManyHits() {
    if (this.near.waitingHits >= HITS_PER_REPORT) this.reportHits()
  }

  /**
   * The name of an entry type.
   *
   * @param {number} type its number, 0 for none
   * @returns {string | null}
   */
  typeName(type) {
    if (type === 0) return null
    const known = this.#typeNames.get(type)
    if (known !== undefined) return known
    const name = typeNameBinding(this.id, type)
    // Numbers are never reused, so those of freed types would stay for ever.
    if (this.#typeNames.size >= MOST_TYPE_NAMES) this.#typeNames.clear()
    if (name !== null) this.#typeNames.set(type, name)
    return name
  }

  /**
   * The number of a type that has a view. Native code keeps it until this is closed.
   *
   * @param {string} name
   * @returns {number}
   */
  viewType(name) {
    if (this.#viewTypes.size >= MOST_VIEW_TYPES && !this.#viewTypes.has(name)) {
      throw outOfRange('name', name, `one of the ${MOST_VIEW_TYPES} types that have a view; a map has no more of them`)
    }
    const type = holdViewTypeBinding(this.id, name)
    this.#viewTypes.add(name)
    return type
  }

  /** Releases this `open`. Does nothing the second time. */
  close() {
    if (!this.#lifeline.isEnded) this.#end()
  }

  /** Ends the map for all threads. Does nothing once this is closed. */
  destroy() {
    if (this.#lifeline.isEnded) return
    destroyBinding(this.id)
    this.#end()
  }

  #end() {
    this.#lifeline.end(() => {
      try {
        this.reportHits()
      } catch {
        // The map was destroyed or broken, and its statistics will not be read.
      }
    })
    const { near } = this
    this.near = NO_CACHE
    // Each handle asks natively from now on, and learns that this is closed.
    this.origin.close()
    near.dispose()
    this.words.forget()
    this.refreshed.clear()
    this.#changes = undefined
    this.#commitWord = undefined
  }
}

/**
 * What a function of the user makes of a key. What it throws is handed on.
 *
 * @param {OpenMap} open
 * @param {(key: any) => any} normalize
 * @param {any} given
 */
function normalized(open, normalize, given) {
  const state = scratch[SCRATCH.STATE]
  const key = Reflect.apply(normalize, undefined, [given])
  // The function may have read a map: what observes the call asks whether this one was read natively.
  scratch[SCRATCH.STATE] = state
  const type = typeof key
  // A handle would lead to another entry, and a function that forgets to return would make one key of all.
  const isKey =
    type === 'object' ? key === null || key instanceof Uint8Array : type !== 'undefined' || given === undefined
  if (isKey && type !== 'symbol' && type !== 'function') return key
  const details = {
    argument: 'what normalizeKey returned',
    given: type === 'object' && isHandleKey(key) ? 'handle' : type,
    allowed: 'string, number, bigint, boolean, null, Uint8Array'
  }
  throw refused(open, createError(ERROR_NUMBERS.ERR_KEY_TYPE, details))
}

/**
 * Calls a native operation that is about a key or handle, and about nothing else.
 *
 * @template T
 * @param {(id: number, ...target: any[]) => T} operation
 * @param {OpenMap} open
 * @param {any} target
 * @returns {T}
 */
function about(operation, { id }, target) {
  return isHandleKey(target) ? operation(id, target.shard, target.slot, target.generation) : operation(id, target)
}

module.exports = { OpenMap, about }
