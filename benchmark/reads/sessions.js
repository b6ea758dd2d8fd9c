'use strict'

/*
 * What does a processor do in a second for workers that share sessions? Nine operations of ten read a session, one
 * writes it; Zipf 0.99 over their numbers.
 *
 * One contender is a TypedMap. The other is a `Map` in each worker: what one writes, it sends to the others through a
 * BroadcastChannel, which all of them store. All workers do as much as they can, in portions after which messages are
 * received; phases of the two alternate. What counts is operations per second of CPU time of the whole process, with
 * garbage collection and the delivery of messages in it.
 */

const { BroadcastChannel } = require('node:worker_threads')
const { setTimeout: sleep } = require('node:timers/promises')
const { TypedMap } = require('typed-superdashmap')
const { atLeast } = require('../harness/question.js')
const { median, summary } = require('../harness/rounds.js')
const { startThreads } = require('../harness/threads.js')
const { randomNumbers, sessionOf, zipfOrder } = require('../harness/workload.js')

const ENTRIES = 20_000
const SKEW = 0.99
const REQUESTS = 1 << 17
const WRITES = 0.1
/** Operations between two turns of the event loop: a burst of requests. */
const PORTION = 200

const WORKERS = { 2: 0.9, 4: 1.2 }
const SECONDS = 2
const QUICK_SECONDS = 0.3
const ROUNDS = 7
const QUICK_ROUNDS = 2

/** After a worker has said that it stops, others may still send to it. */
const LINGER_MS = 50

const NAME = 'bench-sessions'

/** By name: opens what a worker reads and writes. */
const CONTENDERS = {
  TypedMap: () => {
    const map = TypedMap.open(NAME)
    return { get: key => map.get(key), set: (key, value) => map.set(key, value), close: () => map.close() }
  },
  'a Map per worker, BroadcastChannel': keys => {
    const map = new Map(keys.map((key, n) => [key, sessionOf(n, 0)]))
    const channel = new BroadcastChannel(NAME)
    channel.onmessage = ({ data: [key, value] }) => map.set(key, value)
    return {
      get: key => map.get(key),
      set(key, value) {
        map.set(key, value)
        channel.postMessage([key, value])
      },
      close: () => channel.close()
    }
  }
}

const makeKeys = () => Array.from({ length: ENTRIES }, (_, n) => `session:${n}`)

/** One worker: operations until it is asked to stop. */
async function serve({ name, seed }, sync) {
  const keys = makeKeys()
  const map = CONTENDERS[name](keys)
  const order = zipfOrder(REQUESTS, ENTRIES, SKEW, seed)
  const random = randomNumbers(seed)
  const isWrite = Uint8Array.from({ length: REQUESTS }, () => (random() < WRITES ? 1 : 0))
  let operations = 0
  let characters = 0
  const portion = () => {
    for (const end = operations + PORTION; operations < end; operations++) {
      const at = operations % REQUESTS
      const n = order[at]
      if (isWrite[at] === 1) map.set(keys[n], sessionOf(n, operations))
      else characters += map.get(keys[n]).address.length
    }
  }
  for (let end = performance.now() + 500; performance.now() < end; ) {
    portion()
    await new Promise(setImmediate)
  }
  sync.ready()
  operations = 0
  while (!sync.stopped) {
    portion()
    await new Promise(setImmediate)
  }
  if (characters === 0) throw new Error(`${name}: nothing was read`)
  await sleep(LINGER_MS)
  map.close()
  return operations
}

/** Millions of operations per second of CPU time. */
async function phase(name, workers, seconds) {
  const parameters = Array.from({ length: workers }, (_, index) => ({ name, seed: index + 1 }))
  let before
  const running = await startThreads(__filename, 'serve', parameters, () => {
    before = process.cpuUsage()
  })
  await sleep(seconds * 1_000)
  const operations = await running.stop()
  const { user, system } = process.cpuUsage(before)
  return operations.reduce((sum, one) => sum + one, 0) / (user + system)
}

async function measure({ quick }, report) {
  const map = TypedMap.open(NAME)
  for (const [n, key] of makeKeys().entries()) map.set(key, sessionOf(n, 0))
  const rows = []
  const targets = []
  const rounds = quick ? QUICK_ROUNDS : ROUNDS
  const names = Object.keys(CONTENDERS)
  for (const [index, [workers, target]] of Object.entries(WORKERS).entries()) {
    const reached = names.map(() => [])
    for (let round = 0; round < rounds; round++) {
      for (const [n, name] of names.entries()) {
        reached[n].push(await phase(name, Number(workers), quick ? QUICK_SECONDS : SECONDS))
      }
      report((index + (round + 1) / rounds) / Object.keys(WORKERS).length)
    }
    for (const [n, contender] of names.entries()) {
      const { median: value, fastest: slowest, slowest: fastest, rounds: counted } = summary(reached[n])
      const spread = { fastest, slowest, rounds: counted }
      rows.push({ case: `${workers} workers`, contender, value, unit: 'million operations/CPU s', ...spread })
    }
    const what = `sessions, 90 % reads, ${workers} workers: operations per CPU second against ${names[1]}`
    targets.push(atLeast(what, target, median(reached[0]) / median(reached[1])))
  }
  map.destroy()
  return { rows, targets, chart: { unit: 'million operations/CPU s', highlight: ['TypedMap'] } }
}

module.exports = { title: 'Sessions of several workers', tasks: { measure, serve } }
