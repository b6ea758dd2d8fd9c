'use strict'

// `getOrLoad`: a value that is there, or else what a loader brings, which runs once for each key among all threads.

const { badOption } = require('../errors.js')
const { isHandleKey } = require('../handle.js')
const { GONE, decode } = require('../codec/values.js')
const { binding, scratch } = require('../native/attach.js')
const { SCRATCH } = require('../native/layout.js')
const { STALE } = require('../near/near-cache.js')
const { checkFunction } = require('../options/checks.js')
const { readLoadOptions } = require('../options/load.js')
const { throwDead } = require('./handles.js')
const { Call, isLoading } = require('./load-call.js')
const { loadsOf } = require('./loads.js')

const { get: getBinding, peek: peekBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('./load-call.js').Given} Given */

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
 * Waits for a load of a key, which this begins unless there is one.
 *
 * @param {import('./loads.js').Loads} loads
 * @param {any} key
 * @param {(key: any, given: Given) => any} loader
 * @param {import('../options/load.js').LoadOptions} options
 * @returns {Promise<any>}
 */
const wait = (loads, key, loader, options) =>
  new Promise((resolve, reject) => {
    const call = new Call(loader, options, resolve, reject)
    try {
      while (!loads.begin(key, call)) {
        // Another thread was faster. If the entry is gone already, the next round loads it.
        const value = readBy(loads.open, key, peekBinding)
        if (value !== STALE) return call.resolve(value)
      }
    } catch (error) {
      call.reject(error)
    }
  })

/** @param {import('../install.js').Access} access */
const methods = ({ openOf, roomOf }) => {
  /**
   * What no copy answers.
   *
   * @param {any} map
   * @param {any} key
   * @param {(key: any, given: Given) => any} loader
   * @param {unknown} given
   * @returns {Promise<any>}
   */
  async function load(map, key, loader, given) {
    const open = openOf(map)
    checkFunction('loader', loader)
    const options = readLoadOptions(given)
    if (isHandleKey(key)) {
      const value = map.get(key)
      return value === undefined && !map.has(key) ? throwDead(open, key) : value
    }
    const known = readBy(open, key, getBinding)
    open.reportManyHits()
    if (known !== STALE) return known
    options.signal?.throwIfAborted()
    // The program may change an array later, and -0 is the key 0.
    const own = typeof key === 'object' && key !== null ? new Uint8Array(key) : key === 0 ? 0 : key
    if (isLoading(open, own)) throw badOption('loader', 'waits for the key that it loads')
    return wait(loadsOf(open, roomOf(map), map), own, loader, options)
  }

  return {
    /** @param {any} key @param {(key: any, given: Given) => any} loader @param {any} options */
    getOrLoad(key, loader, options = undefined) {
      const known = openOf(this).near.lookup(key)
      if (known !== STALE && typeof loader === 'function') return Promise.resolve(known)
      return load(this, key, loader, options)
    }
  }
}

module.exports = { methods }
