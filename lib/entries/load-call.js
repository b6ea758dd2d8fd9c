'use strict'

// One call that waits for a load: its promise, its loader, and what frees it early. And the job of running a loader.

const { Buffer } = process.getBuiltinModule('node:buffer')
const { AsyncLocalStorage, AsyncResource } = process.getBuiltinModule('node:async_hooks')
const { ERROR_NUMBERS, createError } = require('../errors.js')
const { timeout } = require('../native/timer.js')
const { release, hold } = require('../session/keep-alive.js')

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../options/load.js').LoadOptions} LoadOptions */
/** What a loader is given besides the key. @typedef {{ readonly signal: AbortSignal, readonly stale: any }} Given */

/**
 * Which loaders the running code was called by, the innermost first.
 *
 * @typedef {object} Running
 * @property {number} instance of the map
 * @property {any} key
 * @property {Job} job
 * @property {Running | undefined} outer
 */

/** @type {import('node:async_hooks').AsyncLocalStorage<Running>} */
const running = new AsyncLocalStorage()

/** Whether two keys are one to a map. None is -0. @param {any} one @param {any} other */
function isSameKey(one, other) {
  if (typeof one !== 'object' || one === null) return Object.is(one, other)
  return other instanceof Uint8Array && Buffer.compare(one, other) === 0
}

/**
 * Whether the running code was called by a loader of this key, which has not ended: to wait for it would be to wait
 * for itself.
 *
 * @param {OpenMap} open
 * @param {any} key
 */
function isLoading({ instance }, key) {
  for (let one = running.getStore(); one !== undefined; one = one.outer) {
    if (!one.job.isOver && one.instance === instance && isSameKey(one.key, key)) return true
  }
  return false
}

class Call extends AsyncResource {
  /** What runs its loader, once something does. @type {Job | undefined} */
  job
  /** Called when it waits no longer. @type {() => void} */
  onEnd = () => {}
  #resolve
  #reject
  #signal
  #isOver = false
  #stopTimer = () => {}
  #abort = () => this.reject(this.#signal?.reason)

  /**
   * @param {(key: any, given: Given) => any} loader
   * @param {LoadOptions} options
   * @param {(value: any) => void} resolve
   * @param {(reason: unknown) => void} reject
   */
  constructor(loader, options, resolve, reject) {
    super('TypedMapLoad')
    this.loader = loader
    this.options = options
    this.#resolve = resolve
    this.#reject = reject
    this.#signal = options.signal
    this.#signal?.addEventListener('abort', this.#abort)
    const ms = options.timeout
    if (ms !== undefined) {
      this.#stopTimer = timeout(() => this.reject(createError(ERROR_NUMBERS.ERR_TIMEOUT, { timeout: ms })), ms)
    }
    hold()
  }

  /** @param {any} value */
  resolve(value) {
    if (this.#end()) this.#resolve(value)
  }

  /** @param {unknown} reason */
  reject(reason) {
    if (this.#end()) this.#reject(reason)
  }

  #end() {
    if (this.#isOver) return false
    this.#isOver = true
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#stopTimer()
    release()
    this.onEnd()
    this.emitDestroy()
    return true
  }
}

/** What the loader of a call is given. The signal is made when it is asked for. */
class Context {
  #job

  /** @param {Job} job @param {any} stale */
  constructor(job, stale) {
    this.#job = job
    this.stale = stale
  }

  get signal() {
    return this.#job.signal
  }
}

/** A loader that runs. */
class Job {
  isOver = false
  /** @type {AbortController | undefined} */
  #controller
  #isAborted = false

  /**
   * @param {number} token by which it owns its load
   * @param {Call | undefined} call whose loader it is, if that waits
   */
  constructor(token, call) {
    this.token = token
    this.call = call
  }

  get signal() {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#isAborted) this.#controller.abort()
    }
    return this.#controller.signal
  }

  /** Nothing waits for it any more. */
  abort() {
    this.#isAborted = true
    if (!this.isOver) this.#controller?.abort()
  }

  /**
   * Runs the loader.
   *
   * @param {OpenMap} open
   * @param {any} key
   * @param {(key: any, given: Given) => any} loader
   * @param {any} stale
   * @returns {Promise<any>}
   */
  async run({ instance }, key, loader, stale) {
    const own = { instance, key, job: this, outer: running.getStore() }
    try {
      return await running.run(own, loader, key, new Context(this, stale))
    } finally {
      this.isOver = true
    }
  }
}

module.exports = { Call, Job, isLoading }
