'use strict'

/* Everything that is measured on one trace: what is replayed, and what it is compared with. */

const { lruHits, lruHitsByWeight, nextRequests, optimalHits, reuseDistances } = require('./references.js')
const { DEFAULT_POLICY, firstDifference, replay, replayInThreads } = require('./replay.js')

/** Capacities, as parts of the distinct keys (or of their bytes) in percent. */
const PERCENTAGES = [0.5, 1, 5, 10, 20]
const QUICK_PERCENTAGES = [1, 10]
const LEAST_CAPACITY = 10

/** A map with so many shards is measured beside the one with as many as it takes by itself... */
const MANY_SHARDS = 16

/** ...from this capacity on: below, 256 entries in a shard are too few for a policy to work with. */
const MANY_SHARDS_FROM = 4_096

/** Entries of a map that is limited in bytes weigh more than their values; a smaller limit holds hardly any. */
const LEAST_LIMIT_BYTES = 1024 * 1024

/** Longer than a replay takes. */
const TTL_MS = 3_600_000

const capacityOf = (distinct, percentage) => Math.max(LEAST_CAPACITY, Math.floor((distinct * percentage) / 100 + 0.5))

/** Lets progress be shown, and memory of the last map be freed. */
const breathe = () => new Promise(resolve => setImmediate(resolve))

/**
 * @param {import('./trace.js').Trace} trace
 * @param {{ policies: string[], shards?: number, seed: number, threads: number, quick: boolean }} how
 * @param {(part: number) => void} report
 */
async function measureTrace(trace, how, report) {
  const percentages = how.quick ? QUICK_PERCENTAGES : PERCENTAGES
  const measure = trace.sizes === undefined ? measureEntries(trace) : measureBytes(trace)
  const rows = []
  for (const [i, percentage] of percentages.entries()) {
    rows.push({ percentage, ...(await measure(percentage, how, part => report((i + part) / percentages.length))) })
  }
  return { name: trace.name, requests: trace.ids.length, distinct: trace.keys.length, rows }
}

/** Capacity is a number of entries. */
function measureEntries(trace) {
  const { ids, keys } = trace
  const distances = reuseDistances(ids, keys.length)
  const next = nextRequests(ids, keys.length)
  const percent = hits => Number(((hits / ids.length) * 100).toFixed(6))

  return async (percentage, { policies, shards, seed, threads }, report) => {
    const capacity = capacityOf(keys.length, percentage)
    const base = { maxEntries: capacity, seed }
    const row = {
      capacity,
      exactLru: percent(lruHits(distances, capacity)),
      optimum: percent(optimalHits(ids, next, keys.length, capacity)),
      policies: {},
      ...(threads > 1 ? { inThreads: {} } : {}),
      ...(shards === undefined && capacity >= MANY_SHARDS_FROM ? { manyShards: {} } : {})
    }
    for (const [i, policy] of policies.entries()) {
      report(i / policies.length)
      const options = { ...base, ...(shards === undefined ? {} : { shards }), ...optionsOf(policy) }
      const { hits, shards: used } = replay(trace, options)
      row.shards = used
      row.policies[policy] = percent(hits)
      await breathe()
      if (threads > 1) row.inThreads[policy] = percent(await replayInThreads(trace, options, threads))
      if (row.manyShards !== undefined) {
        row.manyShards[policy] = percent(replay(trace, { ...options, shards: MANY_SHARDS }).hits)
        await breathe()
      }
      if (policy === 'lru') {
        const isHit = at => distances[at] <= capacity
        row.lruDiffersAt = firstDifference(trace, { ...options, shards: 1 }, isHit) ?? null
        await breathe()
      }
    }
    return row
  }
}

/** Capacity is a number of bytes. The optimum is not known there: finding it is too hard where sizes differ. */
function measureBytes(trace) {
  const { ids, sizes, keys } = trace
  const largest = new Uint32Array(keys.length)
  for (let i = 0; i < ids.length; i++) largest[ids[i]] = Math.max(largest[ids[i]], sizes[i])
  const total = largest.reduce((sum, size) => sum + size, 0)
  const percent = hits => Number(((hits / ids.length) * 100).toFixed(6))

  return async (percentage, { policies, shards, seed }, report) => {
    const memoryLimit = Math.max(LEAST_LIMIT_BYTES, Math.round((total * percentage) / 100))
    const base = { memoryLimit, seed, ...(shards === undefined ? {} : { shards }) }
    const row = {
      memoryLimit,
      exactLru: percent(lruHitsByWeight(ids, i => sizes[i], memoryLimit)),
      policies: {}
    }
    for (const [i, policy] of policies.entries()) {
      report(i / policies.length)
      const { hits, shards: used } = replay(trace, { ...base, ...optionsOf(policy) })
      row.shards = used
      row.policies[policy] = percent(hits)
      await breathe()
    }
    return row
  }
}

/**
 * What makes a map use a policy: nothing for the default one. Where the soonest deadline goes first, entries need one.
 */
function optionsOf(policy) {
  if (policy === DEFAULT_POLICY) return {}
  return { evictionStrategy: policy, ...(policy === 'ttl' ? { ttl: TTL_MS } : {}) }
}

module.exports = { MANY_SHARDS, MANY_SHARDS_FROM, measureTrace }
