'use strict'

/*
 * What do two threads that read one map reach together, against one thread alone?
 *
 * The near cache is off, so that every read goes to the shared store. Phases with one and with two threads alternate;
 * the ratio is that of their medians.
 */

const { mkdtempSync, rmSync } = require('node:fs')
const { availableParallelism, tmpdir } = require('node:os')
const { join } = require('node:path')
const { lmdb } = require('../adapters/lmdb.js')
const { sharedMap } = require('../adapters/sharedmap.js')
const { byHandle, byKey } = require('../adapters/typed-map.js')
const { loopOf } = require('../harness/contender.js')
const { Life, workOf } = require('../harness/life.js')
const { atLeast } = require('../harness/question.js')
const { median, summary } = require('../harness/rounds.js')
const { runThreads } = require('../harness/threads.js')
const { shuffledOrder } = require('../harness/workload.js')

const ENTRIES = 100_000
const TEXT_LENGTH = 40
const THREADS = [1, 2]
const SECONDS = 1
const QUICK_SECONDS = 0.3
const ROUNDS = 5
const QUICK_ROUNDS = 2

/** Reads between two looks at the clock. */
const PORTION = 1_000
const WARMUP_PASSES = 3

const uncached = { nearCache: false }
const CASES = [
  {
    id: 'key-numbers',
    adapter: byKey,
    title: 'TypedMap by key, numbers',
    values: 'scalar',
    options: uncached,
    target: 1.7
  },
  {
    id: 'key-objects',
    adapter: byKey,
    title: 'TypedMap by key, objects',
    values: 'small',
    options: uncached,
    target: 1.7
  },
  { id: 'handle-objects', adapter: byHandle, title: 'TypedMap by handle, objects', values: 'small', options: uncached },
  {
    id: 'sharedmap',
    adapter: sharedMap,
    title: 'sharedmap, objects',
    values: 'small',
    options: { textLength: TEXT_LENGTH }
  },
  { id: 'lmdb', adapter: lmdb, title: 'lmdb, objects', values: 'small', options: {} }
]

/** One reading thread: as many random reads as it can until it is asked to stop. */
async function read({ id, how, handles, shared, seed }, sync) {
  const { adapter, values, options } = CASES.find(one => one.id === id)
  const work = workOf({ entries: ENTRIES, keys: 'string', values, order: shuffledOrder(ENTRIES, seed) })
  const opened = shared === undefined ? adapter.open({ ...options, ...how }) : adapter.attach(shared)
  // This thread did not fill the map, so it has no life of its own to begin: it takes part in another's.
  const life = { ...work, map: opened, handles: handles?.map(data => opened.handle(data)) }
  const loop = loopOf(adapter, 'get')
  for (let pass = 0; pass < WARMUP_PASSES; pass++) loop(life, 0, ENTRIES)
  sync.ready()
  const started = performance.now()
  let reads = 0
  while (!sync.stopped) {
    const from = reads % ENTRIES
    if (loop(life, from, from + PORTION) !== 0) throw new Error(`${id}: an answer is missing`)
    reads += PORTION
  }
  const perSecond = (reads / (performance.now() - started)) * 1000
  // The thread that filled a shared map closes it; this one closes only a view of its own.
  if (shared === undefined) await opened.close()
  return perSecond
}

async function measureCase({ id, adapter, values, options }, quick, onRound) {
  const work = workOf({ entries: ENTRIES, keys: 'string', values })
  const directory = adapter === lmdb ? mkdtempSync(join(tmpdir(), 'typed-superdashmap-bench-')) : undefined
  const how = adapter === lmdb ? { directory } : { name: `shared-reads-${id}` }
  const life = new Life(adapter, work, { ...options, ...how }).fill()
  life.checkAnswers()
  const parameters = seed => ({
    id,
    seed,
    handles: life.handles,
    ...(adapter === sharedMap ? { shared: life.map } : { how })
  })
  const rounds = quick ? QUICK_ROUNDS : ROUNDS
  const reached = THREADS.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, threads] of THREADS.entries()) {
      const all = Array.from({ length: threads }, (_, seed) => parameters(seed + 1))
      const perSecond = await runThreads(__filename, 'read', all, quick ? QUICK_SECONDS : SECONDS)
      reached[i].push(perSecond.reduce((sum, one) => sum + one, 0))
    }
    onRound((round + 1) / rounds)
  }
  life.checkAnswers()
  await life.end()
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
  return reached
}

async function measure({ quick }, report) {
  const rows = []
  const targets = []
  for (const [i, one] of CASES.entries()) {
    const reached = await measureCase(one, quick, part => report((i + part) / CASES.length))
    for (const [n, threads] of THREADS.entries()) {
      const {
        median: value,
        fastest: slowest,
        slowest: fastest,
        rounds
      } = summary(reached[n].map(reads => reads / 1e6))
      const spread = { fastest, slowest, rounds }
      const threadsText = `${threads} thread${threads > 1 ? 's' : ''}`
      rows.push({ case: one.title, contender: threadsText, value, unit: 'million reads/s', ...spread })
    }
    if (one.target !== undefined) {
      const ratio = median(reached[1]) / median(reached[0])
      targets.push(
        atLeast(
          `two threads reading one map, ${one.title.replace('TypedMap ', '')}: throughput against one`,
          one.target,
          ratio
        )
      )
    }
  }
  const note = `${availableParallelism()} cores`
  return {
    rows,
    targets: targets.map(target => ({ ...target, note })),
    chart: { unit: 'million reads/s', highlight: ['2 threads'] }
  }
}

module.exports = { title: 'Shared reads from two threads', tasks: { measure, read } }
