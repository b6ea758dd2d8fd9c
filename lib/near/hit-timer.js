'use strict'

// Chooses the hits of a near cache that are timed, and keeps their times until they are reported.
//
// A hit takes some nanoseconds, and to read the clock takes ten times as long, so one in NEAR_SAMPLING is timed: at
// random, so that no pattern of a program is in step with it. It counts for all hits since the one before.

const { NEAR_SAMPLING } = require('../native/layout.js')

/**
 * Taken once. A test tool that had replaced it by then is no harm: what it says is taken for what hits take. The clock
 * of `native/timer.js`, which no tool replaces, takes twice as long.
 */
const clockNs = process.hrtime.bigint

/** Samples that are kept until they are reported. */
const ROOM = 64

/** How often the clock is read to find out what that takes. */
const TRIALS = 200

/** What the clock takes at least: a part of each time that is measured. @type {number | undefined} */
let ownNs

/** What the clock takes at least. */
function calibrated() {
  let least = Number.POSITIVE_INFINITY
  for (let trial = 0; trial < TRIALS; trial++) {
    const start = clockNs()
    least = Math.min(least, Number(clockNs() - start))
  }
  return least
}

/** From 1 to twice NEAR_SAMPLING less one. */
const drawGap = () => 1 + Math.floor(Math.random() * (2 * NEAR_SAMPLING - 1))

/**
 * A near cache, as far as its hits are concerned.
 *
 * @typedef {object} Timed
 * @property {number} hits
 * @property {number} timedAt what `hits` is when the next one is timed
 * @property {HitTimer | undefined} timer
 */

class HitTimer {
  /** Nanoseconds of each sample, and how many hits it counts for. */
  #samples = new Float64Array(2 * ROOM)
  #length = 0
  /** What the hits of the cache were at the last sample. */
  #last = 0
  #report

  /** @param {(samples: Float64Array) => void} report */
  constructor(report) {
    this.#report = report
    ownNs ??= calibrated()
  }

  /**
   * Chooses the first hit of a cache.
   *
   * @param {Timed} near
   */
  begin(near) {
    near.timer = this
    this.#last = near.hits
    near.timedAt = near.hits + drawGap() - 1
  }

  /**
   * Moves what is known of a cache's hits, which are counted from somewhere else now.
   *
   * @param {Timed} near
   * @param {number} by
   */
  shift(near, by) {
    this.#last += by
    near.timedAt += by
  }

  /**
   * Runs a read that is due to be timed. If it was a hit, its time counts, and the next one is chosen.
   *
   * @param {Timed} near
   * @param {(this: any, key: any, options: any) => any} read a method of the map
   * @param {any} map
   * @param {any} key
   * @param {any} options
   */
  time(near, read, map, key, options) {
    const { hits } = near
    const start = clockNs()
    const value = read.call(map, key, options)
    const end = clockNs()
    // Anything else was a native call, which is timed there.
    if (near.hits === hits + 1) {
      this.#keep(Number(end - start), near.hits - this.#last)
      this.#last = near.hits
      near.timedAt = near.hits + drawGap() - 1
    }
    return value
  }

  /**
   * Counts a hit that was timed.
   *
   * @param {number} tookNs
   * @param {number} count hits that it counts for
   */
  #keep(tookNs, count) {
    const samples = this.#samples
    samples[this.#length++] = Math.max(1, tookNs - /** @type {number} */ (ownNs))
    samples[this.#length++] = count
    if (this.#length === samples.length) this.flush()
  }

  /**
   * Runs a read by a handle itself, of which so many came since the last one that was timed.
   *
   * @param {number} count
   * @param {import('../handle.js').Handle} handle
   */
  timeHandle(count, handle) {
    const start = clockNs()
    const value = handle.get()
    this.#keep(Number(clockNs() - start), count)
    return value
  }

  /** How many hits of handles come before the next one that is timed. */
  drawGap() {
    return drawGap()
  }

  /** Reports what is kept. */
  flush() {
    if (this.#length === 0) return
    const samples = this.#samples.slice(0, this.#length)
    this.#length = 0
    this.#report(samples)
  }
}

module.exports = { HitTimer }
