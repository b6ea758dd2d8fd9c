'use strict'

// One thread of the histories: runs a seeded program of operations on a map and writes down what each one saw, and
// when.
//
// Time is a counter that all threads share. An operation starts at the number it reads there, and ends with the number
// that it takes from there, so it precedes another exactly if its end is below the other's start. Between the two is
// the operation, and nothing else.

const { parentPort, workerData } = require('node:worker_threads')
const { TypedMap } = require('../..')
const { CONTROL, KEYS, LONGEST, NEAR_CACHES, PROFILES, drawsOf } = require('./history-program.js')
const { Random } = require('./random.js')
const { Recorder } = require('./history-recorder.js')
const { Reader, Writer } = require('./watcher.js')

const { thread, control, logs } = workerData

/** Waits until all threads came here. Spins at first: an operation takes less time than waking a thread does. */
function meet(stage, threads) {
  Atomics.add(control, stage, 1)
  Atomics.notify(control, stage)
  for (let spins = 0; Atomics.load(control, stage) < threads; spins++) {
    if (spins > 10_000) Atomics.wait(control, stage, Atomics.load(control, stage), 1)
  }
}

/** A round that is written down. Gives the number of rows. */
async function record({ name, seed, profile: number, log, threads, operations }) {
  const profile = PROFILES[number]
  const random = new Random(seed + thread * 0x9e3779b9)
  // The same map without a near cache: what it reads is what the store holds.
  const native = TypedMap.open(name, { ...profile.options, nearCache: false })
  const near = TypedMap.open(name, { ...profile.options, nearCache: nearCacheOf(seed) })
  const { longest = LONGEST, options } = profile
  const written = new Float64Array(logs[log])
  const hasCodec = options.codec !== undefined
  // In every other round of a map the counter is a field of an object.
  const countsField = !hasCodec && Math.floor(seed / PROFILES.length) % 2 === 0
  const recorder = new Recorder({ near, native, control, log: written, thread, longest, hasCodec, countsField })
  const draws = drawsOf(profile)
  const destroysAt = profile.destroys && seed % threads === thread ? random.below(operations) : -1
  meet(CONTROL.STARTED, threads)
  let key = 0
  for (let n = 0; n < operations; n++) {
    // Runs of operations on one key: what one of them sees, the next must not contradict.
    if (random.below(4) === 0) key = random.below(KEYS)
    const later = recorder.run(n === destroysAt ? 'destroy' : draws[random.below(draws.length)], key, random)
    if (later !== undefined) await later
  }
  meet(CONTROL.ENDED, threads)
  // Nothing is written any more: now all threads agree, whatever copies they keep.
  for (let last = 0; last < KEYS; last++) {
    for (const operation of ['readNear', 'readNative', 'readHandle', 'readItself'])
      recorder.run(operation, last, random)
  }
  near.close()
  native.close()
  return recorder.count
}

/** A round in which one thread writes and the others watch. Gives how often they read, and what was wrong. */
function watch({ name, seed, threads, operations }) {
  const native = TypedMap.open(name, { nearCache: false })
  const near = TypedMap.open(name, { nearCache: nearCacheOf(seed) })
  const writer = new Writer(near, new Random(seed))
  const reader = new Reader(near, native, KEYS)
  meet(CONTROL.STARTED, threads)
  if (thread === 0) {
    for (let n = 0; n < operations; n++) writer.step(KEYS)
    Atomics.store(control, CONTROL.WRITTEN, 1)
  } else {
    while (Atomics.load(control, CONTROL.WRITTEN) === 0) reader.step()
  }
  near.close()
  native.close()
  return { reads: reader.reads, wrong: reader.wrong }
}

const nearCacheOf = seed => NEAR_CACHES[(seed + thread) % NEAR_CACHES.length]

parentPort.on('message', async message =>
  parentPort.postMessage(message.watches ? watch(message) : await record(message))
)
