'use strict'

// What a loader threw, as the threads get it that waited for another one's loader: an error of the same name, message,
// code and details.

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

/** @param {unknown} error @returns {string} */
function writeError(error) {
  if (typeof error !== 'object' || error === null) {
    return writeData(typeof error === 'string' ? { thrown: error } : { message: asText(error) })
  }
  const code = read(error, 'code')
  return writeData({
    name: asText(read(error, 'name') ?? 'Error'),
    message: asText(read(error, 'message') ?? ''),
    code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
    details: asData(read(error, 'details')),
    isOurs: error instanceof TypedMapError
  })
}

/** @type {Record<string, ErrorConstructor>} */
const BUILT_IN = { TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError }

/** @param {string} text @returns {unknown} */
function readError(text) {
  const { thrown, name = 'Error', message, code, details, isOurs } = readData(text)
  if (thrown !== undefined) return thrown
  if (isOurs) return reviveError(name, code, message, details ?? {})
  const error = new (BUILT_IN[name] ?? Error)(message)
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, writable: true, configurable: true })
  if (code !== undefined) Object.assign(error, { code })
  if (details !== undefined) Object.assign(error, { details })
  return error
}

module.exports = { readError, writeError }
