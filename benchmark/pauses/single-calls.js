'use strict'

/*
 * How long do an insertion, a lookup and a removal take, on average and at most; how full is the index meanwhile; and
 * what does it cost that other threads have the map open?
 *
 * The figures are those that the specification asks for. Each run has a process of its own: it inserts a million small
 * objects under keys that are there before, looks each of them up, and removes them, in an order that has nothing to do
 * with that of the insertions. Each call is timed by the time that its thread was running, so the mean has the two
 * looks at that time in it. Runs alone and beside three threads that have the map open take turns.
 */

const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const { once } = require('node:events')
const { TypedMap } = require('typed-superdashmap')
const { inChild } = require('../harness/child.js')
const { OWN_TIME, ownTimeMs } = require('../harness/pauses.js')
const { atLeast, atMost, entriesOf } = require('../harness/question.js')
const { median, summary } = require('../harness/rounds.js')

const ENTRIES = 1_000_000
const QUICK_ENTRIES = 50_000
const RUNS = 5
const QUICK_RUNS = 1
const HEAP_MB = 4096
const OTHERS = 3
const NAME = 'single calls'

/** Steps over the keys, a prime that no number of entries here is a multiple of. */
const STRIDE = 611_953

/** Entries from which on the index is looked at, and how often: below, a shard has few places. */
const FILLED_FROM = 0.1
const LOOKS = 200

/** What the specification allows, in ms. */
const LIMITS = {
  insertion: { mean: 0.5, worst: 2 },
  lookup: { mean: 0.1, worst: 0.5 },
  removal: { mean: 0.5, worst: 2 }
}
const LEAST_LOAD = 0.5
const MOST_LOAD = 0.75
const MOST_OVERHEAD = 1.1

/** Times all calls; the mean and the worst, in ms. */
function timed(count, call) {
  let worst = 0
  let sum = 0
  for (let i = 0; i < count; i++) {
    const before = ownTimeMs()
    call(i)
    const took = ownTimeMs() - before
    sum += took
    worst = Math.max(worst, took)
  }
  return { mean: sum / count, worst }
}

/** The same calls, timed together by the wall clock: the mean without looks in between. */
function together(count, call) {
  const started = performance.now()
  for (let i = 0; i < count; i++) call(i)
  return (performance.now() - started) / count
}

/** Threads that have the map open. */
async function startOthers(count) {
  const workers = Array.from({ length: count }, () => new Worker(__filename, { workerData: NAME }))
  await Promise.all(workers.map(worker => once(worker, 'message')))
  return workers
}

async function calls({ entries, others }) {
  const keys = Array.from({ length: entries }, (_, i) => `user:${i}`)
  const values = Array.from({ length: 1_000 }, (_, i) => ({ host: `host-${i}`, port: i }))
  const scattered = i => keys[(i * STRIDE) % entries]
  const map = TypedMap.open(NAME)
  const workers = await startOthers(others)
  const work = {
    insertion: i => map.set(keys[i], values[i % 1_000]),
    lookup: i => map.get(scattered(i)),
    removal: i => map.delete(scattered(i))
  }
  const found = {}
  for (const [name, call] of Object.entries(work)) found[name] = { together: together(entries, call) }
  if (map.size !== 0) throw new Error(`${map.size} entries are left`)
  for (const [name, call] of Object.entries(work)) Object.assign(found[name], timed(entries, call))
  await Promise.all(workers.map(worker => worker.terminate()))
  map.destroy()
  return { ...found, loads: loadFactors(keys, values[0]), ownTime: OWN_TIME }
}

/** The least and the most that the index is filled while a map grows. */
function loadFactors(keys, value) {
  const map = new TypedMap()
  const seen = []
  const step = Math.ceil(keys.length / LOOKS)
  for (let i = 0; i < keys.length; i++) {
    map.set(keys[i], value)
    if (i >= FILLED_FROM * keys.length && i % step === 0) seen.push(map.getStats().loadFactor)
  }
  map.destroy()
  return { least: Math.min(...seen), most: Math.max(...seen) }
}

async function measure({ quick }, report) {
  const runs = quick ? QUICK_RUNS : RUNS
  const entries = quick ? QUICK_ENTRIES : ENTRIES
  const found = { alone: [], beside: [] }
  for (let run = 0; run < runs; run++) {
    for (const [way, others] of [
      ['alone', 0],
      ['beside', OTHERS]
    ]) {
      found[way].push(await inChild(__filename, 'calls', { entries, others }, { heapMb: HEAP_MB }))
    }
    report((run + 1) / runs)
  }
  const { alone, beside } = found
  const of = (all, name, figure) => all.map(run => run[name][figure])
  const rows = []
  const targets = []
  for (const [name, limits] of Object.entries(LIMITS)) {
    for (const [figure, limit] of Object.entries(limits)) {
      const { median: value, ...spread } = summary(of(alone, name, figure))
      rows.push({ case: `${name}, ${figure}`, contender: 'TypedMap by key', value, unit: 'ms', ...spread })
      targets.push({ ...atMost(`${name} of ${entriesOf(entries)}, ${figure}`, limit, value, ' ms'), note: OWN_TIME })
    }
  }
  for (const name of Object.keys(LIMITS)) {
    const [one, other] = [alone, beside].map(all => median(of(all, name, 'together')))
    targets.push(
      atMost(`${name} beside ${OTHERS} threads with the map open: time against none`, MOST_OVERHEAD, other / one)
    )
  }
  const [least, most] = ['least', 'most'].map(figure => median(of(alone, 'loads', figure)))
  targets.push(
    atLeast(`load factor while growing to ${entriesOf(entries)}, least`, LEAST_LOAD, least, ''),
    atMost(`load factor while growing to ${entriesOf(entries)}, most`, MOST_LOAD, most, '')
  )
  return { rows, targets }
}

if (!isMainThread && workerData === NAME) {
  const map = TypedMap.open(NAME)
  parentPort.postMessage('open')
  parentPort.once('message', () => map.close())
}

module.exports = { title: 'Single calls', tasks: { measure, calls } }
