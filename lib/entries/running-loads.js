'use strict'

// Loaders that run for long are reported while they run, because one that never ends has no end to report. As long as
// this thread has loads, they are looked at each second, so a load costs nothing for it: a loader is known from the
// first look that finds it, up to a second late. Native code knows its target and whether something listens.

const { binding } = require('../native/attach.js')
const { later, now } = require('../native/timer.js')

const { noteRunningLoad: noteRunningLoadBinding } = binding

/** @typedef {import('./load-call.js').Job} Job */
/** The loads of an open map. @typedef {{ open: { id: number }, jobs: () => Iterable<Job> }} Loads */

const LOOK_MS = 1_000

/** Loaders that one look asks native code about. */
const MOST_ASKED = 32

/** Loaders that one look meets. */
const MOST_MET = 4_096

let isScheduled = false

/**
 * Has the loads of this thread looked at as long as there are some.
 *
 * @param {ReadonlyMap<number, Loads>} all
 */
function watchLoads(all) {
  if (isScheduled) return
  isScheduled = true
  later(() => {
    isScheduled = false
    look(all.values(), now())
    if (all.size > 0) watchLoads(all)
  }, LOOK_MS)
}

/**
 * @param {Iterable<Loads>} all
 * @param {number} nowMs
 */
function look(all, nowMs) {
  let [asked, met] = [0, 0]
  for (const loads of all) {
    for (const job of loads.jobs()) {
      if (asked >= MOST_ASKED || met++ >= MOST_MET) return
      job.seenMs ??= nowMs
      const ms = nowMs - job.seenMs
      // Again when it has run for twice as long.
      if (ms === 0 || ms < job.toldMs * 2) continue
      asked++
      if (note(loads.open.id, ms)) job.toldMs = ms
    }
  }
}

/** @param {number} id @param {number} ms */
function note(id, ms) {
  try {
    return noteRunningLoadBinding(id, ms)
  } catch {
    // The map has ended, and its loads with it.
    return false
  }
}

module.exports = { look, watchLoads }
