'use strict'

/*
 * What does a hit of `getOrLoad` cost, next to a read that is made a promise of, and to `fetch` of lru-cache? And how
 * long do a thousand calls from four threads wait for one cold key, whose loader takes 50 ms?
 */

const { availableParallelism } = require('node:os')
const { setTimeout } = require('node:timers/promises')
const { LRUCache } = require('lru-cache')
const { TypedMap } = require('typed-superdashmap')
const { atLeast, atMost, entriesOf } = require('../harness/question.js')
const { interleave, median } = require('../harness/rounds.js')
const { runThreads } = require('../harness/threads.js')
const { KEYS, VALUES, make } = require('../harness/workload.js')

const ENTRIES = 1_000
const OPERATIONS = 5_000
/** Times the time of a read and a promise. */
const HIT_COST = 1.3
const REFRESH_COST = 2

const THREADS = 4
const CALLS = 250
const LOADER_MS = 50
/** Times the time of the loader. */
const WAIT_COST = 2
const ROUNDS = 9
const QUICK_ROUNDS = 3

/** Calls for a key that is missing, in one thread: when the last of them had its value, and how many loaders ran. */
async function stampede({ name }, sync) {
  const map = TypedMap.open(name)
  let loads = 0
  const loader = async key => {
    loads++
    await setTimeout(LOADER_MS)
    return key
  }
  await map.getOrLoad('warm-up', loader)
  loads = 0
  sync.ready()
  const started = performance.now()
  await Promise.all(Array.from({ length: CALLS }, () => map.getOrLoad('cold', loader)))
  const waited = performance.now() - started
  map.close()
  return { waited, loads }
}

/** How long the last call of all threads waited, in milliseconds. */
async function together(round) {
  const name = `stampede ${round}`
  const map = TypedMap.open(name)
  const results = await runThreads(__filename, 'stampede', new Array(THREADS).fill({ name }), 0)
  map.destroy()
  const loads = results.reduce((sum, one) => sum + one.loads, 0)
  if (loads !== 1) throw new Error(`${loads} loaders ran for one key`)
  return Math.max(...results.map(({ waited }) => waited))
}

async function measure({ quick }, report) {
  const keys = make(ENTRIES, KEYS.string.key)
  const values = make(ENTRIES, VALUES.small)
  const loader = () => {
    throw new Error('no key is missing')
  }
  const map = new TypedMap(keys.map((key, at) => [key, values[at]]))
  const cache = new LRUCache({ max: ENTRIES, fetchMethod: loader })
  for (const [at, key] of keys.entries()) cache.set(key, values[at])
  const each = call => () => {
    for (let n = 0; n < OPERATIONS; n++) call(keys[n % ENTRIES])
  }
  const options = { ttl: 60_000, negativeTtl: 1_000, timeout: 1_000 }
  const refreshing = { refreshAfter: 3_600_000 }
  const calls = {
    'get and Promise.resolve': key => Promise.resolve(map.get(key)),
    getOrLoad: key => map.getOrLoad(key, loader),
    'getOrLoad with options': key => map.getOrLoad(key, loader, options),
    'getOrLoad with refreshAfter': key => map.getOrLoad(key, loader, refreshing),
    'fetch of lru-cache': key => cache.fetch(key)
  }
  const contenders = Object.entries(calls).map(([name, call]) => ({ name, operations: OPERATIONS, run: each(call) }))
  const results = await interleave(contenders, { seconds: quick ? 2 : 8, onRound: part => report(part / 2) })
  map.close()
  const rows = contenders.map(({ name: contender }) => {
    const { median: value, ...spread } = results[contender]
    return { case: `a hit, ${entriesOf(ENTRIES)}`, contender, value, unit: 'ns', ...spread }
  })
  const waits = []
  const rounds = quick ? QUICK_ROUNDS : ROUNDS
  for (let round = 0; round < rounds; round++) {
    waits.push(await together(round))
    report(0.5 + (round + 1) / rounds / 2)
  }
  const [value, fastest, slowest] = [median(waits), Math.min(...waits), Math.max(...waits)]
  const contender = `the last of ${THREADS * CALLS} calls from ${THREADS} threads`
  rows.push({ case: 'a cold key, loader of 50 ms', contender, value, unit: 'ms', fastest, slowest, rounds })
  const time = name => results[name].median
  const base = time('get and Promise.resolve')
  return {
    rows,
    targets: [
      atMost('hit of getOrLoad: time against get and Promise.resolve', HIT_COST, time('getOrLoad') / base),
      atMost('hit of getOrLoad with options: the same', HIT_COST, time('getOrLoad with options') / base),
      atMost('hit of getOrLoad with refreshAfter: the same', REFRESH_COST, time('getOrLoad with refreshAfter') / base),
      atLeast(
        'hit of getOrLoad: times faster than fetch of lru-cache',
        1,
        time('fetch of lru-cache') / time('getOrLoad')
      ),
      {
        ...atMost(
          '1,000 calls from four threads on a cold key, one load: the last against the loader',
          WAIT_COST,
          value / LOADER_MS
        ),
        note: `${availableParallelism()} cores`
      }
    ]
  }
}

module.exports = { title: 'Loads', tasks: { measure, stampede } }
