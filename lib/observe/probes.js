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
// function again that it had. Each is taken out and put in anew: the engine takes a method of a prototype that was
// assigned for one that changes, and inlines no call of it any more (a hit by handle took 2.5 times as long, for good).
// While one map is observed, a near hit of another in the same thread takes some ns more: what is for production and
// sees near hits all the time must not use this.
//
// `handle.get()` is no method of a map. A handle that is observed has no copy at hand: its origin answers it, through
// the observer.
//
// A method that calls another of the same map to do its work, as `set` of a handle calls `replace`, is one call: which
// ones do is in `OPERATIONS`. Code of the user that a method calls (an update, a loader, a codec, `normalizeKey`,
// `toJSON`, a function that makes room) makes calls of its own.

const { isHandleKey } = require('../handle.js')
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
 * @property {readonly any[] | undefined} keys the same of a batch
 * @property {number | undefined} count how many entries it was about, if the operation tells
 * @property {number | undefined} hits how many of a batch were there, if the operation tells
 * @property {boolean | undefined} wrote whether it wrote, where it may do without
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

/** What a call is that tells nothing. */
const UNTOLD = Object.freeze({
  hit: undefined,
  isNear: false,
  keys: undefined,
  count: undefined,
  hits: undefined,
  wrote: undefined,
  error: undefined,
  hasFailed: false
})

/**
 * What runs the calls of an operation.
 *
 * @typedef {(map: any, args: readonly any[], run: () => any) => any} Surrounding
 */

/**
 * The innermost call that is under way: what it may call for its work.
 *
 * @typedef {object} Running
 * @property {any} map
 * @property {readonly string[]} calls operations on handles
 */

/** @type {readonly string[]} */
const NOTHING = Object.freeze([])
/** @type {Running} */
const IDLE = Object.freeze({ map: undefined, calls: NOTHING })

/** @type {Running} */
let running = IDLE

/**
 * Runs a part of a call.
 *
 * @template T
 * @param {Running} part
 * @param {() => T} run
 * @returns {T}
 */
function runAs(part, run) {
  const outer = running
  running = part
  try {
    return run()
  } finally {
    running = outer
  }
}

/** The class whose methods are switched. @type {{ prototype: any, openOf: (map: any) => OpenMap } | undefined} */
let subject

/**
 * An operation, and what observes it.
 *
 * @typedef {object} Observed
 * @property {readonly Probe[]} all the probes of all maps
 * @property {Surrounding | undefined} surrounding
 * @property {number} users how many observe it, those of single maps included
 * @property {any} plain the method that was in the class, while another is there
 * @property {any} method what is there in its place
 */
/** @type {Map<string, Observed>} */
const operations = new Map()

/** @param {string} operation @returns {Observed} */
function observedOf(operation) {
  const known = operations.get(operation)
  if (known !== undefined) return known
  const one = { all: NONE, surrounding: undefined, users: 0, plain: undefined, method: undefined }
  operations.set(operation, one)
  return one
}

/**
 * Probes of an operation on a map.
 *
 * @param {OpenMap} open
 * @param {string} operation
 * @returns {readonly Probe[]}
 */
function probesOf(open, operation) {
  const own = open.probes?.get(operation) ?? NONE
  const { all } = observedOf(operation)
  return own.length === 0 ? all : all.length === 0 ? own : [...own, ...all]
}

/**
 * Whether the entry was there, from what a call returned.
 *
 * @param {Operation} row
 * @param {any} result
 * @param {OpenMap} open
 * @param {any} key
 * @param {Noted} noted
 */
function hitOf({ hit }, result, open, key, noted) {
  if (hit === 'true') return result === true
  if (hit === 'defined') return result !== undefined
  if (hit === undefined) return undefined
  if (hit === 'given') return noted.wasThere
  if (hit === 'uncalled') return !noted.isCalled || result?.inserted === false
  if (hit === 'state') return scratch[STATE] !== ABSENT
  if (result !== undefined) return true
  // A value may be `undefined`.
  const state = scratch[STATE]
  return state === UNTOUCHED ? open.mayHave(key) : state !== ABSENT
}

/**
 * What is seen of a call while it runs.
 *
 * @typedef {object} Noted
 * @property {readonly any[]} items of a batch
 * @property {boolean} isCalled whether its function was called
 * @property {boolean} wasThere whether there was an entry when it was last called, if native code was asked
 */

/**
 * The arguments with which a call runs that is observed: an iterable is gone through once, and a function notes that it
 * is called.
 *
 * @param {Operation} row
 * @param {readonly any[]} args
 * @param {Noted} noted
 * @returns {readonly any[]}
 */
