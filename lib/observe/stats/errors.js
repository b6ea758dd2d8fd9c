'use strict'

// Errors of the map, of all threads.

const { codeOf } = require('../../errors.js')

/** @param {Record<string, any>} read */
function errors({ errors: { byNumber, corruptionDetections } }) {
  /** @type {Record<string, number>} */
  const byCode = {}
  let total = 0
  for (const [number, count] of Object.entries(byNumber)) {
    byCode[codeOf(Number(number))] = count
    total += count
  }
  return { errors: { total, byCode, allocationFailures: byCode.ERR_OUT_OF_MEMORY ?? 0, corruptionDetections } }
}

module.exports = { errors }
