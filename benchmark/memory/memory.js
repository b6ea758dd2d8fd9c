'use strict'

/*
 * How much resident memory does an entry cost?
 *
 * Each contender is filled in a process of its own. Before, the process makes and drops as many keys and values as it
 * will insert, so that the heap has already reached the size that this takes; then what resident memory grows by is
 * what the entries cost.
 */

const { byKey } = require('../adapters/typed-map.js')
const { lruCache, lruMap, quickLru } = require('../adapters/lru-caches.js')
const { map } = require('../adapters/map.js')
const { inChild } = require('../harness/child.js')
const { atMost } = require('../harness/question.js')
const { valueOfBytes } = require('../harness/workload.js')

const ENTRIES = 1_000_000
const QUICK_ENTRIES = 100_000
const HEAP_MB = 8192

/**
 * The part of the heap where objects begin has its largest size from the start, or its growth would count as entries.
 */
const FIXED_NURSERY = ['--min-semi-space-size=16', '--max-semi-space-size=16']

/**
 * Makes glibc return all freed memory. By default it keeps up to 64 MB, depending on what a program freed before: JSON
 * texts alone, which the program drops, then look like 30 bytes an entry.
 */
const GIVE_BACK = { MALLOC_TRIM_THRESHOLD_: String(128 * 1024) }

/** Memory that the collector no longer needs goes back to the system a little later. */
const SETTLE_MS = 200

/** Value sizes in bytes of JSON, with fewer entries the larger they are. */
const SIZES = [
  { bytes: 64, part: 1 },
  { bytes: 256, part: 1 },
  { bytes: 1024, part: 0.5 },
  { bytes: 4096, part: 0.2 }
]

/** Allowed on top of key and value: so many bytes, or from 256 bytes of value on such a part of the data. */
const OVERHEAD_BYTES = 64
const OVERHEAD_PART = 0.25
const OVERHEAD_PART_FROM = 256

/** How far `getStats()` may be from what resident memory says. */
const STATS_TOLERANCE = 0.1

const CONTENDERS = [map, lruCache, quickLru, lruMap, byKey]

const pair = i => ({ host: `host-${i % 1000}`, port: i })

/** Bytes that one key and one value have: what would have to be stored in any case. */
const dataBytes = (i, value) => `user:${i}`.length + JSON.stringify(value(i)).length

async function residentBytes() {
  globalThis.gc()
  await new Promise(resolve => setTimeout(resolve, SETTLE_MS))
  globalThis.gc()
  return process.memoryUsage.rss()
}

async function fill({ contender: name, entries, bytes }) {
  const contender = CONTENDERS.find(one => one.name === name)
  await contender.prepare?.()
  const value = bytes === undefined ? pair : valueOfBytes(bytes)

  let dropped = 0
  let data = 0
  for (let i = 0; i < entries; i++) {
    dropped += typeof value(i) === 'object' ? 1 : 0
    data += dataBytes(i, value)
  }
  const held = contender.open({ entries })
  // A few entries first: whatever is made with the first write is not a cost per entry.
  for (let i = 0; i < 10; i++) held.set(`warm:${i}`, value(i))
  const before = await residentBytes()
  for (let i = 0; i < entries; i++) held.set(`user:${i}`, value(i))
  const grown = (await residentBytes()) - before
  if (dropped !== entries || held.get('user:7') === undefined) throw new Error('entries are missing')
  return {
    perEntry: grown / entries,
    dataPerEntry: data / entries,
    statsPerEntry: held.getStats === undefined ? undefined : held.getStats().memoryBytes / entries
  }
}

async function measure({ quick }, report) {
  const base = quick ? QUICK_ENTRIES : ENTRIES
  const rows = []
  const targets = []
  const plan = [
    ...CONTENDERS.map(contender => ({ contender, entries: base, bytes: undefined })),
    ...SIZES.flatMap(({ bytes, part }) => [map, byKey].map(contender => ({ contender, entries: base * part, bytes })))
  ]
  for (const [i, { contender, entries, bytes }] of plan.entries()) {
    const parameters = { contender: contender.name, entries, bytes }
    const { perEntry, dataPerEntry, statsPerEntry } = await inChild(__filename, 'fill', parameters, {
      heapMb: HEAP_MB,
      flags: FIXED_NURSERY,
      environment: GIVE_BACK
    })
    const what = bytes === undefined ? "'user:'+i → { host, port }" : `values of ${bytes} bytes`
    rows.push({ case: what, contender: contender.title, value: perEntry, unit: 'bytes', dataPerEntry, statsPerEntry })
    if (contender === byKey) {
      const overhead = perEntry - dataPerEntry
      if (bytes === undefined) {
        targets.push(
          atMost(
            `resident memory per entry, ${what}: against Map's`,
            0.75,
            perEntry / rows.find(row => row.contender === map.title).value
          ),
          atMost(`overhead per keyed entry, ${what}`, OVERHEAD_BYTES, overhead, ' bytes'),
          atMost(
            `getStats() memory, ${what}: off resident growth by`,
            STATS_TOLERANCE * 100,
            Math.abs(statsPerEntry / perEntry - 1) * 100,
            ' %'
          )
        )
      } else if (bytes >= OVERHEAD_PART_FROM) {
        targets.push(
          atMost(`overhead, ${what}: part of the data`, OVERHEAD_PART * 100, (overhead / dataPerEntry) * 100, ' %')
        )
      }
    }
    report((i + 1) / plan.length)
  }
  return { rows, targets, chart: { unit: 'bytes', highlight: ['TypedMap'] } }
}

module.exports = { title: 'Resident memory per entry', tasks: { measure, fill } }
