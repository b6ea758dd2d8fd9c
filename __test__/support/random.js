'use strict'

const { randomInt } = require('node:crypto')

/** The seed that the environment asks for, or any. */
function chooseSeed() {
  const asked = process.env.SEED ?? process.env.TEST_SEED
  return asked === undefined ? randomInt(2 ** 32) : Number(asked) >>> 0
}

/**
 * A generator of pseudo-random numbers that a failed run can be repeated with: the seed comes from the environment
 * variable SEED or TEST_SEED where it is set, and is printed with the test that uses it.
 *
 * @param {import('node:test').TestContext} t
 */
function seededRandom(t) {
  const seed = chooseSeed()
  t.diagnostic(`TEST_SEED=${seed}`)
  return new Random(seed)
}

/** Mulberry32: 32 bits of state, and a full period. */
class Random {
  #state
  seed

  constructor(seed) {
    this.seed = seed >>> 0
    this.#state = this.seed
  }

  /** A number in [0, 1). */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let z = this.#state
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }

  /** An integer in [0, bound). */
  below(bound) {
    return Math.floor(this.next() * bound)
  }

  /** True once in `times`. */
  oneIn(times) {
    return this.below(times) === 0
  }

  pick(list) {
    return list[this.below(list.length)]
  }
}

module.exports = { Random, chooseSeed, seededRandom }
