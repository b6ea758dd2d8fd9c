'use strict'

// TypedMap: what users call. What Map has, too, is here, with the way of a read that the near cache answers; everything
// else is listed at the end of the class. A call that is not answered near is one native call.

const worker = process.getBuiltinModule('node:worker_threads')
const { wrongType } = require('./errors.js')
const { copyOf, isHandleKey, isHit } = require('./handle.js')
const { install } = require('./install.js')
const { GONE, decode } = require('./codec/values.js')
const atomic = require('./entries/atomic.js')
const batch = require('./entries/batch.js')
const compare = require('./entries/compare.js')
const { group } = require('./entries/group.js')
const growth = require('./entries/growth.js')
const handles = require('./entries/handles.js')
const { CUSTOM, inspectMap } = require('./entries/inspect.js')
const { Cursor, MapIterator } = require('./entries/iterators.js')
const lifetime = require('./entries/lifetime.js')
const limits = require('./entries/limits.js')
const load = require('./entries/load.js')
const loadMany = require('./entries/load-many.js')
const { readAs } = require('./entries/read.js')
const transactions = require('./entries/transaction.js')
const update = require('./entries/update.js')
const write = require('./entries/write.js')
const { binding, scratch } = require('./native/attach.js')
const { KIND, SCRATCH, WANT } = require('./native/layout.js')
const { MAPS_OWN } = require('./native/ttl.js')
const { NO_CACHE, STALE } = require('./near/near-cache.js')
const advice = require('./observe/advise.js')
const distribution = require('./observe/distribution.js')
const explanations = require('./observe/explain.js')
const changes = require('./observe/changes.js')
const { openChannels } = require('./observe/channels.js')
const hotKeys = require('./observe/hot-keys.js')
const logs = require('./observe/logs.js')
const metrics = require('./observe/metrics.js')
const { namesOf } = require('./observe/names.js')
const { attachNearLatency } = require('./observe/near-latency.js')
const shownOptions = require('./observe/options.js')
const pressure = require('./observe/pressure.js')
const { attachProbes } = require('./observe/probes.js')
const { onProcessPressure, processMemory, setProcessLimit } = require('./observe/process.js')
const recovery = require('./observe/recover.js')
const removals = require('./observe/removals.js')
const stats = require('./observe/stats.js')
const validation = require('./observe/validate.js')
const { MAX_MAP_NAME_BYTES, checkFunction, readName } = require('./options/checks.js')
const { readOptions } = require('./options/map-options.js')
const { readPutOptions } = require('./options/update.js')
const filters = require('./queries/filter.js')
const jobs = require('./queries/find.js')
const random = require('./queries/random.js')
const scans = require('./queries/scan.js')
const views = require('./queries/views.js')
const { OpenMap } = require('./session/open-map.js')
const { construct, takeRequest } = require('./session/opening.js')
const { checkFunctionFor, countingProperty, refused } = require('./session/refusals.js')
const { RoomMaker } = require('./session/room-maker.js')
const { TestClock } = require('./session/test-clock.js')

const {
  clear: clearBinding,
  get: getBinding,
  getByHandle: getByHandleBinding,
  has: hasBinding,
  hasHandle: hasHandleBinding,
  size: sizeBinding
} = binding

/** @typedef {import('./handle.js').Handle} Handle */

const { STATE } = SCRATCH
/** What native code reports for a missing entry. */
const ABSENT = 0
/** Kinds from this one on are never kept. */
const FIRST_BYTES = KIND.Uint8Array

/**
 * Whether the only argument of the constructor means options: an ordinary object without an iteration method. Others (a
 * promise without its `await`, a date) are treated as what `Map` takes and refused.
 *
 * @param {unknown} value
 */
const isOptions = value =>
  typeof value === 'object' &&
  value !== null &&
  !(Symbol.iterator in value) &&
  Object.prototype.toString.call(value) === '[object Object]'

/** @param {unknown} value */
const isObject = value => (typeof value === 'object' && value !== null) || typeof value === 'function'

const dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose')

/**
 * Number of the map, as a property that deep equality looks at: two maps are not equal for having no visible
 * properties.
 */
const INSTANCE = Symbol('TypedMap.instance')

/**
 * Makes cloning an object an error, where Node can: a map is sent to other threads by its name. @type {(object:
 * object) => void}
 */
const markAsUncloneable = /** @type {any} */ (worker).markAsUncloneable ?? (() => {})

