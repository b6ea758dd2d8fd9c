'use strict'

// The clock that a test sets, for the maps of its thread.

const { TypedMapError, badOption, outOfRange, wrongType } = require('../errors.js')
const { binding } = require('../native/attach.js')
const { MAX_TTL_MS, checkFunction, checkObject } = require('../options/checks.js')
const { setTeller, told } = require('./told-time.js')

const { advanceClock: advanceBinding, evaluation, restoreClock: restoreBinding, setClock: setBinding } = binding

const dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose')

const ALLOWED = `a number of milliseconds from 0 to ${MAX_TTL_MS}`

class TestClock {
  /** Of the clocks of this thread. */
  #number
  /** Milliseconds by which it was moved. Fractions add up: native code counts whole ones. */
  #passedMs = 0
  /** Shows a time that the clock follows. @type {Function | undefined} */
  #now
  /** The latest that it showed. */
  #shownMs = 0
  #isAsking = false
  /** Tells the store of that time. */
  #tell = () => this.#follow()

  /** @param {unknown} options */
  constructor(options) {
    const { now } = options === undefined ? {} : checkObject('options', options, ['now'])
    if (now !== undefined) {
      checkFunction('option now', now)
      this.#now = now
      this.#shownMs = this.#ask()
    }
    this.#number = setBinding(evaluation, now !== undefined)
    setTeller(now === undefined ? undefined : this.#tell)
  }

  /** @param {unknown} ms */
  advance(ms) {
    if (typeof ms !== 'number') throw wrongType('ms', ms, ALLOWED)
    if (!(ms >= 0 && this.#passedMs + ms <= MAX_TTL_MS)) throw outOfRange('ms', ms, ALLOWED)
    this.#follow()
    if (!this.#move(ms)) throw ended()
  }

  restore() {
    if (told.tell === this.#tell) setTeller(undefined)
    restoreBinding(evaluation, this.#number)
  }

  [dispose]() {
    this.restore()
  }

  /**
   * @param {number} ms
   * @returns whether the clock has not ended
   */
  #move(ms) {
    const passedMs = Math.min(this.#passedMs + ms, MAX_TTL_MS)
    const wholeMs = Math.floor(passedMs) - Math.floor(this.#passedMs)
    const isSet = advanceBinding(evaluation, this.#number, wholeMs)
    if (isSet) this.#passedMs = passedMs
    return isSet
  }

  /** Moves on to what `now` shows. What it shows of times before is passed over: time never goes back. */
  #follow() {
    if (this.#now === undefined) return
    const shownMs = this.#ask()
    if (shownMs <= this.#shownMs) return
    // A clock that has ended is followed by no map.
    if (!this.#move(shownMs - this.#shownMs)) return this.restore()
    this.#shownMs = shownMs
  }

  /** @returns {number} */
  #ask() {
    // Native calls share memory, in which the one that time is told for may have its arguments already.
    if (this.#isAsking) throw badOption('now', 'must not use a map')
    this.#isAsking = true
    try {
      const shownMs = Reflect.apply(/** @type {Function} */ (this.#now), undefined, [])
      if (typeof shownMs !== 'number' || !Number.isFinite(shownMs)) {
        throw wrongType('what option now returned', shownMs, 'a number of milliseconds')
      }
      return shownMs
    } finally {
      this.#isAsking = false
    }
  }
}

const ended = () =>
  new TypedMapError('ERR_CLOCK_ENDED', 'the clock was restored, or another one was set in its place in this thread')

module.exports = { TestClock }
