'use strict'

// What became of a map that broke.

const { codeOf } = require('../../errors.js')

/** @param {Record<string, any>} read */
function recovery({ recovery: { last, ...sums } }) {
  if (last === null) return { recovery: { ...sums, last } }
  const { failure, ...rest } = last
  return { recovery: { ...sums, last: { ...rest, outcome: failure === null ? 'recovered' : codeOf(failure) } } }
}

module.exports = { recovery }
