'use strict'

// Iterators over a map. They are live: what is added before the end is reached is visited, what is deleted is not, and
// a changed value is seen as it is when its turn comes.
//
// Entries are fetched some at a time. Before a fetched entry is returned, its version word is compared with the fetched
// one; if they differ, the rest of the batch is fetched again.

const { decode } = require('../codec/values.js')
const { binding, scratch } = require('../native/attach.js')
const { KEY_KIND, SCRATCH, WALK_ROW, WANT } = require('../native/layout.js')
const { handleAt } = require('../native/rows.js')

const { walk: walkBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

const { CHUNK, STATE, VERSION, WORD } = SCRATCH

/**
 * The first batch is small, because many iterators are asked for one entry only. Then they grow fourfold. Beyond 256
 * the cost of the call no longer shows.
 */
const FIRST_BATCH = 4
const MAX_BATCH = 256
const BATCH_GROWTH = 4

/** A batch with more bytes than this is followed by a smaller one: what was fetched and not visited is wasted. */
const MAX_BATCH_BYTES = 65_536

class Cursor {
  /** Key of the current entry; a handle if it has none. @type {any} */
  key = undefined
  /** @type {any} */
  #rawValue = undefined
  #kind = 0
  #open
  #want
  /** Sequence number of the current entry. */
  #after = 0
  /** Cells of the batch: key and value of each entry. @type {any[]} */
  #cells = []
  #states = new Uint32Array(FIRST_BATCH * WALK_ROW)
  #sequences = new Float64Array(FIRST_BATCH)
  #next = 0
  #count = 0
  #batch = FIRST_BATCH

  /**
   * @param {object} map
   * @param {OpenMap} open what the map has open
   * @param {number} want one of WANT
   */
  constructor(map, open, want) {
    /** Held, because an unreachable map is closed. */
    this.map = map
    this.#open = open
    this.#want = want
  }

  /** The current entry's value, as a read would return it. */
  get value() {
    return decode(this.#kind, this.#rawValue)
  }

  /** Moves on to the next entry; false at the end. */
  step() {
    this.#open.check()
    // The first entry of a batch was fetched just now, so that a busy writer cannot keep it from being visited.
    if (this.#next === this.#count || (this.#next > 0 && !this.#isFresh(this.#next))) {
      this.#fetch()
      if (this.#count === 0) return false
    }
    const index = this.#next++
    const states = this.#states
    const row = index * WALK_ROW
    this.#after = this.#sequences[index]
    this.#kind = states[row + STATE]
    this.#rawValue = this.#cells[index * 2 + 1]
    if ((this.#want & WANT.KEYS) !== 0) {
      this.key = states[row + KEY_KIND] === 0 ? handleAt(this.#open.origin, states, row) : this.#cells[index * 2]
    }
    return true
  }

  #fetch() {
    const count = this.#batch
    if (this.#sequences.length < count) {
      this.#states = new Uint32Array(count * WALK_ROW)
      this.#sequences = new Float64Array(count)
    }
    this.#cells = walkBinding(this.#open.id, this.#after, count, this.#want, this.#states, this.#sequences)
    this.#count = scratch[STATE]
    this.#next = 0
    this.#batch = this.#sizeOfNext()
  }

  #sizeOfNext() {
    // Without version words a change of a fetched entry cannot be seen, so nothing is fetched ahead.
    if (this.#count === 0 || this.#wordsAt(0) === null) return 1
    let bytes = 0
    for (const cell of this.#cells) {
      if (typeof cell === 'string') bytes += cell.length
      else if (typeof cell === 'object' && cell !== null) bytes += cell.byteLength
    }
    if (bytes > MAX_BATCH_BYTES) return Math.max(1, this.#batch >> 1)
    return Math.min(MAX_BATCH, this.#batch * BATCH_GROWTH)
  }

  /** @param {number} row */
  #wordsAt(row) {
    return this.#open.words.of(this.#states[row + CHUNK])
  }

  /** @param {number} index */
  #isFresh(index) {
    const row = index * WALK_ROW
    const words = this.#wordsAt(row)
    if (words === null) return false
    const version = this.#states[row + VERSION] | 0
    return words[this.#states[row + WORD]] === version
  }
}

const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))

/** What `keys`, `values` and `entries` return. */
class MapIterator {
  /** Undefined for good once the end was reached. @type {Cursor | undefined} */
  #cursor
  #want

  /**
   * @param {object} map
   * @param {OpenMap} open
   * @param {number} want one of WANT
   */
  constructor(map, open, want) {
    this.#cursor = new Cursor(map, open, want)
    this.#want = want
  }

  next() {
    const cursor = this.#cursor
    if (cursor === undefined) return { value: undefined, done: true }
    if (!cursor.step()) {
      this.#cursor = undefined
      return { value: undefined, done: true }
    }
    if (this.#want === WANT.ENTRIES) return { value: [cursor.key, cursor.value], done: false }
    return { value: this.#want === WANT.KEYS ? cursor.key : cursor.value, done: false }
  }
}

// As %MapIteratorPrototype% in the specification of the language: under the prototype of all iterators, with a tag, and
// without a constructor.
Object.setPrototypeOf(MapIterator.prototype, IteratorPrototype)
Reflect.deleteProperty(MapIterator.prototype, 'constructor')
Object.defineProperty(MapIterator.prototype, Symbol.toStringTag, { value: 'Map Iterator', configurable: true })

module.exports = { Cursor, MapIterator }