class TypedMap {
  /** The same as `#open.near`, one step closer. */
  #near = NO_CACHE
  /** @type {OpenMap} */
  #open
  /** What makes room when the map is full. @type {RoomMaker} */
  #room

  /** @param {any[]} given iterable and options, or one of them; a rest, because the length of Map is 0 */
  constructor(...given) {
    const request = takeRequest(new.target)
    // If the constructor of a derived class passes no arguments on, the arguments of `open` apply.
    const [iterable, options] = given.length === 0 ? [request?.options] : given
    const isAlone =
      options === undefined && (isOptions(iterable) || (request !== undefined && iterable === request.options))
    const read = readOptions(isAlone ? iterable : options)
    const name = request === undefined ? null : request.name
    const open = new OpenMap(name, read, handle => this.#readByHandle(handle), request?.opened)
    if (request !== undefined) request.open = open
    this.#open = open
    this.#room = new RoomMaker(/** @type {any} */ (this), open, read, lifetime)
    this.#near = open.near
    open.watch(this)
    // What `class` does for a prototype that is no object is right for Object, not here.
    if (new.target !== TypedMap && !isObject(new.target.prototype)) Object.setPrototypeOf(this, TypedMap.prototype)
    Object.defineProperty(this, INSTANCE, { value: open.instance, enumerable: true })
    markAsUncloneable(this)
    if (isAlone || iterable === undefined || iterable === null) return
    try {
      this.#fill(iterable)
    } catch (error) {
      open.close()
      throw error
    }
  }

  /** @param {Iterable<{ 0: unknown, 1: unknown }>} iterable */
  #fill(iterable) {
    const adder = this.set
    checkFunction('the method set of the map', adder)
    // Asked without reading it, which the loop does, and once is what `Map` does.
    if (!(Symbol.iterator in Object(iterable))) {
      throw wrongType('iterable', iterable, 'an iterable of [key, value], or options')
    }
    for (const item of iterable) {
      if (!isObject(item)) throw wrongType('an item of the iterable', item, '[key, value]')
      Reflect.apply(adder, this, [item[0], item[1]])
    }
  }

  /** @param {string} name @param {unknown} [options] */
  static open(name, options = undefined) {
    const checked = readName('name', name, MAX_MAP_NAME_BYTES)
    // biome-ignore lint/complexity/noThisInStatic: of a derived class, an instance of that is made
    const type = typeof this === 'function' ? this : TypedMap
    const isOurs = type === TypedMap || Object.prototype.isPrototypeOf.call(TypedMap, type)
    return construct(isOurs ? type : TypedMap, type, checked, options)
  }

  /** @param {unknown} [options] */
  static names(options = undefined) {
    return namesOf(options)
  }

  static metrics() {
    return metrics.metricsOfNamed()
  }

  /** @param {any} limit */
  static setProcessLimit(limit) {
    setProcessLimit(limit)
  }

  static processMemory() {
    return processMemory()
  }

  /** @param {import('./observe/pressure.js').PressureListener} listener @param {any} options */
  static onProcessPressure(listener, options = undefined) {
    return onProcessPressure(listener, options)
  }

  /** For tests. @param {unknown} [options] */
  static setClock(options = undefined) {
    return new TestClock(options)
  }

