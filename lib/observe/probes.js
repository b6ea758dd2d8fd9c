'use strict'

// Probes: functions that see each call of a map in this thread, once it has ended.
//
//   const end = probe(open, ['get', 'set'], call => …)   // one map
//   const end = probeAll(['get'], call => …)             // all maps of this thread, also those that are opened later
//   const end = surround('getOrLoad', (map, args, run) => run())   // runs each call itself, of all maps of this thread
//
// `call` is a `Call`, see below. A probe is called in the call that it sees, so it must be short and must not throw.
// `end()` ends it; so does the end of the map.
//
// By default there is not one instruction for this on the way of a call. The methods of the class are switched: while
// something observes an operation, an observed variant takes the place of the method in the prototype; it runs the
// method that was there, for maps without a probe with nothing else around it. Afterwards the class has the very
// function again that it had. (By assignment: a redefinition would make the prototype slow for good, 2.5 times as much
// for a hit by handle.) While one map is observed, a near hit of another in the same thread costs a call and a look
// more, some 15 ns: what is for production and sees near hits all the time must not use this.
//
// `handle.get()` is no method of a map. A handle that is observed has no copy at hand: its origin answers it, through
// the observer.
//
// A method that calls another of the same map to do its work, as `set` of a handle calls `replace`, is one call. Code
// of the user that a method calls (`update`, `transaction`, loaders) makes calls of its own.

const { scratch } = require('../native/attach.js')
const { SCRATCH } = require('../native/layout.js')
const { now } = require('../native/timer.js')
const { greetAll } = require('../session/opens.js')
const { HANDLE_GET, OPERATIONS } = require('./operations.js')

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('./operations.js').Operation} Operation */

/**
 * A call that has ended.
 *
 * @typedef {object} Call
 * @property {any} map the `TypedMap`
 * @property {string} operation its name in `OPERATIONS`
 * @property {any} key the key as it was given, or the handle; `undefined` if the operation is about more than one entry
 * @property {boolean | undefined} hit whether the entry was there, if the operation tells
 * @property {boolean} isNear whether it was answered without a native call
 * @property {number} durationMs until it returned, or its promise was settled
 * @property {unknown} error what it threw or was rejected with
 * @property {boolean} hasFailed whether it did
 */
/** @typedef {(call: Call) => void} Probe */
/** Probes by operation. @typedef {Map<string, readonly Probe[]>} Probes */

const { STATE } = SCRATCH
const ABSENT = 0
/** In place of what a native call says: there was none. */
const UNTOUCHED = 2 ** 32 - 1

/** @type {readonly Probe[]} */
const NONE = Object.freeze([])

/** Of all maps. @type {Probes} */
const ofAll = new Map()

/**
 * What runs the calls of an operation.
 *
 * @typedef {(map: any, args: readonly any[], run: () => any) => any} Surrounding
 */
/** @type {Map<string, Surrounding>} */
const surroundings = new Map()

/** Whether a call is under way that runs no code of the user. */
let isWithin = false

/** The class whose methods are switched. @type {{ prototype: any, openOf: (map: any) => OpenMap } | undefined} */
let subject

/**
 * A method that is switched while it is observed.
 *
 * @typedef {object} Switch
 * @property {number} users how many probes there are
 * @property {any} plain the method that was there
 * @property {any} observed what takes its place
 */
/** @type {Map<string, Switch>} */
const switches = new Map()

/**
 * Probes of an operation on a map.
 *
 * @param {OpenMap} open
 * @param {string} operation
 * @returns {readonly Probe[]}
 */
function probesOf(open, operation) {
  const own = open.probes?.get(operation) ?? NONE
  const all = ofAll.get(operation) ?? NONE
  return own.length === 0 ? all : all.length === 0 ? own : [...own, ...all]
}

/**
 * Whether the entry was there, from what a call returned.
 *
 * @param {Operation} row
 * @param {any} result
 * @param {OpenMap} open
 * @param {any} key
 */
