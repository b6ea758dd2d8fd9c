'use strict'

// Rows of numbers in which native code describes an entry.

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
  const shard = states[row + SHARD]
  const slot = states[row + SLOT]
  return new Handle(instance, shard, slot, states[row + GENERATION])
}

module.exports = { handleAt }