function notedArguments({ many, hit }, args, noted) {
  const [first, callback, ...rest] = args
  if ((many === 'items' || many === 'entries') && typeof first?.[Symbol.iterator] === 'function') {
    noted.items = [...first]
    return [noted.items, ...args.slice(1)]
  }
  if ((hit !== 'uncalled' && hit !== 'given') || typeof callback !== 'function') return args
  const noting = (/** @type {any} */ given) => {
    noted.isCalled = true
    // A value may be `undefined`.
    noted.wasThere = scratch[STATE] !== ABSENT
    return Reflect.apply(callback, undefined, [given])
  }
  return [first, noting, ...rest]
}

/**
 * The keys of a batch.
 *
 * @param {Operation} row
 * @param {any} result
 * @param {Noted} noted
 * @returns {readonly any[] | undefined}
 */
function keysOf({ many }, result, { items }) {
  if (many === 'items') return items
  if (many === 'entries') return items.map(item => item[0])
  return many === 'result' ? [...result] : undefined
}

/**
 * How many of a batch were there.
 *
 * @param {Operation} row
 * @param {any} result
 */
function hitsOf({ hits }, result) {
  if (hits === undefined) return undefined
  if (typeof result === 'number') return result
  return result.filter((/** @type {any} */ one) => (hits === 'defined' ? one !== undefined : one === true)).length
}

/**
 * Whether a call wrote.
 *
 * @param {Operation} row
 * @param {any} result
 * @param {boolean | undefined} hit
 */
function wroteOf({ wrote }, result, hit) {
  if (wrote === 'swapped') return result.swapped
  if (wrote === 'defined') return result !== undefined
  return wrote === 'missing' ? !hit : undefined
}

/**
 * Runs a call, and has it seen.
 *
 * @param {readonly Probe[]} probes
 * @param {any} map
 * @param {OpenMap} open
 * @param {string} operation
 * @param {readonly any[]} args
 * @param {(args: readonly any[]) => any} run
 */
function observe(probes, map, open, operation, args, run) {
  const row = OPERATIONS[operation]
  const key = row.key === 'first' ? args[0] : undefined
  /** @type {Noted} */
  const noted = { items: [], isCalled: false, wasThere: false }
  const start = now()
  scratch[STATE] = UNTOUCHED
  let result
  try {
    result = runAs({ map, calls: row.calls ?? NOTHING }, () => run(notedArguments(row, args, noted)))
  } catch (error) {
    const durationMs = now() - start
    tell(probes, { ...UNTOLD, map, operation, key, durationMs, error, hasFailed: true })
    throw error
  }
  if (row.isAsync)
    return settled(row, result, call => tell(probes, { ...call, map, operation, key, durationMs: now() - start }))
  const durationMs = now() - start
  const isNear = row.hit === 'value' && scratch[STATE] === UNTOUCHED
  const hit = hitOf(row, result, open, key, noted)
  const keys = keysOf(row, result, noted)
  const told = { hit, isNear, keys, hits: hitsOf(row, result), wrote: wroteOf(row, result, hit) }
  const count = row.count === 'number' ? result : keys?.length
  const about = row.key === 'result' ? result : key
  tell(probes, { ...UNTOLD, ...told, map, operation, key: about, count, durationMs })
  return result
}

/**
 * A promise that tells when it is settled. Not a branch of the given one: whether that is handled is for its user.
 *
 * @param {Operation} row
 * @param {Promise<any>} promise
 * @param {(call: Omit<Call, 'map' | 'operation' | 'key' | 'durationMs'>) => void} end
 */
function settled({ count }, promise, end) {
  return promise.then(
    value => {
      end({ ...UNTOLD, count: count === 'number' ? value : undefined })
      return value
    },
    error => {
      end({ ...UNTOLD, error, hasFailed: true })
      throw error
    }
  )
}

/** @param {readonly Probe[]} probes @param {Call} call */
function tell(probes, call) {
  for (const probe of probes) probe(call)
}

/**
 * Runs a call of a map that may be observed. Apart from the method, which would make what closures share for each call.
 *
 * @param {Observed} one
 * @param {any} map
 * @param {OpenMap} open
 * @param {string} operation
 * @param {readonly any[]} args
 */
function runObserved({ plain, surrounding }, map, open, operation, args) {
  const run = (/** @type {readonly any[]} */ given) => Reflect.apply(plain, map, given)
  const call = surrounding === undefined ? run : (/** @type {any} */ given) => surrounding(map, given, () => run(given))
  const probes = probesOf(open, operation)
  return probes.length === 0 ? call(args) : observe(probes, map, open, operation, args, call)
}

/**
 * The observed variant of a method: the same name, length and errors.
 *
 * @param {string} operation
 * @param {Observed} one
 */
