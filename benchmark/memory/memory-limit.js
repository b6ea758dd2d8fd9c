'use strict'

/*
 * Does a limit of 32 MB hold while four threads insert ten times as much?
 *
 * A thread of its own asks the map for its memory all the time, and the starting thread looks at resident memory.
 * Before, the four have inserted as much into a small map that is gone by then, so that their heaps have reached the
 * size that this takes.
 */

const { TypedMap } = require('typed-superdashmap')
const { inChild } = require('../harness/child.js')
const { atMost } = require('../harness/question.js')
const { summary } = require('../harness/rounds.js')
const { startThreads } = require('../harness/threads.js')
const { make, randomNumbers } = require('../harness/workload.js')

const MB = 2 ** 20
const LIMIT_MB = 32
const TIMES = 10
const THREADS = 4
const RUNS = 5
const QUICK_RUNS = 1
const NAME = 'memory-limit'
const WARMUP_NAME = 'memory-limit-warm-up'
const WARMUP_LIMIT_MB = 2

/**
 * Values from 100 bytes to 4 KB, each doubling as likely as the next. They are made once and keys are numbers:
 * inserting makes no garbage that would count as resident.
 */
const SHORTEST = 100
const DOUBLINGS = 5.3
const VALUES = make(1_000, i => 'x'.repeat(Math.floor(SHORTEST * 2 ** ((DOUBLINGS * i) / 1_000))))

/** Keys of a thread. */
const KEYS_PER_THREAD = 10_000_000

/** Resident growth against the limit. */
const TARGET = 1.3

/**
 * The part of the heap where objects begin is small and has its largest size from the start, or its growth would
 * count.
 */
const FIXED_NURSERY = ['--min-semi-space-size=2', '--max-semi-space-size=2']
const SETTLE_MS = 300
const LOOK_MS = 2

/** How many times the map was asked at least for a run to say something. */
const LEAST_SAMPLES = 1_000

const openAt = (name, limitMb) => TypedMap.open(name, { memoryLimit: limitMb * MB, nearCache: false })

/** Inserts until so many bytes of values went in. */
function insertBytes(map, bytes, random, firstKey) {
  let inserted = 0
  for (let key = firstKey; inserted < bytes; key++) {
    const value = VALUES[Math.floor(VALUES.length * random())]
    map.set(key, value)
    inserted += value.length
  }
}

/** One of the inserting threads. */
function insert({ thread, bytes }, sync) {
  const random = randomNumbers(thread)
  const warmup = openAt(WARMUP_NAME, WARMUP_LIMIT_MB)
  insertBytes(warmup, bytes, random, thread * KEYS_PER_THREAD)
  warmup.close()
  const map = openAt(NAME, LIMIT_MB)
  sync.ready()
  insertBytes(map, bytes, random, thread * KEYS_PER_THREAD)
  map.close()
}

/** Asks the map for its memory until it is asked to stop; returns the most that it reported. */
function watch(_, sync) {
  const map = openAt(NAME, LIMIT_MB)
  let most = 0
  let samples = 0
  sync.ready()
  while (!sync.stopped) {
    most = Math.max(most, map.memoryUsage())
    samples++
  }
  map.close()
  return { most, samples }
}

const settle = () => new Promise(resolve => setTimeout(resolve, SETTLE_MS))

/** One run: the most that was reported, and the most that resident memory grew by. */
async function fill({ times }) {
  const map = openAt(NAME, LIMIT_MB)
  const bytes = (times * LIMIT_MB * MB) / THREADS
  const parameters = Array.from({ length: THREADS }, (_, thread) => ({ thread: thread + 1, bytes }))
  // It watches while the others warm up, so that its own heap has grown too.
  const watching = await startThreads(__filename, 'watch', [undefined])
  let before
  const inserting = await startThreads(__filename, 'insert', parameters, async () => {
    await settle()
    before = process.memoryUsage.rss()
  })
  let resident = before
  const timer = setInterval(() => {
    resident = Math.max(resident, process.memoryUsage.rss())
  }, LOOK_MS)
  await inserting.stop()
  clearInterval(timer)
  const [{ most, samples }] = await watching.stop()
  if (samples < LEAST_SAMPLES) throw new Error(`the map was asked only ${samples} times`)
  const { size } = map
  map.destroy()
  return { most: most / MB, samples, growth: (resident - before) / MB, size }
}

async function measure({ quick }, report) {
  const runs = quick ? QUICK_RUNS : RUNS
  const found = []
  for (let run = 0; run < runs; run++) {
    found.push(await inChild(__filename, 'fill', { times: quick ? TIMES / 5 : TIMES }, { flags: FIXED_NURSERY }))
    report((run + 1) / runs)
  }
  const row = (what, unit, get) => {
    const { median: value, ...spread } = summary(found.map(get))
    return { case: `${THREADS} threads, limit ${LIMIT_MB} MB`, contender: what, value, unit, ...spread }
  }
  const most = Math.max(...found.map(one => one.most))
  const growth = summary(found.map(one => one.growth))
  return {
    rows: [
      row('most memory reported', 'MB', one => one.most),
      row('resident memory grew by', 'MB', one => one.growth),
      row('entries left', 'entries', one => one.size),
      row('times it was asked', 'samples', one => one.samples)
    ],
    targets: [
      { ...atMost('memory reported, at any time in any run', LIMIT_MB, most, ' MB'), note: `${runs} runs` },
      atMost(`resident growth against the limit`, TARGET, growth.median / LIMIT_MB)
    ]
  }
}

module.exports = { title: 'A limit in bytes with four threads inserting', tasks: { measure, fill, insert, watch } }
