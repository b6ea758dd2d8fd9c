'use strict'

/*
 * A life is one map from its making to its end, with its work: entries to insert, an order in which to ask for them,
 * keys that are not there. Several lives share one `work`, so every contender is asked the same.
 */

const assert = require('node:assert')
const { isDeepStrictEqual } = require('node:util')
const { loopOf, answerOf } = require('./contender.js')
const { KEYS, VALUES, make, shuffledOrder } = require('./workload.js')

const BATCH = 100
const MAX_CHECKED = 2000

/**
 * What all contenders are asked to do.
 *
 * @param {{ entries: number, keys: 'string' | 'integer', values: string | ((i: number) => unknown), order?:
 * Uint32Array }} options
 */
function workOf({ entries, keys: keyKind, values: valueKind, order = shuffledOrder(entries) }) {
  const { key, missing } = KEYS[keyKind]
  const value = typeof valueKind === 'function' ? valueKind : VALUES[valueKind]
  const keys = make(entries, key)
  const values = make(entries, value)
  const work = {
    entries,
    keys,
    values,
    order,
    missing: make(entries, missing),
    // An update writes the value of the next entry: new to its key, at no cost in memory.
    fresh: make(entries, i => values[(i + 1) % entries]),
    get batches() {
      const batches = batchesOf(work)
      Object.defineProperty(work, 'batches', { value: batches })
      return batches
    }
  }
  return work
}

/** `count` items in portions of BATCH. */
const portions = (count, one) =>
  make(Math.ceil(count / BATCH), b => make(Math.min(BATCH, count - b * BATCH), n => one(b * BATCH + n)))

/** The same work in batches. They are made before the clock starts: a program that reads by batch has one at hand. */
function batchesOf({ entries, keys, values, fresh, missing, order }) {
  return {
    insert: portions(entries, i => [keys[i], values[i]]),
    values: portions(entries, i => values[i]),
    get: portions(order.length, i => keys[order[i]]),
    miss: portions(order.length, i => missing[order[i]]),
    update: portions(order.length, i => [keys[order[i]], fresh[order[i]]])
  }
}

/** The batches of a contender. */
const BATCHED = ['batch', 'handle-batch']

/** What a contender reads by handle. */
const HANDLED = ['handle', 'handle-batch']

class Life {
  #loops = new Map()

  /** `options` go to the adapter's `open`. */
  constructor(contender, work, options = {}) {
    this.contender = contender
    this.work = work
    this.options = { entries: work.entries, ...options }
    this.map = contender.open(this.options)
    this.keys = work.keys
    this.values = work.values
    this.fresh = work.fresh
    this.missing = work.missing
    this.order = work.order
    this.batches = BATCHED.includes(contender.item) ? work.batches : undefined
    this.handles = HANDLED.includes(contender.item) ? new Array(work.entries) : undefined
    this.handleBatches = undefined
    this.dead = undefined
  }

  /** Steps of a whole fill: one per entry, or one per batch. */
  get steps() {
    return this.batches === undefined ? this.work.entries : this.batches.insert.length
  }

  /** Steps of a whole reading. */
  get asked() {
    return this.batches === undefined ? this.order.length : this.batches.get.length
  }

  loop(operation) {
    if (!this.#loops.has(operation)) this.#loops.set(operation, loopOf(this.contender, operation))
    return this.#loops.get(operation)
  }

  /**
   * Takes over the generated functions of an earlier life of the same contender, with what V8 has learned about them.
   */
  inherit(life) {
    this.#loops = life.#loops
    return this
  }

  fill() {
    const { contender, keys, values } = this
    if (contender.fill === undefined) this.loop('insert')(this, 0, this.steps)
    else contender.fill(this.map, keys, values)
    if (contender.item === 'handle-batch') {
      const { handles, order } = this
      this.handleBatches = portions(order.length, i => handles[order[i]])
    }
    return this
  }

  /** Handles of deleted entries, for misses by handle. */
  makeDeadHandles() {
    if (this.contender.item !== 'handle') return
    this.dead = make(this.work.entries, () => this.map.insert(0))
    for (const handle of this.dead) this.map.delete(handle)
  }

  /**
   * Compares whole answers with what was written: all of them in a small map, an even sample of a large one. With
   * `asked`, only the first so many entries of the order are looked at.
   */
  checkAnswers(expected = this.values, asked = undefined) {
    // What serves as a unit of measurement keeps nothing.
    if (this.contender.isUnit) return
    const answer = answerOf(this.contender)
    const among = asked ?? this.work.entries
    const apart = Math.max(1, Math.floor(among / MAX_CHECKED))
    for (let n = 0; n < among; n += apart) {
      const i = asked === undefined ? n : this.order[n]
      const got = answer(this, i)
      if (!isDeepStrictEqual(got, expected[i])) {
        assert.deepStrictEqual(got, expected[i], `${this.contender.title} gives a wrong answer for entry ${i}`)
      }
    }
  }

  checkSize(expected) {
    assert.strictEqual(this.contender.size(this.map), expected, `${this.contender.title} has the wrong size`)
  }

  /** Another empty map in place of this one. */
  restart() {
    this.contender.close(this.map)
    this.map = this.contender.open(this.options)
  }

  end() {
    return this.contender.close(this.map)
  }
}

module.exports = { BATCH, workOf, Life }
