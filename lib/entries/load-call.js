'use strict'

// One call that waits for a load: its promise, its loader, and what frees it early. And the job of running a loader.

const { AsyncLocalStorage, AsyncResource } = process.getBuiltinModule('node:async_hooks')
const { ERROR_NUMBERS, createError } = require('../errors.js')
const { binding } = require('../native/attach.js')
const { timeout } = require('../native/timer.js')
const { release, hold } = require('../session/keep-alive.js')
const { refused } = require('../session/refusals.js')

const { isOneKey: isOneKeyBinding } = binding

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

/**
 * Whether the running code was called by a loader of this key, which has not ended: to wait for it would be to wait
 * for itself.
 *
 * @param {OpenMap} open
 * @param {any} key
 */
function isLoading({ id, instance }, key) {
  for (let one = running.getStore(); one !== undefined; one = one.outer) {
    if (!one.job.isOver && one.instance === instance && isOneKeyBinding(id, one.key, key)) return true
  }
  return false
}

/**
 * The error of a call that has waited for so long.
 *
 * @param {OpenMap} open
 * @param {number} ms
 */
const lateLoad = (open, ms) => refused(open, createError(ERROR_NUMBERS.ERR_TIMEOUT, { timeout: ms }))

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
   * @param {OpenMap} open
   * @param {(key: any, given: Given) => any} loader
   * @param {LoadOptions} options
   * @param {(value: any) => void} resolve
   * @param {(reason: unknown) => void} reject
   */
  constructor(open, loader, options, resolve, reject) {
    super('TypedMapLoad')
    this.loader = loader
    this.options = options
    this.#resolve = resolve
    this.#reject = reject
    this.#signal = options.signal
    this.#signal?.addEventListener('abort', this.#abort)
    const ms = options.timeout
    if (ms !== undefined) {
      this.#stopTimer = timeout(() => this.reject(lateLoad(open, ms)), ms)
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

/** What stands for a call where nothing waits for what its loader brings. */
class NoCall {
  /** @type {Job | undefined} */
  job

  /** @param {LoadOptions} options */
  constructor(options) {
    this.options = options
  }

  resolve() {}

  reject() {}
}

/** What aborts the signal of a loader, which is made when it is asked for. */
class Abortion {
  #isOver = false
  /** @type {AbortController | undefined} */
  #controller
  /** Jobs that would have what it brings. */
  #wanted

  /** @param {number} jobs that the loader runs for */
  constructor(jobs) {
    this.#wanted = jobs
  }

  get signal() {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#wanted === 0) this.#controller.abort()
    }
    return this.#controller.signal
  }

  /** Nothing waits any more for one of the jobs. */
  leave() {
    this.#wanted--
    if (this.#wanted === 0 && !this.#isOver) this.#controller?.abort()
  }

  /** The loader has ended. */
  end() {
    this.#isOver = true
  }
}

/** What a loader is given besides the key. */
class Context {
  #abortion

  /** @param {Abortion} abortion @param {any} stale */
  constructor(abortion, stale) {
    this.#abortion = abortion
    this.stale = stale
  }

  get signal() {
    return this.#abortion.signal
  }
}

/** The loading of a key. One loader may run for several of them. */
class Job {
  isOver = false
  /** When it was first found running, by a clock of this thread. @type {number | undefined} */
  seenMs
  /** For how long it had run when that was last reported. */
  toldMs = 0
  #isAborted = false
  #abortion

  /**
   * @param {any} key
   * @param {number} token by which it owns its load
   * @param {Call | NoCall} call whose loader it is
   * @param {Abortion} abortion
   */
  constructor(key, token, call, abortion) {
    this.key = key
    this.token = token
    this.call = call
    this.#abortion = abortion
    call.job = this
  }

  /** Nothing waits for it any more. */
  abort() {
    if (this.#isAborted) return
    this.#isAborted = true
    this.#abortion.leave()
  }
}

/**
 * Runs a loader for jobs, whose calls get what it brings.
 *
 * @param {OpenMap} open
 * @param {readonly Job[]} jobs
 * @param {Abortion} abortion of these jobs
 * @param {any} stale
 * @param {(given: Given) => any} loader
 * @returns {Promise<any>}
 */
async function runLoader({ instance }, jobs, abortion, stale, loader) {
  let own = running.getStore()
  for (const job of jobs) own = { instance, key: job.key, job, outer: own }
  try {
    return await running.run(/** @type {Running} */ (own), loader, new Context(abortion, stale))
  } finally {
    abortion.end()
    for (const job of jobs) job.isOver = true
  }
}

module.exports = { Abortion, Call, Job, NoCall, isLoading, runLoader, lateLoad }
