'use strict'

// Decides whether what several threads saw of some keys can be explained by entries that each operation looks at, and
// changes, in a single moment between its call and its return. That is linearizability (Herlihy and Wing, 1990).
//
// The search is that of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993): among the operations that no
// other one precedes, one must come first; take it if the entries' state allows it, and go on with the rest. Lowe's
// memory of configurations ("Testing for Linearizability", 2017) keeps it from exploring one twice. A thread's
// operations follow each other, so a configuration is how far each thread came, and the state. Two things make it
// fast. An operation that changes nothing and agrees with the state is taken at once: if any explanation exists, one
// exists that goes on like this. And values are written once only, so a value names its write.
//
// The model of an entry is one number: the value, 0 if it is absent; the state is the entries of all keys. Values know
// their *tenant*, the handle they were written under; where that is not known, the value may be of any. Where entries
// may vanish (eviction, expiry), a state can become 0 between any two operations.
//
// An operation has a *step* for each key that it is about, all of them at the same moment: one for most operations,
// several for a transaction. Keys that are looked at alone can be checked one by one: operations of one key each are
// linearizable if those of each key are.

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
  AT_MOST_TENANT: 6,
  /** There was no entry, or it had another value than `of`. */
  NOT_VALUE: 7
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
 * @typedef {object} Step what an operation saw of one key, and did to it
 * @property {number} key
 * @property {number} saw one of SAW
 * @property {number} of the value or the tenant that `saw` is about
 * @property {number} does one of DOES
 * @property {number} value what it wrote
 */

/**
 * @typedef {object} Operation
 * @property {number} start clock when it was called: the number of operations that had returned
 * @property {number} end number of this operation among those that returned
 * @property {readonly Step[]} steps at most one for each key
 */

/**
 * @typedef {object} Rules
 * @property {Map<number, number>} tenants the tenant of each value
 * @property {boolean} [vanish] whether entries may vanish
 * @property {number} [keys] how many there are; one, if it is not said
 */

const ABSENT = 0

/**
 * Whether a step agrees with the value of its key.
 *
 * @param {Step} step
 * @param {number} value
 * @param {Map<number, number>} tenants
 * @returns {boolean}
 */
function agrees({ saw, of }, value, tenants) {
  if (saw === SAW.VALUE) return value === of
  if (saw === SAW.NOT_VALUE) return value !== of
  if (saw === SAW.ANYTHING) return true
  if (saw === SAW.ABSENT) return value === ABSENT
  if (saw === SAW.PRESENT) return value !== ABSENT
  if (value === ABSENT) return saw !== SAW.TENANT
  const tenant = tenants.get(value)
  return tenant === undefined || (tenant === of) === (saw !== SAW.NO_TENANT)
}

/** @param {Operation} operation @param {readonly number[]} state @param {Map<number, number>} tenants */
function allAgree({ steps }, state, tenants) {
  for (const step of steps) if (!agrees(step, state[step.key], tenants)) return false
  return true
}

/**
 * The state in which an operation agrees because entries have vanished; `null` if there is none.
 *
 * @param {Operation} operation that does not agree with the state
 * @param {readonly number[]} state
 * @param {Map<number, number>} tenants
 */
function vanishedFor({ steps }, state, tenants) {
  const vanished = state.slice()
  for (const step of steps) {
    if (agrees(step, state[step.key], tenants)) continue
    if (!agrees(step, ABSENT, tenants)) return null
    vanished[step.key] = ABSENT
  }
  return vanished
}

/**
 * The states that an operation may lead to.
 *
 * @param {Operation} operation
 * @param {readonly number[]} state
 * @param {boolean} vanish whether entries may have vanished before
 */
function after({ steps }, state, vanish) {
  const next = state.slice()
  let other
  for (const { key, does, value } of steps) {
    if (does === DOES.WRITE) next[key] = value
    else if (does === DOES.DELETE) next[key] = ABSENT
    else if (does === DOES.MAYBE_WRITE && (state[key] === ABSENT || vanish)) other = next.with(key, value)
  }
  return other === undefined ? [next] : [next, other]
}

/** Whether an operation changes nothing. @param {Operation} operation */
function onlyLooks({ steps }) {
  for (const { does } of steps) if (does !== DOES.NOTHING) return false
  return true
}

/**
 * Searches for an explanation of a history of keys that begin absent.
 *
 * @param {readonly Operation[][]} threads the operations of each thread, in its order
 * @param {Rules} rules
 * @returns {null | { reached: number[], state: number[] }} `null` if there is one; otherwise the configuration that
 * explained most
 */
function search(threads, { tenants, vanish = false, keys = 1 }) {
  const total = threads.reduce((sum, operations) => sum + operations.length, 0)
  const seen = new Set()
  const begin = () => ({ reached: threads.map(() => 0), state: new Array(keys).fill(ABSENT) })
  const open = [begin()]
  let best = begin()
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
    const name = `${reached.join()}:${state.join()}`
    if (seen.has(name)) continue
    seen.add(name)
    /** @type {{ end: number, thread: number }[]} */
    const next = []
    for (const [thread, operations] of threads.entries()) {
      const operation = operations[reached[thread]]
      if (operation === undefined || operation.start > horizon) continue
      if (allAgree(operation, state, tenants)) next.push({ end: operation.end, thread })
      else if (vanish) {
        const vanished = vanishedFor(operation, state, tenants)
        if (vanished !== null) open.push({ reached: reached.slice(), state: vanished })
      }
    }
    // What returned first is tried first, so it is pushed last.
    next.sort((one, other) => other.end - one.end)
    for (const { thread } of next) {
      const operation = threads[thread][reached[thread]]
      const further = reached.slice()
      further[thread]++
      for (const reachedState of after(operation, state, vanish)) {
        open.push({ reached: further.slice(), state: reachedState })
      }
    }
  }
}

/**
 * Takes all operations that may come next, change nothing and agree with the state. Gives the clock that the next one
 * must have been called by: another one had returned then.
 *
 * @param {readonly Operation[][]} threads
 * @param {number[]} reached changed in place
 * @param {readonly number[]} state
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
      if (operation === undefined || operation.start > horizon || !onlyLooks(operation)) continue
      if (!allAgree(operation, state, tenants)) continue
      reached[thread]++
      hasMoved = true
    }
    if (!hasMoved) return horizon
  }
}

/** Operations of each thread that an account of a violation shows from before it, and from it on. */
const SHOWN_BEFORE = 8
const SHOWN_AFTER = 3

/** What people read of the state. @param {readonly number[]} state @param {Map<number, number>} tenants */
const describeState = (state, tenants) =>
  state.map(value => (value === ABSENT ? 'absent' : `${value} of ${tenants.get(value) ?? '?'}`)).join('; ')

/**
 * Checks a history.
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
  const lines = [`nothing explains what follows; the state would be ${describeState(state, rules.tenants)}`]
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
