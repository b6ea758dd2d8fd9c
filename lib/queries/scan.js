'use strict'

// Scans: pages of entries in the order of their slots, each of which says where the next one begins. Nothing is kept
// between two pages. `store/map/scan.rs` says why an entry that is there all the while is given once.

const { GONE } = require('../codec/values.js')
const { Walked } = require('../entries/walked.js')
const { binding, scratch } = require('../native/attach.js')
const { SCRATCH } = require('../native/layout.js')
const { soon } = require('../native/timer.js')
const { valueAt } = require('./page.js')
const { START, cursorOf, readCursor, readScanOptions } = require('./scan-options.js')

const { scan: scanBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('./scan-options.js').ScanOptions} ScanOptions */

const { COUNT, NEXT_SHARD, NEXT_SLOT } = SCRATCH

/**
 * A page.
 *
 * @param {OpenMap} open
 * @param {unknown} cursor
 * @param {ScanOptions} options
 * @returns {{ cursor: string, entries: [any, any][] }}
 */
function scan(open, cursor, { count, match, type }) {
  open.check()
  const { shard, slot } = readCursor(open, cursor)
  const walked = new Walked(count, open)
  const cells = scanBinding(open.id, shard, slot, count, match, type, walked.words)
  const next = cursorOf(open, scratch[NEXT_SHARD], scratch[NEXT_SLOT])
  walked.begin(scratch[COUNT], cells)
  return { cursor: next, entries: entriesOf(open, walked) }
}

/**
 * @param {OpenMap} open
 * @param {Walked} walked
 * @returns {[any, any][]}
 */
function entriesOf(open, walked) {
  /** @type {[any, any][]} */
  const entries = []
  for (let index = 0; index < walked.count; index++) {
    const key = walked.takeKey(index)
    const value = valueAt(open, walked, index)
    if (value !== GONE) entries.push([key, value])
  }
  return entries
}

/** What `scanIterator` returns: entry by entry, as `for` and `for await` ask for them. */
class ScanIterator {
  /** Held, because an unreachable map is closed. @type {object | undefined} */
  #map
  #open
  #options
  #cursor = START
  /** @type {[any, any][]} */
  #entries = []
  #next = 0

  /**
   * @param {object} map
   * @param {OpenMap} open
   * @param {ScanOptions} options
   */
  constructor(map, open, options) {
    this.#map = map
    this.#open = open
    this.#options = options
  }

  /** @returns {IteratorResult<[any, any], undefined>} */
  next() {
    while (this.#next === this.#entries.length) if (!this.#turnPage()) return { value: undefined, done: true }
    return { value: this.#entries[this.#next++], done: false }
  }

  /** @returns {IteratorResult<[any, any], undefined>} */
  return() {
    this.#end()
    return { value: undefined, done: true }
  }

  [Symbol.iterator]() {
    return this
  }

  /** The event loop has a turn before each page but the first. */
  async *[Symbol.asyncIterator]() {
    try {
      while (this.#turnPage()) {
        while (this.#next < this.#entries.length) yield this.#entries[this.#next++]
        await new Promise(resolve => soon(() => resolve(undefined)))
      }
    } finally {
      this.#end()
    }
  }

  /** Fetches a page; false if there is none. */
  #turnPage() {
    if (this.#map === undefined) return false
    const { cursor, entries } = scan(this.#open, this.#cursor, this.#options)
    this.#cursor = cursor
    this.#entries = entries
    this.#next = 0
    if (cursor === START) this.#map = undefined
    return true
  }

  #end() {
    this.#map = undefined
    this.#entries = []
    this.#next = 0
  }
}

Object.defineProperty(ScanIterator.prototype, Symbol.toStringTag, { value: 'Scan Iterator', configurable: true })

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** @param {string} cursor @param {any} options */
  scan(cursor, options = undefined) {
    const open = openOf(this)
    return scan(open, cursor, readScanOptions(open, options))
  },

  /** @param {any} options */
  scanIterator(options = undefined) {
    const open = openOf(this)
    open.check()
    return new ScanIterator(this, open, readScanOptions(open, options))
  }
})

module.exports = { methods, scan }
