'use strict'

// TypedMap: what users call. Reads are answered by the near cache where it can, everything else by one native call.

const worker = require('node:worker_threads')
const { ERROR_NUMBERS, createError, wrongType } = require('./errors.js')
const { Handle, isHandleKey } = require('./handle.js')
const { decode, decodeCopy, decodeWritten, encode, kindOf } = require('./codec/values.js')
const batch = require('./entries/batch.js')
const { peek, touch, ttlOf, weightOf } = require('./entries/entry.js')
const { group } = require('./entries/group.js')
const { CUSTOM, inspectMap } = require('./entries/inspect.js')
const { Cursor, MapIterator } = require('./entries/iterators.js')
const { binding, scratch } = require('./native/attach.js')
const { writeData } = require('./native/data.js')
const { KIND, OPERATION, SCRATCH, WANT } = require('./native/layout.js')
const { handleAt } = require('./native/rows.js')
const { NO_CACHE, STALE, copyOf, freshCopyOf, hasFreshCopy, isHit, isKeptBy } = require('./near/near-cache.js')
const logs = require('./observe/logs.js')
const pressure = require('./observe/pressure.js')
const removals = require('./observe/removals.js')
const { Meter, readStats } = require('./observe/stats.js')
const { validate } = require('./observe/validate.js')
const { readGetOptions, readInsertOptions } = require('./options/call-options.js')
const { MAX_MAP_NAME_BYTES, checkFunction, readCount, readName } = require('./options/checks.js')
const { readLimits, readOptions } = require('./options/map-options.js')
const { readWriteOptions } = require('./options/ttl.js')
const { OpenMap } = require('./session/open-map.js')
const { construct, takeRequest } = require('./session/opening.js')
const { Room, writeNative } = require('./session/room-maker.js')

const {
  check: checkBinding,
  clear: clearBinding,
  delete: deleteBinding,
  deleteHandle: deleteHandleBinding,
  evict: evictBinding,
  get: getBinding,
  getByHandle: getByHandleBinding,
  getHandle: getHandleBinding,
  getOrInsert: getOrInsertBinding,
  has: hasBinding,
  hasHandle: hasHandleBinding,
  insert: insertBinding,
  memoryUsed: memoryUsedBinding,
  names: namesBinding,
  purgeExpired: purgeExpiredBinding,
  remove: removeBinding,
  removeHandle: removeHandleBinding,
  replace: replaceBinding,
  reserve: reserveBinding,
  set: setBinding,
  setLimits: setLimitsBinding,
  shrinkToFit: shrinkToFitBinding,
  size: sizeBinding
} = binding

/** The place of a key's copy in the near cache, if it has one. @typedef {number | undefined} Place */

const { STATE, TYPE } = SCRATCH
const ABSENT = 0
/** Numbers of slots and generations have 32 bits. */
const MAX_COORDINATE = 2 ** 32 - 1
/** Kinds below this one are their own decoded form; those from FIRST_BYTES on are never cached. */
const JSON_TEXT = KIND.Json
const FIRST_BYTES = KIND.Uint8Array

/**
 * Whether the only argument of the constructor means options: an ordinary object that says nothing of iteration. Others
 * (a promise that somebody forgot to await, a date) are treated as what `Map` takes and refused.
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

/** @param {unknown} given */
const notAHandle = given =>
  createError(ERROR_NUMBERS.ERR_KEY_TYPE, {
    argument: 'handle',
    given: given === null ? 'null' : typeof given,
    allowed: 'a handle of this map'
  })

const dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose')

/** Number of the map, as a property that deep equality looks at: two maps are not equal for having no visible properties. */
const INSTANCE = Symbol('TypedMap.instance')

/** Makes cloning an object an error, where Node can: a map is sent to other threads by its name. @type {(object: object) => void} */
const markAsUncloneable = /** @type {any} */ (worker).markAsUncloneable ?? (() => {})

class TypedMap {
  /** The same as `#open.near`, one step closer. */
  #near = NO_CACHE
  /** @type {OpenMap} */
  #open
  #meter = new Meter()
  /** What makes room when the map is full. @type {Room} */
  #room

