'use strict'

// The operations over many entries: one native call each. Everything that can be checked is checked before that call,
// and the call itself checks all keys before it writes.

const { ERROR_NUMBERS, TypedMapError, createError, wrongType } = require('../errors.js')
const { isHandleKey } = require('../handle.js')
const { decode, decodeTexts, encode, kindOf } = require('../codec/values.js')
const { binding, scratch } = require('../native/attach.js')
const { BATCH_ROW, KIND, NUMBER, SCRATCH } = require('../native/layout.js')
const { handleAt } = require('../native/rows.js')
const { requestTtl } = require('../native/ttl.js')
const { STALE } = require('../near/near-cache.js')
const { readInsertOptions } = require('../options/call-options.js')
const { readWriteOptions } = require('../options/ttl.js')

const {
  deleteMany: deleteManyBinding,
  getMany: getManyBinding,
  insertMany: insertManyBinding,
  setMany: setManyBinding,
  updateMany: updateManyBinding
} = binding

/** @typedef {import('../handle.js').Handle} Handle */
/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../session/room-maker.js').RoomMaker} RoomMaker */

const { GENERATION, PASSED, SHARD, SLOT, STATE, TYPE, WRITTEN } = SCRATCH

/** Coordinates that no entry has. They replace a handle of another map. */
const NOWHERE = 0xffff_ffff

/** Rows of the table that is kept for reuse. Larger batches pay for one of their own. */
const KEPT_ROWS = 256

/** float64s in a row, and the place of the number among them. */
const FLOAT_ROW = BATCH_ROW / 2
const FLOAT_NUMBER = NUMBER / 2

/**
 * The table of a batch: a row of numbers for each item, for its input and its result, in memory that native code reads
 * and writes.
 */
class Table {
  /** @param {number} rows */
  constructor(rows) {
    const buffer = new ArrayBuffer(rows * BATCH_ROW * Uint32Array.BYTES_PER_ELEMENT)
    this.rows = rows
    this.words = new Uint32Array(buffer)
    this.ints = new Int32Array(buffer)
    this.floats = new Float64Array(buffer)
  }

  /**
   * Takes a batch over one at a time: the code of a user's object may run while a table is filled, and start another
   * batch, which then needs another table.
   *
   * @param {number} rows
   */
  static borrow(rows) {
    const table = kept
    if (table === undefined || rows > KEPT_ROWS) return new Table(Math.max(rows, KEPT_ROWS))
    kept = undefined
    return table
  }

  giveBack() {
    if (this.rows === KEPT_ROWS) kept = this
  }

  /** @param {number} index */
  putKey(index) {
    this.words[index * BATCH_ROW + TYPE] = 0
  }

  /**
   * @param {number} index
   * @param {Handle} handle
   * @param {number} instance
   */
  putHandle(index, handle, instance) {
    const { words } = this
    const row = index * BATCH_ROW
    const isOurs = handle.map === instance
    words[row + TYPE] = 1
    words[row + SHARD] = isOurs ? handle.shard : NOWHERE
    words[row + SLOT] = isOurs ? handle.slot : NOWHERE
    words[row + GENERATION] = isOurs ? handle.generation : NOWHERE
  }

  /**
   * @param {number} index
   * @param {any} item
   * @param {number} instance
   */
  putItem(index, item, instance) {
    if (isHandleKey(item)) this.putHandle(index, item, instance)
    else this.putKey(index)
  }

  /**
   * @param {number} index
   * @param {any} value
   * @param {unknown[]} others takes the value, encoded, if a row cannot say it
   */
  putValue(index, value, others) {
    const kind = kindOf(value)
    // The value's own code runs in `encode`, so that comes first.
    if (kind > KIND.Float) others.push(encode(value, kind))
    else if (kind === KIND.Int) this.ints[index * BATCH_ROW + NUMBER] = value
    else if (kind === KIND.Float) this.floats[index * FLOAT_ROW + FLOAT_NUMBER] = value
    this.words[index * BATCH_ROW + STATE] = kind
  }
}

/**
 * The table that is kept, unless a batch has it. If an error keeps a batch from returning its table, the next batch
 * makes a new one.
 * @type {Table | undefined}
 */
let kept = new Table(KEPT_ROWS)

/** Decodes the values of a batch in order. */
class Values {
  #table
  /** What native code returned besides the table. */
  #cells
  #cell = 0
  /** Values of the joined text that is being used. @type {unknown[]} */
  #parsed = []
  #next = 0

