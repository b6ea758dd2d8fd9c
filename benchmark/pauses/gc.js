'use strict'

/*
 * How long does a full garbage collection take while three million entries are held?
 *
 * The collector must visit every entry of a Map, and none of a TypedMap, whose entries are not on its heap. Each run
 * has a process of its own; the first collections, which also tidy up after the filling, are not counted.
 */

const { byKey } = require('../adapters/typed-map.js')
const { lruCache } = require('../adapters/lru-caches.js')
const { map } = require('../adapters/map.js')
const { inChild } = require('../harness/child.js')
const { atMost } = require('../harness/question.js')
const { median, summary } = require('../harness/rounds.js')

const ENTRIES = 3_000_000
const QUICK_ENTRIES = 300_000
const RUNS = 3
const QUICK_RUNS = 1
const HEAP_MB = 6144
const WARMUP_COLLECTIONS = 3
const COLLECTIONS = 7

const nothing = { name: 'nothing', title: 'nothing held', open: () => undefined }
const CONTENDERS = [nothing, map, lruCache, byKey]

/** The median of several full collections, in ms. */
function collect({ contender: name, entries }) {
  const contender = CONTENDERS.find(one => one.name === name)
  const held = contender.open({ entries })
  if (held !== undefined) for (let i = 0; i < entries; i++) held.set(`user:${i}`, { host: `host-${i % 1000}`, port: i })
  for (let i = 0; i < WARMUP_COLLECTIONS; i++) globalThis.gc()
  const pauses = Array.from({ length: COLLECTIONS }, () => {
    const started = performance.now()
    globalThis.gc()
    return performance.now() - started
  })
  if (held !== undefined && held.get('user:7').port !== 7) throw new Error(`${contender.title} gives a wrong answer`)
  return median(pauses)
}

async function measure({ quick }, report) {
  const runs = quick ? QUICK_RUNS : RUNS
  const found = new Map(CONTENDERS.map(contender => [contender, []]))
  for (let run = 0; run < runs; run++) {
    for (const [contender, pauses] of found) {
      const parameters = { contender: contender.name, entries: quick ? QUICK_ENTRIES : ENTRIES }
      pauses.push(await inChild(__filename, 'collect', parameters, { heapMb: HEAP_MB }))
    }
    report((run + 1) / runs)
  }
  const rows = [...found].map(([{ title }, pauses]) => {
    const { median: value, ...spread } = summary(pauses)
    return { case: 'full collection', contender: title, value, unit: 'ms', ...spread }
  })
  return {
    rows,
    targets: [
      atMost(
        `full GC with ${ENTRIES / 1e6} million entries held: pause against Map's`,
        0.1,
        median(found.get(byKey)) / median(found.get(map))
      )
    ],
    chart: { unit: 'ms', highlight: ['TypedMap'] }
  }
}

module.exports = { title: 'Full garbage collection with 3 million entries held', tasks: { measure, collect } }
