'use strict'

// Queries on their way to native code, which reads them as JSON text. What is no JSON would silently be left out of it
// (an operand that is undefined) or become something else (a date), so it is refused here; what the members of a query
// may be is checked natively.

const { invalidQuery } = require('../errors.js')

/** Objects and arrays inside each other. Native code has the same limit and says so. */
const MAX_DEPTH = 16
/** Native code counts bytes; here it is enough that a huge query does not get there. */
const MAX_QUERY_BYTES = 65_536

const VALUES = 'plain JSON: null, true, false, finite numbers, strings, arrays and plain objects'

/**
 * The JSON text of a query.
 *
 * @param {unknown} query
 * @returns {string}
 */
function writeQuery(query) {
  let bytes = 0
  /**
   * @param {any} value
   * @param {string} at a JSON pointer into the query
   * @param {number} depth
   * @returns {string}
   */
  const write = (value, at, depth) => {
    const text = isScalar(value) ? JSON.stringify(value) : writeParts(value, at, depth)
    bytes += text.length
    if (bytes > MAX_QUERY_BYTES * MAX_DEPTH) throw invalidQuery('', `a query of at most ${MAX_QUERY_BYTES} bytes`)
    return text
  }
  /** @param {any} value @param {string} at @param {number} depth */
  const writeParts = (value, at, depth) => {
    const isArray = Array.isArray(value)
    if (!isArray && !isPlain(value)) throw invalidQuery(at, VALUES)
    if (depth === MAX_DEPTH) throw invalidQuery(at, `at most ${MAX_DEPTH} objects and arrays inside each other`)
    if (isArray) return `[${Array.from(value, (element, index) => write(element, `${at}/${index}`, depth + 1))}]`
    const parts = Object.entries(value).map(([name, member]) => {
      const escaped = name.replaceAll('~', '~0').replaceAll('/', '~1')
      return `${JSON.stringify(name)}:${write(member, `${at}/${escaped}`, depth + 1)}`
    })
    return `{${parts}}`
  }
  return write(query, '', 0)
}

/** @param {any} value */
const isScalar = value =>
  value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)

/** Whether it is an object without a class, of whatever realm. @param {any} value */
function isPlain(value) {
  if (typeof value !== 'object') return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

module.exports = { writeQuery }
