'use strict'

/* Entries of 10 to 500 bytes in a full map: what is evicted and what comes differ in size. */

const VALUE = 'x'.repeat(500)
const SIZES = 490
const SHORTEST = 10
const KEYS = 1_000_000
const WRITES = 2_000

module.exports = {
  title: 'Small entries, 10 to 500 bytes, 64 MB',
  options: { memoryLimit: '64mb', nearCache: false },
  step(map, { random }) {
    for (let n = 0; n < WRITES; n++) {
      map.set(Math.floor(random() * KEYS), VALUE.slice(0, SHORTEST + Math.floor(random() * SIZES)))
    }
  }
}
