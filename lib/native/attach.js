'use strict'

// The native side, made ready for this evaluation of the package. A thread may evaluate it more than once: test
// runners do for each file, and each bundle brings its own.

const { createError, markCounted } = require('../errors.js')
const { shared } = require('../handle.js')
const loaded = require('../addon/load.js')
const { attempt } = require('./attempt.js')
const { readData } = require('./data.js')

/** Called when something waits for a subscription, by WAKE. @type {((id: number, number: number) => void)[]} */
const wakers = []

/**
 * Hands the elements of a stretch of an array to native code as arguments, which is far faster than one by one.
 *
 * @param {(...values: unknown[]) => void} receive
 * @param {readonly unknown[]} array
 * @param {number} from
 * @param {number} to
 */
function spread(receive, array, from, to) {
  if (to - from === array.length) receive(...array)
  else receive(...array.slice(from, to))
}

/**
 * Takes elements of an array from native code, for the same reason.
 *
 * @param {unknown[]} array
 * @param {unknown[]} values
 */
function append(array, ...values) {
  array.push(...values)
}

/** The number of the store's refusal of a record whose shape it does not know any more. */
const SHAPE_GONE_NUMBER = 1900

/** What is thrown for it. It never reaches users: the value is written as text then. */
const SHAPE_GONE = new Error('the shape of the value is not known any more')

const {
  evaluation,
  scratch: memory,
  ...operations
} = loaded.attach(
  // Native code counts what it throws.
  (number, details) =>
    number === SHAPE_GONE_NUMBER ? SHAPE_GONE : markCounted(createError(number, readData(details))),
  (id, what, number) => attempt(() => wakers[what]?.(id, number)),
  spread,
  append,
  shared
)

/**
 * What a native operation reports besides its result. Each writes its own columns and no others (`scratch.spec.js`
 * lists them): a read or write of an entry writes a row, one that finds none writes STATE = 0 alone, a batch how far it
 * came; each write takes the ttl. So read a column before the next operation that writes it, and before any code of the
 * user runs.
 */
const scratch = new Uint32Array(memory.buffer)

/** The same memory, for float64s. */
const scratchFloats = new Float64Array(memory.buffer)

const binding = {
  ...loaded,
  ...operations,
  /** The number of this evaluation. */
  evaluation,
  /** @param {string | null} name @param {string} options */
  open: (name, options) => loaded.open(evaluation, name, options)
}

/**
 * Has `waker` called when something waits for a subscription of this kind, with the id of the map and the number of the
 * subscription, where a map has several.
 *
 * @param {number} what one of WAKE
 * @param {(id: number, number: number) => void} waker
 */
function onWake(what, waker) {
  wakers[what] = waker
}

module.exports = { SHAPE_GONE, binding, onWake, scratch, scratchFloats }
