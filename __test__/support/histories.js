'use strict'

// Runs rounds of histories and checks each: threads, the programs they run, and what they wrote down, key by key.

const { once } = require('node:events')
const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { TypedMap } = require('../..')
const {
  CONTROL_LENGTH,
  COUNTER,
  DELETED,
  KEYS,
  KIND,
  LOADED,
  NOT_READ,
  PROFILES,
  ROW
} = require('./history-program.js')
const { DOES, SAW, violation } = require('./linearizability.js')

const THREADS = 3
const OPERATIONS = 3_000
/** Writes of a round that is watched. */
const WATCHED_WRITES = 50_000
/** Operations, and the reads at the end of a round. */
const MAX_ROWS = OPERATIONS + 4 * KEYS

/** What was added to: nothing, where the result is what was added. */
const added = (given, by) => [given === by ? SAW.ABSENT : SAW.VALUE, DOES.WRITE, given - by, given]

/** What a transaction did to a key. */
const committed = (read, written) => [
  read === NOT_READ ? SAW.ANYTHING : SAW.VALUE,
  written === DELETED ? DOES.DELETE : written === 0 ? DOES.NOTHING : DOES.WRITE,
  read
]

/** What an operation of each kind says of the state it met, by what it gave, and what it does. */
const MEANING = {
  [KIND.WRITE]: () => [SAW.AT_MOST_TENANT, DOES.WRITE],
  [KIND.REPLACE]: given => (given ? [SAW.TENANT, DOES.WRITE] : [SAW.NO_TENANT, DOES.NOTHING]),
  [KIND.READ]: () => [SAW.VALUE, DOES.NOTHING],
  [KIND.READ_NATIVE]: () => [SAW.VALUE, DOES.NOTHING],
  [KIND.READ_HANDLE]: given => [given ? SAW.VALUE : SAW.NO_TENANT, DOES.NOTHING],
  [KIND.READ_HANDLE_NATIVE]: given => [given ? SAW.VALUE : SAW.NO_TENANT, DOES.NOTHING],
  [KIND.HAS]: given => [given ? SAW.PRESENT : SAW.ABSENT, DOES.NOTHING],
  [KIND.HAS_HANDLE]: given => [given ? SAW.TENANT : SAW.NO_TENANT, DOES.NOTHING],
  [KIND.FIND]: given => [given ? SAW.TENANT : SAW.ABSENT, DOES.NOTHING],
  [KIND.DELETE]: given => (given ? [SAW.PRESENT, DOES.DELETE] : [SAW.ABSENT, DOES.NOTHING]),
  [KIND.DELETE_HANDLE]: given => (given ? [SAW.TENANT, DOES.DELETE] : [SAW.NO_TENANT, DOES.NOTHING]),
  [KIND.REMOVE]: given => [SAW.VALUE, given ? DOES.DELETE : DOES.NOTHING],
  [KIND.TOUCH]: given => [given ? SAW.PRESENT : SAW.ABSENT, DOES.NOTHING],
  [KIND.INCREMENT]: added,
  [KIND.UPDATE]: added,
  [KIND.PUT]: () => [SAW.ANYTHING, DOES.WRITE],
  [KIND.LOAD]: () => [SAW.ANYTHING, DOES.MAYBE_WRITE],
  [KIND.GOT]: () => [SAW.ANYTHING, DOES.NOTHING],
  [KIND.DIFFERS]: () => [SAW.VALUE, DOES.NOTHING],
  [KIND.SWAP]: given => [SAW.VALUE, DOES.WRITE, given],
  [KIND.TRANSACTION]: committed,
  [KIND.DELETE_PREFIX]: count => (count > 0 ? [SAW.PRESENT, DOES.DELETE] : [SAW.ABSENT, DOES.NOTHING]),
  [KIND.DELETE_WHERE]: (count, of) => (count > 0 ? [SAW.VALUE, DOES.DELETE, of] : [SAW.NOT_VALUE, DOES.NOTHING, of]),
  [KIND.DELETE_CLOSED]: () => [SAW.ANYTHING, DOES.DELETE],
  [KIND.DELETE_TEXTS]: () => [SAW.ANYTHING, DOES.DELETE],
  [KIND.CLEAR]: () => [SAW.ANYTHING, DOES.DELETE],
  [KIND.DESTROY]: () => [SAW.ANYTHING, DOES.DELETE]
}

const ALL_KEYS = Array.from({ length: KEYS }, (_, key) => key)
/** The keys of operations that are about many, each of which they come to at a moment of its own. */
const SPREAD = new Map([
  [KIND.CLEAR, ALL_KEYS],
  [KIND.DESTROY, ALL_KEYS],
  // The first key is a number.
  [KIND.DELETE_TEXTS, ALL_KEYS.slice(1)]
])
const NAMES = Object.fromEntries(Object.entries(KIND).map(([name, kind]) => [kind, name.toLowerCase()]))

