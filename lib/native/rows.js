'use strict'

// Rows of numbers in which native code describes an entry.

const { Handle } = require('../handle.js')
const { SCRATCH } = require('./layout.js')

/** @typedef {import('../handle.js').Origin} Origin */

const { GENERATION, SHARD, SLOT } = SCRATCH

/**
 * The handle of the entry that a row is about.
 *
 * @param {Origin} origin of its map
 * @param {Uint32Array} states where native code said what it is about
 * @param {number} row where it begins there
 */
function handleAt(origin, states, row) {
  const shard = states[row + SHARD]
  const slot = states[row + SLOT]
  return new Handle(origin.instance, shard, slot, states[row + GENERATION], origin)
}

module.exports = { handleAt }
