'use strict'

/*
 * How long a call keeps its thread: by the wall clock, by the time the thread itself was running, and by that in which
 * it could have run and another had the processor.
 */

const { existsSync, openSync, readSync } = require('node:fs')

/**
 * Time the calling thread has run, in ms. Where this Node.js version cannot say it for one thread it is that of the
 * whole process, helper threads of the garbage collector included: an upper bound.
 */
const ownTimeMs = () => {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage()
  return (user + system) / 1000
}

const OWN_TIME = process.threadCpuUsage === undefined ? 'process, upper bound' : 'calling thread'

/** Of the main thread: time run, time waited for a processor, both in ns, and how often it ran. Linux only. */
const SCHEDULE = '/proc/self/schedstat'
const scheduleFile = existsSync(SCHEDULE) ? openSync(SCHEDULE, 'r') : undefined
const scheduleText = Buffer.alloc(64)

/** The first two of them, in ms; `undefined` where the system does not say it. */
function schedule() {
  if (scheduleFile === undefined) return undefined
  const length = readSync(scheduleFile, scheduleText, 0, scheduleText.length, 0)
  const [run, waited] = scheduleText.toString('latin1', 0, length).split(' ')
  return { run: Number(run) / 1e6, waited: Number(waited) / 1e6 }
}

/** Time for which the main thread could have run and had no processor, in ms; 0 where the system does not say it. */
const waitedMs = () => schedule()?.waited ?? 0

const nothing = new Int32Array(new SharedArrayBuffer(4))

/** Time that the main thread has run, up to date: the system adds it up when a thread goes to sleep. */
function mainThreadMs() {
  Atomics.wait(nothing, 0, 0, 1)
  return schedule()?.run
}

/** Whether only the system says how long the main thread has run. */
const asksSystem = process.threadCpuUsage === undefined && (schedule()?.run ?? 0) > 0

/** What the own time of a pause is that of. */
const PAUSE_TIME = asksSystem ? 'calling thread' : OWN_TIME

/** Both times of one call of the main thread, in ms. */
function pauseOf(call) {
  const ownMs = asksSystem ? mainThreadMs : ownTimeMs
  const own = ownMs()
  const started = performance.now()
  call()
  const wall = performance.now() - started
  return { wall, own: ownMs() - own }
}

/** What `process.cpuUsage` counts in, at worst: the smallest step that is seen while time passes. */
function ownTimeResolutionMs() {
  let smallest = Number.POSITIVE_INFINITY
  let last = ownTimeMs()
  const started = performance.now()
  while (performance.now() - started < 50) {
    const now = ownTimeMs()
    if (now > last) smallest = Math.min(smallest, now - last)
    last = now
  }
  return smallest
}

module.exports = { OWN_TIME, PAUSE_TIME, ownTimeMs, ownTimeResolutionMs, pauseOf, waitedMs }