function hitOf({ hit }, result, open, key) {
  if (hit === 'true') return result === true
  if (hit === 'defined') return result !== undefined
  if (hit === undefined) return undefined
  if (result !== undefined) return true
  // A value may be `undefined`.
  const state = scratch[STATE]
  return state === UNTOUCHED ? open.mayHave(key) : state !== ABSENT
}

/**
 * Runs a call, and has it seen.
 *
 * @param {readonly Probe[]} probes
 * @param {any} map
 * @param {OpenMap} open
 * @param {string} operation
 * @param {readonly any[]} args
 * @param {() => any} run
 */
function observe(probes, map, open, operation, args, run) {
  const row = OPERATIONS[operation]
  const key = row.key === 'first' ? args[0] : undefined
  const start = now()
  scratch[STATE] = UNTOUCHED
  isWithin = row.calls !== true
  let result
  try {
    result = run()
  } catch (error) {
    isWithin = false
    const durationMs = now() - start
    tell(probes, { map, operation, key, hit: undefined, isNear: false, durationMs, error, hasFailed: true })
    throw error
  }
  isWithin = false
  if (row.isAsync)
    return settled(result, call => tell(probes, { map, operation, key, ...call, durationMs: now() - start }))
  const durationMs = now() - start
  const isNear = row.hit === 'value' && scratch[STATE] === UNTOUCHED
  const hit = hitOf(row, result, open, key)
  const about = row.key === 'result' ? result : key
  tell(probes, { map, operation, key: about, hit, isNear, durationMs, error: undefined, hasFailed: false })
  return result
}

/**
 * A promise that tells when it is settled. Not a branch of the given one: whether that is handled is for its user.
 *
 * @param {Promise<any>} promise
 * @param {(call: Pick<Call, 'hit' | 'isNear' | 'error' | 'hasFailed'>) => void} end
 */
function settled(promise, end) {
  return promise.then(
    value => {
      end({ hit: undefined, isNear: false, error: undefined, hasFailed: false })
      return value
    },
    error => {
      end({ hit: undefined, isNear: false, error, hasFailed: true })
      throw error
    }
  )
}

/** @param {readonly Probe[]} probes @param {Call} call */
function tell(probes, call) {
  for (const probe of probes) probe(call)
}

/**
 * The observed variant of a method: the same name, length and errors.
 *
 * @param {string} operation
 * @param {{ plain: any }} one whose method it stands for
 */
function observed(operation, one) {
  const { openOf } = /** @type {NonNullable<typeof subject>} */ (subject)
  const { [operation]: method } = {
    /** @this {any} @param {any[]} args */
    [operation](...args) {
      const { plain } = one
      if (isWithin) return Reflect.apply(plain, this, args)
      const open = openOf(this)
      const probes = probesOf(open, operation)
      const surrounding = surroundings.get(operation)
      if (probes.length === 0 && surrounding === undefined) return Reflect.apply(plain, this, args)
      const run = () => Reflect.apply(plain, this, args)
      const call = surrounding === undefined ? run : () => surrounding(this, args, run)
      return probes.length === 0 ? call() : observe(probes, this, open, operation, args, call)
    }
  }
  return Object.defineProperty(method, 'length', { value: one.plain.length, configurable: true })
}

/**
 * Counts the probes of an operation, and switches its method when the first one comes and the last one goes.
 *
 * @param {string} operation
 * @param {1 | -1} by
 */
function use(operation, by) {
  if (operation === HANDLE_GET || subject === undefined) return
  const { prototype } = subject
  let one = switches.get(operation)
  if (one === undefined) {
    one = { users: 0, plain: prototype[operation], observed: undefined }
    one.observed = observed(operation, one)
    switches.set(operation, one)
    Reflect.set(prototype, operation, one.observed)
  }
  one.users += by
  // A program may have put a method of its own around the observed one, which then stays where it is.
  if (one.users > 0 || prototype[operation] !== one.observed) return
  switches.delete(operation)
  Reflect.set(prototype, operation, one.plain)
}

