'use strict'

// `getOrLoad`: a value that is there, or else what a loader brings, which runs once for each key among all threads.

const { isHandleKey } = require('../handle.js')
const { binding } = require('../native/attach.js')
const { STALE } = require('../near/near-cache.js')
const { checkFunction } = require('../options/checks.js')
const { readLoadOptions } = require('../options/load.js')
const { refused } = require('../session/refusals.js')
const { throwDead } = require('./handles.js')
const { Call } = require('./load-call.js')
const { checkIsNotLoading, ownKey, readBy, wait } = require('./load-wait.js')
const { loadsOf } = require('./loads.js')
const refresh = require('./refresh.js')

const { get: getBinding } = binding

/** @typedef {import('./load-call.js').Given} Given */
/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

/** @param {OpenMap} open @param {any} key @param {boolean} isRefreshed */
const copyOf = (open, key, isRefreshed) => (isRefreshed ? refresh.lookup(open, key) : open.near.lookup(key))

/**
 * @param {OpenMap} open
 * @param {unknown} loader
 * @param {unknown} given
 */
function optionsOf(open, loader, given) {
  try {
    checkFunction('loader', loader)
    return readLoadOptions(given)
  } catch (error) {
    throw refused(open, error)
  }
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf, roomOf }) => {
  /**
   * What no copy answers.
   *
   * @param {any} map
   * @param {any} target
   * @param {(key: any, given: Given) => any} loader
   * @param {unknown} given
   * @returns {Promise<any>}
   */
  async function load(map, target, loader, given) {
    const open = openOf(map)
    const options = optionsOf(open, loader, given)
    const key = open.keyOf(target)
    if (isHandleKey(key)) {
      const value = map.get(key)
      return value === undefined && !map.has(key) ? throwDead(open, key) : value
    }
    // Where keys are normalised, no copy was looked for yet.
    const copy = open.normalizes ? copyOf(open, key, options.refreshAfter > 0) : STALE
    if (copy !== STALE) return copy
    const loads = loadsOf(open, roomOf(map), map)
    const own = ownKey(key)
    const known = options.refreshAfter > 0 ? refresh.read(loads, own, loader, options) : readBy(open, key, getBinding)
    open.reportManyHits()
    if (known !== STALE) return known
    options.signal?.throwIfAborted()
    checkIsNotLoading(open, own)
    return new Promise((resolve, reject) => {
      const call = new Call(open, loader, options, resolve, reject)
      wait(loads, own, call, (load, token) => load.start(call, token))
    })
  }

  return {
    /** @param {any} key @param {(key: any, given: Given) => any} loader @param {any} options */
    getOrLoad(key, loader, options = undefined) {
      const open = openOf(this)
      const known = open.normalizes ? STALE : copyOf(open, key, options?.refreshAfter !== undefined)
      if (known !== STALE && typeof loader === 'function') return Promise.resolve(known)
      return load(this, key, loader, options)
    }
  }
}

module.exports = { methods }
