'use strict'

// Counts the errors that JavaScript throws, as native code counts its own (`getStats().errors`).
//
// A call that succeeds runs nothing for it: what is fast counts in a `catch` of its own, and only methods that take
// some microseconds anyway have one around them. An error is counted once, for the map whose method threw it first: it
// may pass through methods of other maps, whose functions of the user made the call.

const { TypedMapError, isCounted, markCounted } = require('../errors.js')
const { binding } = require('../native/attach.js')
const { checkFunction } = require('../options/checks.js')

const { countError: countErrorBinding } = binding

/** An `OpenMap`. @typedef {{ id: number }} Open */

/** Methods that count for themselves: those that take less than some microseconds, and what is asynchronous. */
const COUNTING = new Set([
  'compareAndSet',
  'deleteMany',
  'getHandle',
  'getMany',
  'getOrLoad',
  'hasMany',
  'increment',
  'insert',
  'insertMany',
  'insertWithHandle',
  'memoryUsage',
  'peek',
  'remove',
  'replace',
  'setMany',
  'touch',
  'ttlOf',
  'update',
  'updateMany'
])

/**
 * Counts what a method of a map throws, if it is an error of this package that was not counted yet.
 *
 * @template T
 * @param {Open} open
 * @param {T} error
 * @returns {T} the same
 */
function refused({ id }, error) {
  try {
    if (!(error instanceof TypedMapError) || isCounted(error)) return error
    markCounted(error)
    countErrorBinding(id, error.number)
  } catch {
    // The map has ended, or the stack has. The error is thrown all the same.
  }
  return error
}

/**
 * Checks that an argument is a function.
 *
 * @param {Open} open
 * @param {string} argument
 * @param {unknown} given
 */
function checkFunctionFor(open, argument, given) {
  try {
    checkFunction(argument, given)
  } catch (error) {
    throw refused(open, error)
  }
}

/**
 * A function that counts what it throws.
 *
 * @param {Function} method
 * @param {(map: any) => Open} openOf
 */
function counting(method, openOf) {
  const { name, length } = method
  const { [name]: counted } = {
    /** @this {any} @param {any[]} args */
    [name](...args) {
      try {
        return Reflect.apply(method, this, args)
      } catch (error) {
        throw refusedBy(openOf, this, error)
      }
    }
  }
  return Object.defineProperty(counted, 'length', { value: length, configurable: true })
}

/**
 * @param {(map: any) => Open} openOf
 * @param {any} map what a method was called on
 * @param {unknown} error
 */
function refusedBy(openOf, map, error) {
  try {
    return refused(openOf(map), error)
  } catch {
    // It is no map.
    return error
  }
}

/**
 * A property of the class as it counts what it throws: a method or the setter of an accessor.
 *
 * @param {string} name
 * @param {PropertyDescriptor} property
 * @param {import('../install.js').Access} access
 * @returns {PropertyDescriptor}
 */
function countingProperty(name, property, { openOf }) {
  const { value, set } = property
  if (set !== undefined) return { ...property, set: counting(set, openOf) }
  if (typeof value !== 'function' || COUNTING.has(name) || isAsync(value)) return property
  return { ...property, value: counting(value, openOf) }
}

/** What is asynchronous rejects later; its arguments are checked at once. @param {Function} method */
const isAsync = method => Object.prototype.toString.call(method) === '[object AsyncFunction]'

module.exports = { checkFunctionFor, countingProperty, refused }
