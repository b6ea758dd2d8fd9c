'use strict'

// The room that a map takes, and how it is limited.

const { binding } = require('../native/attach.js')
const { writeData } = require('../native/data.js')
const { readCount } = require('../options/checks.js')
const { readLimits } = require('../options/map-options.js')
const { about } = require('../session/open-map.js')

const {
  evict: evictBinding,
  memoryUsed: memoryUsedBinding,
  reserve: reserveBinding,
  setLimits: setLimitsBinding,
  shrinkToFit: shrinkToFitBinding,
  weight: weightBinding
} = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

/**
 * Bytes that an entry costs.
 *
 * @param {OpenMap} open
 * @param {any} key
 * @returns {number | undefined} `undefined` if it is not there
 */
function weightOf(open, key) {
  return open.mayHave(key) ? about(weightBinding, open, key) : undefined
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** @param {any[]} given no argument, or a key, which may be undefined */
  memoryUsage(...given) {
    const open = openOf(this)
    return given.length === 0 ? memoryUsedBinding(open.id) : weightOf(open, open.keyOf(given[0]))
  },

  /** @param {number} count */
  evict(count = 1) {
    return evictBinding(openOf(this).id, readCount('count', count))
  },

  /** @param {any} limits */
  setLimits(limits) {
    const open = openOf(this)
    const read = readLimits(limits)
    setLimitsBinding(open.id, writeData(read))
    open.limitMemory(read.memoryLimit)
  },

  /** @param {number} entries */
  reserve(entries) {
    reserveBinding(openOf(this).id, readCount('entries', entries))
  },

  shrinkToFit() {
    shrinkToFitBinding(openOf(this).id)
  }
})

module.exports = { methods, weightOf }
