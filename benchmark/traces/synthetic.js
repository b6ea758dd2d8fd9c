'use strict'

/*
 * Traces made from a seed, each of one kind of load that policies differ on. They are no substitute for recorded ones:
 * real loads mix these and more.
 */

const { randomNumbers, zipfOrder } = require('../harness/workload.js')
const { traceOf } = require('./trace.js')

const SKEW = 0.9

/** Popular keys, in proportion to 1 / rank^0.9, as web and database loads are often described. */
const zipf = (requests, seed) => zipfOrder(requests, requests / 10, SKEW, seed)

/** The same with scans in between: series of keys that are requested once only, as by a backup, a report, a crawler. */
function scans(requests, seed) {
  const popular = zipf(requests, seed)
  const keys = requests / 10
  const scanLength = keys / 10
  const trace = []
  let once = keys
  for (let i = 0; trace.length < requests; i++) {
    trace.push(popular[i])
    if (i % (4 * scanLength) === 0) for (let n = 0; n < scanLength; n++) trace.push(once++)
  }
  return trace.slice(0, requests)
}

/** A few keys in turn, over and over: LRU has evicted each just before it is asked for, unless all fit. */
function loop(requests) {
  const keys = requests / 20
  return Uint32Array.from({ length: requests }, (_, i) => i % keys)
}

/** The popular keys change: popularity by rank stays, and the ranks shift by one key every twenty requests. */
function shifting(requests, seed) {
  const window = requests / 20
  const cumulative = new Float64Array(window)
  let total = 0
  for (let rank = 0; rank < window; rank++) {
    total += 1 / (rank + 1) ** SKEW
    cumulative[rank] = total
  }
  const random = randomNumbers(seed)
  return Uint32Array.from({ length: requests }, (_, i) => {
    const drawn = random() * total
    let low = 0
    let high = window - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (cumulative[middle] < drawn) low = middle + 1
      else high = middle
    }
    // The newest key is the most popular one.
    return window + Math.floor(i / 20) - low
  })
}

/** Sizes of values from 64 bytes to 64 KB, each doubling as likely as the next, one per key. */
function sizesOf(keys, seed) {
  const random = randomNumbers(seed)
  const sizes = new Map()
  return Uint32Array.from(keys, key => {
    if (!sizes.has(key)) sizes.set(key, Math.floor(64 * 2 ** (10 * random())))
    return sizes.get(key)
  })
}

/** How to make each trace. */
const SYNTHETIC = {
  zipf: (requests, seed) => traceOf('zipf', zipf(requests, seed)),
  scans: (requests, seed) => traceOf('scans', scans(requests, seed)),
  loop: requests => traceOf('loop', loop(requests)),
  shifting: (requests, seed) => traceOf('shifting', shifting(requests, seed)),
  sizes(requests, seed) {
    const keys = zipf(requests, seed)
    return traceOf('sizes', keys, sizesOf(keys, seed ^ 1))
  }
}

module.exports = { SYNTHETIC }
