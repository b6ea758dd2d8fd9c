'use strict'

/*
 * Is what the near cache counts for its copies what they take of the heap, and what does a copy save?
 *
 * Each load has a process of its own: entries are written, then read once, each by a key or a handle that only the
 * near cache holds afterwards. What heap and array buffers grow by is compared with `getStats().nearCache.bytes`.
 * Then the entries are read without a near cache, for what a read costs that a copy would have saved.
 */

const { TypedMap } = require('typed-superdashmap')
const { inChild } = require('../harness/child.js')
const { atLeast, atMost } = require('../harness/question.js')

const ENTRIES = 4_000
const QUICK_ENTRIES = 500
const ROOMY = { maxEntries: 100_000, maxBytes: '2gb' }
/** The estimate is at most so many times too high or too low. */
const FACTOR = 2
const READS = 20_000
const QUICK_READS = 2_000
const NS_PER_MS = 1e6

const name = i => `user:${i}`
const rows = (i, count) =>
  Array.from({ length: count }, (_, n) => ({
    id: i * 1_000 + n,
    name: `item ${n}`,
    price: n * 1.25,
    tags: ['new', 'blue'],
    ok: true
  }))

/** What is read, in how many entries at most, and by what. */
const LOADS = {
  'numbers by key': { value: i => i },
  'fractions by key': { value: i => i + 0.5 },
  'numbers by handle': { value: i => i, byHandle: true },
  'numbers by keys of 1 KB': { value: i => i, key: i => name(i).padEnd(1_024, '-') },
  'small objects by key': { value: i => ({ role: 'admin', visits: i }) },
  'small objects by handle': { value: i => ({ host: `host-${i}`, port: 8_080 }), byHandle: true },
  'texts of 100 B': { value: i => `${i}`.padEnd(100, 'text ') },
  'texts of 1 KB': { value: i => `${i}`.padEnd(1_000, 'text ') },
  'Cyrillic texts of 1 KB': { value: i => `${i}`.padEnd(500, 'текст ') },
  'Cyrillic texts of 20 KB': { value: i => `${i}`.padEnd(10_000, 'текст '), most: 1_000 },
  'texts of 1 KB in objects': { value: i => ({ title: name(i), text: `${i}`.padEnd(1_000, 'text ') }) },
  'texts of 20 KB in objects': { value: i => ({ title: name(i), text: `${i}`.padEnd(20_000, 'text ') }), most: 1_000 },
  'rows of objects, 2 KB': { value: i => ({ title: name(i), rows: rows(i, 25) }) },
  'rows of objects, 18 KB': { value: i => ({ title: name(i), rows: rows(i, 220) }), most: 1_000 },
  'arrays of 400 integers': { value: i => Array.from({ length: 400 }, (_, n) => n * 7 + i) },
  'arrays of 400 fractions': { value: i => Array.from({ length: 400 }, (_, n) => n / 7 + i) }
}

const heapOf = () => {
  for (let i = 0; i < 3; i++) globalThis.gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** What the copies of a load take, counted and measured, per entry. */
function fill({ load, entries }) {
  const { key = name, value, byHandle = false, most = entries } = LOADS[load]
  const count = Math.min(entries, most)
  const map = new TypedMap({ nearCache: ROOMY })
  const read = i => map.get(byHandle ? map.getHandle(key(i)) : key(i))
  for (let i = 0; i < count; i++) map.set(key(i), value(i))
  // Memory that the first reads keep for good does not belong to the copies.
  for (let i = 0; i < count; i++) map.peek(key(i))
  map.set('first', value(0))
  map.get('first')
  const before = heapOf()
  const counted = map.getStats().nearCache.bytes
  for (let i = 0; i < count; i++) read(i)
  const measured = heapOf() - before
  const { bytes, entries: kept } = map.getStats().nearCache
  if (kept !== count + 1) throw new Error(`${kept - 1} copies of ${count} were kept`)
  return { counted: (bytes - counted) / count, measured: measured / count }
}

/** Nanoseconds of a read that finds no copy. */
function readNatively({ load, entries, reads }) {
  const { key = name, value, most = entries } = LOADS[load]
  const count = Math.min(entries, most)
  const map = new TypedMap({ nearCache: false })
  const keys = Array.from({ length: count }, (_, i) => key(i))
  for (const [i, one] of keys.entries()) map.set(one, value(i))
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 5; round++) {
    const start = performance.now()
    for (let i = 0; i < reads; i++) map.get(keys[i % count])
    best = Math.min(best, performance.now() - start)
  }
  return (best / reads) * NS_PER_MS
}

async function measure({ quick }, report) {
  const entries = quick ? QUICK_ENTRIES : ENTRIES
  const found = []
  for (const load of Object.keys(LOADS)) {
    const { counted, measured } = await inChild(__filename, 'fill', { load, entries })
    const ns = await inChild(__filename, 'readNatively', { load, entries, reads: quick ? QUICK_READS : READS })
    found.push({ load, counted, measured, ns })
    report(found.length / Object.keys(LOADS).length)
  }
  const ratios = found.map(({ counted, measured }) => counted / measured)
  return {
    rows: found.flatMap(({ load, counted, measured, ns }) => [
      { case: load, contender: 'counted', value: counted, unit: 'B/copy' },
      { case: load, contender: 'measured', value: measured, unit: 'B/copy' },
      { case: load, contender: 'a native read', value: ns, unit: 'ns' },
      { case: load, contender: 'saved for each byte of a copy', value: ns / measured, unit: 'ns/B' }
    ]),
    targets: [
      atMost(
        'bytes counted for near-cache copies against the heap that they take, highest',
        FACTOR,
        Math.max(...ratios)
      ),
      atLeast(
        'bytes counted for near-cache copies against the heap that they take, lowest',
        1 / FACTOR,
        Math.min(...ratios)
      )
    ]
  }
}

module.exports = { title: 'What near-cache copies take', tasks: { measure, fill, readNatively } }
