'use strict'

/* Values of 10 bytes to 1 MB in a full map, small ones far more often. */

const BYTES = new Uint8Array(1_000_000)
const SHORTEST = 10
const KEYS = 50_000
const WRITES = 500

module.exports = {
  title: 'Mixed sizes, 10 bytes to 1 MB, 64 MB',
  options: { memoryLimit: '64mb', nearCache: false },
  step(map, { random }) {
    for (let n = 0; n < WRITES; n++) {
      const size = SHORTEST * (BYTES.length / SHORTEST) ** (random() ** 2)
      map.set(Math.floor(random() * KEYS), BYTES.subarray(0, size))
    }
  }
}
