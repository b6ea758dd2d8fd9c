'use strict'

// `getManyOrLoad`: values that are there, and what one loader brings for those keys that nothing loads yet.

const { wrongType } = require('../errors.js')
const { isHandleKey } = require('../handle.js')
const { timeout } = require('../native/timer.js')
const { checkFunction } = require('../options/checks.js')
const { readLoadOptions } = require('../options/load.js')
const { refused } = require('../session/refusals.js')
const { getMany, itemsOf } = require('./batch.js')
const { throwDead } = require('./handles.js')
const { Abortion, Call, Job, lateLoad, runLoader } = require('./load-call.js')
const { checkIsNotLoading, ownKey, wait } = require('./load-wait.js')
const { loadsOf } = require('./loads.js')

/** @typedef {import('./load-call.js').Given} Given */
/** @typedef {import('./loads.js').Load} Load */
/** @typedef {import('./loads.js').Loads} Loads */
/** @typedef {import('../options/load.js').LoadOptions} LoadOptions */
/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {(keys: any[], given: Given) => any} ManyLoader */

/**
 * Runs a loader for keys.
 *
 * @param {ManyLoader} loader
 * @param {readonly any[]} keys
 * @param {Given} given
 * @returns {Promise<readonly any[]>} a value for each
 */
async function load(loader, keys, given) {
  const values = await Reflect.apply(loader, undefined, [[...keys], given])
  if (!Array.isArray(values) || values.length !== keys.length) {
    throw wrongType('the result of loadMany', values, `an array of ${keys.length} values, one for each key`)
  }
  return values
}

/**
 * What is to be loaded here, by one loader.
 *
 * @param {Loads} loads
 * @param {readonly { load: Load, token: number, call: Call }[]} own
 * @param {ManyLoader} loader
 */
function start({ open }, own, loader) {
  if (own.length === 0) return
  const abortion = new Abortion(own.length)
  const jobs = own.map(({ load, token, call }) => new Job(load.key, token, call, abortion))
  const keys = jobs.map(({ key }) => key)
  const values = runLoader(open, jobs, abortion, undefined, given => load(loader, keys, given))
  for (const [at, one] of own.entries()) {
    one.load.follow(
      jobs[at],
      values.then(loaded => loaded[at])
    )
  }
}

/**
 * The values of keys that are missing.
 *
 * @param {Loads} loads
 * @param {readonly any[]} keys
 * @param {ManyLoader} loader
 * @param {LoadOptions} options
 * @returns {Promise<any[]>}
 */
async function loadTogether(loads, keys, loader, options) {
  const { timeout: ms, signal } = options
  // Where another thread's loader ends with its thread, a key is loaded alone.
  const alone = async (/** @type {any} */ key, /** @type {Given} */ given) => (await load(loader, [key], given))[0]
  const forOne = { ...options, timeout: undefined, signal: undefined }
  /** @type {Call[]} */
  const calls = []
  /** @type {{ load: Load, token: number, call: Call }[]} */
  const own = []
  const values = keys.map(
    key =>
      new Promise((resolve, reject) => {
        const call = new Call(loads.open, alone, forOne, resolve, reject)
        calls.push(call)
        wait(loads, key, call, (load, token) => own.push({ load, token, call }))
      })
  )
  const free = (/** @type {unknown} */ reason) => {
    for (const call of calls) call.reject(reason)
  }
  const abort = () => free(signal?.reason)
  signal?.addEventListener('abort', abort)
  const stopTimer = ms === undefined ? () => {} : timeout(() => free(lateLoad(loads.open, ms)), ms)
  try {
    start(loads, own, loader)
    return await Promise.all(values)
  } catch (error) {
    // What was loaded of the others is of no use to this call.
    free(error)
    throw error
  } finally {
    signal?.removeEventListener('abort', abort)
    stopTimer()
  }
}

/**
 * @param {OpenMap} open
 * @param {Iterable<any>} keys
 * @param {ManyLoader} loadMany
 * @param {unknown} options
 */
function argumentsOf(open, keys, loadMany, options) {
  try {
    const items = itemsOf(open, 'keys', keys)
    checkFunction('loadMany', loadMany)
    return { items, read: readLoadOptions(options) }
  } catch (error) {
    throw refused(open, error)
  }
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf, roomOf }) => ({
  /** @this {any} @param {Iterable<any>} keys @param {ManyLoader} loadMany @param {any} options */
  async getManyOrLoad(keys, loadMany, options = undefined) {
    const open = openOf(this)
    const { items, read } = argumentsOf(open, keys, loadMany, options)
    const values = getMany(open, items)
    /** @type {number[]} */
    const missing = []
    for (const [at, key] of items.entries()) {
      if (values[at] !== undefined) continue
      if (!isHandleKey(key)) missing.push(at)
      else if (!this.has(key)) throwDead(open, key)
    }
    if (missing.length === 0) return values
    read.signal?.throwIfAborted()
    const own = missing.map(at => ownKey(items[at]))
    for (const key of own) checkIsNotLoading(open, key)
    const loaded = await loadTogether(loadsOf(open, roomOf(this), this), own, loadMany, read)
    for (const [at, value] of loaded.entries()) values[missing[at]] = value
    return values
  }
})

module.exports = { methods }
