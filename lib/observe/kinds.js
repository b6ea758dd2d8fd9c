'use strict'

// What kinds of values are called where a map tells of itself.

const { KIND } = require('../native/layout.js')

/** Of kinds that are called otherwise than they are in the code. @type {Record<number, string>} */
const OWN_NAMES = {
  [KIND.Undefined]: 'undefined',
  [KIND.Null]: 'null',
  [KIND.False]: 'boolean',
  [KIND.True]: 'boolean',
  [KIND.Int]: 'number',
  [KIND.Float]: 'number',
  [KIND.String]: 'string',
  [KIND.Utf16]: 'string',
  [KIND.BigInt]: 'bigint',
  [KIND.Json]: 'json',
  [KIND.Shaped]: 'record',
  [KIND.Encoded]: 'encoded',
  [KIND.EncodedText]: 'encoded',
  [KIND.EncodedUtf16]: 'encoded'
}

/** @type {Map<number, string>} */
const names = new Map(Object.entries(KIND).map(([name, number]) => [number, OWN_NAMES[number] ?? name]))

/** @param {number} number of a kind */
const kindName = number => names.get(number) ?? 'unknown'

module.exports = { kindName }
