'use strict'

/*
 * What do operations cost in a map that times them (`latency: true`), next to one that does not?
 *
 * Two threads, one for each, take turns: timing hits switches the methods of the class for a whole thread. A round is
 * one run of each, the order changes from round to round, and what is quoted is the median of the ratios of 31 rounds,
 * so what slows the machine for longer than a round slows both.
 */

const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const { atMost } = require('../harness/question.js')
const { median } = require('../harness/rounds.js')
const { shuffledOrder } = require('../harness/workload.js')

const ENTRIES = 10_000
const ROUNDS = 31
const QUICK_ROUNDS = 5
/** Runs before the first round: the engine has optimised the loops then. */
const WARM_UPS = 30
/** Operations of a run: some milliseconds. */
const OPERATIONS = { native: 20_000, near: 200_000 }

/** Times the time without it. */
const NATIVE_COST = 1.05
const NEAR_COST = 1.15

const CASES = {
  'get(key), native': { isNear: false, step: 'map.get(keys[i])' },
  'get(handle), native': { isNear: false, step: 'map.get(handles[i])' },
  'set(key, number)': { isNear: false, step: 'map.set(keys[i], i)' },
  'get(key), near hit': { isNear: true, step: 'map.get(keys[i])' },
  'get(handle), near hit': { isNear: true, step: 'map.get(handles[i])' },
  'handle.get(), near hit': { isNear: true, step: 'handles[i].get()' }
}

/** In a worker: runs a case each time it is asked to, and says what an operation took. */
function serve({ latency }) {
  const { TypedMap } = require('typed-superdashmap')
  const keys = Array.from({ length: ENTRIES }, (_, n) => `key:${n}`)
  const order = shuffledOrder(ENTRIES)
  const runs = new Map()
  for (const [name, { isNear, step }] of Object.entries(CASES)) {
    // No entry is evicted from a cache that has room for all.
    const nearCache = isNear ? { maxEntries: 4 * ENTRIES, maxBytes: '1gb' } : false
    const map = new TypedMap({ latency, nearCache })
    const handles = keys.map((key, n) => map.insertWithHandle(key, n))
    const operations = isNear ? OPERATIONS.near : OPERATIONS.native
    // A loop of its own for each case, so that what the engine learns of one does not slow another.
    const loop = new Function(
      'map, keys, handles, order, operations',
      `for (let n = 0; n < operations; n++) { const i = order[n % ${ENTRIES}]; ${step} }`
    )
    runs.set(name, () => {
      const start = process.hrtime.bigint()
      loop(map, keys, handles, order, operations)
      return Number(process.hrtime.bigint() - start) / operations
    })
  }
  parentPort.on('message', name => parentPort.postMessage(runs.get(name)()))
}

/** A thread that answers what an operation of a case takes, in ns. */
function startServer(latency) {
  const worker = new Worker(__filename, { workerData: { latency } })
  const ask = name =>
    new Promise((resolve, reject) => {
      worker.once('error', reject)
      worker.once('message', ns => {
        worker.off('error', reject)
        resolve(ns)
      })
      worker.postMessage(name)
    })
  return { ask, end: () => worker.terminate() }
}

async function measure({ quick }, report) {
  const plain = startServer(false)
  const timed = startServer(true)
  const rounds = quick ? QUICK_ROUNDS : ROUNDS
  const rows = []
  const targets = []
  const names = Object.keys(CASES)
  for (const [at, name] of names.entries()) {
    for (let n = 0; n < WARM_UPS; n++) {
      await plain.ask(name)
      await timed.ask(name)
    }
    const samples = { plain: [], timed: [] }
    for (let round = 0; round < rounds; round++) {
      const turns = round % 2 === 0 ? ['plain', 'timed'] : ['timed', 'plain']
      for (const who of turns) samples[who].push(await { plain, timed }[who].ask(name))
      report((at + (round + 1) / rounds) / names.length)
    }
    const ratio = median(samples.timed.map((ns, round) => ns / samples.plain[round]))
    for (const [who, contender] of Object.entries({ plain: 'TypedMap', timed: 'TypedMap with latency: true' })) {
      const all = samples[who]
      const [fastest, slowest] = [Math.min(...all), Math.max(...all)]
      rows.push({ case: name, contender, value: median(all), unit: 'ns', fastest, slowest, rounds })
    }
    const limit = CASES[name].isNear ? NEAR_COST : NATIVE_COST
    targets.push(atMost(`${name}: time with latency: true against without`, limit, ratio))
  }
  await Promise.all([plain.end(), timed.end()])
  return { rows, targets, chart: { unit: 'ns', highlight: ['TypedMap'] } }
}

if (!isMainThread && workerData?.latency !== undefined) serve(workerData)

module.exports = { title: 'Operations that are timed', tasks: { measure } }
