'use strict'

// Entries that a walk fetched ahead: a row of numbers for each, and cells with the keys and values that are no numbers.
// They are decoded in order, each when its turn comes.

const { Records, decode, decodeTexts } = require('../codec/values.js')
const { IN_TEXT, KEY, KEY_KIND, KEY_NUMBER, KIND, NUMBER, SCRATCH, SEQUENCE, STEP_ROW } = require('../native/layout.js')
const { handleAt } = require('../native/rows.js')

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

class Walked {
  /** How many there are. */
  count = 0
  /** Their rows. */
  words
  #ints
  #floats
  #open
  /** Records among the values. @type {Records} */
  #records
  /** @type {readonly any[]} */
  #cells = []
  #cell = 0
  /** The text that strings are cut out of, and where the next one begins. */
  #text = ''
  #start = 0
  /** Values of the joined JSON that is being used. @type {unknown[]} */
  #parsed = []
  #next = 0

  /**
   * @param {number} rows that there is room for
   * @param {OpenMap} open
   */
  constructor(rows, open) {
    const buffer = new ArrayBuffer(rows * STEP_ROW * Uint32Array.BYTES_PER_ELEMENT)
    this.words = new Uint32Array(buffer)
    this.#ints = new Int32Array(buffer)
    this.#floats = new Float64Array(buffer)
    this.#open = open
    this.#records = new Records(open.shapes)
  }

  /**
   * Begins with what was fetched.
   *
   * @param {number} count
   * @param {readonly any[] | undefined} cells
   */
  begin(count, cells) {
    this.count = count
    this.#cells = cells ?? []
    this.#cell = 0
    this.#records = new Records(this.#open.shapes)
    this.#text = ''
    this.#start = 0
    this.#parsed = []
    this.#next = 0
  }

  /** Characters and bytes of the cells. */
  get size() {
    let size = 0
    for (const cell of this.#cells) {
      if (typeof cell === 'string') size += cell.length
      else if (typeof cell === 'object' && cell !== null) size += cell.byteLength
    }
    return size
  }

  /** @param {number} index */
  sequenceAt(index) {
    return this.#floats[(index * STEP_ROW + SEQUENCE) / 2]
  }

  /**
   * The key of the next entry; its handle if it has none. Each is taken once, in order, before the value.
   *
   * @param {number} index
   */
  takeKey(index) {
    const row = index * STEP_ROW
    switch (this.words[row + KEY_KIND]) {
      case KEY.String:
        return this.#takeString(row + KEY_NUMBER)
      case KEY.Int:
        return this.#ints[row + KEY_NUMBER]
      case KEY.Float:
        return this.#floats[(row + KEY_NUMBER) / 2]
      case KEY.Keyless:
        return handleAt(this.#open.origin, this.words, row)
      default:
        return this.#takeCell()
    }
  }

  /**
   * The value of the next entry, as a read would return it; GONE if it has to be fetched again. Each is taken once, in
   * order.
   *
   * @param {number} index
   */
  takeValue(index) {
    const row = index * STEP_ROW
    const kind = this.words[row + SCRATCH.STATE]
    switch (kind) {
      case KIND.Int:
        return this.#ints[row + NUMBER]
      case KIND.Float:
        return this.#floats[(row + NUMBER) / 2]
      case KIND.String:
        return this.#takeString(row + NUMBER)
      case KIND.Json:
        if (this.#next === this.#parsed.length) {
          this.#parsed = decodeTexts(this.#takeCell())
          this.#next = 0
        }
        return this.#parsed[this.#next++]
      case KIND.True:
        return true
      case KIND.False:
        return false
      case KIND.Null:
        return null
      case KIND.Undefined:
        return undefined
      case KIND.Shaped:
        return this.#records.take(this.words[row + NUMBER], this.words[row + SCRATCH.SIZE], () => this.#takeCell())
      default:
        return decode(this.#open.shapes, kind, this.#takeCell())
    }
  }

  /** @param {number} at where the row says how to find it */
  #takeString(at) {
    const place = this.words[at + 1]
    if (place === IN_TEXT.ALONE) return this.#takeCell()
    if (place === IN_TEXT.BEGINS) {
      this.#text = this.#takeCell()
      this.#start = 0
    }
    const start = this.#start
    this.#start = this.words[at]
    return this.#text.slice(start, this.#start)
  }

  #takeCell() {
    return this.#cells[this.#cell++]
  }
}

module.exports = { Walked }
