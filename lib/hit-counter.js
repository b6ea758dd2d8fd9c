'use strict'

// Counts near hits: reads that are answered in JavaScript. A hit counts one number down, and looks whether there is
// more to do:
//
//   if (--counter.left <= 0) return counter.…   // pass, below
//
// From time to time there is: the hits are reported to native code, one is sampled for the hot keys, one is timed. Each
// of these counts its own hits down. `left` begins with the fewest of them, so a hit takes the same time whatever a map
// wants of its hits. Where each hit is marked for a policy, `left` begins with 0 and is counted down to `end`.
//
// Reads by key count in the near cache, handles that answer for themselves in the origin of their map.

const { apply } = Reflect

/** After so many hits they are reported, those of handles and those of a near cache apart. */
const HITS_PER_REPORT = 2_048

/** In place of a distance that is never covered. It begins anew when it is. */
const NEVER = 2 ** 30 - 1

/** @type {[]} */
const NONE = []

/**
 * Samples hits at random distances.
 *
 * @typedef {object} Sampler
 * @property {() => number} drawGap the hits until the next sample, that one included
 * @property {(target: any) => void} take samples a key or handle
 */

/**
 * Times hits at random distances.
 *
 * @typedef {object} Timer
 * @property {() => number} drawGap the hits until the next that is timed, that one included
 * @property {(counter: HitCounter, count: number, target: any) => any} time reads a key or handle once more, and
 *   returns the value; if that is a hit, its time counts for so many, and otherwise the counter is owed them
 * @property {() => void} flush reports the times
 */

class HitCounter {
  /** What is counted down. Above 0 while a hit has nothing more to do. */
  left = 0
  /** What `left` is when there is more to do than to mark the hit. */
  end = 0
  /** Reports hits, and takes them with that: called after HITS_PER_REPORT of them. */
  onFull = () => {}
  /** Whether hits are counted; if not, `left` and `end` are 0. */
  #isCounting = false
  #isMarking = false
  /** What `left` was when its hits were last added to those below. */
  #start = 0
  /** Hits that were not taken, and all that were. */
  #waiting = 0
  #taken = 0
  /** @type {Sampler | undefined} */
  #sampler
  /** @type {Timer | undefined} */
  #timer
  #untilReport = HITS_PER_REPORT
  #untilSampled = NEVER
  #untilTimed = NEVER
  /** Hits that the next one that is timed counts for. */
  #counts = 0

  /** @param {Sampler | undefined} sampler */
  constructor(sampler) {
    this.#sampler = sampler
    if (sampler !== undefined) this.#untilSampled = sampler.drawGap()
  }

  /**
   * Begins to count.
   *
   * @param {boolean} isMarking whether each hit has to be marked
   */
  begin(isMarking) {
    this.#isCounting = true
    this.#isMarking = isMarking
    this.#beginPortion()
  }

  /** Ends that. What was counted stays. */
  stop() {
    this.#add()
    this.#isCounting = false
    this.left = 0
    this.end = 0
    this.#start = 0
  }

  get isCounting() {
    return this.#isCounting
  }

  /**
   * Has some of the hits timed.
   *
   * @param {Timer} timer
   */
  time(timer) {
    this.#add()
    this.#timer = timer
    this.#drawTimed()
    if (this.#isCounting) this.#beginPortion()
  }

  /** Hits that were not taken. */
  get hits() {
    return this.#waiting + this.#start - this.left
  }

  /** All hits, those that were taken included. */
  get allHits() {
    return this.#taken + this.hits
  }

  /** Takes them, and has their times reported. */
  takeHits() {
    this.#add()
    this.#timer?.flush()
    const hits = this.#waiting
    this.#taken += hits
    this.#waiting = 0
    return hits
  }

  /**
   * Continues where another counter is, which ends.
   *
   * @param {HitCounter} other
   */
  continue(other) {
    other.stop()
    this.#waiting = other.#waiting
    this.#taken = other.#taken
    this.#untilReport = other.#untilReport
    this.#untilSampled = other.#untilSampled
    this.#untilTimed = other.#untilTimed
    this.#counts = other.#counts
    this.#timer = other.#timer
    if (this.#isCounting) this.#beginPortion()
  }

  /**
   * Does what is due with a hit, which is already counted, when `left` has come down to `end`.
   *
   * @param {any} target the key or handle
   * @returns {number} how many hits this read counts for if it is to be timed, 0 if not
   */
  pass(target) {
    this.#add()
    if (this.#untilSampled <= 0) {
      this.#untilSampled = this.#sampler === undefined ? NEVER : this.#sampler.drawGap()
      this.#sampler?.take(target)
    }
    const count = this.#timer === undefined || this.#untilTimed > 0 ? 0 : this.#counts
    if (this.#untilTimed <= 0) this.#drawTimed()
    const isFull = this.#untilReport <= 0
    if (isFull) this.#untilReport = HITS_PER_REPORT
    this.#beginPortion()
    // The engine inlines no call that is made this way, and what a report takes is no part of a hit.
    if (isFull) apply(this.onFull, undefined, NONE)
    return count
  }

  /**
   * Reads the target of a hit that is to be timed once more, and returns its value. The hit counts once.
   *
   * @param {number} count what `pass` returned
   * @param {any} target
   */
  timed(count, target) {
    this.left++
    return /** @type {Timer} */ (this.#timer).time(this, count, target)
  }

  /**
   * A read that was to count for so many hits was not timed: the next one counts for them, too.
   *
   * @param {number} count
   */
  owe(count) {
    this.#counts += count
  }

  /** Adds the hits of this portion so far to what was counted. */
  #add() {
    const hits = this.#start - this.left
    this.#start = this.left
    this.#waiting += hits
    this.#untilReport -= hits
    this.#untilSampled -= hits
    this.#untilTimed -= hits
  }

  #beginPortion() {
    const portion = Math.max(1, Math.min(this.#untilReport, this.#untilSampled, this.#untilTimed))
    this.#start = this.#isMarking ? 0 : portion
    this.left = this.#start
    this.end = this.#start - portion
  }

  #drawTimed() {
    this.#untilTimed = this.#timer === undefined ? NEVER : this.#timer.drawGap()
    this.#counts = this.#untilTimed
  }
}

module.exports = { HITS_PER_REPORT, HitCounter }
