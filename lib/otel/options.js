'use strict'

// What `registerMetrics` is given.

const { wrongType } = require('../errors.js')
const { checkObject } = require('../options/checks.js')

/** What is called of a meter. */
const METHODS = [
  'createObservableCounter',
  'createObservableUpDownCounter',
  'createObservableGauge',
  'addBatchObservableCallback',
  'removeBatchObservableCallback'
]

/** @param {any} meter */
function checkMeter(meter) {
  const isMeter =
    typeof meter === 'object' && meter !== null && METHODS.every(method => typeof meter[method] === 'function')
  if (!isMeter) throw wrongType('meter', meter, 'a meter of OpenTelemetry')
}

/**
 * @param {unknown} options
 * @returns {{ isMeant: (name: string) => boolean, attributes: Record<string, any> }}
 */
function readMetricsOptions(options = {}) {
  const { maps, attributes = {} } = checkObject('options', options, ['maps', 'attributes'])
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) {
    throw wrongType('option attributes', attributes, 'an object')
  }
  if (maps === undefined) return { isMeant: () => true, attributes: { ...attributes } }
  if (!Array.isArray(maps) || !maps.every(name => typeof name === 'string')) {
    throw wrongType('option maps', maps, 'an array of names')
  }
  const names = new Set(maps)
  return { isMeant: name => names.has(name), attributes: { ...attributes } }
}

module.exports = { checkMeter, readMetricsOptions }