/** What an operation saw of a key and did to it, as the checker takes it, from a row of a log. */
function stepOf(row, key = row[1]) {
  const [kind, , result, given, tenant, start, end] = row
  const [saw, does, of = saw === SAW.VALUE ? result : tenant, value = given] = MEANING[kind](result, given)
  return { key, start, end, saw, of, does, value, kind, result, tenant }
}

const describeStep = ({ kind, key, result, value, tenant }) =>
  `${NAMES[kind]} ${key}${value ? ` ${value}` : ''}${tenant ? ` of ${tenant}` : ''} -> ${result}`

/** What people read of an operation. */
const describe = ({ steps }) => steps.map(describeStep).join(', ')

/**
 * The operations of a thread. What is spread over keys is put aside, key by key, as if threads of their own did it:
 * nothing says in which order.
 */
function operationsOf(log, count) {
  const operations = []
  const aside = ALL_KEYS.map(() => [])
  for (let number = 0; number < count; number++) {
    const row = log.subarray(number * ROW, (number + 1) * ROW)
    const [kind, , result, , , start, end] = row
    if (kind === KIND.CLOSED) continue
    for (const key of SPREAD.get(kind) ?? []) aside[key].push({ start, end, steps: [stepOf(row, key)] })
    if (SPREAD.has(kind)) continue
    const step = stepOf(row)
    const before = operations.at(-1)
    if (kind === KIND.TRANSACTION && before?.end === end) before.steps.push(step)
    // A query may come to a key again that was deleted and set anew meanwhile.
    else
      for (let times = kind >= KIND.DELETE_PREFIX ? Math.max(1, result) : 1; times > 0; times--)
        operations.push({ start, end, steps: [step] })
  }
  return [operations, ...aside.filter(operations => operations.length > 0)]
}

/**
 * What handles say without any order of operations: each is of one key, and each value has the one it was written
 * under.
 */
function tenantsOf(steps) {
  const tenants = new Map()
  const keys = new Map()
  for (const { key, kind, tenant, does, value } of steps) {
    if (kind === KIND.LOAD) continue
    if (tenant !== 0 && (keys.get(tenant) ?? key) !== key) throw new Error(`tenant ${tenant} has two keys`)
    if (tenant !== 0) keys.set(tenant, key)
    // A counter has the same values again and again, and is not asked for its handle.
    if (does === DOES.WRITE && tenant !== 0) tenants.set(value, tenant)
  }
  // A value that was written in place of an expected one has the tenant of that.
  const swaps = steps.filter(({ kind, key }) => kind === KIND.SWAP && key < COUNTER)
  const expectedOf = new Map(swaps.map(({ value, result }) => [value, result]))
  for (const { value } of swaps) {
    const unknown = []
    for (let at = value; at !== undefined && !tenants.has(at); at = expectedOf.get(at)) unknown.push(at)
    const tenant = tenants.get(expectedOf.get(unknown.at(-1)))
    if (tenant !== undefined) for (const number of unknown) tenants.set(number, tenant)
  }
  for (const { kind, tenant, result } of steps) {
    const isRead = kind === KIND.READ_HANDLE || kind === KIND.READ_HANDLE_NATIVE
    if (!isRead || result === 0) continue
    // A transaction does not say under which handle it has written: the first read says it.
    if (!tenants.has(result)) tenants.set(result, tenant)
    if (tenants.get(result) === tenant) continue
    throw new Error(`the handle ${tenant} read ${result}, which was written under ${tenants.get(result)}`)
  }
  return tenants
}

/** An operation that begins after the end of a destroyed map fails, one that was over before does not. */
function checkEnd(logs, counts) {
  const rows = logs.flatMap((log, thread) =>
    Array.from({ length: counts[thread] }, (_, n) => log.subarray(n * ROW, (n + 1) * ROW))
  )
  const destroyed = rows.find(row => row[0] === KIND.DESTROY)
  const [from, to] =
    destroyed === undefined ? [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY] : destroyed.subarray(5)
  for (const [kind, key, result, , , start, end] of rows) {
    const isClosed = kind === KIND.CLOSED || kind === KIND.DELETE_CLOSED
    if (isClosed && end < from) throw new Error(`an operation on key ${key} failed before the map was destroyed`)
    if (!isClosed && start > to)
      throw new Error(`${NAMES[kind]} of key ${key} gave ${result} after the map was destroyed`)
  }
}

/** What a program asks for that makes a load void. */
const VOIDING = new Set([
  KIND.PUT,
  KIND.SWAP,
  KIND.DELETE,
  KIND.REMOVE,
  KIND.CLEAR,
  KIND.DESTROY,
  KIND.DELETE_PREFIX,
  KIND.DELETE_TEXTS
])
/** What makes one void that has changed the key. */
const VOIDING_IF_CHANGED = new Set([KIND.TRANSACTION, KIND.DELETE_WHERE])
const READING = new Set([KIND.READ, KIND.READ_NATIVE, KIND.REMOVE, KIND.GOT, KIND.TRANSACTION])

