'use strict'

// The grouping of `TypedMap.groupBy`, which is that of `Map.groupBy` with bytes compared by content.

const { Buffer } = process.getBuiltinModule('node:buffer')
const { ERROR_NUMBERS, createError, wrongType } = require('../errors.js')
const { checkFunction } = require('../options/checks.js')

/**
 * Puts items with the same key into one array, in the order in which the keys come.
 *
 * @param {Iterable<any>} items
 * @param {(item: any, index: number) => any} callback
 * @returns {[any, any[]][]}
 */
function group(items, callback) {
  if (items === undefined || items === null) throw wrongType('items', items, 'an iterable')
  checkFunction('callback', callback)
  /** @type {[any, any[]][]} */
  const groups = []
  /** @type {Map<unknown, any[]>} */
  const byValue = new Map()
  /** @type {Map<string, any[]>} */
  const byContent = new Map()
  let index = 0
  for (const item of items) {
    const key = callback(item, index++)
    checkKey(key)
    const known = key instanceof Uint8Array ? byContent : byValue
    const token = key instanceof Uint8Array ? Buffer.from(key).toString('latin1') : key
    const members = known.get(token)
    if (members !== undefined) {
      members.push(item)
    } else {
      const first = [item]
      known.set(token, first)
      groups.push([key instanceof Uint8Array ? key.slice() : key, first])
    }
  }
  return groups
}

/** @param {unknown} key */
function checkKey(key) {
  const given = typeof key
  const isKey =
    given === 'object' ? key === null || key instanceof Uint8Array : given !== 'symbol' && given !== 'function'
  if (!isKey) throw createError(ERROR_NUMBERS.ERR_KEY_TYPE, { argument: 'key', given })
}

module.exports = { group }
