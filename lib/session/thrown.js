'use strict'

// What a loader threw, as other threads get it, which waited for it or listen to errors: an error of the same name,
// message, code and details.

const { TypedMapError, reviveError } = require('../errors.js')
const { readData, writeData } = require('../native/data.js')

/** @param {any} object @param {string} name */
function read(object, name) {
  try {
    return object[name]
  } catch {
    // A getter that throws says nothing.
    return undefined
  }
}

/** @param {unknown} value */
const asText = value => {
  try {
    return String(value)
  } catch {
    return 'a loader threw what has no text'
  }
}

/** A value that JSON can say as it is, or nothing. @param {unknown} value */
function asData(value) {
  try {
    return value === undefined ? undefined : readData(writeData({ value })).value
  } catch {
    return undefined
  }
}

/** Of a stack, in characters. */
const MOST_STACK = 4_096

/**
 * @param {unknown} error
 * @param {boolean} [withStack]
 * @returns {string}
 */
function writeError(error, withStack = false) {
  if (typeof error !== 'object' || error === null) {
    return writeData(typeof error === 'string' ? { thrown: error } : { message: asText(error) })
  }
  const code = read(error, 'code')
  return writeData({
    name: asText(read(error, 'name') ?? 'Error'),
    message: asText(read(error, 'message') ?? ''),
    code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
    details: asData(read(error, 'details')),
    isOurs: error instanceof TypedMapError,
    stack: withStack ? asText(read(error, 'stack') ?? '').slice(0, MOST_STACK) : undefined
  })
}

/** @type {Record<string, ErrorConstructor>} */
const BUILT_IN = { TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError }

/** @param {string} text @returns {unknown} */
function readError(text) {
  const { thrown, name = 'Error', message, code, details, isOurs, stack } = readData(text)
  if (thrown !== undefined) return thrown
  const error = isOurs ? reviveError(name, code, message, details ?? {}) : reviveOther(name, message, code, details)
  if (stack !== undefined) Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true })
  return error
}

/**
 * An error of another kind that another thread described.
 *
 * @param {string} name
 * @param {string} message
 * @param {unknown} code
 * @param {unknown} details
 */
function reviveOther(name, message, code, details) {
  const error = new (BUILT_IN[name] ?? Error)(message)
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, writable: true, configurable: true })
  if (code !== undefined) Object.assign(error, { code })
  if (details !== undefined) Object.assign(error, { details })
  return error
}

module.exports = { readError, writeError }
