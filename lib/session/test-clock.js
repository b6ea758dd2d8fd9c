'use strict'

// The clock that a test sets, for the maps of its thread.

const { TypedMapError, outOfRange, wrongType } = require('../errors.js')
const { binding } = require('../native/attach.js')
const { MAX_TTL_MS } = require('../options/checks.js')

const { advanceClock: advanceBinding, evaluation, restoreClock: restoreBinding, setClock: setBinding } = binding

const dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose')

const ALLOWED = `a number of milliseconds from 0 to ${MAX_TTL_MS}`

class TestClock {
  /** Of the clocks of this thread. */
  #number = setBinding(evaluation)
  /** Milliseconds by which it was moved. Fractions add up: native code counts whole ones. */
  #passedMs = 0

  /** @param {unknown} ms */
  advance(ms) {
    if (typeof ms !== 'number') throw wrongType('ms', ms, ALLOWED)
    const passedMs = this.#passedMs + ms
    if (!(ms >= 0 && passedMs <= MAX_TTL_MS)) throw outOfRange('ms', ms, ALLOWED)
    const wholeMs = Math.floor(passedMs) - Math.floor(this.#passedMs)
    if (!advanceBinding(evaluation, this.#number, wholeMs)) throw ended()
    this.#passedMs = passedMs
  }

  restore() {
    restoreBinding(evaluation, this.#number)
  }

  [dispose]() {
    this.restore()
  }
}

const ended = () =>
  new TypedMapError('ERR_CLOCK_ENDED', 'the clock was restored, or another one was set in its place in this thread')

module.exports = { TestClock }
