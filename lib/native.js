'use strict'

// The native side, made ready for this environment: once per thread, when the package is loaded.

const binding = require('./binding.js')
const { readData } = require('./codec.js')
const { createError } = require('./errors.js')
const { SCRATCH_LENGTH } = require('./layout.js')

/** Where a native call leaves what it has to say besides its result. The next native call writes over it. */
const scratch = new Uint32Array(SCRATCH_LENGTH)

/** The same memory, for what is no 32-bit number. */
const scratchFloats = new Float64Array(scratch.buffer)

/** Called when something waits that native code has for this thread. @type {(() => void)[]} */
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

binding.attach(
  scratch,
  (number, details) => createError(number, readData(details)),
  () => {
    for (const waker of wakers) waker()
  },
  spread,
  append
)

/**
 * Has `waker` called when something waits that native code has for this thread: events, removals, pressure.
 *
 * @param {() => void} waker
 */
function onWake(waker) {
  wakers.push(waker)
}

module.exports = { binding, onWake, scratch, scratchFloats }
