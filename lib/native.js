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

binding.attach(
  scratch,
  (number, details) => createError(number, readData(details)),
  () => wake()
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
