'use strict'

/*
 * How long does `find` go through a whole map, for one entry in a hundred, next to a loop over a `Map` of the same
 * objects, and to a loop over the map itself? And how much of that is this thread's own time, while its event loop goes
 * on?
 */

const { existsSync, readFileSync } = require('node:fs')
const { TypedMap } = require('typed-superdashmap')
const { atLeast, atMost, entriesOf } = require('../harness/question.js')
const { median } = require('../harness/rounds.js')
const { KEYS, make } = require('../harness/workload.js')

const ENTRIES = 1_000_000
const QUICK_ENTRIES = 100_000
/** One entry in so many is found. */
const RARITY = 100
const ROUNDS = 15
/** Rounds of the loop over the map itself, which takes long. */
const OWN_ROUNDS = 3

/** Times the time of a loop over a `Map`. */
const COST = 1
const OWN_MS = 5
/** How much longer the loop over the map itself takes. */
const GAIN = 10

/** Of the calling thread: time run, in ns. Linux only; elsewhere it is what the event loop was busy. */
const SCHEDULE = '/proc/thread-self/schedstat'
const runMs = existsSync(SCHEDULE)
  ? () => Number(readFileSync(SCHEDULE, 'latin1').split(' ')[0]) / 1e6
  : () => performance.eventLoopUtilization().active

const objectOf = n => ({ id: n, total: (n * 7919) % ENTRIES, status: n % 3 === 0 ? 'open' : 'closed' })

/** Milliseconds of a call, its own time of them, and what it came to. */
async function timed(call) {
  const [started, run] = [performance.now(), runMs()]
  const found = await call()
  return { wall: performance.now() - started, own: runMs() - run, found: found.length }
}

async function measure({ quick }, report) {
  const entries = quick ? QUICK_ENTRIES : ENTRIES
  const keys = make(entries, KEYS.string.key)
  const plain = new Map(keys.map((key, n) => [key, objectOf(n)]))
  const map = new TypedMap({ nearCache: false })
  for (const [key, value] of plain) map.set(key, value)
  const most = ENTRIES / RARITY
  const inLoop = over => {
    const found = []
    for (const [key, value] of over) if (value.total < most) found.push(key)
    return found
  }
  const contenders = [
    { title: 'find', rounds: ROUNDS, call: () => map.find({ where: { '/total': { lt: most } } }) },
    { title: 'a loop over a Map', rounds: ROUNDS, call: () => inLoop(plain) },
    { title: 'a loop over the map', rounds: OWN_ROUNDS, call: () => inLoop(map) }
  ]
  const samples = contenders.map(() => [])
  for (let round = -1; round < ROUNDS; round++) {
    for (const [at, { rounds, call }] of contenders.entries()) {
      if (round >= rounds) continue
      const sample = await timed(call)
      if (round >= 0) samples[at].push(sample)
    }
    report((round + 1) / ROUNDS)
  }
  map.close()
  const expected = samples.flat()[0].found
  if (samples.flat().some(({ found }) => found !== expected)) throw new Error('they do not find the same entries')
  const [find, loop, own] = samples.map(all => median(all.map(({ wall }) => wall)))
  const ownMs = median(samples[0].map(sample => sample.own))
  const what = `find, one number compared, 1 % of ${entriesOf(entries)} found`
  const row = (contender, value, all) => ({ case: what, contender, value, unit: 'ms', rounds: all.length })
  return {
    rows: [
      ...contenders.map(({ title }, at) => row(title, [find, loop, own][at], samples[at])),
      row('own time of this thread in find', ownMs, samples[0])
    ],
    targets: [
      atMost(`${what}: time against a loop over a Map`, COST, find / loop),
      atMost(`${what}: own time of its thread`, OWN_MS, ownMs, 'ms'),
      atLeast(`${what}: a loop over the map itself takes longer`, GAIN, own / find)
    ]
  }
}

module.exports = { title: 'Queries', heapMb: 4_096, tasks: { measure } }
