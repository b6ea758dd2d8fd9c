'use strict'

// Removes copies whose entries changed or were removed, in threads that read nothing, or only cached values; and has
// the hits of these reported, once in a second.
//
// One timer serves all near caches of this thread. It looks at a bounded number of places each time, does not keep the
// process alive, and rests while no copies are kept. It runs every BUSY_MS while it finds copies to remove, otherwise
// every CALM_MS: where many copies are outdated, a look at the next few places finds some.

const { atRoot } = require('../addon/load.js')
const { later, now } = require('../native/timer.js')

/**
 * What is swept.
 *
 * @typedef {object} Swept
 * @property {boolean} isWatched whether this sweeper watches it
 * @property {number} released number of sweeps that removed something
 * @property {() => boolean} isEmpty
 * @property {() => void} tellHits reports hits that wait for that
 * @property {(count: number) => number} sweep looks at up to `count` places; returns how many it looked at
 */

/**
 * Places that are looked at each time: 0.05 ms if all of their copies are removed, 0.2 ms if the engine also compacts
 * its Map.
 */
const PLACES_PER_TURN = 128

/** Milliseconds between two turns: while there are copies to remove, and otherwise. */
const BUSY_MS = 10
const CALM_MS = 1_000

/** After so many turns in a row that removed nothing, the sweeper slows down to CALM_MS. */
const CALM_TURNS = 128

/**
 * Held weakly: near caches hold handles, which hold their map, and a map that nothing else reaches is to be collected.
 *
 * @type {WeakRef<Swept>[]}
 */
const watched = []

/** Index in `watched` of the next to be swept. */
let current = 0

/** When hits were reported. */
let toldMs = now()

/** Turns in a row that removed nothing. */
let calmTurns = CALM_TURNS

/**
 * Sweeps the copies of `swept` for as long as it has any.
 *
 * @param {Swept} swept
 */
function watch(swept) {
  swept.isWatched = true
  if (watched.push(new WeakRef(swept)) === 1) schedule(CALM_MS)
}

/**
 * The timer keeps no async context: neither that of the read that began to keep copies, nor that which loaded the
 * package.
 *
 * @param {number} ms
 */
function schedule(ms) {
  atRoot(() => later(turn, ms))
}

function turn() {
  tellHits()
  let left = PLACES_PER_TURN
  let released = 0
  for (let caches = watched.length; caches > 0 && left > 0; caches--) {
    const swept = watched[current].deref()
    if (swept !== undefined) {
      const before = swept.released
      left -= swept.sweep(left)
      released += swept.released - before
    }
    if (swept === undefined || swept.isEmpty()) forget(current)
    else current++
    if (current >= watched.length) current = 0
  }
  calmTurns = released > 0 ? 0 : calmTurns + 1
  if (watched.length > 0) schedule(calmTurns < CALM_TURNS ? BUSY_MS : CALM_MS)
}

/** Between turns that follow each other soon, once in CALM_MS. */
function tellHits() {
  if (now() - toldMs < CALM_MS - BUSY_MS) return
  toldMs = now()
  for (const one of watched) one.deref()?.tellHits()
}

/** @param {number} index */
function forget(index) {
  const last = /** @type {WeakRef<Swept>} */ (watched.pop())
  const forgotten = watched[index] ?? last
  if (forgotten !== last) watched[index] = last
  const swept = forgotten.deref()
  if (swept === undefined) return
  swept.isWatched = false
  swept.tellHits()
}

module.exports = { watch }
