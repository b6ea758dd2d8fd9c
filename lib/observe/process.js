'use strict'

// The memory of all maps of the process: its limit, and how full it is.

const { binding } = require('../native/attach.js')
const { readData } = require('../native/data.js')
const { bytes, orNone } = require('../options/checks.js')
const { subscribe } = require('./pressure.js')

const {
  evictProcessTo: evictToBinding,
  evaluation,
  processMemory: memoryBinding,
  processUsed: usedBinding,
  setProcessLimit: setLimitBinding
} = binding

/** @typedef {import('./pressure.js').PressureListener} PressureListener */

const checkLimit = orNone(more => bytes(1, `${more}, null or undefined`))

/** @param {any} limit */
function setProcessLimit(limit) {
  setLimitBinding(limit === null || limit === undefined ? null : checkLimit('limit', limit))
}

const processMemory = () => readData(memoryBinding())

/** @param {PressureListener} listener @param {any} options */
const onProcessPressure = (listener, options) =>
  subscribe({ id: evaluation, usedBytes: usedBinding, evictTo: evictToBinding }, listener, options)

module.exports = { onProcessPressure, processMemory, setProcessLimit }
