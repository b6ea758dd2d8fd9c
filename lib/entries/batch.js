'use strict'

// The operations over many entries: one native call each. Everything that can be checked is checked before that call,
// and the call itself checks all keys before it writes.

const { ERROR_NUMBERS, TypedMapError, createError, wrongType } = require('../errors.js')
const { isHandleKey } = require('../handle.js')
const { ownBytes } = require('../codec/encoded.js')
const values = require('../codec/values.js')
const { SHAPE_GONE, binding, scratch } = require('../native/attach.js')
const { BATCH_ROW, IS_HANDLE, ITEM_TTL, KIND, NUMBER, SCRATCH } = require('../native/layout.js')
const records = require('../native/records.js')
const { handleAt } = require('../native/rows.js')
const { requestTtl } = require('../native/ttl.js')
const { STALE } = require('../near/near-cache.js')
const { readDeleteManyOptions, readInsertOptions } = require('../options/call-options.js')
const { readWriteOptions } = require('../options/ttl.js')
const { refused } = require('../session/refusals.js')

const {
  deleteMany: deleteManyBinding,
  get: getBinding,
  getByHandle: getByHandleBinding,
  getMany: getManyBinding,
  hasMany: hasManyBinding,
  insertMany: insertManyBinding,
  setMany: setManyBinding,
  updateMany: updateManyBinding
} = binding

/** @typedef {import('../handle.js').Handle} Handle */
/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../session/room-maker.js').RoomMaker} RoomMaker */

/** @typedef {import('../codec/shapes.js').Shapes} Shapes */

const { GENERATION, PASSED, SHARD, SIZE, SLOT, STATE, WRITTEN } = SCRATCH
const { GONE, PLACE } = values

/** Coordinates that no entry has. They replace a handle of another map. */
const NOWHERE = 0xffff_ffff

/** Rows of the table that is kept for reuse. Larger batches pay for one of their own. */
const KEPT_ROWS = 256

