'use strict'

/*
 * Replays traces through maps. The map is a demand-filled cache: each request is a `get`, and a missing entry is `set`.
 * All options but the subject (policy, limit, shards) have their defaults; so reads are answered by the near cache
 * where it holds a fresh copy, and the policy learns of these hits as it does of all others.
 */

const { TypedMap } = require('typed-superdashmap')
const { startThreads } = require('../harness/threads.js')

const SHARED_NAME = 'traces'

/** The policies by the name of option `evictionStrategy`. */
const POLICIES = ['lru', 'lfu', 'fifo', 'sieve', 's3-fifo', 'w-tinylfu', 'ttl']

/** Entries of the trace have no deadline, so 'ttl' would be 'fifo': it is asked for by name only. */
const USUAL_POLICIES = POLICIES.filter(policy => policy !== 'ttl')

/** What the map does if no policy is named. */
const DEFAULT_POLICY = 'w-tinylfu'

/**
 * What is stored for a request: the number of its key, or where the trace has sizes a string of that many bytes.
 *
 * @param {import('./trace.js').Trace} trace
 */
function valuesOf({ ids, sizes }) {
  if (sizes === undefined) return i => ids[i]
  const longest = 'x'.repeat(sizes.reduce((most, size) => Math.max(most, size), 0))
  return i => longest.slice(0, sizes[i])
}

/** A value that is too large for the limit is not kept, as in any cache of that size. */
function setIfItFits(map, key, value) {
  try {
    map.set(key, value)
  } catch (error) {
    if (error.code !== 'ERR_VALUE_TOO_LARGE') throw error
  }
}

/**
 * One request.
 *
 * @returns {boolean} whether it was a hit
 */
function request(map, { ids, keys, sizes }, valueAt, i) {
  const key = keys[ids[i]]
  const value = map.get(key)
  if (value === undefined) {
    setIfItFits(map, key, valueAt(i))
    return false
  }
  if (sizes === undefined && value !== ids[i]) throw new Error(`key ${key} has the value of another: ${value}`)
  return true
}

/**
 * Replays a trace from an empty map.
 *
 * @param {import('./trace.js').Trace} trace
 * @param {object} options of the map
 * @param {(i: number, isHit: boolean) => void} [onRequest]
 * @returns {{ hits: number, shards: number }}
 */
function replay(trace, options, onRequest) {
  const map = new TypedMap(options)
  const valueAt = valuesOf(trace)
  let hits = 0
  for (let i = 0; i < trace.ids.length; i++) {
    const isHit = request(map, trace, valueAt, i)
    if (isHit) hits++
    onRequest?.(i, isHit)
  }
  const { shards } = map.getStats()
  map.destroy()
  return { hits, shards }
}

/** The first request that is not what `isHit` says; undefined if all are. */
function firstDifference(trace, options, isHit) {
  let first
  replay(trace, options, (i, wasHit) => {
    if (wasHit !== isHit(i)) first ??= i
  })
  return first
}

/** One of several threads: takes the next free request until all are taken. */
function takeRequests({ trace, options, taken }, sync) {
  const map = TypedMap.open(SHARED_NAME, options)
  const valueAt = valuesOf(trace)
  let hits = 0
  sync.ready()
  for (let i = Atomics.add(taken, 0, 1); i < trace.ids.length; i = Atomics.add(taken, 0, 1)) {
    if (request(map, trace, valueAt, i)) hits++
  }
  map.close()
  return hits
}

/**
 * Replays a trace from several threads that share one map. Requests are taken one by one, so that they come in the
 * order of the trace but for those that are under way at the same time.
 *
 * @returns {Promise<number>} hits
 */
async function replayInThreads(trace, options, threads) {
  const map = TypedMap.open(SHARED_NAME, options)
  const taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const parameters = Array.from({ length: threads }, () => ({ trace, options, taken }))
  const hits = await (await startThreads(__filename, 'takeRequests', parameters)).stop()
  map.destroy()
  return hits.reduce((sum, one) => sum + one, 0)
}

module.exports = {
  DEFAULT_POLICY,
  POLICIES,
  USUAL_POLICIES,
  firstDifference,
  replay,
  replayInThreads,
  tasks: { takeRequests }
}
