'use strict'

// The operations over many entries: one native call each. Everything that can be checked is checked before that call, and
// the call itself checks all keys before it writes.

const { decode, encode, kindOf } = require('./codec.js')
const { ERROR_NUMBERS, TypedMapError, createError, wrongType } = require('./errors.js')
const { Handle } = require('./handle.js')
const { KIND, ROW, SCRATCH } = require('./layout.js')
const { binding, scratch } = require('./native.js')
const { copyOf, hasFreshCopy, isHandle } = require('./near-cache.js')

const {
  deleteMany: deleteManyBinding,
  getMany: getManyBinding,
  insertMany: insertManyBinding,
  setMany: setManyBinding,
  updateMany: updateManyBinding
} = binding

/** @typedef {import('./open-map.js').OpenMap} OpenMap */

const { CHUNK, GENERATION, SHARD, SLOT, STATE, VERSION, WORD, WRITTEN } = SCRATCH

/** Coordinates that no entry has: what a handle of another map is to this one. */
const NOWHERE = 0xffff_ffff

/** Rows that are kept for reuse. Larger batches pay for an array of their own. */
const KEPT_ROWS = 256
const keptStates = new Uint32Array(KEPT_ROWS * ROW)

/** @param {number} count */
const statesFor = count => (count <= KEPT_ROWS ? keptStates : new Uint32Array(count * ROW))

/**
 * @param {string} argument
 * @param {unknown} given
 * @returns {readonly any[]}
 */
function arrayOf(argument, given) {
  if (Array.isArray(given)) return given
  const iterable = /** @type {any} */ (given)
  if (typeof iterable?.[Symbol.iterator] !== 'function') throw wrongType(argument, given, 'an iterable')
  return [...iterable]
}

/** Keys and handles of a batch, in the form that native code takes. */
class Items {
  /** Keys; undefined where a handle is. @type {unknown[]} */
  keys
  /** @type {Uint32Array | undefined} */
  coordinates = undefined
  /** @type {Uint8Array | undefined} */
  isHandle = undefined
  #count = 0
  #instance

  /** @param {number} capacity @param {number} instance */
  constructor(capacity, instance) {
    this.keys = new Array(capacity)
    this.#instance = instance
  }

  /** @param {any} item */
  add(item) {
    const index = this.#count++
    if (typeof item === 'object' && item !== null && isHandle(item)) this.#addHandle(index, item)
    else this.keys[index] = item
  }

  /** @param {number} index @param {Handle} handle */
  #addHandle(index, handle) {
    const capacity = this.keys.length
    this.coordinates ??= new Uint32Array(capacity * 3)
    this.isHandle ??= new Uint8Array(capacity)
    this.isHandle[index] = 1
    this.keys[index] = undefined
    const isOurs = handle.map === this.#instance
    this.coordinates[index * 3] = isOurs ? handle.shard : NOWHERE
    this.coordinates[index * 3 + 1] = isOurs ? handle.slot : NOWHERE
    this.coordinates[index * 3 + 2] = isOurs ? handle.generation : NOWHERE
  }

  /** Gives up the places that were not filled. */
  trim() {
    this.keys.length = this.#count
  }
}

/** The entries of a batch that writes, taken apart and encoded. */
class Writes {
  /** @type {unknown[]} */
  values
  /** @type {Uint8Array} */
  kinds

  /** @param {number} count */
  constructor(count) {
    this.values = new Array(count)
    this.kinds = new Uint8Array(count)
  }

  /** @param {number} index @param {unknown} value */
  add(index, value) {
    const kind = kindOf(value)
    this.kinds[index] = kind
    this.values[index] = encode(value, kind)
  }
}

/**
 * @param {unknown} entry
 * @returns {{ 0: any, 1: any }}
 */
function checkEntry(entry) {
  if (typeof entry !== 'object' || entry === null) throw wrongType('an item of entries', entry, '[key, value]')
  return /** @type {any} */ (entry)
}

/**
 * Runs a native batch and adds to its error how far it came.
 *
 * @template T
 * @param {() => T} call
 * @returns {T}
 */
function counted(call) {
  scratch[WRITTEN] = 0
  try {
    return call()
  } catch (error) {
    if (error instanceof TypedMapError) error.details.written = scratch[WRITTEN]
    throw error
  }
}

/**
 * @param {OpenMap} open
 * @param {unknown} items
 * @returns {any[]}
 */
