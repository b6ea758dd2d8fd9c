'use strict'

/*
 * One load in a process of its own: what resident memory and V8's heaps grow by, beside what the map says it holds.
 *
 * The threads first do the same work on another map, so that heaps and code have reached their size; that map is
 * destroyed, and what the process takes then is where growth is counted from. Resident memory is what Linux says of
 * the process (`smaps_rollup`; elsewhere what Node.js says), less what the heaps of all threads take of it: those are
 * looked at by themselves. All threads stand still meanwhile: a heap grows by tens of megabytes in the moment between
 * what a thread says of it and what Linux says of the process.
 *
 * A look is { residentMb, accountedMb, heapMb }, and these are taken: `churned` when time is up, `ended` when the load
 * has done what it does at the end, `cleared` two seconds after `clear()`. `mostAboveMb` is what resident memory was
 * above 1.25 times what was accounted at most, and `mostAccountedMb` the most that was accounted, while the threads
 * were at work.
 */

const { existsSync, readFileSync } = require('node:fs')
const { setTimeout: sleep } = require('node:timers/promises')
const v8 = require('node:v8')
const { TypedMap } = require('typed-superdashmap')
const { startThreads } = require('../harness/threads.js')
const { randomNumbers } = require('../harness/workload.js')

const MB = 2 ** 20
const NAME = 'bounds'
const REHEARSAL_NAME = 'bounds-rehearsal'
const SMAPS = '/proc/self/smaps_rollup'

/** Resident bytes may be this many times what is accounted; what is beyond that is compared with its target. */
const FACTOR = 1.25
const LOOK_MS = 250
const SETTLE_MS = 500
const CLEARED_MS = 2_000
/** How long V8 may take to unmap what it freed. */
const UNMAP_MS = 50
/** How often is asked whether all threads stand still. */
const POLL_MS = 1

/** What the threads are asked to do. */
const CHURN = 0
const REST = 1
const STAND_STILL = 2

/** Words that the threads share: what they are asked to do, how many stand still or rest, then for each its heap. */
const PHASE = 0
const RESTING = 1
const HEAPS = 2
/** Beside them in each thread's place: all that its heap has, and what is used of it after a collection. */
const PER_THREAD = 2

class Control {
  constructor(buffer) {
    this.buffer = buffer
    this.words = new Int32Array(buffer, 0, HEAPS)
    this.heaps = new Float64Array(buffer, HEAPS * Int32Array.BYTES_PER_ELEMENT)
  }

  static for(threads) {
    const bytes = HEAPS * Int32Array.BYTES_PER_ELEMENT + threads * PER_THREAD * Float64Array.BYTES_PER_ELEMENT
    return new Control(new SharedArrayBuffer(bytes))
  }

  tell(thread) {
    this.heaps[thread * PER_THREAD] = v8.getHeapStatistics().total_physical_size
  }

  /** A thread says how large its heap is and stands still for as long as it is asked to. */
  standStill(thread) {
    this.tell(thread)
    Atomics.add(this.words, RESTING, 1)
    Atomics.wait(this.words, PHASE, STAND_STILL)
    Atomics.sub(this.words, RESTING, 1)
  }

  /** What `look` returns, or promises, while all threads that churn stand still. */
  async whileAllStandStill(threads, look) {
    Atomics.store(this.words, PHASE, STAND_STILL)
    await this.untilResting(threads)
    const seen = await look()
    Atomics.store(this.words, PHASE, CHURN)
    Atomics.notify(this.words, PHASE)
    while (Atomics.load(this.words, RESTING) > 0) await sleep(POLL_MS)
    return seen
  }

  async untilResting(threads) {
    while (Atomics.load(this.words, RESTING) < threads) await sleep(POLL_MS)
  }

  tellUsed(thread) {
    globalThis.gc()
    globalThis.gc()
    this.heaps[thread * PER_THREAD + 1] = v8.getHeapStatistics().used_heap_size
    this.tell(thread)
  }

  sum(which) {
    let sum = 0
    for (let place = which; place < this.heaps.length; place += PER_THREAD) sum += this.heaps[place]
    return sum
  }
}

