'use strict'

// Transactions: reads of one moment, and writes that are made all at once or not at all. The store keeps what a
// transaction has read and will write (src/store/map/transaction.rs); nothing is locked between two calls.

const { ERROR_NUMBERS, badOption, createError, wrongType } = require('../errors.js')
const { fillHandle, isHandleKey, pendingHandle } = require('../handle.js')
const { GONE, decode, decodeCopy, encode, kindOf, kindOfWire } = require('../codec/values.js')
const { binding, scratch, scratchFloats } = require('../native/attach.js')
const { ROW, SCRATCH, STEP_BY, STEP_INITIAL, STEP_MAX, STEP_MIN, STEP_VALUE } = require('../native/layout.js')
const { MAPS_OWN, requestTtl } = require('../native/ttl.js')
const { readInsertOptions } = require('../options/call-options.js')
const { checkFunction } = require('../options/checks.js')
const { readIncrement } = require('../options/increment.js')
const { readWriteOptions } = require('../options/ttl.js')
const { readTransactionOptions } = require('../options/update.js')
const { refused } = require('../session/refusals.js')
const { writeNative } = require('../session/room-maker.js')
const { arrayOf } = require('./batch.js')
const { throwDead } = require('./handles.js')

const {
  commit: commitBinding,
  transactionConflicts: conflictsBinding,
  transactionDelete: deleteBinding,
  transactionEnd: endBinding,
  transactionGet: getBinding,
  transactionHas: hasBinding,
  transactionIncrement: incrementBinding,
  transactionIncrementBigInt: incrementBigIntBinding,
  transactionInsert: insertBinding,
  transactionIsValid: isValidBinding,
  transactionSet: setBinding
} = binding

/** @typedef {import('../handle.js').Handle} Handle */
/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../session/room-maker.js').RoomMaker} RoomMaker */
/** @typedef {{ shard: number, slot: number, generation: number }} Coordinates */
/** @typedef {'open' | 'committed' | 'rolledBack' | 'conflict' | 'ended'} State */

const { GENERATION, SHARD, SLOT, STATE } = SCRATCH
const ABSENT = 0
/** What users know the writes as. */
const OPERATION = 'transaction'
const NO_ROWS = new Uint32Array(0)
const dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose')

/** The number of the transaction that began last. */
let last = 0

/** Forgets natively what was neither committed nor rolled back. */
const unreachable = new FinalizationRegistry(({ id, number }) => {
  try {
    endBinding(id, number)
  } catch {
    // The map was closed, and its transactions went with it.
  }
})

/** @param {unknown} error */
const isConflict = error => /** @type {any} */ (error)?.number === ERROR_NUMBERS.ERR_TRANSACTION_CONFLICT

/**
 * A key as plain JSON, for the details of an error.
 *
 * @param {OpenMap} open
 * @param {any} key an array has the numbers of a handle
 */
function asJson({ instance }, key) {
  if (Array.isArray(key)) return { map: instance, shard: key[0], slot: key[1], generation: key[2] }
  if (key instanceof Uint8Array) return Array.from(key)
  if (typeof key === 'bigint') return `${key}n`
  return typeof key === 'string' || typeof key === 'boolean' || Number.isFinite(key) ? key : String(key)
}

class Transaction {
  #open
  #room
  #number
  /** @type {State} */
  #state = 'open'
  /** Whether it belongs to a callback, whose end is its own. */
  #isScoped
  /**
   * Handles of entries to be inserted, each with the numbers that it has here.
   *
   * @type {Map<Handle, Coordinates> | undefined}
   */
  #inserted

  /** @param {OpenMap} open @param {RoomMaker} room @param {boolean} isScoped */
  constructor(open, room, isScoped) {
    open.check()
    last = (last + 1) >>> 0
    this.#open = open
    this.#room = room
    this.#number = last
    this.#isScoped = isScoped
    if (!isScoped) unreachable.register(this, { id: open.id, number: last }, this)
  }

