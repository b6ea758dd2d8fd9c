'use strict'

// Bytes: what the map holds, and what of it is of no use.

const { twoDigits } = require('./rates.js')

const BYTES_PER_MB = 1024 ** 2

/** @param {{ entries: number, live: number, retired: number }} memory */
function fragmentation({ entries, live, retired }) {
  // Cleared entries count as retired, but their blocks are no longer counted.
  return entries === 0 ? 0 : twoDigits(Math.max(0, entries - live - retired) / entries)
}

/** @param {Record<string, any>} read */
function memory({ memory: bytes }) {
  return {
    memoryMb: twoDigits(bytes.total / BYTES_PER_MB),
    memoryBytes: bytes.total,
    memory: { ...bytes, fragmentation: fragmentation(bytes) }
  }
}

module.exports = { memory }
