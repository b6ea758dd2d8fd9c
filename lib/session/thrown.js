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
/** Of a message and of a text that was thrown, where listeners get it: what waits for them is bounded. */
const MOST_TEXT = 16_384

/** @param {string} text @param {number} most */
const shortened = (text, most) => (text.length > most ? `${text.slice(0, most)}…` : text)

/** Whether it is an error of this package. @param {object} error */
function isOurs(error) {
  try {
    return error instanceof TypedMapError
  } catch {
    // A proxy may throw when it is asked for its prototype.
    return false
  }
}

/**
 * @param {unknown} error
 * @param {boolean} [withStack] for listeners: with its stack, and of bounded size
 * @returns {string}
 */
function writeError(error, withStack = false) {
  const most = withStack ? MOST_TEXT : Number.POSITIVE_INFINITY
  if (typeof error !== 'object' || error === null) {
    const text = shortened(asText(error), most)
    return writeData(typeof error === 'string' ? { thrown: text } : { message: text })
  }
  const code = read(error, 'code')
  const details = asData(read(error, 'details'))
  return writeData({
    name: shortened(asText(read(error, 'name') ?? 'Error'), most),
    message: shortened(asText(read(error, 'message') ?? ''), most),
    code: typeof code === 'string' ? shortened(code, most) : typeof code === 'number' ? code : undefined,
    details: details !== undefined && writeData(details).length > most ? undefined : details,
    isOurs: isOurs(error),
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