  /** @param {Iterable<any>} items @param {(item: any, index: number) => any} callback */
  static groupBy(items, callback) {
    const groups = group(items, callback)
    const map = new TypedMap()
    batch.setMany(map.#open, map.#room, groups, MAPS_OWN)
    return map
  }

  static get [Symbol.species]() {
    // biome-ignore lint/complexity/noThisInStatic: as the language defines it
    return this
  }

  get size() {
    return sizeBinding(this.#open.id)
  }

  // ---- Reading

  /** @param {any} key @param {any} options */
  get(key, options = undefined) {
    const near = this.#near
    if (options !== undefined) return readAs(this.#open, key, options)
    if (typeof key === 'object' && key !== null) {
      if (!isHit(key, near.origin)) return this.#readObject(key)
      if (--near.left <= 0) return near.recordHandle(key)
      return copyOf(key)
    }
    const place = near.visible.get(key)
    if (place === undefined) return this.#readByKey(key, place)
    // Written out. The engine inlines only so much, and when most reads are still misses, it spends that on their way.
    // And it inlines what was often called when it looked: where a map without a limit was read first, marking a hit of
    // another one was a call, of a third of its time.
    const { kept, seen } = near.copies
    const word = seen[place]
    const words = kept[place]
    if (word < 0 || words[word] !== seen[place | 1]) return this.#readByKey(key, place)
    if (--near.left <= 0) {
      const { limit } = near
      if (limit === 0 || near.left <= near.end) return near.recordKey(near.copies, place, key)
      const marks = words[word + 1]
      if (marks < limit) words[word + 1] = marks + 1
    }
    return kept[place | 1]
  }

  /** @param {any} handle @param {any} options */
  getByHandle(handle, options = undefined) {
    const near = this.#near
    if (!isHandleKey(handle)) throw handles.notAHandle(this.#open, handle)
    if (options !== undefined) return readAs(this.#open, handle, options)
    if (!isHit(handle, near.origin)) return this.#readByHandle(handle)
    if (--near.left <= 0) return near.recordHandle(handle)
    return copyOf(handle)
  }

  // What follows is called by `get` and stays beside it, each as short as it is: the engine inlines callers and
  // callees of `get` up to a bound in size, and beyond that a hit costs a call more (1.5 times as much, measured).

  /** @param {object} key a handle, or something that may be a key */
  #readObject(key) {
    return isHandleKey(key) ? this.#readByHandle(key) : this.#readByKey(key, undefined)
  }

  /**
   * Reads natively, and keeps what was read, unless the near cache has it.
   *
   * @param {any} given the key as the caller spells it
   * @param {number | undefined} visible the place where the near cache shows a copy of it
   * @returns {any}
   */
  #readByKey(given, visible) {
    const near = this.#near
    let key = given
    let place = visible
    if (near.isIndirect) {
      key = this.#open.keyOf(given)
      const copy = near.read(key, given)
      if (copy !== STALE) return copy
      place = near.placeOf(key)
    }
    const known = near.findKey(key, place)
    if (known !== STALE) return known
    const open = this.#open
    const raw = getBinding(open.id, key)
    const kind = scratch[STATE]
    open.reportManyHits()
    if (kind === ABSENT) {
      if (place !== undefined) near.forgetKey(key)
      return undefined
    }
    const value = decode(open.shapes, kind, raw)
    return value === GONE ? this.#readByKey(given, visible) : this.#keepByKey(key, place, kind, value)
  }

  /**
   * Keeps a value whose place the last native call wrote to the scratch array.
   *
   * @param {any} key
   * @param {number | undefined} place
   * @param {number} kind
   * @param {any} value
   */
  #keepByKey(key, place, kind, value) {
    if (kind < FIRST_BYTES && typeof key !== 'object') this.#near.keepByKey(key, place, kind, value, scratch, 0)
    return value
  }

  /** @param {Handle} handle @returns {any} */
  #readByHandle(handle) {
    const near = this.#near
    const known = near.findHandle(handle)
    if (known !== STALE) return known
    const open = this.#open
    if (!open.owns(handle)) return undefined
    const raw = getByHandleBinding(open.id, handle.shard, handle.slot, handle.generation)
    const kind = scratch[STATE]
    open.reportManyHits()
    if (kind === ABSENT) {
      near.forgetHandle(handle)
      return undefined
    }
    const value = decode(open.shapes, kind, raw)
    return value === GONE ? this.#readByHandle(handle) : this.#keepByHandle(handle, kind, value)
  }

  /**
   * @param {Handle} handle
   * @param {number} kind
   * @param {any} value
   */
  #keepByHandle(handle, kind, value) {
    if (kind < FIRST_BYTES) this.#near.keepByHandle(handle, kind, value, scratch, 0)
    return value
  }

