'use strict'

/*
 * What do reads cost in a map that samples them (`hotKeys: true`), next to one that does not, and in one that times
 * operations as well?
 *
 * A thread for each map, so that the engine optimises each by itself; they take turns. A round is one run of each, the
 * order changes from round to round, and what is quoted is the median of the ratios of 31 rounds, so what slows the
 * machine for longer than a round slows all.
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

/** Times the time of a map without either. */
const NATIVE_COST = 1.05
const NEAR_COST = 1.15

const MAPS = {
  TypedMap: {},
  'TypedMap with hotKeys: true': { hotKeys: true },
  'TypedMap with hotKeys: true and latency: true': { hotKeys: true, latency: true }
}

const CASES = {
  'get(key), native': { isNear: false, step: 'map.get(keys[i])' },
  'get(handle), native': { isNear: false, step: 'map.get(handles[i])' },
  'get(key), near hit': { isNear: true, step: 'map.get(keys[i])' },
  'get(handle), near hit': { isNear: true, step: 'map.get(handles[i])' },
  'handle.get(), near hit': { isNear: true, step: 'handles[i].get()' },
  'handle.get(), near hit, with a limit': { isNear: true, isLimited: true, step: 'handles[i].get()' }
}

/** In a worker: runs a case each time it is asked to, and says what an operation took. */
function serve({ options }) {
  const { TypedMap } = require('typed-superdashmap')
  const keys = Array.from({ length: ENTRIES }, (_, n) => `key:${n}`)
  const order = shuffledOrder(ENTRIES)
  const runs = new Map()
  for (const [name, { isNear, isLimited, step }] of Object.entries(CASES)) {
    // No entry is evicted from a cache that has room for all.
    const nearCache = isNear ? { maxEntries: 4 * ENTRIES, maxBytes: '1gb' } : false
    const limits = isLimited ? { maxEntries: 4 * ENTRIES } : {}
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
  const worker = new Worker(__filename, { workerData: { hotKeysBench: { options } } })
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
  const servers = Object.entries(MAPS).map(([contender, options]) => ({ contender, ...startServer(options) }))
  const rounds = quick ? QUICK_ROUNDS : ROUNDS
  const rows = []
  const targets = []
  const names = Object.keys(CASES)
  for (const [at, name] of names.entries()) {
    for (let n = 0; n < WARM_UPS; n++) for (const { ask } of servers) await ask(name)
    const samples = new Map(servers.map(({ contender }) => [contender, []]))
    for (let round = 0; round < rounds; round++) {
      const turns = round % 2 === 0 ? servers : servers.toReversed()
      for (const { contender, ask } of turns) samples.get(contender).push(await ask(name))
      report((at + (round + 1) / rounds) / names.length)
    }
    const limit = CASES[name].isNear ? NEAR_COST : NATIVE_COST
    for (const [contender, all] of samples) {
      const [fastest, slowest] = [Math.min(...all), Math.max(...all)]
      rows.push({ case: name, contender, value: median(all), unit: 'ns', fastest, slowest, rounds })
      if (contender === 'TypedMap') continue
      const ratio = median(all.map((ns, round) => ns / samples.get('TypedMap')[round]))
      targets.push(atMost(`${name}: ${contender}, time against without`, limit, ratio))
    }
  }
  await Promise.all(servers.map(({ end }) => end()))
  return { rows, targets, chart: { unit: 'ns', highlight: ['TypedMap'] } }
}

if (!isMainThread && workerData?.hotKeysBench !== undefined) serve(workerData.hotKeysBench)

module.exports = { title: 'Reads that are sampled', tasks: { measure } }
