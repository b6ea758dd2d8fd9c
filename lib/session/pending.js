'use strict'

// Promises that native code settles. They keep the event loop alive while they wait.
//
// Native code gives notice of a promise by its number, from whatever thread, and this thread is woken. Then the promise
// is asked what it came to, some promises in each turn of the event loop. A promise that is aborted, or whose map is
// closed or destroyed, is rejected at once, and what it waits for is cancelled natively.

const { closed } = require('../errors.js')
const { attempt } = require('../native/attempt.js')
const { binding, onWake } = require('../native/attach.js')
const { WAKE } = require('../native/layout.js')
const { now, soon } = require('../native/timer.js')
const { hold, release } = require('./keep-alive.js')

const { endPending: endPendingBinding, takeNotices: takeNoticesBinding } = binding

/** @typedef {import('./open-map.js').OpenMap} OpenMap */

/** What settling may take of one turn of the event loop. The step under way is finished, so it is a little more. */
const TURN_MS = 2

/** What a promise says that has more to take, in a later step. */
const MORE = Symbol('more')

/**
 * What a promise is about.
 *
 * @template T
 * @typedef {object} Steps
 * @property {() => number} begin starts it natively and returns its number; rejects with what it throws
 * @property {(number: number) => T | typeof MORE} take what it came to, once notice was given of it; MORE has it called
 *   again, in a turn of the event loop that has time for it; rejects with what it throws
 * @property {AbortSignal | undefined} [signal] rejects with its reason
 */

/** A promise that waits. */
class Pending {
  open
  /** Held, because an unreachable map is closed. */
  map
  number
  #take
  #signal
  #resolve
  #reject

  /**
   * @param {OpenMap} open
   * @param {object} map
   * @param {Steps<any>} steps
   * @param {(value: any) => void} resolve
   * @param {(reason: unknown) => void} reject
   */
  constructor(open, map, { begin, take, signal }, resolve, reject) {
    this.open = open
    this.map = map
    this.#take = take
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    this.number = begin()
    add(this)
    if (signal !== undefined) listen(signal, this)
  }

  /** Asks what it came to. Whether there is more to take. */
  step() {
    if (!isWaiting(this)) return false
    try {
      const result = this.#take(this.number)
      if (result === MORE) return true
      this.#end()
      this.#resolve(result)
    } catch (error) {
      this.reject(error)
    }
    return false
  }

  /** @param {unknown} reason */
  reject(reason) {
    if (!isWaiting(this)) return
    this.#end()
    this.#reject(reason)
  }

  #end() {
    if (this.#signal !== undefined) stopListening(this.#signal, this)
    remove(this)
    endPendingBinding(this.open.id, this.number)
  }
}

/** By the id of their open map, then by their numbers. @type {Map<number, Map<number, Pending>>} */
const waiting = new Map()

/** @param {Pending} pending */
function add(pending) {
  const { id } = pending.open
  hold()
  const ofMap = waiting.get(id) ?? new Map()
  waiting.set(id, ofMap.set(pending.number, pending))
  pending.open.atEnd(rejectAll)
}

/** @param {Pending} pending */
function remove({ open: { id }, number }) {
  const ofMap = waiting.get(id)
  ofMap?.delete(number)
  if (ofMap?.size === 0) waiting.delete(id)
  release()
}

/** @param {Pending} pending */
const isWaiting = pending => waiting.get(pending.open.id)?.get(pending.number) === pending

/** The map is closed. @param {number} id */
function rejectAll(id) {
  for (const pending of waiting.get(id)?.values() ?? []) pending.reject(closed())
}

/**
 * What ends with a signal. The promises of a signal share a listener: of more than ten, Node prints a warning.
 *
 * @type {WeakMap<AbortSignal, { promises: Set<Pending>, abort: () => void }>}
 */
const signalled = new WeakMap()

/** @param {AbortSignal} signal @param {Pending} pending */
function listen(signal, pending) {
  const known = signalled.get(signal)
  if (known !== undefined) {
    known.promises.add(pending)
    return
  }
  const promises = new Set([pending])
  const abort = () => {
    for (const one of promises) one.reject(signal.reason)
  }
  signalled.set(signal, { promises, abort })
  signal.addEventListener('abort', abort)
}

/** @param {AbortSignal} signal @param {Pending} pending */
function stopListening(signal, pending) {
  const known = signalled.get(signal)
  known?.promises.delete(pending)
  if (known?.promises.size !== 0) return
  signalled.delete(signal)
  signal.removeEventListener('abort', known.abort)
}

/** Of which notice was given, the next one first. @type {Set<Pending>} */
const noticed = new Set()
/** Maps of which there may be more. @type {Set<number>} */
const rung = new Set()
let isScheduled = false

/** One turn of the event loop. */
function settle() {
  isScheduled = false
  const end = now() + TURN_MS
  do {
    fetchNotices()
    for (const pending of noticed) {
      noticed.delete(pending)
      // At the end of the set, so the others have their turn.
      if (pending.step()) noticed.add(pending)
      if (now() >= end) break
    }
  } while (rung.size > 0 && now() < end)
  if (rung.size > 0 || noticed.size > 0) schedule()
}

/** Asks native code of what notice was given, for the maps that rang. */
function fetchNotices() {
  for (const id of rung) {
    const ofMap = waiting.get(id)
    const numbers = ofMap === undefined ? [] : (attempt(() => takeNoticesBinding(id)) ?? [])
    if (numbers.length === 0) rung.delete(id)
    for (const number of numbers) {
      const pending = ofMap?.get(number)
      if (pending !== undefined) noticed.add(pending)
    }
  }
}

function schedule() {
  if (isScheduled) return
  isScheduled = true
  soon(settle)
}

onWake(WAKE.PENDING, id => {
  rung.add(id)
  // Here, in the turn that native code began, unless there is one that goes on with what was left.
  if (!isScheduled) settle()
})

/**
 * A promise for what a native operation comes to.
 *
 * @template T
 * @param {OpenMap} open
 * @param {object} map
 * @param {Steps<T>} steps
 * @returns {Promise<T>}
 */
function pending(open, map, steps) {
  return new Promise((resolve, reject) => {
    if (steps.signal?.aborted) reject(steps.signal.reason)
    else new Pending(open, map, steps, resolve, reject)
  })
}

module.exports = { MORE, pending }
