'use strict'

// How calls come to wait for a load.

const { types } = process.getBuiltinModule('node:util')
const { badOption } = require('../errors.js')
const { GONE, decode } = require('../codec/values.js')
const { binding, scratch } = require('../native/attach.js')
const { SCRATCH } = require('../native/layout.js')
const { STALE } = require('../near/near-cache.js')
const { refused } = require('../session/refusals.js')
const { isLoading } = require('./load-call.js')

const { peek: peekBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('./load-call.js').Call} Call */

const ABSENT = 0

/**
 * The value of a key, STALE if there is none. What is peeked at counts as no read.
 *
 * @param {OpenMap} open
 * @param {any} key
 * @param {(id: number, key: any) => any} read
 */
function readBy(open, key, read) {
  for (;;) {
    const raw = read(open.id, key)
    const kind = scratch[SCRATCH.STATE]
    if (kind === ABSENT) return STALE
    const value = decode(open.shapes, kind, raw)
    if (value === GONE) continue
    open.near.keep(key, kind, value, scratch, 0)
    return value
  }
}

/**
 * Has a call wait for a load of a key, unless the key has an entry by now.
 *
 * @param {import('./loads.js').Loads} loads
 * @param {any} key
 * @param {Call} call
 * @param {(load: import('./loads.js').Load, token: number) => void} start called if the load is its own
 */
function wait(loads, key, call, start) {
  try {
    while (!loads.begin(key, call, start)) {
      // Another thread was faster. If the entry is gone already, the next round loads it.
      const value = readBy(loads.open, key, peekBinding)
      if (value !== STALE) return call.resolve(value)
    }
  } catch (error) {
    call.reject(error)
  }
}

/**
 * A key that the program cannot change later. -0 is the key 0.
 *
 * @param {any} key
 */
function ownKey(key) {
  if (types.isUint8Array(key)) return new Uint8Array(key)
  return key === 0 ? 0 : key
}

/**
 * Refuses to wait for a loader by which this is called.
 *
 * @param {OpenMap} open
 * @param {any} key
 */
function checkIsNotLoading(open, key) {
  if (isLoading(open, key)) throw refused(open, badOption('loader', 'waits for the key that it loads'))
}

module.exports = { checkIsNotLoading, ownKey, readBy, wait }
