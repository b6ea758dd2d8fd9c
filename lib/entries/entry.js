'use strict'

// What can be asked of one entry without reading it: nothing here counts as a read or keeps an entry from being evicted.

const { isHandleKey } = require('../handle.js')
const { decode } = require('../codec/values.js')
const { binding, scratch } = require('../native/attach.js')
const { SCRATCH } = require('../native/layout.js')
const { requestTtl } = require('../native/ttl.js')
const { STALE, copyOf, hasFreshCopy } = require('../near/near-cache.js')

const {
  peek: peekBinding,
  peekHandle: peekHandleBinding,
  touch: touchBinding,
  touchHandle: touchHandleBinding,
  ttlOf: ttlOfBinding,
  ttlOfHandle: ttlOfHandleBinding,
  weight: weightBinding,
  weightHandle: weightHandleBinding
} = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

/**
 * The value of a key or handle.
 *
 * @param {OpenMap} open
 * @param {any} key
 */
function peek(open, key) {
  const { near } = open
  let raw
  if (isHandleKey(key)) {
    // The same object as a read gives.
    if (hasFreshCopy(key, near.keeper)) return copyOf(key)
    if (!open.owns(key)) return undefined
    raw = peekHandleBinding(open.id, key.shard, key.slot, key.generation)
  } else {
    const known = near.peekKey(key)
    if (known !== STALE) return known
    raw = peekBinding(open.id, key)
  }
  const kind = scratch[SCRATCH.STATE]
  return kind === 0 ? undefined : decode(kind, raw)
}

/**
 * How many milliseconds are left to an entry.
 *
 * @param {OpenMap} open
 * @param {any} key
 * @returns {number | undefined} `Infinity` if it never expires, `undefined` if it is not there
 */
function ttlOf(open, key) {
  if (!isHandleKey(key)) return ttlOfBinding(open.id, key)
  return open.owns(key) ? ttlOfHandleBinding(open.id, key.shard, key.slot, key.generation) : undefined
}

/**
 * Gives an entry a new deadline.
 *
 * @param {OpenMap} open
 * @param {any} key
 * @param {number} ttl as `readTtl` gives it; what the entry was written with unless it says more
 * @returns {boolean} whether it is there
 */
function touch(open, key, ttl) {
  if (!isHandleKey(key)) {
    requestTtl(ttl)
    return touchBinding(open.id, key)
  }
  if (!open.owns(key)) return false
  requestTtl(ttl)
  return touchHandleBinding(open.id, key.shard, key.slot, key.generation)
}

/**
 * Bytes that an entry costs.
 *
 * @param {OpenMap} open
 * @param {any} key
 * @returns {number | undefined} `undefined` if it is not there
 */
function weightOf(open, key) {
  if (!isHandleKey(key)) return weightBinding(open.id, key)
  return open.owns(key) ? weightHandleBinding(open.id, key.shard, key.slot, key.generation) : undefined
}

module.exports = { peek, touch, ttlOf, weightOf }
