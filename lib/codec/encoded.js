'use strict'

// Values of a map with a codec: each is stored as the bytes or the text that `encode` makes of it, and each read
// decodes it anew. Of what a codec returns nothing is known: it may be changed by its reader, so it is not shared.

const v8 = process.getBuiltinModule('node:v8')
const { types } = process.getBuiltinModule('node:util')
const { ERROR_NUMBERS, TypedMapError, createError, notSerializable, wrongType } = require('../errors.js')

/**
 * @typedef {object} Codec
 * @property {string} contentType
 * @property {(value: any) => any} encode
 * @property {(encoded: any) => any} decode
 */

/** The codec of a map whose values are stored as JSON and as records. */
const JSON_CODEC = 'json'

/** @type {Codec} */
const V8 = Object.freeze({
  contentType: 'v8',
  encode: value => {
    try {
      return v8.serialize(value)
    } catch (cause) {
      // Ours already: from a map that a getter of the value wrote to.
      if (cause instanceof TypedMapError) throw cause
      const reason = cause instanceof Error ? cause.message : 'a getter of it threw'
      throw notSerializable(types.isPromise(value) ? `${reason} Is an await missing?` : reason, {}, cause)
    }
  },
  decode: encoded => v8.deserialize(encoded)
})

/**
 * The codec with which this thread reads and writes a map.
 *
 * @param {string} contentType that of the map
 * @param {Codec | undefined} given the functions that this thread passed, which have that content type
 * @returns {Codec | undefined} undefined for JSON
 */
function codecFor(contentType, given) {
  if (contentType === JSON_CODEC) return undefined
  if (contentType === V8.contentType) return V8
  if (given !== undefined) return given
  throw createError(ERROR_NUMBERS.ERR_INVALID_OPTION, { option: 'codec', given: 'missing', existing: contentType })
}

/**
 * What is stored of a value. Runs code of the user.
 *
 * @param {Codec} codec
 * @param {any} value
 * @returns {Uint8Array | string} may lie in memory that the codec uses again at its next call
 */
function encodeWith(codec, value) {
  const encoded = codec.encode(value)
  if (typeof encoded === 'string' || types.isUint8Array(encoded)) return encoded
  const isPromise = typeof encoded?.then === 'function'
  const allowed = `a Uint8Array or a string${isPromise ? ', and no promise: encode is synchronous' : ''}`
  throw wrongType('the result of codec.encode', encoded, allowed)
}

/**
 * The same in memory of its own.
 *
 * @template {unknown} T
 * @param {T} wire
 * @returns {T | Uint8Array}
 */
const ownBytes = wire => (types.isUint8Array(wire) ? new Uint8Array(wire) : wire)

module.exports = { V8, codecFor, encodeWith, ownBytes }
