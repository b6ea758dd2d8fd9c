'use strict'

// Views of one type: the part of a map whose entries have it. Native code decides which type an entry has, at the
// moment of the operation; a view keeps the number of its type, and nothing of the map.
//
// A view answers a repeated read of an object from the near cache of its map. Copies there do not say their type, but a
// copy is of one version of one entry, and a version has one type for good: so the view remembers which objects it has
// read with its type, and an object that is there again is of it.

const { throwDead } = require('../entries/handles.js')
const { MapIterator } = require('../entries/iterators.js')
const { isHandleKey } = require('../handle.js')
const { GONE, decode, decodeCopy, encode, kindOf, kindOfWire } = require('../codec/values.js')
const { binding, scratch } = require('../native/attach.js')
const { KIND, SCRATCH, WANT } = require('../native/layout.js')
const { handleAt } = require('../native/rows.js')
const { STALE } = require('../near/near-cache.js')
const { MAX_TYPE_NAME_BYTES, boolean, checkObject, readName } = require('../options/checks.js')
const { readSchema } = require('../options/schema.js')
const { readWriteOptions } = require('../options/ttl.js')
const { refused } = require('../session/refusals.js')
const { writeNative } = require('../session/room-maker.js')
const { find, readJobOptions } = require('./find.js')
const { scan } = require('./scan.js')
const { readViewScanOptions } = require('./scan-options.js')

const {
  deleteOfType: deleteOfTypeBinding,
  getOfType: getOfTypeBinding,
  hasOfType: hasOfTypeBinding,
  insert: insertBinding,
  setOfType: setOfTypeBinding,
  sizeOfType: sizeOfTypeBinding
} = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../session/room-maker.js').RoomMaker} RoomMaker */

const { STATE } = SCRATCH
const ABSENT = 0
/** Kinds from this one on are never kept. */
const FIRST_BYTES = KIND.Uint8Array

/** @param {unknown} value */
const isObject = value => typeof value === 'object' && value !== null

class TypedView {
  /** Held, because an unreachable map is closed. */
  #map
  /** @type {OpenMap} */
  #open
  /** @type {RoomMaker} */
  #room
  #name
  /** The number of the type. */
  #type
  /** What a value becomes that is written, if there is a schema. */
  #output
  /** Copies of the near cache that were read with this type. @type {WeakSet<object>} */
  #known = new WeakSet()

  /**
   * @param {object} map
   * @param {OpenMap} open
   * @param {RoomMaker} room
   * @param {string} name
   * @param {((value: unknown) => any) | undefined} output
   */
  constructor(map, open, room, name, output) {
    this.#map = map
    this.#open = open
    this.#room = room
    this.#name = name
    this.#type = open.viewType(name)
    this.#output = output
  }

  get name() {
    return this.#name
  }

