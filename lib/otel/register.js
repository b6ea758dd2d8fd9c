'use strict'

// Has a meter of OpenTelemetry observe the named maps of the process. Whenever it collects, their statistics are read
// at once: no map is held open in between, and none has to be known beforehand.

const { statsOfNamed } = require('../observe/stats.js')
const { INSTRUMENTS } = require('./instruments.js')
const { checkMeter, readMetricsOptions } = require('./options.js')

const PREFIX = 'typed_superdashmap'
const NAME = `${PREFIX}.map.name`

/** @type {Record<import('./instruments.js').Instrument['kind'], string>} */
const METHODS = {
  counter: 'createObservableCounter',
  upDownCounter: 'createObservableUpDownCounter',
  gauge: 'createObservableGauge'
}

/**
 * @param {any} meter
 * @param {unknown} [options]
 * @returns {() => void} ends it
 */
function registerMetrics(meter, options = undefined) {
  checkMeter(meter)
  const { isMeant, attributes } = readMetricsOptions(options)
  const made = Object.entries(INSTRUMENTS).map(([name, { kind, unit, description, read }]) => ({
    read,
    observable: meter[METHODS[kind]](`${PREFIX}.${name}`, { unit, description })
  }))
  const observables = made.map(({ observable }) => observable)

  /** @param {any} result */
  const observe = result => {
    for (const map of statsOfNamed().filter(({ name }) => isMeant(name))) {
      const ofMap = { ...attributes, [NAME]: map.name }
      for (const { read, observable } of made) {
        for (const [number, more] of read(map.stats, map)) {
          if (typeof number === 'number') result.observe(observable, number, { ...ofMap, ...more })
        }
      }
    }
  }
  meter.addBatchObservableCallback(observe, observables)
  return () => meter.removeBatchObservableCallback(observe, observables)
}

module.exports = { registerMetrics }
