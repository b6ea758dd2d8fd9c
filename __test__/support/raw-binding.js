'use strict'

// The native functions with nothing of lib/ between, for tests of what must not end the process. Programs reach them
// with `require`, so they may be called with anything.

const loaded = require('../../lib/addon/load.js')

/**
 * The native functions of a new evaluation.
 *
 * @param {object} [helpers] what is handed over in place of the usual
 */
function attachRaw(helpers = {}) {
  const {
    makeError = (number, details) => Object.assign(new Error(`${number} ${details}`), { number }),
    onWake = () => {},
    spread = (receive, array, from, to) => receive(...array.slice(from, to)),
    append = (array, ...values) => {
      array.push(...values)
    },
    shared = {}
  } = helpers
  const operations = loaded.attach(makeError, onWake, spread, append, shared)
  const { evaluation, scratch } = operations
  return {
    ...loaded,
    ...operations,
    evaluation,
    scratch,
    opened: (name, options = {}) => loaded.open(evaluation, name, JSON.stringify(options))
  }
}

module.exports = { attachRaw, loaded }
