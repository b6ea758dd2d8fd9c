'use strict'

// `metrics`: the statistics of maps as OpenMetrics text, which native code writes (`src/store/observe/metrics/`). What
// this thread has hit without a native call is told of first.

const { ERROR_NUMBERS } = require('../errors.js')
const { binding } = require('../native/attach.js')
const { eachOpen, reportHitsOf } = require('../session/opens.js')

const { evaluation, metrics: metricsBinding, metricsOfNamed: metricsOfNamedBinding } = binding

const FIRST_NUMBER = 1_001

/** @type {string[]} */
const codes = []
for (const [code, number] of Object.entries(ERROR_NUMBERS)) codes[number - FIRST_NUMBER] = code

/** Names of errors by their numbers, from the first on; empty where there is none. */
const CODES = codes.join(',')

/** Those of all named maps of the process. */
function metricsOfNamed() {
  eachOpen(open => open.reportHits())
  return metricsOfNamedBinding(evaluation, CODES)
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  metrics() {
    const open = openOf(this)
    open.check()
    reportHitsOf(open)
    return metricsBinding(open.id, open.name, CODES)
  }
})

module.exports = { methods, metricsOfNamed }
