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

class HitTimer {
  /** Nanoseconds of each sample, and how many hits it counts for. */
  #samples = new Float64Array(2 * ROOM)
  #length = 0
  #mapOf
  #read
  #report

  /**
   * @param {() => any} mapOf returns the map, which is not held
   * @param {(map: any, target: any) => any} read reads a key or handle as a program does
   * @param {(samples: Float64Array) => void} report
   */
  constructor(mapOf, read, report) {
    this.#mapOf = mapOf
    this.#read = read
    this.#report = report
    ownNs ??= calibrated()
  }

  /** From 1 to twice NEAR_SAMPLING less one. */
  drawGap() {
    return 1 + Math.floor(Math.random() * (2 * NEAR_SAMPLING - 1))
  }

  /**
   * Reads a key or handle that was hit, and has the time count for so many hits.
   *
   * @param {import('../hit-counter.js').HitCounter} counter
   * @param {number} count
   * @param {any} target
   */
  time(counter, count, target) {
    const { allHits } = counter
    const map = this.#mapOf()
    const read = this.#read
    const start = clockNs()
    const value = read(map, target)
    const end = clockNs()
    // Anything else was a native call, which is timed there.
    if (counter.allHits === allHits + 1) this.#keep(Number(end - start), count)
    else counter.owe(count)
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

  /** Reports what is kept. */
  flush() {
    if (this.#length === 0) return
    const samples = this.#samples.slice(0, this.#length)
    this.#length = 0
    this.#report(samples)
  }
}

module.exports = { HitTimer }
