'use strict'

// How listeners are called: in the thread and the async context that registered them, some at a time.

const { AsyncResource } = process.getBuiltinModule('node:async_hooks')
const { attempt } = require('../native/attempt.js')
const { later, now } = require('../native/timer.js')

/** What delivery may take of one turn of the event loop. The step under way is finished, so it is a little more. */
const TURN_MS = 2

/** The async context of a listener. Tools that look for open handles ask it whether it keeps the process alive. */
class Context extends AsyncResource {
  hasRef() {
    return false
  }
}

/** A listener in its place: called in the async context in which it was registered. */
class Subscription {
  #listener
  #context = new Context('TypedMapListener')

  /** @param {(...given: any[]) => any} listener */
  constructor(listener) {
    this.#listener = listener
  }

  /**
   * Calls the listener. If it throws, others are called all the same.
   *
   * @param {unknown[]} given
   * @returns {any} what it returned
   */
  call(...given) {
    return attempt(() => this.#context.runInAsyncScope(this.#listener, undefined, ...given))
  }
}

/** Deliveries that have something to do, the next one first. @type {Set<Delivery>} */
const due = new Set()
let isScheduled = false

/** What is delivered step by step, a bounded time per turn of the event loop, and does not keep the process alive. */
class Delivery {
  #step

  /** @param {() => boolean} step delivers one thing, or fetches some; whether there is more */
  constructor(step) {
    this.#step = step
  }

  schedule() {
    due.add(this)
    arm()
  }

  /** Ends it and drops its remaining work. */
  cancel() {
    due.delete(this)
  }

  /** Does one step, after which the others have their turn. */
  advance() {
    due.delete(this)
    // A step that throws counts as done; later ones are still delivered.
    if (attempt(this.#step) !== false) due.add(this)
  }
}

function arm() {
  if (isScheduled || due.size === 0) return
  isScheduled = true
  // A timer, because an immediate that does not keep the process alive may never run.
  later(deliver, 0)
}

/** One turn. All deliveries of this thread share it, and take turns in it. */
function deliver() {
  isScheduled = false
  const end = now() + TURN_MS
  for (const delivery of due) {
    // A delivery with more to do is added to the end of the set, so this loop meets it again.
    delivery.advance()
    if (now() >= end) break
  }
  arm()
}

module.exports = { Delivery, Subscription }
