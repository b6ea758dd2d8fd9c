'use strict'

// Schemas: any validator with the interface of Standard Schema (https://standardschema.dev). The interface is a
// property of the validator, and nothing is imported. A schema is code of the user: it runs before a write begins.

const { ERROR_NUMBERS, asynchronousSchema, createError, wrongType } = require('../errors.js')

const ALLOWED = "a schema with the interface of Standard Schema: { '~standard': { validate } }"

/**
 * @typedef {object} Issue
 * @property {string} message
 * @property {(string | number)[]} path keys from the value down to where the issue is, empty for the value itself
 */

/** @param {unknown} value @returns {value is object} */
const isObject = value => (typeof value === 'object' && value !== null) || typeof value === 'function'

/**
 * What a schema checks by: a function that returns what is to be stored, or throws. Undefined without a schema.
 *
 * @param {unknown} given
 * @param {string} type name of the type, for errors
 * @returns {((value: unknown) => any) | undefined}
 */
function readSchema(given, type) {
  if (given === undefined) return undefined
  if (!isObject(given)) throw wrongType('schema', given, ALLOWED)
  const standard = /** @type {any} */ (given)['~standard']
  if (!isObject(standard)) throw wrongType("schema['~standard']", standard, ALLOWED)
  const { validate } = /** @type {any} */ (standard)
  if (typeof validate !== 'function') throw wrongType("schema['~standard'].validate", validate, ALLOWED)
  return value => outputOf(Reflect.apply(validate, standard, [value]), type)
}

/**
 * @param {any} result what a schema returned
 * @param {string} type
 */
function outputOf(result, type) {
  if (!isObject(result)) throw wrongType('the result of the schema', result, '{ value } or { issues }')
  const { then } = /** @type {any} */ (result)
  if (typeof then === 'function') {
    // What becomes of it is nothing to this call, and no uncaught rejection either.
    Reflect.apply(then, result, [ignore, ignore])
    throw asynchronousSchema()
  }
  const { issues } = /** @type {any} */ (result)
  if (!issues) return /** @type {any} */ (result).value
  throw createError(ERROR_NUMBERS.ERR_VALIDATION, { type, issues: Array.from(issues, readIssue) })
}

const ignore = () => {}

/** An issue as plain JSON. @param {any} issue @returns {Issue} */
const readIssue = issue => ({
  message: String(issue?.message),
  path: Array.from(issue?.path ?? [], readKey)
})

/** @param {any} part of a path: a key, or an object that has one */
function readKey(part) {
  const key = isObject(part) ? /** @type {any} */ (part).key : part
  return typeof key === 'number' ? key : String(key)
}

module.exports = { readSchema }
