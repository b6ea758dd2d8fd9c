'use strict'

/* Values of 2 to 64 KB in a full map, each doubling as likely as the next. */

const BYTES = new Uint8Array(64 * 1024)
const SHORTEST = 2_100
const KEYS = 20_000
const WRITES = 500

module.exports = {
  title: 'Values of 2 to 64 KB, 64 MB',
  options: { memoryLimit: '64mb', nearCache: false },
  step(map, { random }) {
    for (let n = 0; n < WRITES; n++) {
      const size = SHORTEST * (BYTES.length / SHORTEST) ** random()
      map.set(Math.floor(random() * KEYS), BYTES.subarray(0, size))
    }
  }
}
