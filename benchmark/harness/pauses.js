'use strict'

/*
 * How long a call keeps its thread: by the wall clock, by the time the thread itself was running, and by that in which it
 * could have run and another had the processor.
 */

const { existsSync, openSync, readSync } = require('node:fs')

/**
 * Time the calling thread has run, in ms. Where this Node.js version cannot say it for one thread it is that of the whole
 * process, helper threads of the garbage collector included: an upper bound.
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

/** Time for which the main thread could have run and had no processor, in ms; 0 where the system does not say it. */
function waitedMs() {
  if (scheduleFile === undefined) return 0
  const length = readSync(scheduleFile, scheduleText, 0, scheduleText.length, 0)
  const [, waited] = scheduleText.toString('latin1', 0, length).split(' ')
  return Number(waited) / 1e6
}

/** Both times of one call, in ms. */
function pauseOf(call) {
  const own = ownTimeMs()
  const started = performance.now()
  call()
  const wall = performance.now() - started
  return { wall, own: ownTimeMs() - own }
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

module.exports = { OWN_TIME, ownTimeMs, ownTimeResolutionMs, pauseOf, waitedMs }
