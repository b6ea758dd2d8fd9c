'use strict'

/*
 * What does a writer in another thread do to the latency of a reader?
 *
 * The reader times each of its reads, with the near cache off. Phases with and without a writer alternate; the writer
 * replaces random entries of the same map as fast as it can.
 */

const { TypedMap } = require('typed-superdashmap')
const { atMost } = require('../harness/question.js')
const { median, summary } = require('../harness/rounds.js')
const { startThreads } = require('../harness/threads.js')
const { KEYS, VALUES, make, randomNumbers } = require('../harness/workload.js')

const ENTRIES = 100_000
const NAME = 'reader-latency'
const READS = 2_000_000
const QUICK_READS = 200_000
const WARMUP_READS = 200_000
const ROUNDS = 7
const QUICK_ROUNDS = 2

/** Writes between two looks whether to stop. */
const PORTION = 100

/** How much later the reader's 99.9th percentile may be. */
const TARGET = 2

const PARTS = { p50: 0.5, p99: 0.99, 'p99.9': 0.999 }

const keys = () => make(ENTRIES, KEYS.string.key)
const open = () => TypedMap.open(NAME, { nearCache: false })

/** Latencies of single reads, in ns, by percentile. */
function read({ reads }, sync) {
  const map = open()
  const all = keys()
  const random = randomNumbers(1)
  const latencies = new Float64Array(reads)
  sync.ready()
  for (let i = -WARMUP_READS; i < reads; i++) {
    const key = all[Math.floor(random() * ENTRIES)]
    const started = performance.now()
    const value = map.get(key)
    const spent = performance.now() - started
    if (value === undefined) throw new Error(`${key} is missing`)
    if (i >= 0) latencies[i] = spent * 1e6
  }
  map.close()
  latencies.sort()
  return Object.fromEntries(Object.entries(PARTS).map(([part, at]) => [part, latencies[Math.floor(at * (reads - 1))]]))
}

/** Writes until it is asked to stop; returns the number of writes. */
function write(_, sync) {
  const map = open()
  const all = keys()
  const random = randomNumbers(2)
  let writes = 0
  sync.ready()
  while (!sync.stopped) {
    for (let i = 0; i < PORTION; i++) {
      const at = Math.floor(random() * ENTRIES)
      map.set(all[at], VALUES.small(at + writes))
      writes++
    }
  }
  map.close()
  return writes
}

async function measure({ quick }, report) {
  const map = open()
  for (const [i, key] of keys().entries()) map.set(key, VALUES.small(i))
  const rounds = quick ? QUICK_ROUNDS : ROUNDS
  const parameters = [{ reads: quick ? QUICK_READS : READS }]
  const found = { 'no writer': [], 'a writer in another thread': [] }
  let writes = 0
  const readOnce = async () => (await (await startThreads(__filename, 'read', parameters)).stop())[0]
  for (let round = 0; round < rounds; round++) {
    found['no writer'].push(await readOnce())
    const writer = await startThreads(__filename, 'write', [undefined])
    found['a writer in another thread'].push(await readOnce())
    writes += (await writer.stop())[0]
    report((round + 1) / rounds)
  }
  map.destroy()
  if (writes === 0) throw new Error('the writer did not write')
  const rows = Object.keys(PARTS).flatMap(part =>
    Object.entries(found).map(([contender, all]) => {
      const { median: value, ...spread } = summary(all.map(one => one[part]))
      return { case: `${part} of a read`, contender, value, unit: 'ns', ...spread }
    })
  )
  const last = name => median(found[name].map(one => one['p99.9']))
  return {
    rows,
    targets: [
      atMost(
        "a writer in another thread: the reader's 99.9th percentile against none",
        TARGET,
        last('a writer in another thread') / last('no writer')
      )
    ],
    chart: { unit: 'ns', highlight: ['a writer'] }
  }
}

module.exports = { title: 'Latency of a reader beside a writer', tasks: { measure, read, write } }
