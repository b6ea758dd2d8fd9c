'use strict'

/* Documents of 20 KB are read through near caches: copies may take a sixteenth of the limit in each thread. */

const DOCUMENTS = 4_000
const LINES = 200
const READS = 20
const COPIES_MB = 4

const documentOf = key => ({
  key,
  lines: Array.from({ length: LINES }, (_, line) => ({
    line,
    text: `line ${line} of document ${key}, which has some text`
  }))
})

module.exports = {
  title: 'Documents of 20 KB through near caches, 64 MB',
  options: { memoryLimit: '64mb' },
  // An estimate may be off by a factor of two.
  heapMb: 2 * COPIES_MB + 4,
  step(map, { random }) {
    for (let n = 0; n < READS; n++) {
      const key = Math.floor(random() ** 2 * DOCUMENTS)
      if (map.get(key) === undefined) map.set(key, documentOf(key))
    }
  }
}
