'use strict'

/*
 * What does a step of a counter cost, next to a write of a number and to a read with a write, which other threads'
 * steps get lost between? And what do four threads reach together that count under one key?
 */

const { availableParallelism } = require('node:os')
const { TypedMap } = require('typed-superdashmap')
const { atLeast, atMost } = require('../harness/question.js')
const { interleave, median, summary } = require('../harness/rounds.js')
const { runThreads } = require('../harness/threads.js')

const OPERATIONS = 50_000
/** Times the time of `set`, of `get` and `set`, and the throughput of one thread. */
const SET_COST = 1.3
const PAIR_COST = 0.7
const SHARE = 0.5

const THREADS = [1, 4]
const ROUNDS = 5
const QUICK_ROUNDS = 2
const SECONDS = 1
const QUICK_SECONDS = 0.2
/** Steps between two looks at the clock. */
const PORTION = 500

const LOOPS = {
  increment: map => {
    for (let n = 0; n < OPERATIONS; n++) map.increment('counter')
  },
  'get and set': map => {
    for (let n = 0; n < OPERATIONS; n++) map.set('counter', map.get('counter') + 1)
  },
  set: map => {
    for (let n = 0; n < OPERATIONS; n++) map.set('counter', n)
  }
}

/** One counting thread; returns how many steps it did in a second, and how many in all. */
function count({ name }, sync) {
  const map = TypedMap.open(name)
  for (let n = 0; n < OPERATIONS; n++) map.increment('warm-up')
  sync.ready()
  const started = performance.now()
  let steps = 0
  while (!sync.stopped) {
    for (let n = 0; n < PORTION; n++) map.increment('counter')
    steps += PORTION
  }
  const perSecond = (steps / (performance.now() - started)) * 1_000
  map.close()
  return { perSecond, steps }
}

/** Steps that all threads together do in a second, for each round. Throws if a step was lost. */
async function together(threads, seconds) {
  const name = `increment ${threads}`
  const map = TypedMap.open(name)
  map.set('counter', 0)
  const counted = await runThreads(__filename, 'count', new Array(threads).fill({ name }), seconds)
  const steps = counted.reduce((sum, one) => sum + one.steps, 0)
  if (map.get('counter') !== steps) throw new Error(`${steps} steps led to ${map.get('counter')}`)
  map.destroy()
  return counted.reduce((sum, one) => sum + one.perSecond, 0)
}

async function measure({ quick }, report) {
  const map = new TypedMap([['counter', 0]])
  const contenders = Object.entries(LOOPS).map(([name, loop]) => ({
    name,
    operations: OPERATIONS,
    run: () => loop(map)
  }))
  const results = await interleave(contenders, { seconds: quick ? 1 : 6, onRound: part => report(part / 2) })
  const rows = Object.entries(results).map(([contender, { median: value, ...spread }]) => ({
    case: 'one number',
    contender,
    value,
    unit: 'ns',
    ...spread
  }))
  const reached = THREADS.map(() => [])
  const rounds = quick ? QUICK_ROUNDS : ROUNDS
  for (let round = 0; round < rounds; round++) {
    for (const [i, threads] of THREADS.entries()) {
      reached[i].push((await together(threads, quick ? QUICK_SECONDS : SECONDS)) / 1e6)
    }
    report(0.5 + (round + 1) / rounds / 2)
  }
  for (const [i, threads] of THREADS.entries()) {
    const { median: value, fastest: slowest, slowest: fastest, rounds: measured } = summary(reached[i])
    const contender = `${threads} thread${threads > 1 ? 's' : ''}`
    rows.push({
      case: 'increment of one key',
      contender,
      value,
      unit: 'million steps/s',
      fastest,
      slowest,
      rounds: measured
    })
  }
  const time = name => results[name].median
  const [alone, all] = reached.map(median)
  const note = `${availableParallelism()} cores`
  return {
    rows,
    targets: [
      atMost('increment of a number: time against get and set', PAIR_COST, time('increment') / time('get and set')),
      atMost('increment of a number: time against set of a number', SET_COST, time('increment') / time('set')),
      { ...atLeast('increment by four threads of one key: throughput against one thread', SHARE, all / alone), note }
    ]
  }
}

module.exports = { title: 'Steps of a counter', tasks: { measure, count } }