const isVoiding = ({ kind, does }) => VOIDING.has(kind) || (VOIDING_IF_CHANGED.has(kind) && does !== DOES.NOTHING)

/**
 * What was loaded before a change of its key is not read after it, nor does a call get it that comes after it. A
 * checker of one entry does not see that: to it, a load is a write at any moment until it returns.
 *
 * @param {ReturnType<typeof stepOf>[]} steps of the key that is loaded, of all threads
 */
function checkLoads(steps) {
  const loaded = new Map()
  for (const { kind, value, tenant } of steps) if (kind === KIND.LOAD) loaded.set(value, tenant)
  const changes = steps.filter(isVoiding).sort((one, other) => one.end - other.end)
  const reads = steps.filter(({ kind, result }) => READING.has(kind) && loaded.has(result))
  reads.sort((one, other) => one.start - other.start)
  let [next, latest] = [0, -1]
  for (const { start, result } of reads) {
    while (next < changes.length && changes[next].end < start) latest = Math.max(latest, changes[next++].start)
    if (latest >= loaded.get(result)) {
      throw new Error(
        `${result} was loaded from ${loaded.get(result)} on, and read at ${start} after a change at ${latest}`
      )
    }
  }
}

/** Checks what the threads of a round wrote down. Throws if nothing explains it. */
function check(logs, counts, profile) {
  checkEnd(logs, counts)
  const threads = logs.flatMap((log, thread) => operationsOf(log, counts[thread]))
  const steps = threads.flat().flatMap(({ steps }) => steps)
  checkLoads(steps.filter(({ key }) => key === LOADED))
  const rules = { tenants: tenantsOf(steps), vanish: profile.vanish, keys: KEYS }
  const found = violation(threads, rules, describe)
  if (found !== null) throw new Error(`${profile.name}: ${found}`)
  return counts.reduce((sum, count) => sum + count, 0)
}

/** An error that says how to begin with the round that it is about. */
const ofSeed = (seed, message) => new Error(`SEED=${seed}: ${message}`)

/** The threads of histories. Each round runs while the one before is checked, so there are two logs of each thread. */
class Histories {
  #control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_LENGTH))
  #workers
  #rounds = 0

  constructor(threads = THREADS) {
    this.#workers = Array.from({ length: threads }, (_, thread) => {
      const logs = [0, 1].map(() => new SharedArrayBuffer(MAX_ROWS * ROW * Float64Array.BYTES_PER_ELEMENT))
      const workerData = { thread, control: this.#control, logs }
      const worker = new Worker(path.join(__dirname, 'history-worker.js'), { workerData })
      return { worker, logs: logs.map(log => new Float64Array(log)) }
    })
  }

  /** Runs a round that is written down, and returns a function that checks it and returns the number of operations. */
  async record(seed, profile = seed % PROFILES.length) {
    const log = this.#rounds % 2
    const { operations = OPERATIONS } = PROFILES[profile]
    const { options, destroys } = PROFILES[profile]
    const name = this.#name()
    // Held, so that it can be looked through when the threads are done.
    const map = destroys ? undefined : TypedMap.open(name, options)
    const counts = await this.#run({ name, seed, profile, log, operations })
    const { problems } = (await map?.validate()) ?? { problems: [] }
    map?.close()
    if (problems.length > 0) throw ofSeed(seed, `${PROFILES[profile].name}: ${JSON.stringify(problems)}`)
    const logs = this.#workers.map(one => one.logs[log])
    return () => {
      try {
        return check(logs, counts, PROFILES[profile])
      } catch (error) {
        throw ofSeed(seed, error.message)
      }
    }
  }

  /** Runs a round that is watched, and returns the number of reads. Throws if a thread saw time go backwards. */
  async watch(seed) {
    const answers = await this.#run({ name: this.#name(), watches: true, seed, operations: WATCHED_WRITES })
    const wrong = answers.find(answer => answer.wrong !== null)
    if (wrong !== undefined) throw ofSeed(seed, wrong.wrong)
    return answers.reduce((sum, { reads }) => sum + reads, 0)
  }

  #name() {
    return `history ${process.pid} ${++this.#rounds}`
  }

  #run(program) {
    this.#control.fill(0)
    return Promise.all(
      this.#workers.map(({ worker }) => {
        worker.postMessage({ ...program, threads: this.#workers.length })
        return once(worker, 'message').then(([answer]) => answer)
      })
    )
  }

  end() {
    return Promise.all(this.#workers.map(({ worker }) => worker.terminate()))
  }
}

module.exports = { Histories, PROFILES, THREADS }
