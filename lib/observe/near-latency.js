'use strict'

// Times hits of near caches, in maps with `latency: true`.
//
// Hits are counted down anyway (`hit-counter.js`), and the count stops at the one that is to be timed, so no hit has
// more to do for this than it has in any map. That one is read once more, between two looks at the clock.

const { binding } = require('../native/attach.js')
const { HitTimer } = require('../near/hit-timer.js')
const { greetAll } = require('../session/opens.js')

const { addNearTimes: addNearTimesBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

/** @param {unknown} _map @param {import('../handle.js').Handle} handle */
const readHandle = (_map, handle) => handle.get()

/**
 * Begins with a map that was opened, if it is one that wants that.
 *
 * @param {OpenMap} open
 * @param {(key: any) => any} get the method of the class
 */
function begin(open, get) {
  if (!open.isTimed || !open.near.keepsCopies) return
  const { id, near, origin } = open
  // What ends a collected map holds the timers, which must not hold the map.
  const reference = new WeakRef(open)
  const mapOf = () => reference.deref()?.map
  const report = (/** @type {Float64Array} */ samples) => addNearTimesBinding(id, samples)
  const timers = [
    new HitTimer(mapOf, (map, key) => get.call(map, key), report),
    new HitTimer(mapOf, readHandle, report)
  ]
  near.time(timers[0])
  origin.time(timers[1])
  open.atEnd(() => {
    try {
      for (const timer of timers) timer.flush()
    } catch {
      // The map was destroyed, and its statistics will not be read.
    }
  })
}

/** @param {(key: any) => any} get the method of the class that reads a key or handle */
function attachNearLatency(get) {
  greetAll(open => begin(open, get))
}

module.exports = { attachNearLatency }