  /** @param {any} given */
  get(given) {
    return this.#read(this.#keyOf(given), decode)
  }

  /** @param {Iterable<any>} items */
  getMany(items) {
    this.#check()
    try {
      return arrayOf('items', items).map(item => this.get(item))
    } catch (error) {
      throw refused(this.#open, error)
    }
  }

  /** @param {any} given @returns {boolean} */
  has(given) {
    const key = this.#keyOf(given)
    return this.#about(hasBinding, key) === true
  }

  /** @param {any} given @param {any} value @param {any} options */
  set(given, value, options = undefined) {
    const key = this.#keyOf(given)
    try {
      this.#write(key, value, readWriteOptions(options))
      return this
    } catch (error) {
      throw this.#refused(error)
    }
  }

  /** @param {any} given @param {(value: any) => any} callback @param {any} options */
  update(given, callback, options = undefined) {
    try {
      return this.#update(given, callback, options)
    } catch (error) {
      throw this.#refused(error)
    }
  }

  /** @param {any} given @param {(value: any) => any} callback @param {any} options */
  #update(given, callback, options) {
    checkFunction('callback', callback)
    const key = this.#keyOf(given)
    const ttl = readWriteOptions(options)
    const before = this.#read(key, decodeCopy)
    if (before === undefined && isHandleKey(key) && this.#about(hasBinding, key) !== true) throwDead(this.#open, key)
    const next = Reflect.apply(callback, undefined, [before])
    // The callback may have ended it.
    this.#check()
    if (next === undefined) {
      this.#about(deleteBinding, key)
      return undefined
    }
    this.#write(key, next, ttl)
    return this.#read(key, decode)
  }

  /**
   * @param {any} key
   * @param {typeof decode} decoded what makes a value of what is stored
   */
  #read(key, decoded) {
    const { shapes } = this.#open
    for (;;) {
      const raw = this.#about(getBinding, key)
      const kind = raw === GONE ? ABSENT : scratch[STATE]
      if (kind === ABSENT) return undefined
      const value = decoded(shapes, kind, raw)
      if (value !== GONE) return value
    }
  }

