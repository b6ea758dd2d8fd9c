'use strict'

// Times hits of near caches, in maps with `latency: true`.
//
// While such a map is open in this thread, `get` and `getByHandle` are switched (`probes.js`): what takes their place
// compares the hits of the near cache with the one that is to be timed, and does else what the method does. So a map
// pays nothing for this in threads that have none with the option open. Handles count their hits down anyway, and are
// asked to stop at the one that is to be timed.

const { binding } = require('../native/attach.js')
const { HitTimer } = require('../near/hit-timer.js')
const { greetAll } = require('../session/opens.js')
const { replaceBeneath } = require('./probes.js')

const { addNearTimes: addNearTimesBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../near/near-cache.js').NearCache} NearCache */
/** @typedef {import('../install.js').Access['openOf']} OpenOf */
/** What makes another method of one, by its name. @typedef {Record<string, (plain: any) => any>} Variants */

/** Maps of this thread whose hits are timed. */
let timedMaps = 0

/** Puts the methods back. @type {(() => void)[]} */
let restores = []

/**
 * A method that may be timed.
 *
 * @param {NearCache} near
 * @param {any} read the method
 * @param {any} map
 * @param {any} key
 * @param {any} options
 */
function timeHit(near, read, map, key, options) {
  const { timer } = near
  return timer === undefined ? read.call(map, key, options) : timer.time(near, read, map, key, options)
}

/**
 * The variant of `getByHandle`.
 *
 * @param {OpenOf} openOf
 * @returns {(plain: any) => any}
 */
const getByHandleOf = openOf => plain =>
  ({
    /** @param {any} handle @param {any} options @this {any} */
    getByHandle(handle, options = undefined) {
      const { near } = openOf(this)
      if (near.hits < near.timedAt) return plain.call(this, handle, options)
      return timeHit(near, plain, this, handle, options)
    }
  }).getByHandle

/**
 * Begins with a map that was opened, if it is one that wants that.
 *
 * @param {OpenMap} open
 * @param {Variants} variants
 */
function begin(open, variants) {
  if (!open.isTimed || !open.near.keepsCopies) return
  const { id, near, origin } = open
  const timer = new HitTimer(samples => addNearTimesBinding(id, samples))
  timer.begin(near)
  origin.time(timer)
  if (timedMaps++ === 0) {
    restores = Object.entries(variants).map(([name, variant]) => replaceBeneath(name, variant))
  }
  open.atEnd(() => {
    try {
      timer.flush()
    } catch {
      // The map was destroyed, and its statistics will not be read.
    }
    if (--timedMaps > 0) return
    for (const restore of restores) restore()
    restores = []
  })
}

/**
 * @param {import('../install.js').Access} access
 * @param {Variants} variants of methods that need to see into the class
 */
function attachNearLatency({ openOf }, variants) {
  const all = { ...variants, getByHandle: getByHandleOf(openOf) }
  greetAll(open => begin(open, all))
}

module.exports = { attachNearLatency, timeHit }
