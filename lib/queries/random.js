'use strict'

// One entry drawn at random.

const { GONE } = require('../codec/values.js')
const { Walked } = require('../entries/walked.js')
const { binding, scratch } = require('../native/attach.js')
const { SCRATCH, WANT } = require('../native/layout.js')

const { draw: drawBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

/** Half of a seed. */
const half = () => (Math.random() * 2 ** 32) >>> 0

/**
 * Draws an entry.
 *
 * @param {OpenMap} open
 * @param {number} want one of WANT
 * @returns {Walked | undefined} with one row
 */
function draw(open, want) {
  const walked = new Walked(1, open)
  const cells = drawBinding(open.id, half(), half(), want, walked.words)
  if (scratch[SCRATCH.COUNT] === 0) return undefined
  walked.begin(1, cells)
  return walked
}

/** @param {OpenMap} open @returns {any} */
function randomKey(open) {
  return draw(open, WANT.KEYS)?.takeKey(0)
}

/** @param {OpenMap} open @returns {[any, any] | undefined} */
function randomEntry(open) {
  const walked = draw(open, WANT.ENTRIES)
  if (walked === undefined) return undefined
  const key = walked.takeKey(0)
  const value = walked.takeValue(0)
  // Its shape is not known any more, so it has been replaced or removed since.
  return value === GONE ? randomEntry(open) : [key, value]
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  randomKey() {
    return randomKey(openOf(this))
  },

  randomEntry() {
    return randomEntry(openOf(this))
  }
})

module.exports = { methods }
