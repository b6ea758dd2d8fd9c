'use strict'

// The guest of a near cache: the value that was read last without being admitted, so that reading one entry twice in a
// row returns one object. Its version word is only looked up at a second read, which most guests never get.

const { markAccessWord } = require('../handle.js')
const { SCRATCH } = require('../native/layout.js')

/** @typedef {import('../native/words.js').Words} Words */

/** Marks the place of the guest as free. A symbol, so it can never equal a key. */
const FREE = Symbol('none')

class Guest {
  /** Bytes that it takes; 0 if there is none. */
  cost = 0
  /** Its ticket, if hits are logged in order. */
  ticket = 0
  /** A key or a handle. @type {unknown} */
  #item = FREE
  /** @type {any} */
  #value = undefined
  #chunk = 0
  #word = 0
  #version = 0
  #words

  /** @param {Words | null} words */
  constructor(words) {
    this.#words = words
  }

  /**
   * Replaces the guest.
   *
   * @param {unknown} item a key or a handle
   * @param {any} value
   * @param {number} cost
   * @param {number} ticket
   * @param {Uint32Array} states where native code said what it is about
   * @param {number} row where it begins there
   */
  set(item, value, cost, ticket, states, row) {
    this.cost = cost
    this.ticket = ticket
    this.#item = item
    this.#value = value
    this.#chunk = states[row + SCRATCH.CHUNK]
    this.#word = states[row + SCRATCH.WORD]
    this.#version = states[row + SCRATCH.VERSION] | 0
  }

  /** Removes the guest. */
  leave() {
    this.cost = 0
    this.#item = FREE
    this.#value = undefined
  }

  /**
   * Whether it is this key or handle, and fresh.
   *
   * @param {unknown} item
   */
  isFresh(item) {
    return this.#item === item && this.#hasFreshValue()
  }

  /** Its value. */
  get value() {
    return this.#value
  }

  /** Removes the guest unless it is fresh. */
  sweep() {
    if (this.#item !== FREE && !this.#hasFreshValue()) this.leave()
  }

  /**
   * Marks the access word of its entry.
   *
   * @param {number} limit what it is counted up to
   */
  markAccess(limit) {
    const words = this.#words?.of(this.#chunk) ?? null
    if (words !== null) markAccessWord(words, this.#word, limit)
  }

  #hasFreshValue() {
    const words = this.#words?.of(this.#chunk) ?? null
    return words !== null && words[this.#word] === this.#version
  }
}

module.exports = { Guest }
