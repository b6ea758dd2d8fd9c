'use strict'

// Passes the ttl of a write to native code.

const { scratchFloats } = require('./attach.js')
const { SCRATCH_TTL } = require('./layout.js')

/** The ttl of a write without one: that of the map, if it has one. */
const MAPS_OWN = 0

/** The ttl of a write that leaves the deadline of the entry as it is. */
const KEEPS = -1

/**
 * Sets the ttl of the next native write. Call it right before that write: code in between may write too, and each
 * native write resets the ttl.
 *
 * @param {number} ttl from `readTtl`
 */
function requestTtl(ttl) {
  scratchFloats[SCRATCH_TTL] = ttl
}

module.exports = { KEEPS, MAPS_OWN, requestTtl }
