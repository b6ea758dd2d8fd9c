'use strict'

// Lets go of copies whose entries changed or are gone, in threads that read nothing, or only what they have at hand.
//
// One timer serves all near caches of this thread. It looks at a bounded number of places each time, does not keep the
// process alive, and rests while no copies are kept. While there is something to let go of it comes often, otherwise
// now and then: where many copies are outdated, the next few places already say so.

// Taken once, so that a test's clock, which replaces timers later, does not stop the sweep.
const { setTimeout } = require('node:timers')
const { atRoot } = require('../addon/load.js')

/**
 * What is swept.
 *
 * @typedef {object} Swept
 * @property {boolean} isWatched whether it is known here
 * @property {number} released times that it let go of something
 * @property {() => boolean} isEmpty
 * @property {(count: number) => number} sweep looks at so many places at most, and at how many
 */

/**
 * Places that are looked at each time: 0.05 ms if all of them are let go of, 0.2 ms if the engine tidies its Map too.
 */
const PLACES_PER_TURN = 128

/** Milliseconds between two turns, while there is something to let go of, and otherwise. */
const BUSY_MS = 10
const CALM_MS = 1_000

/** Turns in a row that let go of nothing, after which there is nothing to let go of for now. */
const CALM_TURNS = 128

/** @type {Swept[]} */
const watched = []

/** Index in `watched` of the next to be swept. */
let current = 0

/** Turns in a row that let go of nothing. */
let calmTurns = CALM_TURNS

/**
 * Has copies swept for as long as there are any.
 *
 * @param {Swept} swept
 */
function watch(swept) {
  swept.isWatched = true
  if (watched.push(swept) === 1) schedule(CALM_MS)
}

/**
 * The timer keeps no async context: neither that of the read that began to keep copies, nor that which loaded the
 * package.
 *
 * @param {number} ms
 */
function schedule(ms) {
  atRoot(() => {
    const timer = setTimeout(turn, ms)
    // Where timers are numbers, they do not keep the process alive.
    timer?.unref?.()
  })
}

function turn() {
  let left = PLACES_PER_TURN
  let released = 0
  for (let caches = watched.length; caches > 0 && left > 0; caches--) {
    const swept = watched[current]
    const before = swept.released
    left -= swept.sweep(left)
    released += swept.released - before
    if (swept.isEmpty()) forget(current)
    else current++
    if (current >= watched.length) current = 0
  }
  calmTurns = released > 0 ? 0 : calmTurns + 1
  if (watched.length > 0) schedule(calmTurns < CALM_TURNS ? BUSY_MS : CALM_MS)
}

/** @param {number} index */
function forget(index) {
  const last = /** @type {Swept} */ (watched.pop())
  const swept = watched[index] ?? last
  if (swept !== last) watched[index] = last
  swept.isWatched = false
}

module.exports = { watch }
