'use strict'

// Keys that are at home in one place of the index, which an attacker finds as easily for `hash: 'fnv1a'` once the seed
// is known. The arithmetic is that of `src/store/entry/algorithm.rs`.

const KIND_INT = 3
const OFFSET = [0xcbf29ce4, 0x84222325]
const MASK = (1n << 64n) - 1n

/** One step of FNV-1a, on the two halves of a state. */
function step([high, low], byte) {
  const mixed = (low ^ byte) >>> 0
  // The prime is 2^40 + 0x1b3.
  const product = mixed * 0x1b3
  return [(high * 0x1b3 + Math.floor(product / 2 ** 32) + ((mixed << 8) >>> 0)) % 2 ** 32, product % 2 ** 32]
}

/** The last step of MurmurHash3. */
function mix(given) {
  let hash = given
  hash = ((hash ^ (hash >> 33n)) * 0xff51afd7ed558ccdn) & MASK
  hash = ((hash ^ (hash >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK
  return hash ^ (hash >> 33n)
}

/** The hash of an integer of 32 bits. */
function hashOf(start, key) {
  let state = start
  for (let shift = 0; shift < 32; shift += 8) state = step(state, (key >>> shift) & 0xff)
  return mix((BigInt(state[0]) << 32n) | BigInt(state[1]))
}

/**
 * Integers whose tags begin with so many zeros, which is where the first places of an index are.
 *
 * @param {number} count
 * @param {number} seed the option of the map, below 256
 * @param {number} zeros
 */
function collidingKeys(count, seed, zeros) {
  let start = OFFSET
  for (const byte of [seed, 0, 0, 0, 0, 0, 0, 0, KIND_INT]) start = step(start, byte)
  const keys = []
  for (let key = 0; keys.length < count; key++) {
    const tag = Number(hashOf(start, key) & 0xffffffffn)
    if (tag < 2 ** (32 - zeros)) keys.push(key)
  }
  return keys
}

module.exports = { collidingKeys }
