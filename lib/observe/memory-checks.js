'use strict'

// Looks from time to time whether the memory of a map is fragmented, while a listener to its log wants to know. Native
// code logs it, once for all threads that look.

const { binding } = require('../native/attach.js')
const { timeout } = require('../native/timer.js')

const { checkMemory: checkMemoryBinding } = binding

/** A look takes a lock for each shard in turn: at most some 100 µs every so often. */
const EVERY_MS = 5_000

class MemoryChecks {
  #id
  /** @type {(() => void) | undefined} */
  #stop

  /** @param {number} id of the open map */
  constructor(id) {
    this.#id = id
  }

  /** @param {boolean} isWanted */
  want(isWanted) {
    if (isWanted === (this.#stop !== undefined)) return
    if (isWanted) this.#arm()
    else this.end()
  }

  end() {
    this.#stop?.()
    this.#stop = undefined
  }

  #arm() {
    this.#stop = timeout(() => this.#look(), EVERY_MS)
  }

  #look() {
    this.#stop = undefined
    try {
      checkMemoryBinding(this.#id)
    } catch {
      // The map has ended for all threads.
      return
    }
    this.#arm()
  }
}

module.exports = { EVERY_MS, MemoryChecks }
