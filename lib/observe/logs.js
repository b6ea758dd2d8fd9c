'use strict'

// Events of maps, delivered to the callbacks that this thread registered, from whatever thread caused them.

const { TypedMapError, createError } = require('../errors.js')
const { binding, onWake } = require('../native/attach.js')
const { readData } = require('../native/data.js')
const { LEVEL, WAKE } = require('../native/layout.js')
const { checkFunction } = require('../options/checks.js')
const { Delivery, Subscription } = require('./turns.js')

const { drain: drainBinding, listen: listenBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../addon/binding.js').MapEvent} MapEvent */

const LEVEL_NAMES = Object.keys(LEVEL)

/** Events that are taken out of native memory in one step: some 100 µs. */
const DRAINED_PER_STEP = 32

/** The subscriptions of this thread to one open map. */
class Audience {
  /** @type {Set<Subscription>} */
  logs = new Set()
  /** @type {Set<Subscription>} */
  errors = new Set()
  #id
  #logLevel
  /** Drained and not yet delivered, from `#next` on. @type {MapEvent[]} */
  #drained = []
  #next = 0
  #delivery = new Delivery(() => this.#step())
  /** Keeps a named map open while something listens: other threads can still write to it. */
  map

  /** @param {OpenMap} open @param {object} map */
  constructor(open, map) {
    this.#id = open.id
    this.#logLevel = open.logLevel
    // A map without a name is used by this thread only, so no event of another thread can come, and listening does not
    // keep it from being collected: so nothing of it is held but its number.
    this.map = open.name === null ? undefined : map
  }

  /** Passes the subscribed levels to native code. */
  subscribe() {
    const level = this.logs.size > 0 ? LEVEL[this.#logLevel] : LEVEL.off
    listenBinding(this.#id, level, this.errors.size > 0)
  }

  isEmpty() {
    return this.logs.size === 0 && this.errors.size === 0
  }

  wake() {
    this.#delivery.schedule()
  }

  /** Stops delivery. */
  end() {
    this.#delivery.cancel()
    this.logs.clear()
    this.errors.clear()
    this.#drained = []
  }

  /** Whether there may be more. */
  #step() {
    if (this.isEmpty()) return false
    if (this.#next < this.#drained.length) {
      this.#deliver(this.#drained[this.#next++])
      return true
    }
    this.#next = 0
    this.#drained = drainBinding(this.#id, DRAINED_PER_STEP)
    // The next event wakes this again only after a call that found none.
    return this.#drained.length > 0
  }

  /** @param {MapEvent} event */
  #deliver(event) {
    const details = readData(event.details)
    if (event.kind === 'error') {
      const error = createError(event.number ?? 0, details)
      if (error instanceof TypedMapError) error.details.operation = event.operation
      call(this.errors, error)
    } else if (event.kind === 'log') {
      const level = LEVEL_NAMES[event.level ?? LEVEL.error]
      call(this.logs, { level, code: event.code ?? '', details })
    } else {
      call(this.logs, { level: 'warn', code: 'events.dropped', details: { count: event.count ?? 0 } })
    }
  }
}

/**
 * Calls all current listeners. A listener that another one ends meanwhile is not called.
 *
 * @param {Set<Subscription>} subscriptions
 * @param {unknown} given
 */
function call(subscriptions, given) {
  for (const subscription of [...subscriptions]) if (subscriptions.has(subscription)) subscription.call(given)
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
 * @param {object} map
 * @param {'logs' | 'errors'} kind
 * @param {(given: any) => void} listener
 * @returns {() => void} ends it
 */
function subscribe(open, map, kind, listener) {
  const { id } = open
  const audience = audiences.get(id) ?? new Audience(open, map)
  // An object of its own, so that the same function can listen twice.
  const subscription = new Subscription(listener)
  audience[kind].add(subscription)
  try {
    audience.subscribe()
  } catch (error) {
    audience[kind].delete(subscription)
    throw error
  }
  open.atEnd(forget)
  audiences.set(id, audience)
  return () => {
    // Closing the map has ended it already.
    if (!audience[kind].delete(subscription) || audiences.get(id) !== audience) return
    audience.subscribe()
    if (audience.isEmpty()) forget(id)
  }
}

onWake(WAKE.EVENTS, id => audiences.get(id)?.wake())

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** @param {(error: Error) => void} listener */
  onError(listener) {
    const open = openOf(this)
    checkFunction('listener', listener)
    return subscribe(open, this, 'errors', listener)
  },

  /** @param {(line: { level: string, code: string, details: Record<string, any> }) => void} listener */
  onLog(listener) {
    const open = openOf(this)
    checkFunction('listener', listener)
    return subscribe(open, this, 'logs', listener)
  }
})

module.exports = { methods }
