'use strict'

// Looks at an entry without reading it, and sets its deadline. Nothing here counts as a read or protects an entry from
// eviction.

const { GONE, decode } = require('../codec/values.js')
const { binding, scratch } = require('../native/attach.js')
const { SCRATCH } = require('../native/layout.js')
const { requestTtl } = require('../native/ttl.js')
const { STALE } = require('../near/near-cache.js')
const { readWriteOptions } = require('../options/ttl.js')
const { about } = require('../session/open-map.js')
const { refused } = require('../session/refusals.js')

const { peek: peekBinding, purgeExpired: purgeExpiredBinding, touch: touchBinding, ttlOf: ttlOfBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

/**
 * The value of a key or handle.
 *
 * @param {OpenMap} open
 * @param {any} key
 * @returns {any}
 */
function peek(open, key) {
  // The same object that a read returns.
  const known = open.near.peek(key)
  if (known !== STALE) return known
  if (!open.mayHave(key)) return undefined
  const raw = about(peekBinding, open, key)
  const kind = scratch[SCRATCH.STATE]
  const value = kind === 0 ? undefined : decode(open.shapes, kind, raw)
  return value === GONE ? peek(open, key) : value
}

/**
 * Milliseconds until an entry expires.
 *
 * @param {OpenMap} open
 * @param {any} key
 * @returns {number | undefined} `Infinity` if it never expires, `undefined` if it is not there
 */
function ttlOf(open, key) {
  return open.mayHave(key) ? about(ttlOfBinding, open, key) : undefined
}

/**
 * Sets a new deadline for an entry.
 *
 * @param {OpenMap} open
 * @param {any} key
 * @param {number} ttl from `readTtl`; by default the ttl that the entry was written with
 * @returns {boolean} whether it is there
 */
function touch(open, key, ttl) {
  if (!open.mayHave(key)) return false
  requestTtl(ttl)
  return about(touchBinding, open, key)
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** @param {any} key */
  peek(key) {
    const open = openOf(this)
    return peek(open, open.keyOf(key))
  },

  /** @param {any} key */
  ttlOf(key) {
    const open = openOf(this)
    return ttlOf(open, open.keyOf(key))
  },

  /** @param {any} key @param {any} options */
  touch(key, options = undefined) {
    const open = openOf(this)
    try {
      return touch(open, open.keyOf(key), readWriteOptions(options))
    } catch (error) {
      throw refused(open, error)
    }
  },

  purgeExpired() {
    return purgeExpiredBinding(openOf(this).id)
  }
})

module.exports = { methods, peek, ttlOf }