  get size() {
    return sizeOfTypeBinding(this.#open.id, this.#type)
  }

  // ---- Reading

  /** @param {any} given @param {any} options @returns {any} */
  get(given, options = undefined) {
    const isCopy = options !== undefined && readCopy(this.#open, options)
    const key = this.#open.keyOf(given)
    const { near } = this.#open
    if (!isCopy) {
      const copy = near.peek(key)
      // Once more, because that counts as the hit that it is.
      if (isObject(copy) && this.#known.has(copy) && near.lookup(key) !== STALE) return copy
    }
    return this.#read(key, isCopy)
  }

  /**
   * @param {any} key
   * @param {boolean} isCopy
   * @returns {any}
   */
  #read(key, isCopy) {
    const open = this.#open
    if (!open.mayHave(key)) return undefined
    const raw = this.#about(getOfTypeBinding, key)
    const kind = scratch[STATE]
    open.reportManyHits()
    if (kind === ABSENT) return undefined
    const { near, shapes } = open
    // A copy that is fresh now was of this version before it was read: it is the object that other reads return.
    const known = isCopy || kind >= FIRST_BYTES ? STALE : near.peek(key)
    const value = known !== STALE ? known : isCopy ? decodeCopy(shapes, kind, raw) : decode(shapes, kind, raw)
    if (value === GONE) return this.#read(key, isCopy)
    if (isCopy || kind >= FIRST_BYTES) return value
    if (known === STALE) near.keep(key, kind, value, scratch, 0)
    if (isObject(value) && near.peek(key) === value) this.#known.add(value)
    return value
  }

  /** @param {any} given @returns {boolean} */
  has(given) {
    const key = this.#open.keyOf(given)
    return this.#open.mayHave(key) && this.#about(hasOfTypeBinding, key)
  }

  // ---- Writing

  /** @param {any} value @param {any} options */
  insert(value, options = undefined) {
    const open = this.#open
    const { ttl, kind, wire } = this.#encode(value, options)
    writeNative(this.#room, ttl, 'insert', insertBinding, 1, open.id, wire, kind, this.#name)
    return handleAt(open.origin, scratch, 0)
  }

  /** @param {any} given @param {any} value @param {any} options */
  set(given, value, options = undefined) {
    const open = this.#open
    const key = open.keyOf(given)
    const isHandle = isHandleKey(key)
    if (isHandle && !open.owns(key)) throwDead(open, key)
    const { ttl, kind, wire } = this.#encode(value, options)
    /** @type {[any]} */
    const target = isHandle ? /** @type {any} */ ([key.shard, key.slot, key.generation]) : [key]
    writeNative(this.#room, ttl, 'set', setOfTypeBinding, 2, open.id, this.#type, wire, kind, ...target)
    open.near.renew(key, kind, wire, scratch)
    return this
  }

  /**
   * The options of a write, and its value as it crosses.
   *
   * @param {any} value
   * @param {any} options
   */
  #encode(value, options) {
    const open = this.#open
    open.check()
    try {
      const ttl = readWriteOptions(options)
      const output = this.#output === undefined ? value : this.#output(value)
      const known = kindOf(open.shapes, output)
      const wire = encode(open.shapes, output, known)
      return { ttl, kind: kindOfWire(known, wire), wire }
    } catch (error) {
      throw refused(open, error)
    }
  }

  /** @param {any} given @returns {boolean} */
  delete(given) {
    const open = this.#open
    const key = open.keyOf(given)
    if (!open.mayHave(key)) return false
    const isDeleted = this.#about(deleteOfTypeBinding, key)
    if (isDeleted) open.near.forget(key)
    return isDeleted
  }

  /**
   * Calls a native operation that is about a key or handle of this type.
   *
   * @template T
   * @param {(id: number, type: number, ...target: any[]) => T} operation
   * @param {any} target
   * @returns {T}
   */
  #about(operation, target) {
    const { id } = this.#open
    if (!isHandleKey(target)) return operation(id, this.#type, target)
    return operation(id, this.#type, target.shard, target.slot, target.generation)
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
    return new MapIterator(this.#map, open, want, this.#type)
  }

  /** @param {string} cursor @param {any} options */
  scan(cursor, options = undefined) {
    const open = this.#open
    try {
      return scan(open, cursor, { ...readViewScanOptions(open, options), type: this.#name })
    } catch (error) {
      throw refused(open, error)
    }
  }

  /** @param {any} query @param {any} options */
  async find(query, options = undefined) {
    try {
      const read = readJobOptions(options, ['limit', 'signal', 'onProgress'])
      return find(this.#open, this.#map, query, { ...read, type: this.#name })
    } catch (error) {
      throw refused(this.#open, error)
    }
  }
}

Object.defineProperties(TypedView.prototype, {
  [Symbol.iterator]: { value: TypedView.prototype.entries, writable: true, configurable: true },
  [Symbol.toStringTag]: { value: 'TypedView', configurable: true }
})
// Views are made by `ofType`.
Reflect.deleteProperty(TypedView.prototype, 'constructor')

/** @param {OpenMap} open @param {unknown} options @returns {boolean} */
function readCopy(open, options) {
  try {
    const { copy = false } = checkObject('options', options, ['copy'])
    return boolean('copy', copy)
  } catch (error) {
    throw refused(open, error)
  }
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf, roomOf }) => ({
  /** @param {string} name @param {any} schema */
  ofType(name, schema = undefined) {
    const open = openOf(this)
    open.check()
    const checked = readName('name', name, MAX_TYPE_NAME_BYTES)
    return new TypedView(this, open, roomOf(this), checked, readSchema(schema, checked))
  }
})

module.exports = { methods }
