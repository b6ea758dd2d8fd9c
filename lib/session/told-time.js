'use strict'

// The time of maps that a test's clock follows a function for, such as the `Date.now` of fake timers.
//
// The store never asks JavaScript for anything. So it is told of time right before it is asked something itself: every
// native call about a map reads `open.id`, and as long as such a clock is set, that is an accessor that tells of time
// first. What is answered without such a call does not expire: the store has no copies kept of entries with a deadline
// meanwhile, so near caches have none, and iterators fetch again what they fetched ahead.

const { shared } = require('../handle.js')

/**
 * What is told: an `OpenMap`.
 *
 * @typedef {object} Open
 * @property {number} id
 * @property {(ending: () => void) => void} atEnd
 */

/**
 * What all evaluations of this thread share: what they have open, and what tells of time, while a clock needs it.
 *
 * @type {{ opens: Set<WeakRef<Open>>, tell: (() => void) | undefined }}
 */
const told = /** @type {any} */ (shared).told

/** From so many on, those that were collected are looked for each time there are twice as many. */
const FIRST_SWEEP = 64
let nextSweep = FIRST_SWEEP

/**
 * Has a map told of time, now or later.
 *
 * @param {Open} open
 */
function join(open) {
  const reference = new WeakRef(open)
  told.opens.add(reference)
  open.atEnd(() => told.opens.delete(reference))
  if (told.tell !== undefined) attach(open)
  if (told.opens.size < nextSweep) return
  for (const one of told.opens) if (one.deref() === undefined) told.opens.delete(one)
  nextSweep = Math.max(FIRST_SWEEP, 2 * told.opens.size)
}

/** @param {Open} open */
function attach(open) {
  const { id } = open
  const tell = () => told.tell?.()
  Object.defineProperty(open, 'id', {
    configurable: true,
    enumerable: true,
    get() {
      tell()
      return id
    }
  })
  detachers.set(open, () => {
    Object.defineProperty(open, 'id', { value: id, writable: true, configurable: true, enumerable: true })
  })
}

/** What undoes `attach`. @type {WeakMap<Open, () => void>} */
const detachers = new WeakMap()

/**
 * Has `tell` called before each native call about a map of this thread, in place of what was before.
 *
 * @param {(() => void) | undefined} tell nothing for none
 */
function setTeller(tell) {
  told.tell = tell
  for (const reference of told.opens) {
    const open = reference.deref()
    if (open === undefined) continue
    detachers.get(open)?.()
    detachers.delete(open)
    if (tell !== undefined) attach(open)
  }
}

module.exports = { join, setTeller, told }