  /** @param {any} key */
  has(key) {
    const { id } = this.#open
    if (!isHandleKey(key)) return hasBinding(id, this.#open.keyOf(key))
    // A copy that is fresh is a copy of an entry that is there.
    if (this.#near.peek(key) !== STALE) return true
    return this.#open.owns(key) && hasHandleBinding(id, key.shard, key.slot, key.generation)
  }

  // ---- Writing

  /** @param {any} key @param {any} value @param {any} options */
  set(key, value, options = undefined) {
    if (isHandleKey(key)) return /** @type {any} */ (this).replace(key, value, options)
    write.setByKey(this.#open, this.#room, this.#open.keyOf(key), value, options)
    return this
  }

  /** @param {any} given @param {any} value @param {any} options */
  getOrInsert(given, value, options = undefined) {
    try {
      const { ttl, withState } = readPutOptions(options)
      const key = this.#open.keyOf(given)
      const known = isHandleKey(key) ? this.#readExisting(key) : this.#near.lookup(key)
      if (known === STALE) return write.getOrEncode(this.#open, this.#room, key, value, ttl, withState)
      return withState ? { value: known, inserted: false } : known
    } catch (error) {
      throw refused(this.#open, error)
    }
  }

  /** @param {any} given @param {(key: any) => any} callback @param {any} options @returns {any} */
  getOrInsertComputed(given, callback, options = undefined) {
    try {
      return this.#getOrCompute(given, callback, options)
    } catch (error) {
      throw refused(this.#open, error)
    }
  }

  /** @param {any} given @param {(key: any) => any} callback @param {any} options @returns {any} */
  #getOrCompute(given, callback, options) {
    const open = this.#open
    checkFunction('callback', callback)
    const { ttl, withState } = readPutOptions(options)
    const key = open.keyOf(given)
    const answer = (/** @type {any} */ value) => (withState ? { value, inserted: false } : value)
    const known = isHandleKey(key) ? this.#readExisting(key) : this.#near.lookup(key)
    if (known !== STALE) return answer(known)
    const raw = getBinding(open.id, key)
    const found = scratch[STATE]
    const present = found === ABSENT ? undefined : decode(open.shapes, found, raw)
    if (present === GONE) return this.#getOrCompute(given, callback, options)
    if (found !== ABSENT) return answer(this.#keepByKey(key, this.#near.placeOf(key), found, present))
    // -0 is the key 0. The callback is called without `this`, and may change the cache as well as the map.
    const value = callback(key === 0 ? 0 : key)
    if (withState) return write.getOrSet(open, this.#room, key, value, ttl, true)
    return write.setComputed(open, this.#room, key, value, ttl)
  }

  /**
   * The value of a handle that must have one.
   *
   * @param {Handle} handle
   */
  #readExisting(handle) {
    const value = this.get(handle)
    if (value === undefined && !this.has(handle)) handles.throwDead(this.#open, handle)
    return value
  }

  /** @param {any} key */
  delete(key) {
    return write.deleteEntry(this.#open, this.#open.keyOf(key))
  }

  clear() {
    const open = this.#open
    clearBinding(open.id)
    this.#near = open.renewNear()
  }

  // ---- Walking

  keys() {
    return this.#walk(WANT.KEYS)
  }

  values() {
    return this.#walk(WANT.VALUES)
  }

  entries() {
    return this.#walk(WANT.ENTRIES)
  }

  /** @param {number} want one of WANT */
  #walk(want) {
    const open = this.#open
    open.check()
    return new MapIterator(this, open, want)
  }

  /** @param {(value: any, key: any, map: TypedMap) => void} callback @param {any} thisArg */
  forEach(callback, thisArg = undefined) {
    const open = this.#open
    checkFunctionFor(open, 'callback', callback)
    for (const cursor = new Cursor(this, open, WANT.ENTRIES); cursor.step(); ) {
      Reflect.apply(callback, thisArg, [cursor.value, cursor.key, this])
    }
  }

  // ---- The end

  close() {
    this.#open.close()
    this.#near = this.#open.near
  }

  destroy() {
    this.#open.destroy()
    this.#near = this.#open.near
  }

  [dispose]() {
    this.close()
  }

  /** @param {number | null} depth @param {any} options @param {any} inspect */
  [CUSTOM](depth, options, inspect) {
    // An object made of a map by a proxy or a prototype is no map.
    return #open in this ? inspectMap(/** @type {any} */ (this), this.#open, depth, options, inspect) : '[TypedMap]'
  }

  // ---- What Map lacks

  static {
    const features = [
      handles,
      write,
      atomic,
      update,
      compare,
      transactions,
      batch,
      lifetime,
      limits,
      growth,
      load,
      loadMany,
      stats,
      metrics,
      shownOptions,
      validation,
      recovery,
      explanations,
      distribution,
      hotKeys,
      advice,
      logs,
      removals,
      changes,
      pressure,
      scans,
      random,
      filters,
      views,
      jobs
    ]
    /** @type {import('./install.js').Access} */
    const access = { openOf: map => map.#open, roomOf: map => map.#room }
    install(
      TypedMap.prototype,
      features.map(({ methods }) => methods),
      access,
      countingProperty
    )
    attachProbes(TypedMap.prototype, access)
    openChannels()
    attachNearLatency(TypedMap.prototype.get)
  }
}

Object.defineProperties(TypedMap.prototype, {
  // One function under both names.
  [Symbol.iterator]: { value: TypedMap.prototype.entries, writable: true, configurable: true },
  [Symbol.toStringTag]: { value: 'TypedMap', configurable: true }
})

module.exports = { TypedMap }
