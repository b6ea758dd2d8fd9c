'use strict'

// Calls functions when the caller cannot handle their errors.

// Taken once, and from where the platform keeps its own: test tools and browser-like environments replace timers among
// the globals, some before this is loaded.
const { setImmediate } = process.getBuiltinModule('node:timers')

/** Reports an error as an uncaught exception, and goes on. @param {unknown} error */
function report(error) {
  setImmediate(() => {
    throw error
  })
}

/**
 * Calls a function. If it throws, that is an uncaught exception of its own, and the caller goes on.
 *
 * @template T
 * @param {() => T} job
 * @returns {T | undefined}
 */
function attempt(job) {
  try {
    return job()
  } catch (error) {
    report(error)
    return undefined
  }
}

module.exports = { attempt }
