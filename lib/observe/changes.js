'use strict'

// Reports what changes in a map to the listeners of this thread: entries that any thread made, wrote or removed. Native
// code keeps the changes for each listener, up to a bound in bytes, until this thread takes them out; it also compares
// keys with `match`, so that this thread makes nothing of the others.

const { outOfRange, wrongType } = require('../errors.js')
const { binding, onWake } = require('../native/attach.js')
const { CAUSE, WAKE, WRITTEN_BY } = require('../native/layout.js')
const { checkFunction, checkObject, quoted } = require('../options/checks.js')
const { readGlob } = require('../options/glob.js')
const { takeReports } = require('./reports.js')
const { Delivery, Subscription } = require('./turns.js')

const { endChanges: endChangesBinding, listenChanges: listenChangesBinding, takeChanges: takeChangesBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {Record<string, any>} Change */
/** @typedef {{ match: string | undefined, wanted: number }} ChangeOptions */

/** What a change may be caused by. @type {Record<string, number>} */
const NUMBERS = { ...WRITTEN_BY, ...CAUSE }
const CAUSES = Object.keys(NUMBERS)
/** A replaced value is reported by the one that took its place. */
const DEFAULT_CAUSES = CAUSES.filter(cause => cause !== 'replaced')

/**
 * Checks what a listener subscribes to.
 *
 * @param {OpenMap} open
 * @param {unknown} given
 * @returns {ChangeOptions}
 */
function readOptions(open, given) {
  const options = given === undefined ? {} : checkObject('options', given, ['match', 'causes'])
  const { match, causes = DEFAULT_CAUSES } = options
  const allowed = `an array of at least one of ${quoted(CAUSES)}`
  if (!Array.isArray(causes)) throw wrongType('option causes', causes, allowed)
  if (causes.length === 0) throw outOfRange('option causes', causes, allowed)
  let wanted = 0
  for (const cause of causes) {
    if (!CAUSES.includes(cause)) throw outOfRange('option causes', cause, allowed)
    wanted |= 1 << NUMBERS[cause]
  }
  return { match: match === undefined ? undefined : readGlob(open, 'option match', match), wanted }
}

/** One listener of this thread to one open map. */
class Listener {
  /** Held, because a map that something listens to must not be closed for being unreachable. */
  map
  open
  /** Its number in native code. */
  number
  #subscription
  /** Taken out and not delivered, from `#next` on. @type {Change[]} */
  #taken = []
  #next = 0
  #delivery = new Delivery(() => this.#step())

  /**
   * @param {OpenMap} open
   * @param {object} map
   * @param {(change: Change) => void} listener
   * @param {ChangeOptions} options
   */
  constructor(open, map, listener, { match, wanted }) {
    this.open = open
    this.map = map
    this.#subscription = new Subscription(listener)
    this.number = listenChangesBinding(open.id, wanted, match)
  }

  wake() {
    this.#delivery.schedule()
  }

  /** Stops delivery. */
  stop() {
    this.#delivery.cancel()
    this.#taken = []
  }

  /** Whether there may be more. */
  #step() {
    if (!listeners.has(this)) return false
    if (this.#next < this.#taken.length) {
      this.#subscription.call(this.#taken[this.#next++])
      return true
    }
    this.#taken = []
    this.#next = 0
    return this.#takeSome()
  }

  /**
   * Takes changes out of native memory; whether there may be more. The next one wakes this again only after a call that
   * found none.
   */
  #takeSome() {
    const take = (/** @type {[number, Uint32Array, number]} */ ...limits) =>
      takeChangesBinding(this.open.id, this.number, ...limits)
    const { reports, dropped, hasMore } = takeReports(this.open, take, true)
    this.#taken = reports
    if (dropped > 0) this.#taken.push({ change: 'dropped', count: dropped })
    return hasMore
  }
}

/** @type {Set<Listener>} */
const listeners = new Set()

/** @param {number} id */
function forget(id) {
  for (const listener of listeners) {
    if (listener.open.id !== id) continue
    listeners.delete(listener)
    listener.stop()
  }
}

/**
 * @param {OpenMap} open
 * @param {object} map
 * @param {(change: Change) => void} hear
 * @param {ChangeOptions} options
 * @returns {() => void} ends it
 */
function subscribe(open, map, hear, options) {
  const listener = new Listener(open, map, hear, options)
  open.atEnd(forget)
  listeners.add(listener)
  return () => {
    // Closing the map has ended it already.
    if (!listeners.delete(listener)) return
    listener.stop()
    endChangesBinding(open.id, listener.number)
  }
}

onWake(WAKE.CHANGES, (id, number) => {
  for (const listener of listeners) if (listener.open.id === id && listener.number === number) listener.wake()
})

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** @param {(change: any) => void} listener @param {any} options */
  onChange(listener, options = undefined) {
    checkFunction('listener', listener)
    const open = openOf(this)
    return subscribe(open, this, listener, readOptions(open, options))
  }
})

module.exports = { methods }
