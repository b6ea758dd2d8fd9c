'use strict'

// Decides whether what several threads saw of one key can be explained by one entry that each operation looks at, and
// changes, in a single moment between its call and its return. That is linearizability (Herlihy and Wing, 1990).
//
// The search is that of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993): among the operations that no
// other one precedes, one must come first; take it if the entry's state allows it, and go on with the rest. Lowe's
// memory of configurations ("Testing for Linearizability", 2017) keeps it from exploring one twice. A thread's
// operations follow each other, so a configuration is how far each thread came, and the state. Two things make it
// fast. An operation that changes nothing and agrees with the state is taken at once: if any explanation exists, one
// exists that goes on like this. And values are written once only, so a value names its write.
//
// The model of an entry is one number: the value, 0 if it is absent. Values know their *tenant*, the handle they were
// written under. Where entries may vanish (eviction, expiry), a state can become 0 between any two operations.

/** What an operation says of the state it met. */
const SAW = Object.freeze({
  /** Nothing. */
  ANYTHING: 0,
  /** There was no entry. */
  ABSENT: 1,
  /** There was one. */
  PRESENT: 2,
  /** The entry had the value `of`. */
  VALUE: 3,
  /** The entry was the tenant `of`. */
  TENANT: 4,
  /** The tenant `of` was gone. */
  NO_TENANT: 5,
  /** There was no entry, or it was the tenant `of`: what a write by key says that made or kept this tenant. */
  AT_MOST_TENANT: 6
})

/** What an operation does to the state. */
const DOES = Object.freeze({
  NOTHING: 0,
  WRITE: 1,
  DELETE: 2,
  /** Writes if there is no entry, or does not. */
  MAYBE_WRITE: 3
})

/**
 * @typedef {object} Operation
 * @property {number} start clock when it was called: the number of operations that had returned
 * @property {number} end number of this operation among those that returned
 * @property {number} saw one of SAW
 * @property {number} of the value or the tenant that `saw` is about
 * @property {number} does one of DOES
 * @property {number} value what it wrote
 */

/**
 * @typedef {object} Rules
 * @property {Map<number, number>} tenants the tenant of each value
 * @property {boolean} [vanish] whether entries may vanish
 */

const ABSENT = 0

/**
 * Whether an operation agrees with a state.
 *
 * @param {Operation} operation
 * @param {number} state
 * @param {Map<number, number>} tenants
 * @returns {boolean}
 */
function agrees({ saw, of }, state, tenants) {
  if (saw === SAW.VALUE) return state === of
  if (saw === SAW.ANYTHING) return true
  if (saw === SAW.ABSENT) return state === ABSENT
  if (saw === SAW.PRESENT) return state !== ABSENT
  if (state === ABSENT) return saw !== SAW.TENANT
  return (tenants.get(state) === of) === (saw !== SAW.NO_TENANT)
}

/**
 * The states that an operation may lead to.
 *
 * @param {Operation} operation
 * @param {number} state
 * @param {boolean} vanish whether the entry may have vanished before
 */
function after({ does, value }, state, vanish) {
  if (does === DOES.WRITE) return [value]
  if (does === DOES.MAYBE_WRITE && (state === ABSENT || vanish)) return [state, value]
  return [does === DOES.DELETE ? ABSENT : state]
}

/**
 * Searches for an explanation of a history of one key that begins absent.
 *
 * @param {readonly Operation[][]} threads the operations of each thread, in its order
 * @param {Rules} rules
 * @returns {null | { reached: number[], state: number }} `null` if there is one; otherwise the configuration that
 * explained most
 */
function search(threads, { tenants, vanish = false }) {
  const total = threads.reduce((sum, operations) => sum + operations.length, 0)
  const seen = new Set()
  const open = [{ reached: threads.map(() => 0), state: ABSENT }]
  let best = { reached: threads.map(() => 0), state: ABSENT }
  let bestCount = -1
  for (;;) {
    const configuration = open.pop()
    if (configuration === undefined) return best
    const { reached, state } = configuration
    const horizon = takeAgreeing(threads, reached, state, tenants)
    const count = reached.reduce((sum, number) => sum + number, 0)
    if (count === total) return null
    if (count > bestCount) {
      best = configuration
      bestCount = count
    }
    const name = `${reached.join()}:${state}`
    if (seen.has(name)) continue
    seen.add(name)
    const vanished = vanish ? ABSENT : state
    let wantsVanished = false
    /** @type {{ end: number, thread: number }[]} */
    const next = []
    for (const [thread, operations] of threads.entries()) {
      const operation = operations[reached[thread]]
      if (operation === undefined || operation.start > horizon) continue
      if (agrees(operation, state, tenants)) next.push({ end: operation.end, thread })
      else wantsVanished ||= agrees(operation, vanished, tenants)
    }
    if (wantsVanished && vanished !== state) open.push({ reached, state: vanished })
    // What returned first is tried first, so it is pushed last.
    next.sort((one, other) => other.end - one.end)
    for (const { thread } of next) {
      const operation = threads[thread][reached[thread]]
      const further = reached.slice()
      further[thread]++
      for (const reachedState of after(operation, state, vanish)) open.push({ reached: further, state: reachedState })
    }
  }
}

/**
 * Takes all operations that may come next, change nothing and agree with the state. Gives the clock that the next one
 * must have been called by: another one had returned then.
 *
 * @param {readonly Operation[][]} threads
 * @param {number[]} reached changed in place
 * @param {number} state
 * @param {Map<number, number>} tenants
 */
function takeAgreeing(threads, reached, state, tenants) {
  for (;;) {
    let horizon = Number.POSITIVE_INFINITY
    for (let thread = 0; thread < threads.length; thread++) {
      const operation = threads[thread][reached[thread]]
      if (operation !== undefined && operation.end < horizon) horizon = operation.end
    }
    let hasMoved = false
    for (let thread = 0; thread < threads.length; thread++) {
      const operation = threads[thread][reached[thread]]
      if (operation === undefined || operation.start > horizon || operation.does !== DOES.NOTHING) continue
      if (!agrees(operation, state, tenants)) continue
      reached[thread]++
      hasMoved = true
    }
    if (!hasMoved) return horizon
  }
}

/** Operations of each thread that an account of a violation shows from before it, and from it on. */
const SHOWN_BEFORE = 8
const SHOWN_AFTER = 3

/**
 * Checks a history of one key.
 *
 * @param {readonly Operation[][]} threads the operations of each thread, in its order
 * @param {Rules} rules
 * @param {(operation: any) => string} describe
 * @returns {null | string} what cannot be explained
 */
function violation(threads, rules, describe) {
  const stuck = search(threads, rules)
  if (stuck === null) return null
  const { reached, state } = stuck
  const known = state === ABSENT ? 'absent' : `${state} of ${rules.tenants.get(state)}`
  const lines = [`nothing explains what follows; the entry would be ${known}`]
  for (const [thread, operations] of threads.entries()) {
    const at = reached[thread]
    for (let n = Math.max(0, at - SHOWN_BEFORE); n < Math.min(operations.length, at + SHOWN_AFTER); n++) {
      const { start, end } = operations[n]
      lines.push(`${n < at ? '  ' : '? '}thread ${thread} [${start}, ${end}] ${describe(operations[n])}`)
    }
  }
  return lines.join('\n')
}

module.exports = { DOES, SAW, search, violation }
