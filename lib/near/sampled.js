'use strict'

// Samples hits of a near cache, in a map that wants to know its hot keys: one of NEAR_INTERVAL. It stands in the place
// of the log of hits, so that other maps have not one instruction more on the way of a hit.

const { markAccess } = require('../handle.js')
const { NEAR_INTERVAL } = require('../native/layout.js')

/** @typedef {import('./copies.js').Copies} Copies */
/** @typedef {import('./guest.js').Guest} Guest */
/** @typedef {import('../handle.js').Handle} Handle */
/** @typedef {import('../handle.js').Sampler} Sampler */
/** @typedef {import('../native/words.js').HitLog} HitLog */

/**
 * A distance of NEAR_INTERVAL on average. At random, because a fixed one would go in step with reads that repeat. A
 * small integer, which the engine counts down in place.
 *
 * @returns {number}
 */
const draw = () => (1 + Math.random() * (2 * NEAR_INTERVAL - 1)) | 0

class SampledHits {
  /** Hits until the next sample. */
  #left = draw()
  #sampler
  #hitLog
  #limit

  /**
   * @param {Sampler} sampler
   * @param {HitLog | null} hitLog where hits are also noted in order
   * @param {number} limit what access words are counted up to, 0 where hits mark nothing
   */
  constructor(sampler, hitLog, limit) {
    this.#sampler = sampler
    this.#hitLog = hitLog
    this.#limit = limit
  }

  /** @param {Handle} handle */
  noteHandle(handle) {
    if (--this.#left === 0) this.#sample(handle)
    if (this.#hitLog !== null) this.#hitLog.noteHandle(handle)
    else if (this.#limit > 0) markAccess(handle, this.#limit)
  }

  /** @param {Copies} copies @param {number} place */
  noteKey(copies, place) {
    if (--this.#left === 0) this.#sample(copies.tenantAt(place))
    if (this.#hitLog !== null) this.#hitLog.noteKey(copies, place)
    else if (this.#limit > 0) copies.markAccess(place, this.#limit)
  }

  /** @param {Guest} guest @param {unknown} item its key or handle */
  noteGuest(guest, item) {
    if (--this.#left === 0) this.#sample(item)
    if (this.#hitLog !== null) this.#hitLog.noteGuest(guest)
    else if (this.#limit > 0) guest.markAccess(this.#limit)
  }

  /** @param {unknown} target */
  #sample(target) {
    this.#left = this.#sampler.draw()
    this.#sampler.take(target)
  }
}

module.exports = { SampledHits, draw }
