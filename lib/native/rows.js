'use strict'

// Rows of numbers in which native code says what it is about.

const { Handle } = require('../handle.js')
const { SCRATCH } = require('./layout.js')

const { GENERATION, SHARD, SLOT } = SCRATCH

/**
 * The handle of the entry that a row is about.
 *
 * @param {number} instance number of its map
 * @param {Uint32Array} states where native code said what it is about
 * @param {number} row where it begins there
 */
function handleAt(instance, states, row) {
  const shard = /** @type {number} */ (states[row + SHARD])
  const slot = /** @type {number} */ (states[row + SLOT])
  return new Handle(instance, shard, slot, /** @type {number} */ (states[row + GENERATION]))
}

module.exports = { handleAt }
