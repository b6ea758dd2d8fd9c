'use strict'

/* A map of 256 KB in one shard takes entries of 10 bytes to 2 KB. */

const { atMost } = require('../harness/question.js')

const VALUE = 'x'.repeat(2_000)
const WRITES = 1_000
const LIMIT_KB = 256

module.exports = {
  title: 'A limit of 256 KB',
  options: { memoryLimit: LIMIT_KB * 1024, shards: 1, nearCache: false },
  step(map, { random }) {
    for (let n = 0; n < WRITES; n++)
      map.set(Math.floor(random() * 10_000), VALUE.slice(0, 10 + Math.floor(random() * 1_990)))
  },
  targets: ({ mostAccountedMb }) => [atMost('accounted, at any time', LIMIT_KB, mostAccountedMb * 1024, ' KB')]
}
