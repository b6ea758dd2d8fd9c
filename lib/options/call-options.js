'use strict'

// Options of single calls.

const { MAX_TYPE_NAME_BYTES, boolean, checkObject, readName } = require('./checks.js')
const { readTtl } = require('./ttl.js')

/**
 * Checks the options of a read: the name of a type, or an object.
 *
 * @param {unknown} given
 * @returns {{ copy: boolean, type: string | undefined }}
 */
function readGetOptions(given) {
  if (given === undefined) return { copy: false, type: undefined }
  if (typeof given === 'string') return { copy: false, type: readName('type', given, MAX_TYPE_NAME_BYTES) }
  const { copy = false, type } = checkObject('the second argument', given, ['copy', 'type'], 'the name of a type, or ')
  boolean('copy', copy)
  return { copy, type: type === undefined ? undefined : readName('option type', type, MAX_TYPE_NAME_BYTES) }
}

/**
 * Checks the options of an insert.
 *
 * @param {unknown} given
 * @returns {{ type: string | undefined, ttl: number }} `ttl` from `readTtl`
 */
function readInsertOptions(given) {
  if (given === undefined) return NO_INSERT_OPTIONS
  const { type, ttl } = checkObject('options', given, ['type', 'ttl'])
  return {
    type: type === undefined ? undefined : readName('option type', type, MAX_TYPE_NAME_BYTES),
    ttl: readTtl(ttl)
  }
}

const NO_INSERT_OPTIONS = Object.freeze({ type: undefined, ttl: 0 })

module.exports = { readGetOptions, readInsertOptions }
