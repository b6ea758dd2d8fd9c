'use strict'

// Values of a page of entries.

const { GONE, decode } = require('../codec/values.js')
const { binding, scratch } = require('../native/attach.js')
const { SCRATCH, STEP_ROW } = require('../native/layout.js')

const { peek: peekBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../entries/walked.js').Walked} Walked */

const { GENERATION, SHARD, SLOT, STATE } = SCRATCH

/**
 * The value of the next entry of a page. Each is taken once, in order, after its key.
 *
 * @param {OpenMap} open
 * @param {Walked} walked
 * @param {number} index
 * @returns {any} GONE if the entry was removed since, and its shape is not known any more
 */
function valueAt(open, walked, index) {
  const value = walked.takeValue(index)
  return value === GONE ? readAgain(open, walked.words, index * STEP_ROW) : value
}

/**
 * The value of an entry whose shape is not known any more: it has been replaced since, or removed.
 *
 * @param {OpenMap} open
 * @param {Uint32Array} rows
 * @param {number} row
 * @returns {any}
 */
function readAgain(open, rows, row) {
  let value
  do {
    const raw = peekBinding(open.id, rows[row + SHARD], rows[row + SLOT], rows[row + GENERATION])
    if (scratch[STATE] === 0) return GONE
    value = decode(open.shapes, scratch[STATE], raw)
  } while (value === GONE)
  return value
}

module.exports = { valueAt }
