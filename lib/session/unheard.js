'use strict'

// Errors that no call throws and nothing listens to: the process is warned of them, in the thread that they belong to.
// Those of loads in the background come from here; those of native threads, which JavaScript has no call for, wait in
// native code for one of the threads that have the map open, which is woken.

const { createError } = require('../errors.js')
const { binding, onWake } = require('../native/attach.js')
const { readData } = require('../native/data.js')
const { WAKE } = require('../native/layout.js')
const { later } = require('../native/timer.js')
const { openOfId } = require('./opens.js')

const { takeUnheard: takeUnheardBinding } = binding

/** Of each code there is one warning in this time, and one at its end that says how many more there were. */
const PERIOD_MS = 60_000

/**
 * Warnings that are held back.
 *
 * @typedef {object} Held
 * @property {number} count
 * @property {any} error the last one
 * @property {string | null | undefined} map its name, if that is known
 */

/** @param {any} cause what a loader threw @returns {string | undefined} */
function stackOf(cause) {
  try {
    const stack = cause?.stack
    return typeof stack === 'string' ? stack : undefined
  } catch {
    // A getter that throws says nothing.
    return undefined
  }
}

/** Warnings, of which not too many are given. */
class Warnings {
  /** By code. @type {Map<string, Held>} */
  #held = new Map()
  #emit
  #after

  /**
   * @param {(text: string, options: { type: string, code: string, detail?: string }) => void} emit
   * @param {(callback: () => void, ms: number) => void} after a timer that does not keep the process alive
   */
  constructor(emit, after) {
    this.#emit = emit
    this.#after = after
  }

  /**
   * Warns of an error that happened `count` times.
   *
   * @param {any} error
   * @param {string | null | undefined} map its name, if that is known
   * @param {number} [count]
   */
  warn(error, map, count = 1) {
    const held = this.#held.get(error.code)
    if (held === undefined) return this.#give({ count, error, map })
    Object.assign(held, { count: held.count + count, error, map })
  }

  /** @param {Held} held */
  #give({ count, error, map }) {
    const { code, message, cause } = error
    const stack = stackOf(cause)
    /** @type {Held} */
    const held = { count: 0, error, map }
    this.#held.set(code, held)
    this.#after(() => {
      this.#held.delete(code)
      if (held.count > 0) this.#give(held)
    }, PERIOD_MS)
    const which = map === undefined ? 'a map' : map === null ? 'a map without a name' : `the map '${map}'`
    const times = count === 1 ? '' : ` (${count.toLocaleString('en-US')} times since the last warning)`
    const detail = stack === undefined ? {} : { detail: stack }
    this.#emit(`${which}: ${message}${times}`, { type: 'TypedMapWarning', code, ...detail })
  }
}

const warnings = new Warnings((text, options) => process.emitWarning(text, options), later)

/**
 * Warns of an error, in this thread.
 *
 * @param {any} error
 * @param {string | null | undefined} map its name, if that is known
 */
const warn = (error, map) => warnings.warn(error, map)

onWake(WAKE.UNHEARD, () => {
  for (const { id, event } of takeUnheardBinding(binding.evaluation)) {
    const error = createError(event.number ?? 0, readData(event.details))
    warnings.warn(error, openOfId(id)?.name, event.count)
  }
})

module.exports = { Warnings, warn }
