'use strict'

// What the record that was decoded last takes of the heap. It is counted while it is decoded, because its size in the
// store says little: an integer of one byte becomes a word, and a row of ten bytes an object of a hundred.

let bytes = 0

/** @param {number} count */
function noteDecoded(count) {
  bytes = count
}

const decodedBytes = () => bytes

module.exports = { decodedBytes, noteDecoded }
