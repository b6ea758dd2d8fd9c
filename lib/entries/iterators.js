'use strict'

// Iterators over a map. They are live: what is added before the end is reached is visited, what is deleted is not, and
// a changed value is seen as it is when its turn comes.
//
// Entries are fetched some at a time. Before a fetched entry is returned, one word says whether anything in its shard
// has changed since (`store/shard/changes.rs`). If something has, the entry's version word is compared with the fetched
// one; if they differ, the rest of the batch is fetched again.

const { GONE } = require('../codec/values.js')
const { binding, scratch } = require('../native/attach.js')
const { SCRATCH, SEEN, STEP_ROW, WANT } = require('../native/layout.js')
const { Walked } = require('./walked.js')

const { walk: walkBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

const { CHUNK, COUNT, SHARD, VERSION, WORD } = SCRATCH

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
  /** Its value, as a read would return it. @type {any} */
  value = undefined
  #open
  #want
  #type
  /** Sequence number of the current entry. */
  #after = 0
  #walked
  /** Rows that there is room for. */
  #room = FIRST_BATCH
  #next = 0
  #count = 0
  #batch = FIRST_BATCH
  /** How often each shard changed, and how far the words of two shards are apart. @type {Uint32Array | undefined} */
  #changes
  #apart = 0

  /**
   * @param {object} map
   * @param {OpenMap} open what the map has open
   * @param {number} want one of WANT
   * @param {number} type number of the type whose entries are visited, 0 for all
   */
  constructor(map, open, want, type = 0) {
    /** Held, because an unreachable map is closed. */
    this.map = map
    this.#open = open
    this.#want = want
    this.#type = type
    this.#walked = new Walked(FIRST_BATCH, open)
  }

  /** Moves on to the next entry; false at the end. */
  step() {
    for (let before = this.#after; this.#advance(); this.#after = before) {
      if (this.value !== GONE) return true
      // It has changed since it was fetched.
      this.#next = this.#count
    }
    return false
  }

  #advance() {
    this.#open.check()
    // The first entry of a batch was fetched just now, so that a busy writer cannot keep it from being visited.
    if (this.#next === this.#count || (this.#next > 0 && !this.#isFresh(this.#next))) {
      this.#fetch()
      if (this.#count === 0) return false
    }
    const index = this.#next++
    const walked = this.#walked
    this.#after = walked.sequenceAt(index)
    if ((this.#want & WANT.KEYS) !== 0) this.key = walked.takeKey(index)
    if ((this.#want & WANT.VALUES) !== 0) this.value = walked.takeValue(index)
    return true
  }

  #fetch() {
    const count = this.#batch
    const { id, shards } = this.#open
    // Before the walk, which says what each word said then.
    if (this.#changes === undefined) {
      this.#changes = this.#open.changes
      this.#apart = this.#changes.length / shards
    }
    if (this.#room < count) {
      this.#walked = new Walked(count, this.#open)
      this.#room = count
    }
    const walked = this.#walked
    const cells = walkBinding(id, this.#after, count, this.#want, walked.words, this.#type)
    this.#count = scratch[COUNT]
    walked.begin(this.#count, cells)
    this.#next = 0
    this.#batch = this.#sizeOfNext()
  }

  #sizeOfNext() {
    // Without version words a change of a fetched entry cannot be seen, so nothing is fetched ahead.
    if (this.#count === 0 || (this.#changes?.length === 0 && this.#wordsAt(0) === null)) return 1
    if (this.#walked.size > MAX_BATCH_BYTES) return Math.max(1, this.#batch >> 1)
    return Math.min(MAX_BATCH, this.#batch * BATCH_GROWTH)
  }

  /** @param {number} row */
  #wordsAt(row) {
    return this.#open.words.of(this.#walked.words[row + CHUNK])
  }

  /** @param {number} index */
  #isFresh(index) {
    const { words } = this.#walked
    const row = index * STEP_ROW
    return this.#changes?.[words[row + SHARD] * this.#apart] === words[row + SEEN] || this.#isUnchanged(row)
  }

  /** Whether an entry whose shard has changed has not. @param {number} row */
  #isUnchanged(row) {
    const seen = this.#walked.words
    const words = this.#wordsAt(row)
    return words !== null && words[seen[row + WORD]] === (seen[row + VERSION] | 0)
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
   * @param {number} type number of the type whose entries are visited, 0 for all
   */
  constructor(map, open, want, type = 0) {
    this.#cursor = new Cursor(map, open, want, type)
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