  /** @param {any[]} given iterable and options, or one of them; a rest, because the length of Map is 0 */
  constructor(...given) {
    const request = takeRequest(new.target)
    // A constructor of a derived class that hands nothing on wants what `open` was given.
    const [iterable, options] = given.length === 0 ? [request?.options] : given
    const isAlone =
      options === undefined && (isOptions(iterable) || (request !== undefined && iterable === request.options))
    const read = readOptions(isAlone ? iterable : options)
    const open = new OpenMap(request === undefined ? null : request.name, read)
    if (request !== undefined) request.open = open
    this.#open = open
    this.#room = new Room(this, open, read)
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

  static names() {
    return [...namesBinding()]
  }

  /** @param {Iterable<any>} items @param {(item: any, index: number) => any} callback */
  static groupBy(items, callback) {
    const groups = group(items, callback)
    const map = new TypedMap()
    map.setMany(groups)
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
    if (options !== undefined) return this.#readAs(key, options)
    if (typeof key === 'object' && key !== null) {
      if (!isHit(key, near.keeper)) return this.#readObject(key)
      near.hits++
      if (near.isMarking) near.markHandle(key)
      return copyOf(key)
    }
    const place = near.visible.get(key)
    if (place === undefined) return this.#readByKey(key, place)
    // Written out. The engine inlines only so much, and when most reads are still misses, it spends that on their way.
    const { kept, seen } = near.copies
    const word = seen[place]
    if (word < 0 || kept[place][word] !== seen[place | 1]) return this.#readByKey(key, place)
    near.hits++
    if (near.isMarking) near.markKey(near.copies, place)
    return kept[place | 1]
  }

  /** @param {any} handle @param {any} options */
  getByHandle(handle, options = undefined) {
    const near = this.#near
    if (!isHandleKey(handle)) throw notAHandle(handle)
    if (options !== undefined) return this.#readAs(handle, options)
    if (!isHit(handle, near.keeper)) return this.#readByHandle(handle)
    near.hitHandle(handle)
    return copyOf(handle)
  }

  /** @param {object} key a handle, or something that may be a key */
  #readObject(key) {
    return isHandleKey(key) ? this.#readByHandle(key) : this.#readByKey(key, undefined)
  }

