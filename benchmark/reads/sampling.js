'use strict'

/*
 * What do operations cost in a map that times them (`latency: true`), in one that samples reads (`hotKeys: true`), and
 * in one that does both, next to one that does neither?
 *
 * A thread for each, so that the engine optimises each by itself; they take turns. A round is one run of each, another
 * begins each round, and what is quoted is the median of the ratios of 31 rounds, so what slows the machine for longer
 * than a round slows all.
 */

const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const { atMost } = require('../harness/question.js')
const { median, rotated, summary } = require('../harness/rounds.js')
const { shuffledOrder } = require('../harness/workload.js')

const ENTRIES = 10_000
const ROUNDS = 31
const QUICK_ROUNDS = 5
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

async function measure({ quick }, report) {
  const names = Object.keys(CONTENDERS)
  const servers = Object.fromEntries(names.map(name => [name, startServer(CONTENDERS[name].options)]))
  const rounds = quick ? QUICK_ROUNDS : ROUNDS
  const rows = []
  const targets = []
  const cases = Object.entries(CASES)
  for (const [at, [what, { isNear }]] of cases.entries()) {
    const samples = Object.fromEntries(names.map(name => [name, []]))
    for (let round = -WARM_UPS; round < rounds; round++) {
      for (const name of rotated(names, Math.max(0, round))) {
        const ns = await servers[name].ask(what)
        if (round >= 0) samples[name].push(ns)
      }
      if (round >= 0) report((at + (round + 1) / rounds) / cases.length)
    }
    for (const name of names) {
      const { title } = CONTENDERS[name]
      const { median: value, ...spread } = summary(samples[name])
      rows.push({ case: what, contender: title, value, unit: 'ns', ...spread })
      if (name === 'plain') continue
      const ratio = median(samples[name].map((ns, round) => ns / samples.plain[round]))
      targets.push(atMost(`${what}: time of ${title} against without`, isNear ? NEAR_COST : NATIVE_COST, ratio))
    }
  }
  await Promise.all(names.map(name => servers[name].end()))
  return { rows, targets, chart: { unit: 'ns', highlight: ['TypedMap'] } }
}

if (!isMainThread && workerData?.sampling !== undefined) serve({ options: workerData.sampling })

module.exports = { title: 'Operations that are timed and sampled', tasks: { measure } }
