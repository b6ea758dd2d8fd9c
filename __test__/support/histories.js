'use strict'

// Runs rounds of histories and checks each: threads, the programs they run, and what they wrote down, key by key.

const { once } = require('node:events')
const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { TypedMap } = require('../..')
const { CONTROL_LENGTH, COUNTER, KEYS, KIND, PROFILES, ROW } = require('./history-program.js')
const { DOES, SAW, violation } = require('./linearizability.js')

const THREADS = 3
const OPERATIONS = 3_000
/** Writes of a round that is watched. */
const WATCHED_WRITES = 50_000
/** Operations, and the reads at the end of a round. */
const MAX_ROWS = OPERATIONS + 4 * KEYS

/** What was added to: nothing, where the result is what was added. */
const added = (given, by) => [given === by ? SAW.ABSENT : SAW.VALUE, DOES.WRITE, given - by, given]

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
  [KIND.CLEAR]: () => [SAW.ANYTHING, DOES.DELETE],
  [KIND.DESTROY]: () => [SAW.ANYTHING, DOES.DELETE]
}

const OF_ALL_KEYS = new Set([KIND.CLEAR, KIND.DESTROY])
const NAMES = Object.fromEntries(Object.entries(KIND).map(([name, kind]) => [kind, name.toLowerCase()]))

/** An operation as the checker takes it, from a row of a log. */
function operationOf(log, row) {
  const [kind, , result, given, tenant, start, end] = log.subarray(row, row + ROW)
  const [saw, does, of = saw === SAW.VALUE ? result : tenant, value = given] = MEANING[kind](result, given)
  return { start, end, saw, of, does, value, kind, result, tenant }
}

/** What people read of an operation. */
const describe = ({ kind, result, value, tenant }) =>
  `${NAMES[kind]}${value ? ` ${value}` : ''}${tenant ? ` of ${tenant}` : ''} -> ${result}`

/** Takes the rows of a thread apart by key. */
function byKey(log, count) {
  const keys = Array.from({ length: KEYS }, () => [])
  for (let row = 0; row < count * ROW; row += ROW) {
    if (log[row] === KIND.CLOSED) continue
    const operation = operationOf(log, row)
    if (OF_ALL_KEYS.has(log[row])) for (const operations of keys) operations.push(operation)
    else keys[log[row + 1]].push(operation)
  }
  return keys
}

/**
 * What handles say without any order of operations: each is of one key, and each value has the one it was written
 * under.
 */
function tenantsOf(threads) {
  const tenants = new Map()
  const keys = new Map()
  for (const thread of threads) {
    for (const [key, operations] of thread.entries()) {
      for (const { kind, tenant, does, value } of operations) {
        if (kind === KIND.LOAD) continue
        if (tenant !== 0 && (keys.get(tenant) ?? key) !== key) throw new Error(`tenant ${tenant} has two keys`)
        if (tenant !== 0) keys.set(tenant, key)
        // A counter has the same values again and again, and is not asked for its handle.
        if (does === DOES.WRITE && tenant !== 0) tenants.set(value, tenant)
      }
    }
  }
  // A value that was written in place of an expected one has the tenant of that.
  const swaps = threads.flatMap(keys => keys.slice(0, COUNTER).flat()).filter(({ kind }) => kind === KIND.SWAP)
  const expectedOf = new Map(swaps.map(({ value, result }) => [value, result]))
  for (const { value } of swaps) {
    const unknown = []
    for (let at = value; at !== undefined && !tenants.has(at); at = expectedOf.get(at)) unknown.push(at)
    const tenant = tenants.get(expectedOf.get(unknown.at(-1)))
    if (tenant !== undefined) for (const number of unknown) tenants.set(number, tenant)
  }
  for (const { kind, tenant, result } of threads.flat(2)) {
    const isRead = kind === KIND.READ_HANDLE || kind === KIND.READ_HANDLE_NATIVE
    if (isRead && result !== 0 && tenants.get(result) !== tenant) {
      throw new Error(`the handle ${tenant} read ${result}, which was written under ${tenants.get(result)}`)
    }
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
    const isClosed = kind === KIND.CLOSED
    if (isClosed && end < from) throw new Error(`an operation on key ${key} failed before the map was destroyed`)
    if (!isClosed && start > to)
      throw new Error(`${NAMES[kind]} of key ${key} gave ${result} after the map was destroyed`)
  }
}

/** What a program asks for that makes a load void. */
const VOIDING = new Set([KIND.PUT, KIND.SWAP, KIND.DELETE, KIND.REMOVE, KIND.CLEAR, KIND.DESTROY])
const READING = new Set([KIND.READ, KIND.READ_NATIVE, KIND.REMOVE, KIND.GOT])

/**
 * What was loaded before a change of its key is not read after it, nor does a call get it that comes after it. A
 * checker of one entry does not see that: to it, a load is a write at any moment until it returns.
 *
 * @param {import('./linearizability.js').Operation[]} operations of one key, of all threads
 */
function checkLoads(operations) {
  const loaded = new Map()
  for (const { kind, value, tenant } of operations) if (kind === KIND.LOAD) loaded.set(value, tenant)
  const changes = operations.filter(({ kind }) => VOIDING.has(kind)).sort((one, other) => one.end - other.end)
  const reads = operations.filter(({ kind, result }) => READING.has(kind) && loaded.has(result))
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
  const threads = logs.map((log, thread) => byKey(log, counts[thread]))
  const tenants = tenantsOf(threads)
  for (let key = 0; key < KEYS; key++) {
    const operations = threads.map(keys => keys[key])
    checkLoads(operations.flat())
    const found = violation(operations, { tenants, vanish: profile.vanish }, describe)
    if (found !== null) throw new Error(`${profile.name}, key ${key}: ${found}`)
  }
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
