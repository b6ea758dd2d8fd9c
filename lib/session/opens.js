'use strict'

// The maps that this evaluation of the package has open, for what is to see all of them: those that are open already
// and each that is opened later. They are held weakly.

const { isMainThread } = process.getBuiltinModule('node:worker_threads')

/**
 * An `OpenMap`.
 *
 * @typedef {{
 *   id: number,
 *   name: string | null,
 *   instance: number,
 *   atEnd: (ending: () => void) => void,
 *   reportHits: () => void
 * }} Open
 */

/** @type {Set<WeakRef<Open>>} */
const opens = new Set()

/** Those of a map with a name, by the number of the map. @type {Map<number, Set<WeakRef<Open>>>} */
const named = new Map()

/** Called with each map that is opened. @type {Set<(open: any) => void>} */
const greeters = new Set()

/** From so many on, those that were collected are looked for each time there are twice as many. */
const FIRST_SWEEP = 64
let nextSweep = FIRST_SWEEP

/**
 * Enters a map that was opened.
 *
 * @param {Open} open
 */
function enter(open) {
  const reference = new WeakRef(open)
  opens.add(reference)
  const { name, instance } = open
  const ofMap = named.get(instance) ?? new Set()
  if (name !== null) named.set(instance, ofMap.add(reference))
  open.atEnd(() => {
    opens.delete(reference)
    ofMap.delete(reference)
    if (ofMap.size === 0) named.delete(instance)
    endReportAtExit()
  })
  if (opens.size >= nextSweep) {
    for (const one of opens) if (one.deref() === undefined) opens.delete(one)
    nextSweep = Math.max(FIRST_SWEEP, 2 * opens.size)
  }
  for (const greet of greeters) greet(open)
  reportAtExit()
}

/** Whether near hits are reported when this thread ends. */
let isReportedAtExit = false

const reportAll = () => eachOpen(open => open.reportHits())

/** Near hits that wait for a report would end with the thread. With the main thread, everything does. */
function reportAtExit() {
  if (isReportedAtExit || isMainThread) return
  // One listener more is taken for a leak, and the user is warned of it.
  const most = process.getMaxListeners()
  if (most > 0 && process.listenerCount('exit') >= most) return
  isReportedAtExit = true
  process.on('exit', reportAll)
}

/** Without maps that are open nothing waits, and the listener would hold this evaluation of the package. */
function endReportAtExit() {
  if (!isReportedAtExit || opens.size > 0) return
  isReportedAtExit = false
  process.off('exit', reportAll)
}

/**
 * The map that has this id, if it is open and can be reached.
 *
 * @param {number} id
 * @returns {Open | undefined}
 */
function openOfId(id) {
  for (const reference of opens) {
    const open = reference.deref()
    if (open?.id === id) return open
  }
  return undefined
}

/**
 * Calls `visit` with each map that is open.
 *
 * @param {(open: any) => void} visit
 */
function eachOpen(visit) {
  for (const reference of [...opens]) {
    const open = reference.deref()
    if (open !== undefined) visit(open)
  }
}

/**
 * Reports the near hits that this thread has had in a map, by any of its references.
 *
 * @param {Open} open one of them
 */
function reportHitsOf(open) {
  for (const reference of named.get(open.instance) ?? []) reference.deref()?.reportHits()
  // If it has no name.
  open.reportHits()
}

/**
 * Calls `greet` with each map that is open, and with each that is opened until the returned function is called.
 *
 * @param {(open: any) => void} greet
 * @returns {() => void}
 */
function greetAll(greet) {
  greeters.add(greet)
  eachOpen(greet)
  return () => {
    greeters.delete(greet)
  }
}

module.exports = { eachOpen, enter, greetAll, openOfId, reportHitsOf }
