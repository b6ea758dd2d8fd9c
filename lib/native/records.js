'use strict'

// The two areas of the scratch memory through which records cross: JavaScript writes them in one, native code puts
// those that it read in the other.

const { Buffer } = process.getBuiltinModule('node:buffer')
const { scratch } = require('./attach.js')
const { MAX_RECORD_BYTES, RECORD_AREA_BYTES, RECORDS_IN, RECORDS_OUT } = require('./layout.js')

/**
 * @typedef {object} Area
 * @property {Buffer} bytes
 * @property {DataView} view over the same memory
 */

/** @param {number} start @param {number} length @returns {Area} */
const areaAt = (start, length) => ({
  bytes: Buffer.from(scratch.buffer, start, length),
  view: new DataView(scratch.buffer, start, length)
})

const incoming = areaAt(RECORDS_IN, RECORD_AREA_BYTES)
const outgoing = areaAt(RECORDS_OUT, MAX_RECORD_BYTES)

/** Records before this place of the area are still needed. */
let held = 0
/** Where the last one ends. */
let end = 0

/** Where the next record begins. */
const nextStart = () => held

/** Where it has to end. */
const nextLimit = () => Math.min(held + MAX_RECORD_BYTES, RECORD_AREA_BYTES)

/** Notes where the last record ends. @param {number} place */
function noteEnd(place) {
  end = place
}

/**
 * Keeps the records that were written so far, while others are written: by a batch, or by code of the user that runs
 * before the native call. Returns what `release` takes.
 *
 * @returns {number}
 */
function hold() {
  const before = held
  held = end
  return before
}

/**
 * Ends what `hold` began: the records from before it can be held again, those written since are no longer needed.
 *
 * @param {number} before
 */
function release(before) {
  end = held
  held = before
}

/**
 * Frees the records of a whole batch, which began at `start`: the next one begins there again.
 *
 * @param {number} start
 */
function free(start) {
  end = start
  held = start
}

module.exports = { free, hold, incoming, nextLimit, nextStart, noteEnd, outgoing, release }