function observedMethod(operation, one) {
  const { openOf } = /** @type {NonNullable<typeof subject>} */ (subject)
  const { [operation]: method } = {
    /** @this {any} @param {any[]} args */
    [operation](...args) {
      const { plain } = one
      if (running.map === this && running.calls.includes(operation) && isHandleKey(args[0])) {
        return runAs({ map: this, calls: NOTHING }, () => Reflect.apply(plain, this, args))
      }
      const open = openOf(this)
      // Another map is observed.
      if (open.probes === undefined && one.all === NONE && one.surrounding === undefined) {
        return Reflect.apply(plain, this, args)
      }
      return runObserved(one, this, open, operation, args)
    }
  }
  return Object.defineProperty(method, 'length', { value: one.plain.length, configurable: true })
}

/**
 * Puts a method into the prototype, in the place of the one that is there.
 *
 * @param {any} prototype
 * @param {string} operation
 * @param {any} value
 */
function place(prototype, operation, value) {
  // Nothing can be put into a class that is frozen: its calls are not seen.
  if (!Reflect.deleteProperty(prototype, operation)) return
  Object.defineProperty(prototype, operation, { value, writable: true, enumerable: false, configurable: true })
}

/**
 * Counts the probes of an operation, and switches its method when the first one comes and the last one goes.
 *
 * @param {string} operation
 * @param {1 | -1} by
 */
function use(operation, by) {
  const one = observedOf(operation)
  one.users += by
  if (operation === HANDLE_GET || subject === undefined) return
  const { prototype } = subject
  if (one.method === undefined) {
    one.plain = prototype[operation]
    one.method = observedMethod(operation, one)
    place(prototype, operation, one.method)
  }
  // A program may have put a method of its own around the observed one, which then stays where it is.
  if (one.users > 0 || prototype[operation] !== one.method) return
  place(prototype, operation, one.plain)
  one.plain = undefined
  one.method = undefined
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
    if (open === undefined || map === undefined) return read(handle)
    return observe(probesOf(open, HANDLE_GET), map, open, HANDLE_GET, [handle], () => read(handle))
  })
}

/** @param {readonly Probe[]} probes @param {Probe} probe @returns {readonly Probe[]} */
function without(probes, probe) {
  const rest = probes.filter(one => one !== probe)
  return rest.length === 0 ? NONE : rest
}

/**
 * Ends the probe of a map.
 *
 * @param {OpenMap | undefined} open
 * @param {readonly string[]} operations
 * @param {Probe} probe
 */
function remove(open, operations, probe) {
  for (const operation of operations) use(operation, -1)
  const probes = open?.probes
  if (open === undefined || probes === undefined) return
  for (const operation of operations) {
    const rest = without(probes.get(operation) ?? NONE, probe)
    if (rest === NONE) probes.delete(operation)
    else probes.set(operation, rest)
  }
  if (probes.size === 0) open.probes = undefined
  watchHandles(open)
}

/** What ends the probes of a map, by the id of its `open`. @type {Map<number, Set<() => void>>} */
const probed = new Map()

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
  /** @type {Probes} */
  const probes = open.probes ?? new Map()
  open.probes = probes
  for (const operation of operations) {
    probes.set(operation, [...(probes.get(operation) ?? NONE), own])
    use(operation, 1)
  }
  watchHandles(open)
  const end = ender(new WeakRef(open), operations, own)
  const { id } = open
  const ends = probed.get(id) ?? new Set()
  probed.set(id, ends.add(end))
  open.atEnd(forget)
  return () => {
    ends.delete(end)
    if (ends.size === 0 && probed.get(id) === ends) probed.delete(id)
    end()
  }
}

/** The map has ended. @param {number} id */
function forget(id) {
  const ends = probed.get(id)
  probed.delete(id)
  for (const end of ends ?? []) end()
}

/**
 * What ends the probe of a map, once. It holds nothing of the map.
 *
 * @param {WeakRef<OpenMap>} reference
 * @param {readonly string[]} operations
 * @param {Probe} probe
 */
function ender(reference, operations, probe) {
  let isOver = false
  return () => {
    if (isOver) return
    isOver = true
    remove(reference.deref(), operations, probe)
  }
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
  for (const operation of operations) {
    const one = observedOf(operation)
    one.all = [...one.all, own]
    use(operation, 1)
  }
  const endGreeting = greetAll(watchHandles)
  let isOver = false
  return () => {
    if (isOver) return
    isOver = true
    endGreeting()
    for (const operation of operations) {
      const one = observedOf(operation)
      one.all = without(one.all, own)
      use(operation, -1)
    }
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
  const one = observedOf(operation)
  one.surrounding = surrounding
  use(operation, 1)
  return () => {
    if (one.surrounding !== surrounding) return
    one.surrounding = undefined
    use(operation, -1)
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

module.exports = { attachProbes, probe, probeAll, surround }
