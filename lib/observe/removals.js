'use strict'

// Reports removals of entries to the listeners of this thread: entries that any thread evicted, deleted, replaced or
// cleared, or that expired. Native code keeps the removals, up to a bound in bytes, until this thread takes them out.

const { outOfRange, wrongType } = require('../errors.js')
const { binding, onWake } = require('../native/attach.js')
const { CAUSE, WAKE } = require('../native/layout.js')
const { checkFunction, checkObject, quoted } = require('../options/checks.js')
const { takeReports } = require('./reports.js')
const { Delivery, Subscription } = require('./turns.js')

const { listenRemovals: listenRemovalsBinding, takeRemovals: takeRemovalsBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {Record<string, any>} Removal */
/** With the listeners at the time of taking out. @typedef {{ removal: Removal, listeners: Listener[] }} Taken */

const CAUSES = Object.keys(CAUSE)
const DEFAULT_CAUSES = ['evicted', 'expired']

/** Exceeds the removals that ever wait at once. Other threads may cause removals faster than this one takes them. */
const MAX_TAKES = 1_024

/**
 * Checks the causes that a listener subscribes to.
 *
 * @param {unknown} options
 * @returns {Set<number>} numbers of CAUSE
 */
function readCauses(options) {
  const { causes = DEFAULT_CAUSES } = options === undefined ? {} : checkObject('options', options, ['causes'])
  const allowed = `an array of at least one of ${quoted(CAUSES)}`
  if (!Array.isArray(causes)) throw wrongType('option causes', causes, allowed)
  if (causes.length === 0) throw outOfRange('option causes', causes, allowed)
  for (const cause of causes) if (!CAUSES.includes(cause)) throw outOfRange('option causes', cause, allowed)
  return new Set(causes.map(cause => CAUSE[/** @type {keyof typeof CAUSE} */ (cause)]))
}

class Listener extends Subscription {
  /**
   * @param {(removal: Removal) => void} listener
   * @param {Set<number>} causes
   * @param {object | undefined} map what it keeps open
   */
  constructor(listener, causes, map) {
    super(listener)
    this.causes = causes
    /**
     * Held, because a map that a program listens to must not be closed for being unreachable: entries expire by
     * themselves. `undefined` for a listener that watches all maps.
     */
    this.map = map
  }

  /** @param {Removal} removal */
  wants({ cause }) {
    return cause === undefined || this.causes.has(CAUSE[/** @type {keyof typeof CAUSE} */ (cause)])
  }
}

/** The listeners of this thread to one open map. */
class Audience {
  #id
  /** Weak, because it would hold the map. */
  #open
  /** @type {Set<Listener>} */
  #listeners = new Set()
  /** Taken out and not delivered, from `#next` on. @type {Taken[]} */
  #taken = []
  #next = 0
  #delivery = new Delivery(() => this.#step())

  /** @param {OpenMap} open */
  constructor(open) {
    this.#id = open.id
    this.#open = new WeakRef(open)
  }

  /** @param {Listener} listener */
  add(listener) {
    // A new listener gets no earlier removals.
    for (let takes = 0; takes < MAX_TAKES && this.#listeners.size > 0 && this.#takeSome(); takes++);
    this.#listeners.add(listener)
    try {
      this.#subscribe()
    } catch (error) {
      this.#listeners.delete(listener)
      throw error
    }
  }

  /**
   * @param {Listener} listener
   * @returns {boolean} whether that was the last listener
   */
  leave(listener) {
    if (this.#listeners.delete(listener)) this.#subscribe()
    return this.#listeners.size === 0
  }

  wake() {
    this.#delivery.schedule()
  }

  /** Stops delivery. */
  end() {
    this.#delivery.cancel()
    this.#listeners.clear()
    this.#taken = []
  }

  /** Passes the subscribed causes to native code. */
  #subscribe() {
    let mask = 0
    for (const { causes } of this.#listeners) for (const cause of causes) mask |= 1 << cause
    listenRemovalsBinding(this.#id, mask)
  }

  /**
   * Takes removals out of native memory; whether there were any. The next removal wakes this again only after a call
   * that found none.
   */
  #takeSome() {
    const open = this.#open.deref()
    if (open === undefined) return false
    const take = (/** @type {[number, Uint32Array, number]} */ ...limits) => takeRemovalsBinding(open.id, ...limits)
    const { reports, dropped } = takeReports(open, take, false)
    const listeners = [...this.#listeners]
    for (const removal of reports) this.#taken.push({ removal, listeners })
    if (dropped > 0) this.#taken.push({ removal: { dropped }, listeners })
    return reports.length > 0 || dropped > 0
  }

  /** Whether there may be more. */
  #step() {
    if (this.#listeners.size === 0) return false
    if (this.#next < this.#taken.length) {
      const { removal, listeners } = this.#taken[this.#next++]
      for (const listener of listeners) {
        if (this.#listeners.has(listener) && listener.wants(removal)) listener.call(removal)
      }
      return true
    }
    this.#taken = []
    this.#next = 0
    return this.#takeSome()
  }
}

/** By the id of the open map. @type {Map<number, Audience>} */
const audiences = new Map()

/** @param {number} id */
function forget(id) {
  audiences.get(id)?.end()
  audiences.delete(id)
}

/**
 * @param {OpenMap} open
 * @param {Listener} listener
 * @returns {() => void} ends it
 */
function subscribe(open, listener) {
  const { id } = open
  const audience = audiences.get(id) ?? new Audience(open)
  audience.add(listener)
  open.atEnd(forget)
  audiences.set(id, audience)
  return () => {
    // Closing the map has ended it already.
    if (audiences.get(id) === audience && audience.leave(listener)) forget(id)
  }
}

/**
 * Has `hear` called with removals, for what watches all maps: it keeps none open.
 *
 * @param {OpenMap} open
 * @param {readonly string[]} causes
 * @param {(removal: Removal) => void} hear
 * @returns {() => void} ends it
 */
const hearRemovals = (open, causes, hear) => subscribe(open, new Listener(hear, readCauses({ causes }), undefined))

onWake(WAKE.REMOVALS, id => audiences.get(id)?.wake())

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** @param {(removal: any) => void} listener @param {any} options */
  onEvict(listener, options = undefined) {
    checkFunction('listener', listener)
    const open = openOf(this)
    // An object of its own, so that the same function can listen twice.
    return subscribe(open, new Listener(listener, readCauses(options), this))
  }
})

module.exports = { hearRemovals, methods }
