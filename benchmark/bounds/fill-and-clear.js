'use strict'

/* A map without a limit is filled with values of 10 bytes to 1 MB and cleared when it holds 200 MB, again and again. */

const BYTES = new Uint8Array(1_000_000)
const SHORTEST = 10
const MOST = 200 * 2 ** 20
const WRITES = 500

module.exports = {
  title: 'Fill to 200 MB and clear, again and again',
  options: { nearCache: false },
  step(map, { random }) {
    for (let n = 0; n < WRITES; n++) {
      const size = SHORTEST * (BYTES.length / SHORTEST) ** (random() ** 2)
      map.set(Math.floor(random() * Number.MAX_SAFE_INTEGER), BYTES.subarray(0, size))
    }
    if (map.memoryUsage() > MOST) map.clear()
  }
}