  /**
   * Reads natively, and keeps what was read, unless the near cache has it.
   *
   * @param {any} key
   * @param {Place} visible where the near cache shows it
   */
  #readByKey(key, visible) {
    const near = this.#near
    if (near.isSplit) {
      const copy = near.hitKey(key)
      if (copy !== STALE) return copy
    }
    const place = near.isSplit ? near.placeOf(key) : visible
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
    return this.#keepByKey(key, place, kind, decode(kind, raw))
  }

  /**
   * Keeps a value whose place the last native call left in the scratch array.
   *
   * @param {any} key
   * @param {Place} place
   * @param {number} kind
   * @param {any} value
   */
  #keepByKey(key, place, kind, value) {
    if (kind < FIRST_BYTES && typeof key !== 'object') this.#near.keepByKey(key, place, kind, value, scratch, 0)
    return value
  }

  /** @param {Handle} handle */
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
    return this.#keepByHandle(handle, kind, decode(kind, raw))
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

  /**
   * A read that asks for a type or for a copy.
   *
   * @param {any} key
   * @param {unknown} options
   */
  #readAs(key, options) {
    const open = this.#open
    const { copy, type } = readGetOptions(options)
    const handle = isHandleKey(key) ? key : undefined
    if (handle !== undefined && !this.#open.owns(handle)) return undefined
    const raw =
      handle === undefined
        ? getBinding(open.id, key)
        : getByHandleBinding(open.id, handle.shard, handle.slot, handle.generation)
    const kind = scratch[STATE]
    if (kind === ABSENT) return undefined
    if (type !== undefined && !this.#isOfType(type)) return undefined
    if (copy) return decodeCopy(kind, raw)
    if (handle === undefined) return this.#keepByKey(key, this.#near.placeOf(key), kind, decode(kind, raw))
    // The same object as without the type.
    const known = freshCopyOf(handle, this.#near.keeper)
    return known === STALE ? this.#keepByHandle(handle, kind, decode(kind, raw)) : known
  }

  /**
   * Checks the type of the entry that the last native call found. False if the entry is gone: a name is known as long
   * as an entry has it, so another thread has removed the last one since.
   *
   * @param {string} expected
   */
  #isOfType(expected) {
    const type = scratch[TYPE]
    const found = this.#open.typeName(type)
    if (found === null && type !== 0) return false
    if (found !== expected) throw createError(ERROR_NUMBERS.ERR_WRONG_TYPE, { expected, found })
    return true
  }

  /** @param {any} key */
  has(key) {
    const { id } = this.#open
    if (!isHandleKey(key)) return hasBinding(id, key)
    // A copy that is fresh is a copy of an entry that is there.
    if (hasFreshCopy(key, this.#near.keeper)) return true
    return this.#open.owns(key) && hasHandleBinding(id, key.shard, key.slot, key.generation)
  }

  /** @param {readonly any[] | Iterable<any>} items */
  getMany(items) {
    return batch.getMany(this.#open, items)
  }

  // ---- Writing

  /** @param {any} key @param {any} value @param {any} options */
  set(key, value, options = undefined) {
    if (isHandleKey(key)) return this.replace(key, value, options)
    const kind = kindOf(value)
    this.#write(key, encode(value, kind), kind, options)
    return this
  }

  /**
   * @param {any} key
   * @param {unknown} wire
   * @param {number} kind
   * @param {unknown} options
   */
  #write(key, wire, kind, options) {
    const { id } = this.#open
    const ttl = readWriteOptions(options)
    writeNative(this.#room, ttl, OPERATION.set, setBinding, id, key, wire, kind)
    // The copy of a scalar is the scalar: as good as read again. That of an object is made by the next read.
    if (kind < JSON_TEXT) this.#near.renewKey(key, kind, wire, scratch)
  }

  /** @param {any} key @param {any} value @param {any} options */
  getOrInsert(key, value, options = undefined) {
    const near = this.#near
    const open = this.#open
    if (isHandleKey(key)) return this.#readExisting(key)
    const known = near.hitKey(key)
    if (known !== STALE) return known
    const kind = kindOf(value)
    const wire = encode(value, kind)
    const ttl = readWriteOptions(options)
    const raw = writeNative(this.#room, ttl, OPERATION.getOrInsert, getOrInsertBinding, open.id, key, wire, kind)
    const found = scratch[STATE]
    // Encoding a value can run its own code, which may have changed the cache.
    const newPlace = this.#near.placeOf(key)
    if (found === ABSENT) return this.#keepByKey(key, newPlace, kind, decodeWritten(kind, wire))
    return this.#keepByKey(key, newPlace, found, decode(found, raw))
  }

  /** @param {any} key @param {(key: any) => any} callback @param {any} options */
  getOrInsertComputed(key, callback, options = undefined) {
    const near = this.#near
    const open = this.#open
    checkFunction('callback', callback)
    const ttl = readWriteOptions(options)
    if (isHandleKey(key)) return this.#readExisting(key)
    const known = near.hitKey(key)
    if (known !== STALE) return known
    const raw = getBinding(open.id, key)
    const found = scratch[STATE]
    if (found !== ABSENT) return this.#keepByKey(key, near.placeOf(key), found, decode(found, raw))
    // -0 is the key 0. The callback is called without `this`.
    const value = callback(key === 0 ? 0 : key)
    const kind = kindOf(value)
    const wire = encode(value, kind)
    writeNative(this.#room, ttl, OPERATION.set, setBinding, open.id, key, wire, kind)
    // The callback may have changed the cache as well as the map.
    return this.#keepByKey(key, this.#near.placeOf(key), kind, decodeWritten(kind, wire))
  }

  /**
   * The value of a handle that must have one.
   *
   * @param {Handle} handle
   */
  #readExisting(handle) {
    const value = this.get(handle)
    if (value === undefined && !this.has(handle)) this.#throwDead(handle)
    return value
  }

  /** @param {any} key */
  delete(key) {
    const near = this.#near
    const { id } = this.#open
    if (!isHandleKey(key)) {
      const deleted = deleteBinding(id, key)
      near.forgetKey(key)
      return deleted
    }
    if (!this.#open.owns(key)) return false
    const deleted = deleteHandleBinding(id, key.shard, key.slot, key.generation)
    near.forgetHandle(key)
    return deleted
  }

  /** @param {any} key */
  remove(key) {
    const near = this.#near
    const { id } = this.#open
    let raw
    if (isHandleKey(key)) {
      if (!this.#open.owns(key)) return undefined
      raw = removeHandleBinding(id, key.shard, key.slot, key.generation)
      near.forgetHandle(key)
    } else {
      raw = removeBinding(id, key)
      near.forgetKey(key)
    }
    const kind = scratch[STATE]
    return kind === ABSENT ? undefined : decode(kind, raw)
  }

  clear() {
    const open = this.#open
    clearBinding(open.id)
    this.#near = open.renewNear()
  }

  /** @param {number} entries */
  reserve(entries) {
    reserveBinding(this.#open.id, readCount('entries', entries))
  }

  shrinkToFit() {
    shrinkToFitBinding(this.#open.id)
  }

  /** @param {Iterable<any>} entries @param {any} options */
  setMany(entries, options = undefined) {
    batch.setMany(this.#open, this.#room, entries, readWriteOptions(options))
    return this
  }

  /** @param {Iterable<any>} entries @param {any} options */
  updateMany(entries, options = undefined) {
    return batch.updateMany(this.#open, this.#room, entries, readWriteOptions(options))
  }

  /** @param {Iterable<any>} items */
  deleteMany(items) {
    return batch.deleteMany(this.#open, items)
  }

  // ---- Handles

  /** @param {any} value @param {any} options */
  insert(value, options = undefined) {
    const open = this.#open
    const { type, ttl } = readInsertOptions(options)
    const kind = kindOf(value)
    const wire = encode(value, kind)
    writeNative(this.#room, ttl, OPERATION.insert, insertBinding, open.id, wire, kind, type)
    return handleAt(open.instance, scratch, 0)
  }

  /** @param {Iterable<any>} values @param {any} options */
  insertMany(values, options = undefined) {
    const { type, ttl } = readInsertOptions(options)
    return batch.insertMany(this.#open, this.#room, values, type, ttl)
  }

  /** @param {any} key @param {any} value @param {any} options */
  insertWithHandle(key, value, options = undefined) {
    const open = this.#open
    if (isHandleKey(key)) {
      this.replace(key, value, options)
      return key
    }
    const kind = kindOf(value)
    this.#write(key, encode(value, kind), kind, options)
    return handleAt(open.instance, scratch, 0)
  }

  /** @param {any} key */
  getHandle(key) {
    const open = this.#open
    if (isHandleKey(key)) return this.has(key) ? key : undefined
    return getHandleBinding(open.id, key) ? handleAt(open.instance, scratch, 0) : undefined
  }

  /** @param {any} handle @param {any} value @param {any} options */
  replace(handle, value, options = undefined) {
    const open = this.#open
    if (!isHandleKey(handle)) throw notAHandle(handle)
    if (!this.#open.owns(handle)) this.#throwDead(handle)
    const kind = kindOf(value)
    const wire = encode(value, kind)
    const { shard, slot, generation } = handle
    const ttl = readWriteOptions(options)
    writeNative(this.#room, ttl, OPERATION.replace, replaceBinding, open.id, shard, slot, generation, wire, kind)
    if (kind < JSON_TEXT && isKeptBy(handle, this.#near.keeper)) this.#keepByHandle(handle, kind, wire)
    return this
  }

  /** @param {any} data */
  handle(data) {
    const open = this.#open
    open.check()
    if (isHandleKey(data)) {
      if (data.map !== open.instance) this.#throwDead(data)
      return data
    }
    if (typeof data !== 'object' || data === null) {
      throw wrongType('data', data, '{ map, shard, slot, generation }, as postMessage sends a handle')
    }
    const { map, shard, slot, generation } = data
    for (const [name, number] of Object.entries({ map, shard, slot, generation })) {
      if (!Number.isInteger(number) || number < 0) throw wrongType(`data.${name}`, number, 'an integer from 0 on')
    }
    if (map !== open.instance) {
      throw createError(ERROR_NUMBERS.ERR_HANDLE_INVALIDATED, { given: map, map: open.instance })
    }
    if (shard >= open.shards) throw createError(ERROR_NUMBERS.ERR_INVALID_SHARD_INDEX, { shard, shards: open.shards })
    if (slot > MAX_COORDINATE || generation > MAX_COORDINATE) throw createError(ERROR_NUMBERS.ERR_HANDLE_NOT_FOUND, {})
    return new Handle(map, shard, slot, generation)
  }

  /**
   * Says why a handle has no entry.
   *
   * @param {Handle} handle
   * @returns {never}
   */
  #throwDead(handle) {
    const open = this.#open
    if (handle.map !== open.instance) {
      throw createError(ERROR_NUMBERS.ERR_HANDLE_INVALIDATED, { given: handle.map, map: open.instance })
    }
    checkBinding(open.id, handle.shard, handle.slot, handle.generation)
    throw createError(ERROR_NUMBERS.ERR_HANDLE_NOT_FOUND, {})
  }

  // ---- Limits and expiry

  /** @param {any} key */
  peek(key) {
    return peek(this.#open, key)
  }

  /** @param {any} key */
  ttlOf(key) {
    return ttlOf(this.#open, key)
  }

  /** @param {any} key @param {any} options */
  touch(key, options = undefined) {
    return touch(this.#open, key, readWriteOptions(options))
  }

  /** @param {any[]} given a key, which may be undefined, or nothing */
  memoryUsage(...given) {
    return given.length === 0 ? memoryUsedBinding(this.#open.id) : weightOf(this.#open, given[0])
  }

  purgeExpired() {
    return purgeExpiredBinding(this.#open.id)
  }

  /** @param {number} count */
  evict(count = 1) {
    return evictBinding(this.#open.id, readCount('count', count))
  }

  /** @param {any} limits */
  setLimits(limits) {
    const open = this.#open
    const read = readLimits(limits)
    setLimitsBinding(open.id, writeData(read))
    open.limitMemory(read.memoryLimit)
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
    checkFunction('callback', callback)
    for (const cursor = new Cursor(this, open, WANT.ENTRIES); cursor.step(); ) {
      Reflect.apply(callback, thisArg, [cursor.value, cursor.key, this])
    }
  }

  // ---- Watching

  getStats() {
    const open = this.#open
    open.check()
    open.reportHits()
    return readStats(open.id, this.#meter, open.near.stats)
  }

  /** Async only so that a closed map is a rejection. */
  async validate() {
    return validate(this.#open)
  }

  /** @param {(error: Error) => void} listener */
  onError(listener) {
    const open = this.#open
    checkFunction('listener', listener)
    return logs.subscribe(open, this, 'errors', listener)
  }

  /** @param {(line: { level: string, code: string, details: Record<string, any> }) => void} listener */
  onLog(listener) {
    const open = this.#open
    checkFunction('listener', listener)
    return logs.subscribe(open, this, 'logs', listener)
  }

  /** @param {(removal: any) => void} listener @param {any} options */
  onEvict(listener, options = undefined) {
    checkFunction('listener', listener)
    return removals.subscribe(this.#open, this, listener, options)
  }

  /** @param {(ratio: number) => unknown} listener @param {any} options */
  onPressure(listener, options = undefined) {
    checkFunction('listener', listener)
    return pressure.subscribe(this.#open, this, listener, options)
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
    // What is made of a map by a proxy or a prototype is none.
    return #open in this ? inspectMap(this, this.#open, depth, options, inspect) : '[TypedMap]'
  }
}

Object.defineProperties(TypedMap.prototype, {
  // One function under both names.
  [Symbol.iterator]: { value: TypedMap.prototype.entries, writable: true, configurable: true },
  [Symbol.toStringTag]: { value: 'TypedMap', configurable: true }
})

module.exports = { TypedMap }
