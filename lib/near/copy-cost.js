'use strict'

// What a copy in the near cache takes of the heap, estimated without looking into it: from the kind of the value, from
// the bytes that it has in the store, and from the key; for a record, from what was decoded.
// `benchmark/memory/near-cache-bytes.js` measures all of it: for keys and values as the README has them, the estimate
// lies between half and twice of what the heap grows by.

const { decodedBytes } = require('../native/decoded.js')
const { KIND } = require('../native/layout.js')

/** What `costOfValue` says of a value that is not worth a copy. */
const NOT_WORTH = -1

/** A place in the ring and in its arrays, half of the room that they grow ahead included. */
const PLACE_BYTES = 56

/** An entry of the engine's `Map`, its share of the hash table included. */
const MAP_ENTRY_BYTES = 40

/** A handle, which its place keeps from being collected. */
const HANDLE_BYTES = 96

/** Header of a string, of a bigint, and of a number that is no small integer. */
const HEADER_BYTES = 16

/** Objects that a JSON text becomes at least. */
const OBJECT_BYTES = 64

/**
 * Bytes of the heap for each byte of JSON: 0.6 to 1 for texts and long arrays of numbers, 1.5 to 3.5 for rows of
 * small objects.
 */
const HEAP_PER_JSON = 1.75

/**
 * The longest text in ASCII that is kept. To read it natively is to copy its bytes: 210 ns for 100 of them, 300 for
 * 1,000, 480 for 4,000, 1,340 for 16,000. So a copy of a short one saves 0.7 ns for each byte that it takes, one of a
 * long one 0.1, where those of objects save 5. Other texts have to be decoded, 4 ns a byte, and are treated like
 * objects.
 */
const MAX_ASCII_BYTES = 1_024

/**
 * Bytes that the copy of a value takes, besides its place and its key.
 *
 * @param {number} kind one of KIND, below the bytes kinds
 * @param {number} size bytes that it takes in the store
 * @param {any} value
 * @returns {number} NOT_WORTH if reading it natively costs next to nothing for its size
 */
function costOfValue(kind, size, value) {
  switch (kind) {
    case KIND.Json:
      return OBJECT_BYTES + Math.ceil(size * HEAP_PER_JSON)
    case KIND.Shaped:
      // Counted when it was decoded, just now.
      return decodedBytes()
    case KIND.String:
      if (size === value.length) return size > MAX_ASCII_BYTES ? NOT_WORTH : HEADER_BYTES + size
      return HEADER_BYTES + 2 * value.length
    case KIND.Utf16:
    case KIND.BigInt:
      return HEADER_BYTES + size
    case KIND.Float:
      return HEADER_BYTES
    default:
      return 0
  }
}

/**
 * Bytes that a key takes with its place.
 *
 * @param {unknown} key a primitive
 */
function costOfKey(key) {
  const length = typeof key === 'string' ? HEADER_BYTES + key.length : typeof key === 'number' ? 0 : HEADER_BYTES
  return PLACE_BYTES + MAP_ENTRY_BYTES + length
}

/** Bytes that a handle takes with its place. */
const COST_OF_HANDLE = PLACE_BYTES + HANDLE_BYTES

module.exports = { COST_OF_HANDLE, NOT_WORTH, costOfKey, costOfValue }