function getMany(open, items) {
  const list = arrayOf('items', items)
  const { near } = open
  const count = list.length
  const values = new Array(count)
  const missing = new Items(count, open.instance)
  /** Indexes of what was not found near; undefined as long as nothing was. @type {number[] | undefined} */
  let places
  const hits = near.hits
  for (let index = 0; index < count; index++) {
    const item = list[index]
    if (typeof item === 'object' && item !== null && isHandle(item)) {
      if (hasFreshCopy(item, near)) {
        places ??= firstOf(index)
        near.hits++
        values[index] = copyOf(item)
        continue
      }
    } else if (near.visible.size > 0) {
      const copy = near.visible.get(item)
      if (copy?.isFresh()) {
        places ??= firstOf(index)
        near.hits++
        copy.isUsed = true
        values[index] = copy.value
        continue
      }
    }
    missing.add(item)
    places?.push(index)
  }
  missing.trim()
  const missed = count - (near.hits - hits)
  if (missed === 0) open.check()
  else getMissing(open, list, missing, places, values)
  return values
}

/**
 * The numbers below `count`.
 *
 * @param {number} count
 */
const firstOf = count => Array.from({ length: count }, (_, index) => index)

/**
 * @param {OpenMap} open
 * @param {readonly any[]} list what was asked for
 * @param {Items} missing the part of it that was not found near
 * @param {number[] | undefined} places where in `list` that part lies; undefined if it is all of it
 * @param {any[]} values
 */
function getMissing(open, list, missing, places, values) {
  const { near } = open
  const states = statesFor(missing.keys.length)
  const raws = getManyBinding(open.id, missing.keys, missing.coordinates, missing.isHandle, states)
  for (let index = 0; index < raws.length; index++) {
    const row = index * ROW
    const kind = /** @type {number} */ (states[row + STATE])
    const place = places === undefined ? index : /** @type {number} */ (places[index])
    const value = kind === 0 ? undefined : decode(kind, raws[index])
    values[place] = value
    if (kind === 0 || kind >= KIND.Uint8Array) continue
    const item = list[place]
    const chunk = /** @type {number} */ (states[row + CHUNK])
    const word = /** @type {number} */ (states[row + WORD])
    const version = /** @type {number} */ (states[row + VERSION])
    if (typeof item !== 'object') near.keepByKey(item, near.visible.get(item), value, chunk, word, version)
    else if (missing.isHandle?.[index] === 1) near.keepByHandle(item, value, chunk, word, version)
  }
}

/**
 * @param {OpenMap} open
 * @param {unknown} entries
 */
function setMany(open, entries) {
  const list = arrayOf('entries', entries)
  const count = list.length
  const keys = new Array(count)
  const writes = new Writes(count)
  for (let index = 0; index < count; index++) {
    const entry = checkEntry(list[index])
    const key = entry[0]
    if (typeof key === 'object' && key !== null && isHandle(key)) {
      throw createError(ERROR_NUMBERS.ERR_KEY_TYPE, { argument: 'key', given: 'handle' })
    }
    keys[index] = key
    writes.add(index, entry[1])
  }
  counted(() => setManyBinding(open.id, keys, writes.values, writes.kinds, undefined))
}

/**
 * @param {OpenMap} open
 * @param {unknown} entries
 */
function updateMany(open, entries) {
  const list = arrayOf('entries', entries)
  const count = list.length
  const items = new Items(count, open.instance)
  const writes = new Writes(count)
  for (let index = 0; index < count; index++) {
    const entry = checkEntry(list[index])
    items.add(entry[0])
    writes.add(index, entry[1])
  }
  const { coordinates, isHandle, keys } = items
  return counted(() => updateManyBinding(open.id, keys, coordinates, isHandle, writes.values, writes.kinds))
}

/**
 * @param {OpenMap} open
 * @param {unknown} values
 * @param {string | undefined} type
 */
function insertMany(open, values, type) {
  const list = arrayOf('values', values)
  const count = list.length
  const writes = new Writes(count)
  for (let index = 0; index < count; index++) writes.add(index, list[index])
  const states = statesFor(count)
  counted(() => insertManyBinding(open.id, writes.values, writes.kinds, type, states))
  const handles = new Array(count)
  for (let index = 0; index < count; index++) handles[index] = handleAt(open.instance, states, index * ROW)
  return handles
}

/**
 * @param {number} instance
 * @param {Uint32Array} states
 * @param {number} row
 */
function handleAt(instance, states, row) {
  const shard = /** @type {number} */ (states[row + SHARD])
  const slot = /** @type {number} */ (states[row + SLOT])
  return new Handle(instance, shard, slot, /** @type {number} */ (states[row + GENERATION]))
}

/**
 * @param {OpenMap} open
 * @param {unknown} items
 */
function deleteMany(open, items) {
  const list = arrayOf('items', items)
  const { near } = open
  const batch = new Items(list.length, open.instance)
  for (const item of list) batch.add(item)
  const deleted = deleteManyBinding(open.id, batch.keys, batch.coordinates, batch.isHandle)
  for (const item of list) {
    if (typeof item !== 'object') near.forgetKey(item)
    else if (item !== null && isHandle(item)) near.forgetHandle(item)
  }
  return deleted
}

module.exports = { deleteMany, getMany, handleAt, insertMany, setMany, updateMany }