/**
 * Has the reads by the handles of a map go through its probes, if there are any.
 *
 * @param {OpenMap} open
 */
function watchHandles(open) {
  const { origin } = open
  if (probesOf(open, HANDLE_GET).length === 0) return origin.observe(undefined)
  const reference = new WeakRef(open)
  origin.observe((handle, read) => {
    const open = reference.deref()
    const map = open?.map
    if (isWithin || open === undefined || map === undefined) return read(handle)
    return observe(probesOf(open, HANDLE_GET), map, open, HANDLE_GET, [handle], () => read(handle))
  })
}

/**
 * Puts another method in the place of an operation's, beneath what observes it.
 *
 * @param {string} operation
 * @param {(plain: any) => any} variant makes it of the method that is there
 * @returns {() => void} puts that back
 */
function replaceBeneath(operation, variant) {
  const { prototype } = /** @type {NonNullable<typeof subject>} */ (subject)
  const plain = switches.get(operation)?.plain ?? prototype[operation]
  const method = variant(plain)
  const put = (/** @type {any} */ from, /** @type {any} */ to) => {
    const one = switches.get(operation)
    if (one !== undefined && one.plain === from) one.plain = to
    else if (prototype[operation] === from) Reflect.set(prototype, operation, to)
  }
  put(plain, method)
  return () => put(method, plain)
}

/** @param {Probes} probes @param {string} operation @param {Probe} probe */
function add(probes, operation, probe) {
  probes.set(operation, [...(probes.get(operation) ?? NONE), probe])
  use(operation, 1)
}

/** @param {Probes} probes @param {string} operation @param {Probe} probe */
function remove(probes, operation, probe) {
  const rest = (probes.get(operation) ?? NONE).filter(one => one !== probe)
  if (rest.length === 0) probes.delete(operation)
  else probes.set(operation, rest)
  use(operation, -1)
}

/**
 * Has `see` called with each call of these operations on a map in this thread.
 *
 * @param {OpenMap} open
 * @param {readonly string[]} operations
 * @param {Probe} see
 * @returns {() => void} ends it
 */
function probe(open, operations, see) {
  // One of its own, so that the same function can be a probe twice.
  const own = (/** @type {Call} */ call) => see(call)
  open.probes ??= new Map()
  const { probes } = open
  for (const operation of operations) add(probes, operation, own)
  watchHandles(open)
  let isOver = false
  const end = () => {
    if (isOver) return
    isOver = true
    for (const operation of operations) remove(probes, operation, own)
    const open = reference.deref()
    if (open !== undefined) watchHandles(open)
  }
  const reference = new WeakRef(open)
  open.atEnd(end)
  return end
}

/**
 * The same for all maps of this thread.
 *
 * @param {readonly string[]} operations
 * @param {Probe} see
 * @returns {() => void} ends it
 */
function probeAll(operations, see) {
  const own = (/** @type {Call} */ call) => see(call)
  for (const operation of operations) add(ofAll, operation, own)
  const endGreeting = greetAll(watchHandles)
  let isOver = false
  return () => {
    if (isOver) return
    isOver = true
    endGreeting()
    for (const operation of operations) remove(ofAll, operation, own)
    greetAll(watchHandles)()
  }
}

/**
 * Has each call of an operation, on all maps of this thread, run by a function, which calls `run` and returns what that
 * returns. There is one at most.
 *
 * @param {string} operation
 * @param {Surrounding} surrounding
 * @returns {() => void} ends it
 */
function surround(operation, surrounding) {
  surroundings.set(operation, surrounding)
  use(operation, 1)
  return () => {
    if (surroundings.delete(operation)) use(operation, -1)
  }
}

/**
 * Says whose methods are switched.
 *
 * @param {any} prototype
 * @param {import('../install.js').Access} access
 */
function attachProbes(prototype, { openOf }) {
  subject = { prototype, openOf }
}

module.exports = { attachProbes, probe, probeAll, replaceBeneath, surround }
