'use strict'

/*
 * The own time of one call: how long it kept its thread, less the time for which the thread could have run and another
 * had the processor. Waiting and sleeping count, another program beside does not.
 */

const { existsSync, readFileSync } = require('node:fs')

/** Of the calling thread: time run, and time waited for a processor, both in ns. Linux only. */
const SCHEDULE = '/proc/thread-self/schedstat'
const isKnown = existsSync(SCHEDULE)

function waitedMs() {
  if (!isKnown) return 0
  return Number(readFileSync(SCHEDULE, 'latin1').split(' ')[1]) / 1e6
}

/** Milliseconds of one call. Looking at the schedule takes some hundredths. */
function ownMs(call) {
  const waited = waitedMs()
  const started = performance.now()
  call()
  const wall = performance.now() - started
  return Math.max(0, wall - (waitedMs() - waited))
}

module.exports = { ownMs, isKnown }