function residentBytes() {
  if (!existsSync(SMAPS)) return process.memoryUsage.rss()
  return Number(/^Rss:\s+(\d+)/m.exec(readFileSync(SMAPS, 'utf8'))[1]) * 1024
}

/** One thread: rehearses, then works until it is asked to rest, and says how large its heap is meanwhile. */
async function work({ file, thread, buffer, rehearsalMs }, sync) {
  const load = require(file)
  const control = new Control(buffer)
  const random = randomNumbers(thread + 1)
  const churn = async (map, isOver) => {
    const context = { random, thread, state: load.begin?.(random) }
    while (!isOver()) {
      load.step(map, context)
      // Outdated copies are removed between turns.
      await new Promise(setImmediate)
      if (Atomics.load(control.words, PHASE) === STAND_STILL) control.standStill(thread)
    }
  }
  const rehearsal = TypedMap.open(REHEARSAL_NAME, load.options)
  const end = performance.now() + rehearsalMs
  await churn(rehearsal, () => performance.now() > end)
  rehearsal.close()
  await sleep(SETTLE_MS)
  control.tellUsed(thread)
  sync.ready()

  const map = TypedMap.open(NAME, load.options)
  await churn(map, () => Atomics.load(control.words, PHASE) === REST)
  control.tellUsed(thread)
  Atomics.add(control.words, RESTING, 1)
  while (!sync.stopped) {
    await sleep(LOOK_MS)
    control.tellUsed(thread)
  }
  map.close()
}

async function measure({ file, threads, seconds }, report) {
  const load = require(file)
  const control = Control.for(threads)
  const own = () => v8.getHeapStatistics().total_physical_size
  const outside = () => residentBytes() - control.sum(0) - own()
  const map = TypedMap.open(NAME, load.options)
  const rehearsalMs = Math.min(5_000, (seconds * 1_000) / 3)
  const parameters = Array.from({ length: threads }, (_, thread) => ({
    file,
    thread,
    buffer: control.buffer,
    rehearsalMs
  }))
  let before
  let heapBefore
  const running = await startThreads(__filename, 'work', parameters, async () => {
    await sleep(SETTLE_MS)
    globalThis.gc()
    before = outside()
    heapBefore = control.sum(1)
  })
  const accounted = () => map.memoryUsage()
  const look = () => ({
    accountedMb: accounted() / MB,
    residentMb: (outside() - before) / MB,
    heapMb: (control.sum(1) - heapBefore) / MB
  })

  const lookAbove = async () => {
    const { accountedMb, residentMb } = look()
    const aboveMb = residentMb - FACTOR * accountedMb
    // What V8 says it has freed is unmapped a moment later. Only where heaps are large: it gives our own thread in the
    // background a moment, too.
    if (load.heapMb === undefined || aboveMb <= 0) return { accountedMb, aboveMb }
    await sleep(UNMAP_MS)
    return { accountedMb, aboveMb: Math.min(aboveMb, look().residentMb - FACTOR * accountedMb) }
  }
  let mostAboveMb = 0
  let mostAccountedMb = 0
  const end = performance.now() + seconds * 1_000
  for (let left = end - performance.now(); left > 0; left = end - performance.now()) {
    await sleep(Math.min(LOOK_MS, left))
    const { accountedMb, aboveMb } = await control.whileAllStandStill(threads, lookAbove)
    mostAboveMb = Math.max(mostAboveMb, aboveMb)
    mostAccountedMb = Math.max(mostAccountedMb, accountedMb)
    report(1 - left / 1_000 / seconds)
  }
  Atomics.store(control.words, PHASE, REST)
  await control.untilResting(threads)
  await sleep(2 * LOOK_MS)
  globalThis.gc()
  const churned = look()
  await load.end?.(map)
  globalThis.gc()
  await sleep(2 * LOOK_MS)
  const ended = look()
  map.clear()
  await sleep(CLEARED_MS)
  globalThis.gc()
  const cleared = look()
  await running.stop()
  map.destroy()
  return { threads, seconds, mostAboveMb, mostAccountedMb, churned, ended, cleared }
}

module.exports = { tasks: { measure, work } }
