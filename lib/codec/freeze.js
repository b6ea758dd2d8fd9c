'use strict'

/**
 * Levels that are frozen by recursion, which is the fast way. What lies deeper is put on a list, because JSON can be
 * nested deeper than the stack is.
 */
const MAX_RECURSION = 100

/**
 * Freezes what JSON.parse returned, with everything in it.
 *
 * @template T
 * @param {T} value
 * @returns {T}
 */
function deepFreeze(value) {
  if (typeof value !== 'object' || value === null) return value
  /** @type {object[] | undefined} */
  let deeper = freeze(value, 0, undefined)
  while (deeper !== undefined) {
    const roots = deeper
    deeper = undefined
    for (const root of roots) deeper = freeze(root, 0, deeper)
  }
  return value
}

/**
 * @param {any} object a plain object or array
 * @param {number} level
 * @param {object[] | undefined} deeper objects that lie too deep, so far
 * @returns {object[] | undefined} the same with those found here
 */
function freeze(object, level, deeper) {
  if (level === MAX_RECURSION) {
    if (deeper === undefined) return [object]
    deeper.push(object)
    return deeper
  }
  if (Array.isArray(object)) {
    for (let index = 0; index < object.length; index++) {
      const inner = object[index]
      if (typeof inner === 'object' && inner !== null) deeper = freeze(inner, level + 1, deeper)
    }
  } else {
    // Faster than Object.values, which makes an array. It also visits properties that a program added to
    // Object.prototype.
    for (const name in object) {
      const inner = object[name]
      if (typeof inner === 'object' && inner !== null && Object.hasOwn(object, name)) {
        deeper = freeze(inner, level + 1, deeper)
      }
    }
  }
  Object.freeze(object)
  return deeper
}

module.exports = { deepFreeze }
