'use strict'

// A value is never older than the last write that its reader has synchronised with, near cache included.
//
// One thread writes n, n + 1, … under a few keys and publishes each number with `Atomics.store` after the write
// returned. The others load the published number first and read then: what they get must be as new. FRESHNESS_SECONDS
// lengthens the run.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { once } = require('node:events')
const { Worker } = require('node:worker_threads')
const path = require('node:path')

require('../support/sound.js')

const SECONDS = Number(process.env.FRESHNESS_SECONDS ?? 2)
const READERS = 3
const KEYS = 4

const READER = `
const { TypedMap } = require(${JSON.stringify(path.join(__dirname, '..', '..'))})
const { parentPort, workerData } = require('node:worker_threads')
const { name, published, stop, begun, handles, kind } = workerData
const map = TypedMap.open(name, { nearCache: kind === 'off' ? false : { maxEntries: kind === 'one' ? 1 : 1000 } })
const revived = handles.map(handle => map.handle(handle))
let hasBegun = false
let reads = 0
let stale = null
while (Atomics.load(stop, 0) === 0 && stale === null) {
  for (let key = 0; key < revived.length; key++) {
    // Many reads for each look at what was published, so that most of them are near-cache hits.
    const least = Atomics.load(published, key)
    for (let n = 0; n < 50; n++) {
      const byHandle = map.get(revived[key]).n
      const byKey = map.get('key-' + key).n
      reads += 2
      if (byHandle < least || byKey < least) stale = { key, least, byHandle, byKey }
    }
  }
  if (!hasBegun) Atomics.add(begun, 0, 1)
  hasBegun = true
}
if (!hasBegun) Atomics.add(begun, 0, 1)
map.close()
parentPort.postMessage({ reads, stale })
`

const WRITER = `
const { TypedMap } = require(${JSON.stringify(path.join(__dirname, '..', '..'))})
const { parentPort, workerData } = require('node:worker_threads')
const { name, published, stop, begun, handles } = workerData
const map = TypedMap.open(name)
const revived = handles.map(handle => map.handle(handle))
let n = 0
while (Atomics.load(stop, 0) === 0) {
  n++
  const key = n % revived.length
  if (n % 2 === 0) map.set('key-' + key, { n })
  else map.replace(revived[key], { n })
  Atomics.store(published, key, n)
  if (n === 1) Atomics.add(begun, 0, 1)
  // Others come and go, so that the index moves and memory is used again.
  map.set('other-' + (n % 5000), n)
  if (n % 3 === 0) map.delete('other-' + ((n * 7) % 5000))
}
map.close()
parentPort.postMessage({ writes: n })
`

describe('a value is never older than what its reader has synchronised with', () => {
  it(`in ${READERS} threads, with a near cache, one of size 1, and none`, async () => {
    const { TypedMap } = require('../..')
    const name = 'freshness'
    const map = TypedMap.open(name)
    const handles = Array.from({ length: KEYS }, (_, key) => map.insertWithHandle(`key-${key}`, { n: 0 }))
    const published = new Int32Array(new SharedArrayBuffer(4 * KEYS))
    const stop = new Int32Array(new SharedArrayBuffer(4))
    const begun = new Int32Array(new SharedArrayBuffer(4))
    const start = (source, kind) =>
      new Worker(source, { eval: true, workerData: { name, published, stop, begun, handles, kind } })
    const writer = start(WRITER)
    const readers = ['on', 'one', 'off'].map(kind => start(READER, kind))
    const answers = Promise.all([writer, ...readers].map(worker => once(worker, 'message')))
    // However late a thread begins, it has read or written once.
    const end = performance.now() + SECONDS * 1000
    const timer = setInterval(() => {
      if (performance.now() >= end && Atomics.load(begun, 0) === READERS + 1) Atomics.store(stop, 0, 1)
    }, 50)
    const [[{ writes }], ...told] = await answers
    clearInterval(timer)
    for (const [{ stale }] of told) assert.equal(stale, null)
    assert.ok(writes > 0 && told.every(([{ reads }]) => reads > 0))
    if (process.env.FRESHNESS_SECONDS) {
      const reads = told.map(([answer]) => answer.reads)
      console.log(`${writes} writes, ${reads.join(' + ')} reads, none stale`)
    }
    map.close()
  })
})
