'use strict'

/*
 * What do operations cost in a map that times them (`latency: true`), in one that samples reads (`hotKeys: true`), and
 * in one that does both, next to one that does neither?
 *
 * A thread for each, so that the engine optimises each by itself; they take turns. A round is one run of each, another
 * begins each round, so what slows the machine for longer than a round slows all. How well the engine optimises a loop
 * is a matter of luck for as long as a thread lives, so there are eight crews of threads, one after the other, of four
 * rounds each. What is quoted is the median of the ratios of all rounds.
 */

const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const { atMost } = require('../harness/question.js')
const { median, rotated, summary } = require('../harness/rounds.js')
const { shuffledOrder } = require('../harness/workload.js')

const ENTRIES = 10_000
const CREWS = 8
const QUICK_CREWS = 1
/** Of each crew. */
const ROUNDS = 4
/** Runs before the first round: the engine has optimised the loops then. */
const WARM_UPS = 20
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
  'handle.get(), near hit': { isNear: true, step: 'handles[i].get()' },
  'handle.get(), near hit, with a limit': {
    isNear: true,
    limits: { maxEntries: 4 * ENTRIES },
    step: 'handles[i].get()'
  }
}

/** What is compared, and the options of its maps. */
const CONTENDERS = {
  plain: { title: 'TypedMap', options: {} },
  timed: { title: 'TypedMap with latency', options: { latency: true } },
  sampled: { title: 'TypedMap with hotKeys', options: { hotKeys: true } },
  both: { title: 'TypedMap with latency and hotKeys', options: { latency: true, hotKeys: true } }
}

/** In a worker: runs a case each time it is asked to, and says what an operation took. */
function serve({ options }) {
  const { TypedMap } = require('typed-superdashmap')
  const keys = Array.from({ length: ENTRIES }, (_, n) => `key:${n}`)
  const order = shuffledOrder(ENTRIES)
  const runs = new Map()
  for (const [name, { isNear, limits, step }] of Object.entries(CASES)) {
    // No entry is evicted from a cache that has room for all.
    const nearCache = isNear ? { maxEntries: 4 * ENTRIES, maxBytes: '1gb' } : false
    const map = new TypedMap({ ...options, ...limits, nearCache })
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
function startServer(options) {
  const worker = new Worker(__filename, { workerData: { sampling: options } })
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

/** Adds what one crew measures to the samples of each case and contender. */
async function sampleCrew(samples, report) {
  const names = Object.keys(CONTENDERS)
  const servers = Object.fromEntries(names.map(name => [name, startServer(CONTENDERS[name].options)]))
  const cases = Object.keys(CASES)
  for (const [at, what] of cases.entries()) {
    for (let round = -WARM_UPS; round < ROUNDS; round++) {
      for (const name of rotated(names, Math.max(0, round))) {
        const ns = await servers[name].ask(what)
        if (round >= 0) samples[what][name].push(ns)
      }
    }
    report((at + 1) / cases.length)
  }
  await Promise.all(names.map(name => servers[name].end()))
}

async function measure({ quick }, report) {
  const names = Object.keys(CONTENDERS)
  const none = () => Object.fromEntries(names.map(name => [name, []]))
  const samples = Object.fromEntries(Object.keys(CASES).map(what => [what, none()]))
  const crews = quick ? QUICK_CREWS : CREWS
  for (let crew = 0; crew < crews; crew++) await sampleCrew(samples, part => report((crew + part) / crews))
  const rows = []
  const targets = []
  for (const [what, { isNear }] of Object.entries(CASES)) {
    for (const name of names) {
      const { title } = CONTENDERS[name]
      const { median: value, ...spread } = summary(samples[what][name])
      rows.push({ case: what, contender: title, value, unit: 'ns', ...spread })
      if (name === 'plain') continue
      const ratio = median(samples[what][name].map((ns, round) => ns / samples[what].plain[round]))
      targets.push(atMost(`${what}: time of ${title} against without`, isNear ? NEAR_COST : NATIVE_COST, ratio))
    }
  }
  return { rows, targets, chart: { unit: 'ns', highlight: ['TypedMap'] } }
}

if (!isMainThread && workerData?.sampling !== undefined) serve({ options: workerData.sampling })

module.exports = { title: 'Operations that are timed and sampled', tasks: { measure } }
