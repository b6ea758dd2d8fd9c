'use strict'

// How listeners are called: in the thread that registered them, some at a time.

/**
 * Listeners that are called in one turn of the event loop, once for each event: a few milliseconds of it, as making an event
 * takes some 10 µs. Other threads can cause events faster than this one delivers them, and must not keep it from everything
 * else.
 */
const DELIVERED_PER_TURN = 256

/** Work that is done a bounded part per turn of the event loop and does not keep the process alive. */
class Turns {
  #work
  #isScheduled = false

  /** @param {() => boolean} work does a part of it; whether there is more */
  constructor(work) {
    this.#work = work
  }

  schedule() {
    if (this.#isScheduled) return
    this.#isScheduled = true
    // A timer, because an immediate that does not keep the process alive may never run.
    setTimeout(() => {
      this.#isScheduled = false
      if (this.#work()) this.schedule()
    }, 0).unref()
  }
}

/**
 * Calls a listener. One that throws is an uncaught exception of its own and does not keep others from being called.
 *
 * @template T
 * @template R
 * @param {(given: T) => R} listener
 * @param {T} given
 * @returns {R | undefined}
 */
function call(listener, given) {
  try {
    return listener(given)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
    return undefined
  }
}

/**
 * Calls each listener.
 *
 * @template T
 * @param {Iterable<{ listener: (given: T) => void }>} seats
 * @param {T} given
 */
function tell(seats, given) {
  for (const { listener } of [...seats]) call(listener, given)
}

module.exports = { DELIVERED_PER_TURN, Turns, call, tell }
