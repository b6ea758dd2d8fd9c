'use strict'

// How a write says for how long its entry is to live.

const { scratchFloats } = require('./attach.js')
const { SCRATCH_TTL } = require('./layout.js')

/** What a write asks for that says nothing: the ttl of the map, if it has one. */
const MAPS_OWN = 0

/**
 * Says what ttl the next native write is to give. It comes right before that call: whatever runs in between may write
 * too, and each native write takes this back.
 *
 * @param {number} ttl as `readTtl` gives it
 */
function requestTtl(ttl) {
  scratchFloats[SCRATCH_TTL] = ttl
}

module.exports = { MAPS_OWN, requestTtl }
