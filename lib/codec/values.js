'use strict'

// Values between their JavaScript form and the form in which they cross to native code. The only file that reads the
// JSON of values and has it made (by json.js), and the only one that knows what each kind of value looks like on the
// other side.

const { Buffer } = require('node:buffer')
const { TypedMapError, notSerializable } = require('../errors.js')
const { KIND } = require('../native/layout.js')
const { deepFreeze } = require('./freeze.js')
const { jsonText } = require('./json.js')

const JSON_TEXT = KIND.Json
const FIRST_BYTES = KIND.Uint8Array

/** @typedef {new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView} View */

// An engine without Float16Array never stores that kind; in a file or a map of another engine, the bits are still
// there.
const Float16 = /** @type {any} */ (globalThis).Float16Array ?? Uint16Array

/** Constructor and bytes per element for each bytes kind, from `Uint8Array` on. @type {[View, number][]} */
const VIEWS = [
  [Uint8Array, 1],
  // The place of Buffer, which is not made by a constructor.
  [Uint8Array, 1],
  [Int8Array, 1],
  [Uint8ClampedArray, 1],
  [Int16Array, 2],
  [Uint16Array, 2],
  [Int32Array, 4],
  [Uint32Array, 4],
  [Float32Array, 4],
  [Float64Array, 8],
  [BigInt64Array, 8],
  [BigUint64Array, 8],
  [Float16, 2]
]

const typedArrayTag = /** @type {PropertyDescriptor} */ (
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
).get

/**
 * The name of a typed array's kind, whatever its class and whatever its prototype says.
 *
 * @param {ArrayBufferView} view
 * @returns {keyof typeof KIND | undefined} undefined for a DataView
 */
const typedArrayName = view => Reflect.apply(/** @type {Function} */ (typedArrayTag), view, [])

const NO_BYTES = new Uint8Array(0)

/**
 * How a value is to be stored: a number of KIND. Throws for values that have no kind.
 *
 * @param {unknown} value
 * @returns {number}
 */
function kindOf(value) {
  switch (typeof value) {
    case 'object':
      if (value === null) return KIND.Null
      return ArrayBuffer.isView(value) ? kindOfView(value) : JSON_TEXT
    case 'string':
      return KIND.String
    case 'number':
      // -0 is not an int32, although `-0 | 0` equals it.
      return (value | 0) === value && (value !== 0 || 1 / value > 0) ? KIND.Int : KIND.Float
    case 'boolean':
      return value ? KIND.True : KIND.False
    case 'undefined':
      return KIND.Undefined
    case 'bigint':
      return KIND.BigInt
    default:
      throw notSerializable(`a ${typeof value} is not JSON`, { given: typeof value })
  }
}

/** @param {ArrayBufferView} view */
function kindOfView(view) {
  if (Buffer.isBuffer(view)) return KIND.Buffer
  const name = typedArrayName(view)
  // A DataView, and kinds of arrays that are younger than this file, are to JSON.stringify what other objects are.
  return (name !== undefined && KIND[name]) || JSON_TEXT
}

/**
 * A value in the form that belongs to its kind. May run code of the value (`toJSON`, getters), so it comes before the
 * native call, never between that and the read of the call's results in the scratch array.
 *
 * @param {unknown} value
 * @param {number} kind
 * @returns {unknown}
 */
function encode(value, kind) {
  if (kind < JSON_TEXT) return value
  if (kind === JSON_TEXT) return toJson(/** @type {object} */ (value))
  if (kind <= KIND.Buffer) return value
  const { buffer, byteOffset, byteLength } = /** @type {ArrayBufferView} */ (value)
  // Of a detached buffer no view can be made, not even one of nothing.
  return byteLength === 0 ? NO_BYTES : new Uint8Array(buffer, byteOffset, byteLength)
}

/** @param {object} value */
function toJson(value) {
  let text
  try {
    text = jsonText(value)
  } catch (cause) {
    // Ours already: from here, or from a map that code of the value wrote to.
    if (cause instanceof TypedMapError) throw cause
    const reason = cause instanceof Error ? cause.message : 'its toJSON or a getter of it threw'
    throw notSerializable(reason, {}, cause)
  }
  if (text === undefined) throw notSerializable('its toJSON gave nothing that is JSON', {})
  return text
}

/**
 * The value that native code returned in the form of its kind. Objects are deeply frozen, because they may be shared;
 * bytes belong to the caller.
 *
 * @param {number} kind
 * @param {any} raw
 * @returns {any}
 */
function decode(kind, raw) {
  if (kind < JSON_TEXT) return raw
  if (kind === JSON_TEXT) return deepFreeze(JSON.parse(raw))
  return viewOf(kind, raw)
}

/**
 * The values of an array of JSON texts that were joined to one, each as `decode` would return it.
 *
 * @param {string} text
 * @returns {any[]}
 */
function decodeTexts(text) {
  const values = JSON.parse(text)
  for (const value of values) deepFreeze(value)
  return values
}

/**
 * As `decode`, but the value belongs to the caller.
 *
 * @param {number} kind
 * @param {any} raw
 * @returns {any}
 */
function decodeCopy(kind, raw) {
  if (kind < JSON_TEXT) return raw
  if (kind === JSON_TEXT) return JSON.parse(raw)
  return viewOf(kind, raw)
}

/**
 * The bytes that native code returned, in a buffer of their own, as an array of their kind.
 *
 * @param {number} kind
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
function viewOf(kind, bytes) {
  // Native code makes it in the realm that loaded the addon, which need not be that of this evaluation.
  if (kind === KIND.Uint8Array && bytes instanceof Uint8Array) return bytes
  const { buffer, byteOffset, byteLength } = bytes
  if (kind === KIND.Buffer) return Buffer.from(buffer, byteOffset, byteLength)
  const [Constructor, bytesPerElement] = VIEWS[kind - FIRST_BYTES]
  return new Constructor(buffer, byteOffset, byteLength / bytesPerElement)
}

/**
 * What a read would return for a value that is written in this form.
 *
 * @param {number} kind
 * @param {any} wire
 */
function decodeWritten(kind, wire) {
  return decode(kind, kind >= FIRST_BYTES ? new Uint8Array(wire) : wire)
}

module.exports = { decode, decodeCopy, decodeTexts, decodeWritten, encode, kindOf }
