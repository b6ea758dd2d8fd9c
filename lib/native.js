'use strict'

// The native side, made ready for this environment: once per thread, when the package is loaded.

const binding = require('./binding.js')
const { readData } = require('./codec.js')
const { createError } = require('./errors.js')
const { SCRATCH_LENGTH } = require('./layout.js')

/** Where a native call leaves what it has to say besides its result. The next native call writes over it. */
const scratch = new Uint32Array(SCRATCH_LENGTH)

/** Called when events wait to be drained. */
let wake = () => {}

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
  () => wake(),
  spread,
  append
)

/**
 * Sets what happens when events wait.
 *
 * @param {() => void} listener
 */
function onWake(listener) {
  wake = listener
}

module.exports = { binding, onWake, scratch }
