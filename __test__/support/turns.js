'use strict'

/** Lets the event loop turn until `isDone`; a test that waits for nothing fails by its own timeout. */
async function until(isDone) {
  while (!isDone()) await new Promise(resolve => setTimeout(resolve, 1))
}

/** Turns that a delivery which must not come had time to come in. */
async function someTurns() {
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setTimeout(resolve, 1))
}

module.exports = { someTurns, until }