  /** @param {Table} table @param {readonly any[] | undefined} cells */
  constructor(table, cells) {
    this.#table = table
    this.#cells = cells
  }

  /**
   * @param {number} index
   * @param {number} kind what the table says there
   */
  take(index, kind) {
    switch (kind) {
      case KIND.Int:
        return this.#table.ints[index * BATCH_ROW + NUMBER]
      case KIND.Float:
        return this.#table.floats[index * FLOAT_ROW + FLOAT_NUMBER]
      case KIND.Json:
        if (this.#next === this.#parsed.length) {
          this.#parsed = decodeTexts(this.#takeCell())
          this.#next = 0
        }
        return this.#parsed[this.#next++]
      case KIND.True:
        return true
      case KIND.False:
        return false
      case KIND.Null:
        return null
      case KIND.Undefined:
        return undefined
      default:
        return decode(kind, this.#takeCell())
    }
  }

  #takeCell() {
    return this.#cells?.[this.#cell++]
  }
}

/**
 * The items as an array of our own, which no code of the user can change later.
 *
 * @param {string} argument
 * @param {unknown} given
 * @returns {any[]}
 */
function arrayOf(argument, given) {
  const iterable = /** @type {any} */ (given)
  if (typeof iterable?.[Symbol.iterator] !== 'function') throw wrongType(argument, given, 'an iterable')
  return [...iterable]
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
 * Runs a native batch of writes. Where one is refused, room is made and the batch goes on there; an error reports how
 * many items were written.
 *
 * @param {RoomMaker} room
 * @param {Table} table what it says of each item
 * @param {number} count how many items there are
 * @param {unknown[]} others values that are not in the table
 * @param {number} ttl what the writes ask for
 * @param {string} operation what users know the write as
 * @param {(start: number, others: unknown[], words: Uint32Array) => void} write native, from the item at `start` on,
 * with the values and rows that are left
 * @returns {number} how many items were written
 */
function writeAll(room, table, count, others, ttl, operation, write) {
  let start = 0
  let written = 0
  // How often room was made for the item at `start`.
  let tries = 0
  for (;;) {
    const words = table.words.subarray(start * BATCH_ROW)
    const left = start === 0 ? others : others.slice(others.length - othersOf(words, count - start))
    scratch[WRITTEN] = 0
    scratch[PASSED] = 0
    try {
      requestTtl(ttl)
      write(start, left, words)
      return written + scratch[WRITTEN]
    } catch (error) {
      const passed = scratch[PASSED]
      written += scratch[WRITTEN]
      start += passed
      tries = passed === 0 ? tries : 0
      try {
        room.make(error, tries++, operation)
      } catch (failed) {
        if (failed instanceof TypedMapError) failed.details.written = written
        throw failed
      }
    }
  }
}

/**
 * How many of the first `count` rows have a value outside the table.
 *
 * @param {Uint32Array} words
 * @param {number} count
 */
function othersOf(words, count) {
  let others = 0
  for (let index = 0; index < count; index++) {
    if (words[index * BATCH_ROW + STATE] > KIND.Float) others++
  }
  return others
}

/**
 * The items from `start` on.
 *
 * @param {any[]} items
 * @param {number} start
 */
const from = (items, start) => (start === 0 ? items : items.slice(start))

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
  const table = Table.borrow(count)
  /** Items without a near copy, and their places in `list`; undefined as long as these are all items. @type {any[]} */
  let missing = list
  /** @type {number[] | undefined} */
  let places
  const { looks } = near
  for (let index = 0; index < count; index++) {
    const item = list[index]
    const copy = looks || typeof item === 'object' ? near.lookup(item) : STALE
    const isNear = copy !== STALE
    if (isNear) values[index] = copy
    else table.putItem(places === undefined ? index : missing.length, item, open.instance)
    if (isNear) {
      if (places === undefined) {
        places = firstOf(index)
        missing = list.slice(0, index)
      }
    } else if (places !== undefined) {
      missing.push(item)
      places.push(index)
    }
  }
  if (missing.length === 0) open.check()
  else getMissing(open, missing, places, table, values)
  table.giveBack()
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
 * @param {readonly any[]} items items without a near copy
 * @param {number[] | undefined} places where their values belong; undefined if that is where they are
 * @param {Table} table
 * @param {any[]} values
 */
function getMissing(open, items, places, table, values) {
  const { near } = open
  const { words } = table
  const read = new Values(table, getManyBinding(open.id, items, words))
  for (let index = 0; index < items.length; index++) {
    const row = index * BATCH_ROW
    const kind = words[row + STATE]
    const place = places === undefined ? index : places[index]
    const value = kind === 0 ? undefined : read.take(index, kind)
    values[place] = value
    if (kind !== 0) near.keep(items[index], kind, value, words, row)
  }
}

/**
 * Writes `[item, value]` entries in one native batch.
 *
 * @param {OpenMap} open
 * @param {RoomMaker} room
 * @param {unknown} entries
 * @param {number} ttl
 * @param {'setMany' | 'updateMany'} operation updates take handles, too, and skip missing entries
 * @param {(id: number, items: any[], others: unknown[], words: Uint32Array) => unknown} write native
 * @returns {number} how many items were written
 */
function writeEntries(open, room, entries, ttl, operation, write) {
  const list = arrayOf('entries', entries)
  const count = list.length
  const items = new Array(count)
  /** @type {unknown[]} */
  const others = []
  const table = Table.borrow(count)
  for (let index = 0; index < count; index++) {
    const entry = checkEntry(list[index])
    const item = entry[0]
    if (operation === 'setMany' && isHandleKey(item)) {
      throw createError(ERROR_NUMBERS.ERR_KEY_TYPE, { argument: 'key', given: 'handle' })
    }
    items[index] = item
    table.putItem(index, item, open.instance)
    table.putValue(index, entry[1], others)
  }
  const written = writeAll(room, table, count, others, ttl, operation, (start, left, words) => {
    write(open.id, from(items, start), left, words)
  })
  table.giveBack()
  return written
}

/**
 * @param {OpenMap} open
 * @param {RoomMaker} room
 * @param {unknown} entries
 * @param {number} ttl
 */
const setMany = (open, room, entries, ttl) => writeEntries(open, room, entries, ttl, 'setMany', setManyBinding)

/**
 * @param {OpenMap} open
 * @param {RoomMaker} room
 * @param {unknown} values
 * @param {string | undefined} type
 * @param {number} ttl
 */
function insertMany(open, room, values, type, ttl) {
  const list = arrayOf('values', values)
  const count = list.length
  /** @type {unknown[]} */
  const others = []
  const table = Table.borrow(count)
  for (let index = 0; index < count; index++) table.putValue(index, list[index], others)
  writeAll(room, table, count, others, ttl, 'insertMany', (start, left, words) => {
    insertManyBinding(open.id, count - start, left, type, words)
  })
  const handles = new Array(count)
  for (let index = 0; index < count; index++) {
    handles[index] = handleAt(open.origin, table.words, index * BATCH_ROW)
  }
  table.giveBack()
  return handles
}

/**
 * @param {OpenMap} open
 * @param {unknown} items
 */
function deleteMany(open, items) {
  const list = arrayOf('items', items)
  const { near } = open
  const count = list.length
  const table = Table.borrow(count)
  for (let index = 0; index < count; index++) table.putItem(index, list[index], open.instance)
  const deleted = deleteManyBinding(open.id, list, table.words)
  table.giveBack()
  for (const item of list) near.forget(item)
  return deleted
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf, roomOf }) => ({
  /** @param {readonly any[] | Iterable<any>} items */
  getMany(items) {
    return getMany(openOf(this), items)
  },

  /** @param {Iterable<any>} entries @param {any} options */
  setMany(entries, options = undefined) {
    setMany(openOf(this), roomOf(this), entries, readWriteOptions(options))
    return this
  },

  /** @param {Iterable<any>} entries @param {any} options */
  updateMany(entries, options = undefined) {
    const ttl = readWriteOptions(options)
    return writeEntries(openOf(this), roomOf(this), entries, ttl, 'updateMany', updateManyBinding)
  },

  /** @param {Iterable<any>} values @param {any} options */
  insertMany(values, options = undefined) {
    const { type, ttl } = readInsertOptions(options)
    return insertMany(openOf(this), roomOf(this), values, type, ttl)
  },

  /** @param {Iterable<any>} items */
  deleteMany(items) {
    return deleteMany(openOf(this), items)
  }
})

module.exports = { methods, setMany }