  /** @param {any} key @param {any} value @param {number} ttl from `readTtl` */
  #write(key, value, ttl) {
    const { id, shapes } = this.#open
    const known = kindOf(shapes, value)
    const wire = encode(shapes, value, known)
    const kind = kindOfWire(known, wire)
    // The value's own code may have ended it.
    this.#check()
    const [room, number] = [this.#room, this.#number]
    try {
      if (!isHandleKey(key)) {
        writeNative(room, ttl, OPERATION, setBinding, 2, id, number, wire, kind, key)
        return
      }
      const target = this.#coordinatesOf(key)
      if (target === undefined) throwDead(this.#open, key)
      const { shard, slot, generation } = target
      writeNative(room, ttl, OPERATION, setBinding, 2, id, number, wire, kind, shard, slot, generation)
    } catch (error) {
      throw this.#explain(error)
    }
  }

  /** @param {any} given @returns {boolean} */
  delete(given) {
    const key = this.#keyOf(given)
    return this.#about(deleteBinding, key) === true
  }

  /** @param {any} value @param {any} options */
  insert(value, options = undefined) {
    this.#check()
    try {
      return this.#insert(value, options)
    } catch (error) {
      throw this.#refused(error)
    }
  }

  /** @param {any} value @param {any} options */
  #insert(value, options) {
    const { id, shapes } = this.#open
    const { type, ttl } = readInsertOptions(options)
    const known = kindOf(shapes, value)
    const wire = encode(shapes, value, known)
    const kind = kindOfWire(known, wire)
    this.#check()
    try {
      writeNative(this.#room, ttl, OPERATION, insertBinding, 2, id, this.#number, wire, kind, type)
    } catch (error) {
      throw this.#explain(error)
    }
    const handle = pendingHandle()
    const [shard, slot, generation] = [scratch[SHARD], scratch[SLOT], scratch[GENERATION]]
    this.#inserted ??= new Map()
    this.#inserted.set(handle, { shard, slot, generation })
    return handle
  }

  /** @param {any} given @param {any} by @param {any} options */
  increment(given, by = undefined, options = undefined) {
    const key = this.#keyOf(given)
    try {
      return this.#increment(key, by, options)
    } catch (error) {
      throw this.#refused(error)
    }
  }

  /** @param {any} key @param {any} by @param {any} options */
  #increment(key, by, options) {
    this.#open.checkJson('increment')
    const step = readIncrement(by, options)
    if (step.withTtl) throw badOption('withTtl', 'is not for a step within a transaction')
    if (step.at !== undefined) throw badOption('at', 'is not for a step within a transaction: get and set the object')
    requestTtl(step.ttl)
    let result
    if (typeof step.by === 'bigint') {
      const { initial, min, max } = step
      result = this.#about(incrementBigIntBinding, key, step.by, initial, min, max)
    } else {
      scratchFloats[STEP_BY] = step.by
      scratchFloats[STEP_INITIAL] = step.initial
      scratchFloats[STEP_MIN] = step.min
      scratchFloats[STEP_MAX] = step.max
      result = this.#about(incrementBinding, key)
    }
    if (result === GONE) throwDead(this.#open, key)
    return result === undefined ? scratchFloats[STEP_VALUE] : result
  }

  commit() {
    this.#checkIsOwn()
    this.#commit()
  }

  rollback() {
    this.#checkIsOwn()
    this.#check()
    this.#end('rolledBack')
  }

  [dispose]() {
    if (this.#state === 'open' && !this.#isScoped) this.#end('rolledBack')
  }

  #commit() {
    this.#check()
    const { id, instance, origin } = this.#open
    const inserted = this.#inserted
    const rows = inserted === undefined ? NO_ROWS : new Uint32Array(inserted.size * ROW)
    try {
      writeNative(this.#room, MAPS_OWN, OPERATION, commitBinding, 0, id, this.#number, rows)
    } catch (error) {
      throw this.#explain(error)
    }
    let row = 0
    for (const handle of inserted?.keys() ?? []) {
      const [shard, slot, generation] = [rows[row + SHARD], rows[row + SLOT], rows[row + GENERATION]]
      // One that the transaction itself has removed again has no entry.
      if (generation !== 0) fillHandle(handle, { map: instance, shard, slot, generation }, origin)
      row += ROW
    }
    this.#end('committed')
  }

  #check() {
    if (this.#state === 'open') return
    throw refused(this.#open, createError(ERROR_NUMBERS.ERR_TRANSACTION_CLOSED, { state: this.#state }))
  }

  /** Its end is that of its callback, while that runs. */
  #checkIsOwn() {
    if (!this.#isScoped || this.#state !== 'open') return
    throw refused(this.#open, createError(ERROR_NUMBERS.ERR_TRANSACTION_CLOSED, RUNNING))
  }

  /**
   * Counts what a call throws. A conflict is none yet, while the callback may be called again.
   *
   * @param {unknown} error
   */
  #refused(error) {
    return this.#isScoped && isConflict(error) ? error : refused(this.#open, error)
  }

  /**
   * What a call throws: a conflict says which keys others have changed.
   *
   * @param {unknown} error
   */
  #explain(error) {
    if (!isConflict(error) || this.#state !== 'open') return error
    const keys = this.#conflicts()
    // The transaction of a callback is looked at once more before it is forgotten.
    if (!this.#isScoped) this.#end('conflict')
    return this.#refused(createError(ERROR_NUMBERS.ERR_TRANSACTION_CONFLICT, { keys }))
  }

  /** The keys that others have changed, as plain JSON. */
  #conflicts() {
    return conflictsBinding(this.#open.id, this.#number).map(key => asJson(this.#open, key))
  }

  /** @param {State} state */
  #end(state) {
    this.#state = state
    this.#inserted = undefined
    if (!this.#isScoped) unreachable.unregister(this)
    if (state !== 'committed') endBinding(this.#open.id, this.#number)
  }

  /**
   * The key, as the map has it, of what was given to a transaction that is not over. Comes before everything that is
   * set up for a native call, because it may run a function of the user.
   *
   * @param {any} given
   */
  #keyOf(given) {
    this.#check()
    const open = this.#open
    if (!open.normalizes) return given
    const key = open.keyOf(given)
    // The function may have ended it.
    this.#check()
    return key
  }

  /**
   * The numbers that a handle has here.
   *
   * @param {Handle} handle
   * @returns {Coordinates | undefined} `undefined` if it has no entry in this map
   */
  #coordinatesOf(handle) {
    return this.#inserted?.get(handle) ?? (this.#open.owns(handle) ? handle : undefined)
  }

  /**
   * @param {(id: number, number: number, ...parameters: any[]) => any} operation
   * @param {any} key
   * @param {any[]} parameters before it
   * @returns {any} GONE for a handle that has no entry here
   */
  #about(operation, key, ...parameters) {
    const { id } = this.#open
    try {
      if (!isHandleKey(key)) return operation(id, this.#number, ...parameters, key)
      const target = this.#coordinatesOf(key)
      if (target === undefined) return GONE
      return operation(id, this.#number, ...parameters, target.shard, target.slot, target.generation)
    } catch (error) {
      throw this.#explain(error)
    }
  }

  /**
   * One attempt of a callback.
   *
   * @param {OpenMap} open
   * @param {RoomMaker} room
   * @param {(transaction: Transaction) => any} callback
   * @returns {{ result: any } | { keys: any[] }} the keys that others have changed, if it is to be tried again
   */
  static attempt(open, room, callback) {
    const one = new Transaction(open, room, true)
    try {
      const result = one.#run(callback)
      one.#commit()
      return { result }
    } catch (error) {
      // Whatever it threw: it may be for what it has read, which was not there at one moment.
      if (one.#isValid()) throw error
      return { keys: one.#conflicts() }
    } finally {
      if (one.#state === 'open') one.#end('ended')
    }
  }

  /** @param {(transaction: Transaction) => any} callback */
  #run(callback) {
    const open = this.#open
    open.isInTransaction = true
    try {
      const result = Reflect.apply(callback, undefined, [this])
      if (typeof result?.then === 'function') {
        throw wrongType('the result of callback', result, 'no promise: a transaction ends when its callback returns')
      }
      return result
    } finally {
      open.isInTransaction = false
    }
  }

  #isValid() {
    try {
      return isValidBinding(this.#open.id, this.#number)
    } catch {
      // The map has ended, and what the callback threw says so, or something else that matters more.
      return true
    }
  }
}

const RUNNING = Object.freeze({ state: 'running' })
const NESTED = Object.freeze({ state: 'nested' })

/** @param {import('../install.js').Access} access */
const methods = ({ openOf, roomOf }) => ({
  /** @this {any} @param {(transaction: Transaction) => any} callback @param {any} options */
  transaction(callback, options = undefined) {
    const open = openOf(this)
    checkFunction('callback', callback)
    const { retries } = readTransactionOptions(options)
    if (open.isInTransaction) throw createError(ERROR_NUMBERS.ERR_TRANSACTION_CLOSED, NESTED)
    for (let tries = 0; ; tries++) {
      const attempt = Transaction.attempt(open, roomOf(this), callback)
      if ('result' in attempt) return attempt.result
      if (tries === retries) {
        throw createError(ERROR_NUMBERS.ERR_TRANSACTION_CONFLICT, { retries, keys: attempt.keys })
      }
    }
  },

  begin() {
    return new Transaction(openOf(this), roomOf(this), false)
  }
})

module.exports = { methods }