/** float64s in a row, and the place of the number among them. */
const FLOAT_ROW = BATCH_ROW / 2
const FLOAT_NUMBER = NUMBER / 2
const FLOAT_TTL = ITEM_TTL / 2

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

  /**
   * What an item asks for itself.
   *
   * @param {number} index
   * @param {number} ttl from `readTtl`
   */
  putTtl(index, ttl) {
    this.floats[index * FLOAT_ROW + FLOAT_TTL] = ttl
  }

  /** Whether each item is there, or was. @param {number} count @returns {boolean[]} */
  presence(count) {
    return Array.from({ length: count }, (_, index) => this.words[index * BATCH_ROW + STATE] !== 0)
  }

  /** @param {number} index */
  putKey(index) {
    this.words[index * BATCH_ROW + IS_HANDLE] = 0
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
    words[row + IS_HANDLE] = 1
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
   * @param {Shapes} shapes
   */
  putValue(index, value, others, shapes) {
    let kind = values.kindOf(shapes, value)
    if (kind > KIND.Float) {
      // The value's own code runs in here, so that comes first.
      const wire = values.encode(shapes, value, kind)
      kind = values.kindOfWire(kind, wire)
      if (kind === KIND.Shaped) this.#putRecord(index, /** @type {number} */ (wire))
      // A codec may use its memory again for the next value.
      else others.push(kind === KIND.Encoded ? ownBytes(wire) : wire)
    } else if (kind === KIND.Int) this.ints[index * BATCH_ROW + NUMBER] = value
    else if (kind === KIND.Float) this.floats[index * FLOAT_ROW + FLOAT_NUMBER] = value
    this.words[index * BATCH_ROW + STATE] = kind
  }

  /** @param {number} index @param {number} place */
  #putRecord(index, place) {
    const number = index * BATCH_ROW + NUMBER
    this.words[number] = values.startOf(place)
    this.words[number + 1] = place % PLACE
    // The next value is written behind it.
    records.hold()
  }

  /**
   * The place of the record of an item that is one.
   *
   * @param {number} index
   */
  recordAt(index) {
    const number = index * BATCH_ROW + NUMBER
    return this.words[number] * PLACE + this.words[number + 1]
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
  #records
  #shapes
  /** What native code returned besides the table. */
  #cells
  #cell = 0
  /** Values of the joined text that is being used. @type {unknown[]} */
  #parsed = []
  #next = 0

  /** @param {Table} table @param {readonly any[] | undefined} cells @param {Shapes} shapes */
  constructor(table, cells, shapes) {
    this.#table = table
    this.#cells = cells
    this.#shapes = shapes
    this.#records = new values.Records(shapes)
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
          this.#parsed = values.decodeTexts(this.#takeCell())
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
      case KIND.Shaped:
        return this.#takeRecord(index * BATCH_ROW)
      default:
        return values.decode(this.#shapes, kind, this.#takeCell())
    }
  }

  /** @param {number} row */
  #takeRecord(row) {
    const { words } = this.#table
    return this.#records.take(words[row + NUMBER], words[row + SIZE], () => this.#takeCell())
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
 * The keys and handles of a batch, as the map has them.
 *
 * @param {OpenMap} open
 * @param {string} argument
 * @param {unknown} given
 * @returns {any[]}
 */
function itemsOf(open, argument, given) {
  const items = arrayOf(argument, given)
  return open.normalizes ? items.map(item => open.keyOf(item)) : items
}

/**
 * @param {unknown} entry
 * @returns {{ 0: any, 1: any, 2?: unknown }}
 */
function checkEntry(entry) {
  if (typeof entry !== 'object' || entry === null)
    throw wrongType('an item of entries', entry, '[key, value] or [key, value, { ttl }]')
  return /** @type {any} */ (entry)
}

/**
 * Runs a native batch of writes. Where one is refused, room is made and the batch goes on there; an error reports how
 * many items were written.
 *
 * @param {Shapes} shapes
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
function writeAll(shapes, room, table, count, others, ttl, operation, write) {
  let start = 0
  let written = 0
  // How often room was made for the item at `start`.
  let tries = 0
  for (;;) {
    const words = table.words.subarray(start * BATCH_ROW)
    const left = others.slice(others.length - othersOf(words, count - start))
    scratch[WRITTEN] = 0
    scratch[PASSED] = 0
    try {
      requestTtl(ttl)
      write(start, left, words)
      return written + scratch[WRITTEN]
    } catch (error) {
      // It is found before anything is written.
      if (error === SHAPE_GONE) {
        others = asTexts(shapes, table, start, count, left)
        continue
      }
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
    if (isOther(words[index * BATCH_ROW + STATE])) others++
  }
  return others
}

/** Whether a value of this kind is not in the table. @param {number} kind */
const isOther = kind => kind > KIND.Float && kind !== KIND.Shaped

/**
 * Replaces the records from the item at `start` on by JSON texts.
 *
 * @param {Shapes} shapes
 * @param {Table} table
 * @param {number} start
 * @param {number} count
 * @param {readonly unknown[]} others values from there on that are not in the table
 * @returns {unknown[]} the same with those texts
 */
function asTexts(shapes, table, start, count, others) {
  const left = others.values()
  const all = []
  for (let index = start; index < count; index++) {
    const state = index * BATCH_ROW + STATE
    if (isOther(table.words[state])) all.push(left.next().value)
    else if (table.words[state] === KIND.Shaped) {
      all.push(values.textOfWritten(shapes, table.recordAt(index)))
      table.words[state] = KIND.Json
    }
  }
  shapes.renew()
  return all
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
 * @param {any[]} list from `itemsOf`
 * @returns {any[]}
 */
function getMany(open, list) {
  const { near } = open
  const count = list.length
  const found = new Array(count)
  const table = Table.borrow(count)
  /** Items without a near copy, and their places in `list`; undefined as long as these are all items. @type {any[]} */
  let missing = list
  /** @type {number[] | undefined} */
  let places
  const { looks } = near
  // Copies and what is read natively are of one moment, as far as commits are concerned: what native code reads in one
  // call is, and so are copies that are all fresh.
  const commits = open.commitWord
  const before = Atomics.load(commits, 0)
  for (let index = 0; index < count; index++) {
    const item = list[index]
    const copy = looks || typeof item === 'object' ? near.lookup(item) : STALE
    const isNear = copy !== STALE
    if (isNear) found[index] = copy
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
  else {
    const isOfOneCall = getMissing(open, missing, places, table, found) && places === undefined
    if (!isOfOneCall && Atomics.load(commits, 0) !== before) getAll(open, list, table, found)
  }
  table.giveBack()
  return found
}

/**
 * Reads all items natively, as one commit left them.
 *
 * @param {OpenMap} open
 * @param {readonly any[]} list
 * @param {Table} table
 * @param {any[]} found takes the values
 */
function getAll(open, list, table, found) {
  for (;;) {
    const before = Atomics.load(open.commitWord, 0)
    for (const [index, item] of list.entries()) table.putItem(index, item, open.instance)
    if (getMissing(open, list, undefined, table, found) || Atomics.load(open.commitWord, 0) === before) return
  }
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
 * @param {any[]} found takes their values
 * @returns {boolean} whether one native call has read them all
 */
function getMissing(open, items, places, table, found) {
  const { near, shapes } = open
  const { words } = table
  const read = new Values(table, getManyBinding(open.id, items, words), shapes)
  /** Indexes of items that have to be read again. @type {number[]} */
  const again = []
  for (let index = 0; index < items.length; index++) {
    const row = index * BATCH_ROW
    const kind = words[row + STATE]
    const place = places === undefined ? index : places[index]
    const value = kind === 0 ? undefined : read.take(index, kind)
    found[place] = value
    if (value === GONE) again.push(index)
    else if (kind !== 0) near.keep(items[index], kind, value, words, row)
  }
  for (const index of again) found[places === undefined ? index : places[index]] = readAgain(open, items[index])
  return again.length === 0
}

/**
 * The value of an item whose record had lost its shape.
 *
 * @param {OpenMap} open
 * @param {any} item
 * @returns {any}
 */
function readAgain(open, item) {
  for (;;) {
    const raw = isHandleKey(item)
      ? getByHandleBinding(open.id, item.shard, item.slot, item.generation)
      : getBinding(open.id, item)
    const kind = scratch[STATE]
    const value = kind === 0 ? undefined : values.decode(open.shapes, kind, raw)
    if (value !== GONE) return value
  }
}

/**
 * Writes `[item, value]` or `[item, value, { ttl }]` entries in one native batch.
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
  const firstRecord = records.nextStart()
  try {
    for (let index = 0; index < count; index++) {
      const entry = checkEntry(list[index])
      const given = entry[0]
      if (operation === 'setMany' && isHandleKey(given)) {
        throw createError(ERROR_NUMBERS.ERR_KEY_TYPE, { argument: 'key', given: 'handle' })
      }
      const item = open.keyOf(given)
      items[index] = item
      table.putItem(index, item, open.instance)
      // Always, because the table has been used before.
      table.putTtl(index, readWriteOptions(entry[2]))
      table.putValue(index, entry[1], others, open.shapes)
    }
    const written = writeAll(open.shapes, room, table, count, others, ttl, operation, (start, left, words) => {
      write(open.id, from(items, start), left, words)
    })
    table.giveBack()
    return written
  } finally {
    records.free(firstRecord)
  }
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
 * @param {unknown} given
 * @param {string | undefined} type
 * @param {number} ttl
 */
function insertMany(open, room, given, type, ttl) {
  const list = arrayOf('values', given)
  const count = list.length
  /** @type {unknown[]} */
  const others = []
  const table = Table.borrow(count)
  const firstRecord = records.nextStart()
  try {
    for (let index = 0; index < count; index++) table.putValue(index, list[index], others, open.shapes)
    writeAll(open.shapes, room, table, count, others, ttl, 'insertMany', (start, left, words) => {
      insertManyBinding(open.id, count - start, left, type, words)
    })
  } finally {
    records.free(firstRecord)
  }
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
function hasMany(open, items) {
  const list = itemsOf(open, 'items', items)
  const count = list.length
  const table = Table.borrow(count)
  for (let index = 0; index < count; index++) table.putItem(index, list[index], open.instance)
  hasManyBinding(open.id, list, table.words)
  const presence = table.presence(count)
  table.giveBack()
  return presence
}

/**
 * @param {OpenMap} open
 * @param {unknown} items
 * @param {boolean} each whether to say of each item if it was there
 */
function deleteMany(open, items, each) {
  const list = itemsOf(open, 'items', items)
  const { near } = open
  const count = list.length
  const table = Table.borrow(count)
  for (let index = 0; index < count; index++) table.putItem(index, list[index], open.instance)
  const deleted = deleteManyBinding(open.id, list, table.words)
  const presence = each ? table.presence(count) : undefined
  table.giveBack()
  for (const item of list) near.forget(item)
  return presence ?? deleted
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf, roomOf }) => ({
  /** @param {readonly any[] | Iterable<any>} items */
  getMany(items) {
    const open = openOf(this)
    try {
      return getMany(open, itemsOf(open, 'items', items))
    } catch (error) {
      throw refused(open, error)
    }
  },

  /** @param {Iterable<any>} entries @param {any} options */
  setMany(entries, options = undefined) {
    const open = openOf(this)
    try {
      setMany(open, roomOf(this), entries, readWriteOptions(options))
      return this
    } catch (error) {
      throw refused(open, error)
    }
  },

  /** @param {Iterable<any>} entries @param {any} options */
  updateMany(entries, options = undefined) {
    const open = openOf(this)
    try {
      const ttl = readWriteOptions(options)
      return writeEntries(open, roomOf(this), entries, ttl, 'updateMany', updateManyBinding)
    } catch (error) {
      throw refused(open, error)
    }
  },

  /** @param {Iterable<any>} values @param {any} options */
  insertMany(values, options = undefined) {
    const open = openOf(this)
    try {
      const { type, ttl } = readInsertOptions(options)
      return insertMany(open, roomOf(this), values, type, ttl)
    } catch (error) {
      throw refused(open, error)
    }
  },

  /** @param {Iterable<any>} items */
  hasMany(items) {
    const open = openOf(this)
    try {
      return hasMany(open, items)
    } catch (error) {
      throw refused(open, error)
    }
  },

  /** @param {Iterable<any>} items @param {any} options */
  deleteMany(items, options = undefined) {
    const open = openOf(this)
    try {
      return deleteMany(open, items, readDeleteManyOptions(options))
    } catch (error) {
      throw refused(open, error)
    }
  }
})

module.exports = { arrayOf, getMany, itemsOf, methods, setMany }
