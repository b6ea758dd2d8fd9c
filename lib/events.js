'use strict'

// Events of maps, delivered to the callbacks that this thread registered, from whatever thread caused them.

const { readData } = require('./codec.js')
const { TypedMapError, createError } = require('./errors.js')
const { LEVEL } = require('./layout.js')
const { DELIVERED_PER_TURN, Turns, tell } = require('./listeners.js')
const { binding, onWake } = require('./native.js')

const { drain: drainBinding, listen: listenBinding } = binding

/** @typedef {import('./open-map.js').OpenMap} OpenMap */
/** @typedef {{ level: string, code: string, details: Record<string, any> }} LogLine */
/** @typedef {import('./binding.js').MapEvent} MapEvent */

const LEVEL_NAMES = Object.keys(LEVEL)

/** What this thread wants to hear of one open map. */
class Audience {
  /** @type {Set<{ listener: (line: LogLine) => void }>} */
  logs = new Set()
  /** @type {Set<{ listener: (error: Error) => void }>} */
  errors = new Set()
  #open
  /** Keeps a named map open while somebody listens; others can still write to it. */
  map

  /** @param {OpenMap} open @param {object} map */
  constructor(open, map) {
    this.#open = open
    // Nobody else can do anything to a map without a name, so there is nothing to wait for.
    this.map = open.name === null ? undefined : map
  }

  /** Tells native code what is wanted. */
  subscribe() {
    const level = this.logs.size > 0 ? LEVEL[this.#open.logLevel] : LEVEL.off
    listenBinding(this.#open.id, level, this.errors.size > 0)
  }

  isEmpty() {
    return this.logs.size === 0 && this.errors.size === 0
  }
}

/** By the id of the open map. @type {Map<number, Audience>} */
const audiences = new Map()

/** @param {OpenMap} open */
const forget = open => audiences.delete(open.id)

/**
 * @template T
 * @param {OpenMap} open
 * @param {object} map
 * @param {'logs' | 'errors'} kind
 * @param {(given: any) => void} listener
 * @returns {() => void} ends it
 */
function subscribe(open, map, kind, listener) {
  const audience = audiences.get(open.id) ?? new Audience(open, map)
  // An object of its own, so that the same function can listen twice.
  const seat = { listener }
  audience[kind].add(seat)
  try {
    audience.subscribe()
  } catch (error) {
    audience[kind].delete(seat)
    throw error
  }
  open.atEnd(forget)
  audiences.set(open.id, audience)
  return () => {
    if (!audience[kind].delete(seat) || audiences.get(open.id) !== audience) return
    audience.subscribe()
    if (audience.isEmpty()) audiences.delete(open.id)
  }
}

/** @param {MapEvent} event */
function deliver(event) {
  const audience = audiences.get(event.id)
  if (audience === undefined) return
  const details = readData(event.details)
  if (event.kind === 'error') {
    const error = createError(event.number ?? 0, details)
    if (error instanceof TypedMapError) error.details.operation = event.operation
    tell(audience.errors, error)
  } else if (event.kind === 'log') {
    const level = /** @type {string} */ (LEVEL_NAMES[event.level ?? LEVEL.error])
    tell(audience.logs, { level, code: event.code ?? '', details })
  } else {
    tell(audience.logs, { level: 'warn', code: 'events.dropped', details: { count: event.count ?? 0 } })
  }
}

/** Drained and not yet delivered, from `next` on. @type {MapEvent[]} */
let drained = []
let next = 0
/** Whether more wait natively. */
let isWoken = false

const turns = new Turns(() => {
  if (next === drained.length && isWoken) {
    isWoken = false
    drained = drainBinding()
    next = 0
  }
  const end = Math.min(next + DELIVERED_PER_TURN, drained.length)
  while (next < end) deliver(/** @type {MapEvent} */ (drained[next++]))
  if (next === drained.length) {
    drained = []
    next = 0
  }
  return drained.length > 0 || isWoken
})

onWake(() => {
  isWoken = true
  turns.schedule()
})

module.exports = { subscribe }
