'use strict'

// The listeners of this thread to one open map: log lines, from whatever thread caused them, and errors.
//
// Native code keeps the events of all threads until this thread takes them out. Lines that this thread itself makes in
// JavaScript, of which no other thread hears, wait here. Both queues are bounded, and what they had no room for is
// counted and said.

const { ERROR_NUMBERS, TypedMapError, createError, refreshFailed } = require('../errors.js')
const { binding } = require('../native/attach.js')
const { readData } = require('../native/data.js')
const { LEVEL } = require('../native/layout.js')
const { LEVELS, TARGETS } = require('../options/log.js')
const { readError } = require('../session/thrown.js')
const { MemoryChecks } = require('./memory-checks.js')
const { Delivery, Subscription } = require('./turns.js')

const { drain: drainBinding, listen: listenBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../addon/binding.js').MapEvent} MapEvent */
/** @typedef {import('../options/log.js').LogOptions} LogOptions */

/**
 * @typedef {object} LogLine
 * @property {number} time milliseconds since 1970
 * @property {string} level
 * @property {string} target
 * @property {string} code
 * @property {string} message
 * @property {Record<string, any>} details
 */

/** Events that are taken out of native memory in one step, and lines of this thread: some 100 µs. */
const TAKEN_PER_STEP = 32

/** Lines of this thread that wait. */
const MOST_LINES = 1_024

const MEMORY = 'typedmap.memory'
const DROPPED = 'events.dropped'

/** The system's, which is what native lines have, too. Taken once, before a test's clock takes its place. */
const timeNow = Date.now

/** A listener, and what it keeps open. */
class MapSubscription extends Subscription {
  /** @param {(given: any) => void} listener @param {object | undefined} map */
  constructor(listener, map) {
    super(listener)
    this.map = map
  }
}

/** A listener to log lines. */
class LogListener extends MapSubscription {
  /** @param {(line: LogLine) => void} listener @param {object | undefined} map @param {LogOptions} options */
  constructor(listener, map, { level, targets }) {
    super(listener, map)
    this.level = LEVEL[level]
    this.targets = targets
  }

  /** @param {number} level @param {string} target */
  wants(level, target) {
    return level >= this.level && this.targets.includes(target)
  }
}

class Audience {
  /** @type {Set<LogListener>} */
  logs = new Set()
  /** @type {Set<MapSubscription>} */
  errors = new Set()
  #id
  /** Taken out and not yet delivered, from `#next` on. @type {(MapEvent | LogLine)[]} */
  #taken = []
  #next = 0
  /** Lines of this thread. @type {LogLine[]} */
  #lines = []
  #droppedLines = 0
  /** @type {MemoryChecks} */
  #memory
  #delivery = new Delivery(() => this.#step())

  /** @param {OpenMap} open */
  constructor(open) {
    // Nothing else of it is held.
    this.#id = open.id
    this.#memory = new MemoryChecks(open.id)
  }

  /** Passes what the listeners want to native code. */
  subscribe() {
    /** @type {number} */
    let level = LEVEL.off
    let targets = 0
    for (const listener of this.logs) {
      level = Math.min(level, listener.level)
      for (const target of listener.targets) targets |= 1 << TARGETS.indexOf(target)
    }
    listenBinding(this.#id, level, targets, this.errors.size > 0)
    this.#memory.want([...this.logs].some(listener => listener.wants(LEVEL.warn, MEMORY)))
  }

  isEmpty() {
    return this.logs.size === 0 && this.errors.size === 0
  }

  wake() {
    this.#delivery.schedule()
  }

  /**
   * Has a line of this thread delivered, some time later.
   *
   * @param {keyof typeof LEVEL} level
   * @param {string} target
   * @param {string} code
   * @param {string} message
   * @param {Record<string, any>} details
   */
  say(level, target, code, message, details) {
    if (this.#lines.length >= MOST_LINES) this.#droppedLines++
    else this.#lines.push({ time: timeNow(), level, target, code, message, details })
    if (this.#lines.length === 1) this.#delivery.schedule()
  }

  /** Stops delivery. */
  end() {
    this.#delivery.cancel()
    this.#memory.end()
    this.logs.clear()
    this.errors.clear()
    this.#taken = []
    this.#lines = []
  }

  /** Whether there may be more. */
  #step() {
    if (this.isEmpty()) return false
    if (this.#next < this.#taken.length) {
      this.#deliver(this.#taken[this.#next++])
      return true
    }
    this.#next = 0
    this.#taken = [...drainBinding(this.#id, TAKEN_PER_STEP), ...this.#lines.splice(0, TAKEN_PER_STEP)]
    const dropped = this.#droppedLines
    if (dropped > 0 && this.#lines.length === 0) {
      this.#droppedLines = 0
      this.#taken.push(droppedLine(dropped))
    }
    // The next event wakes this again only after a call that found none.
    return this.#taken.length > 0
  }

  /** @param {MapEvent | LogLine} event */
  #deliver(event) {
    if (!('kind' in event)) return this.#log(event)
    const details = readData(event.details)
    if (event.kind === 'error') {
      const isRefresh = event.number === ERROR_NUMBERS.ERR_REFRESH_FAILED
      const error = isRefresh ? refreshFailed(readError(details.reason)) : createError(event.number ?? 0, details)
      if (error instanceof TypedMapError) error.details.operation = event.operation
      call(this.errors, error)
    } else if (event.kind === 'log') {
      const { time = 0, code = '', message = '' } = event
      const [level, target] = [LEVELS[event.level ?? LEVEL.error], TARGETS[event.target ?? 0]]
      this.#log({ time, level, target, code, message, details })
    } else {
      this.#log(droppedLine(event.count ?? 0))
    }
  }

  /** @param {LogLine} line */
  #log(line) {
    const level = LEVEL[/** @type {keyof typeof LEVEL} */ (line.level)]
    // Whatever a listener wants, it is told that it is not all.
    call(this.logs, line, listener => line.code === DROPPED || listener.wants(level, line.target))
  }
}

/**
 * The line that says how much was dropped.
 *
 * @param {number} count
 * @returns {LogLine}
 */
function droppedLine(count) {
  const message = 'Events were dropped, because this thread was busy for too long'
  return { time: timeNow(), level: 'warn', target: 'typedmap.lifecycle', code: DROPPED, message, details: { count } }
}

/**
 * Calls all current listeners that want it. A listener that another one ends meanwhile is not called.
 *
 * @template {Subscription} T
 * @param {Set<T>} subscriptions
 * @param {unknown} given
 * @param {(subscription: T) => boolean} wants
 */
function call(subscriptions, given, wants = () => true) {
  for (const subscription of [...subscriptions]) {
    if (subscriptions.has(subscription) && wants(subscription)) subscription.call(given)
  }
}

module.exports = { Audience, LogListener, MapSubscription, droppedLine }
