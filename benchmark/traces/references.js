'use strict'

/*
 * What replays are compared with, computed here for any capacity: exact LRU, and the optimum.
 *
 * Both are demand-filled caches: each request is a read, and a missing entry is inserted. A trace is given as the
 * number of each request's key, from 0.
 */

/** The reuse distance of a first request. */
const FIRST = 0xffffffff

/**
 * For each request, how many keys were asked for since its key was, itself included; FIRST if it never was. Exact LRU
 * with room for `capacity` entries hits where that is at most `capacity`, so that one pass answers for all capacities
 * (Mattson et al., "Evaluation techniques for storage hierarchies", 1970).
 *
 * @param {Uint32Array} ids
 * @param {number} distinct
 */
function reuseDistances(ids, distinct) {
  const distances = new Uint32Array(ids.length)
  const last = new Int32Array(distinct).fill(-1)
  // Binary indexed tree over the requests; 1 where a request is the latest one of its key.
  const tree = new Int32Array(ids.length + 1)
  const add = (at, by) => {
    for (let i = at + 1; i <= ids.length; i += i & -i) tree[i] += by
  }
  const countUpTo = at => {
    let sum = 0
    for (let i = at + 1; i > 0; i -= i & -i) sum += tree[i]
    return sum
  }
  let seen = 0
  for (let i = 0; i < ids.length; i++) {
    const before = last[ids[i]]
    if (before < 0) {
      distances[i] = FIRST
      seen++
    } else {
      distances[i] = seen - countUpTo(before) + 1
      add(before, -1)
    }
    add(i, 1)
    last[ids[i]] = i
  }
  return distances
}

/** Hits of exact LRU, from the result of `reuseDistances`. */
function lruHits(distances, capacity) {
  let hits = 0
  for (let i = 0; i < distances.length; i++) if (distances[i] <= capacity) hits++
  return hits
}

/** For each request, when its key is asked for next; the number of requests if it never is. */
function nextRequests(ids, distinct) {
  const next = new Uint32Array(ids.length)
  const upcoming = new Uint32Array(distinct).fill(ids.length)
  for (let i = ids.length - 1; i >= 0; i--) {
    next[i] = upcoming[ids[i]]
    upcoming[ids[i]] = i
  }
  return next
}

/**
 * Hits of Belady's optimum, which knows all future requests: a miss evicts the entry with the farthest next request,
 * which may be the newcomer itself. No cache of this capacity has more.
 *
 * @param {Uint32Array} ids
 * @param {Uint32Array} next the result of `nextRequests`
 * @param {number} distinct
 * @param {number} capacity
 */
function optimalHits(ids, next, distinct, capacity) {
  const isHeld = new Uint8Array(distinct)
  // The next requests of what is held. Those that have come stay below all others, so the top is always one to come.
  const upcoming = new MaxHeap(ids.length)
  let held = 0
  let hits = 0
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]
    if (isHeld[id] === 1) {
      hits++
      held--
      isHeld[id] = 0
    }
    // What is never asked for again is the first to go.
    if (next[i] === ids.length) continue
    upcoming.push(next[i])
    isHeld[id] = 1
    held++
    if (held > capacity) {
      isHeld[ids[upcoming.pop()]] = 0
      held--
    }
  }
  return hits
}

/** A binary heap of numbers, the largest on top. */
class MaxHeap {
  #items
  #count = 0

  constructor(most) {
    this.#items = new Uint32Array(most)
  }

  push(item) {
    const items = this.#items
    let at = this.#count++
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (items[parent] >= item) break
      items[at] = items[parent]
      at = parent
    }
    items[at] = item
  }

  pop() {
    const items = this.#items
    const top = items[0]
    const item = items[--this.#count]
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.#count) break
      if (child + 1 < this.#count && items[child + 1] > items[child]) child++
      if (items[child] <= item) break
      items[at] = items[child]
      at = child
    }
    items[at] = item
    return top
  }
}

/**
 * Hits of exact LRU with room for so many bytes, where an entry weighs what `weightOf(request)` says and the entry
 * itself is all that is counted.
 */
function lruHitsByWeight(ids, weightOf, limit) {
  /** Weights by key, the least recently used first. */
  const held = new Map()
  let total = 0
  let hits = 0
  for (let i = 0; i < ids.length; i++) {
    const weight = held.get(ids[i])
    if (weight !== undefined) {
      hits++
      held.delete(ids[i])
      held.set(ids[i], weight)
      continue
    }
    const needed = weightOf(i)
    if (needed > limit) continue
    for (const [id, freed] of held) {
      if (total + needed <= limit) break
      held.delete(id)
      total -= freed
    }
    held.set(ids[i], needed)
    total += needed
  }
  return hits
}

module.exports = { lruHits, lruHitsByWeight, nextRequests, optimalHits, reuseDistances }
