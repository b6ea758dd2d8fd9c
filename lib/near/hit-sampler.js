'use strict'

// Samples the hits of near caches and handles, in a map that wants to know its hot keys: one of NEAR_INTERVAL.

const { isHandleKey } = require('../handle.js')
const { binding } = require('../native/attach.js')
const { NEAR_INTERVAL } = require('../native/layout.js')

const { sampleNear: sampleNearBinding } = binding

class HitSampler {
  #id

  /** @param {number} id number of the map for native operations */
  constructor(id) {
    this.#id = id
  }

  /** A distance of NEAR_INTERVAL on average. At random: a fixed one would go in step with reads that repeat. */
  drawGap() {
    return 1 + Math.floor(Math.random() * (2 * NEAR_INTERVAL - 1))
  }

  /** @param {any} target a key or handle that was read */
  take(target) {
    try {
      if (isHandleKey(target)) sampleNearBinding(this.#id, target.shard, target.slot, target.generation)
      else sampleNearBinding(this.#id, target)
    } catch {
      // The map was destroyed or broken meanwhile, and its statistics will not be read.
    }
  }
}

module.exports = { HitSampler }
