'use strict'

// Values between their JavaScript form and the form in which they cross to native code. The only file that reads the
// JSON of values, and the only one that knows what each kind of value looks like on the other side.

const { Buffer } = process.getBuiltinModule('node:buffer')
const { TypedMapError, createError, notSerializable, ERROR_NUMBERS } = require('../errors.js')
const { scratch } = require('../native/attach.js')
const { JOINED_TEXT_BYTES, KIND, RECORD_LEN_BITS, SCRATCH } = require('../native/layout.js')
const records = require('../native/records.js')
const { encodeWith, ownBytes } = require('./encoded.js')
const fields = require('./fields.js')
const { deepFreeze } = require('./freeze.js')
const json = require('./json.js')
const record = require('./record.js')
const { BARE, UNPUBLISHED } = require('./shapes.js')

/** @typedef {import('./shapes.js').Shapes} Shapes */

const JSON_TEXT = KIND.Json
const SHAPED = KIND.Shaped
/** A record's place is its start, times this, and its length. */
const PLACE = 2 ** RECORD_LEN_BITS
/** What reading a record returns if its shape is no longer known: the entry that had it has changed since. */
const GONE = Symbol('gone')
/** Stands for what is decoded once it was written. */
const LATER = Symbol('later')
const FIRST_BYTES = KIND.Uint8Array
/** Kinds of values of a codec. There are none after them. */
const ENCODED = KIND.Encoded

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
 * How a value is to be stored: a number of KIND, JSON text for what may become a record. Throws for values that have
 * no kind.
 *
 * @param {Shapes} shapes of the map
 * @param {unknown} value
 * @returns {number}
 */
const kindOf = ({ codec }, value) => (codec === undefined ? kindOfJson(value) : ENCODED)

/** @param {unknown} value @returns {number} */
function kindOfJson(value) {
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
 * A value in the form that belongs to its kind. May run code of the value (`toJSON`, getters) and of the codec. A
 * record lies in memory that the next one is written to, and so may bytes of a codec: this comes right before the
 * native call.
 *
 * @param {Shapes} shapes of the map
 * @param {any} value
 * @param {number} kind what `kindOf` says
 * @returns {unknown}
 */
function encode(shapes, value, kind) {
  if (kind < JSON_TEXT) return value
  if (kind === JSON_TEXT) return encodeObject(shapes, value)
  if (kind <= KIND.Buffer) return value
  if (kind === ENCODED) return encodeWith(codecOf(shapes), value)
  const { buffer, byteOffset, byteLength } = /** @type {ArrayBufferView} */ (value)
  // Of a detached buffer no view can be made, not even one of nothing.
  return byteLength === 0 ? NO_BYTES : new Uint8Array(buffer, byteOffset, byteLength)
}

/** The codec of a map that has one. @param {Shapes} shapes */
const codecOf = shapes => /** @type {import('./encoded.js').Codec} */ (shapes.codec)

/**
 * The kind of a value in its encoded form: what `kindOf` says, but for a record and for text of a codec.
 *
 * @param {number} kind
 * @param {unknown} wire
 */
function kindOfWire(kind, wire) {
  if (kind === JSON_TEXT) return typeof wire === 'number' ? SHAPED : kind
  return kind === ENCODED && typeof wire === 'string' ? KIND.EncodedText : kind
}

/**
 * An object as JSON text, or the place of its record.
 *
 * @param {Shapes} shapes
 * @param {object} value
 * @returns {string | number}
 */
function encodeObject(shapes, value) {
  let wire
  try {
    wire = fields.write(value, shapes.tree, pack)
  } catch (cause) {
    throw asRefused(cause)
  }
  if (wire === undefined) throw nothingShown()
  return wire
}

/**
 * A value in the form that belongs to its kind, objects as JSON text. May run code of the value.
 *
 * @param {any} value
 * @param {number} kind what `kindOf` says
 * @returns {unknown}
 */
function encodeAsText(value, kind) {
  if (kind !== JSON_TEXT) return encode(/** @type {any} */ (undefined), value, kind)
  let text
  try {
    text = json.write(value)
  } catch (cause) {
    throw asRefused(cause)
  }
  if (text === undefined) throw nothingShown()
  return text
}

/** The error to throw for one that code of a value threw, or that says why it is no JSON. @param {unknown} cause */
function asRefused(cause) {
  // Ours already: from here, or from a map that code of the value wrote to.
  if (cause instanceof TypedMapError) return cause
  const reason = cause instanceof Error ? cause.message : 'its toJSON or a getter of it threw'
  return notSerializable(reason, {}, cause)
}

const nothingShown = () => notSerializable('its toJSON gave nothing that is JSON', {})

/** @type {import('./fields.js').Pack} */
function pack(tree, end, values, from, to) {
  const number = end === undefined ? BARE : tree.numberOf(end)
  if (number === UNPUBLISHED && end !== undefined) return undefined
  const start = records.nextStart()
  const stop = record.pack(records.incoming, start, records.nextLimit(), number, values, from, to)
  if (stop < 0) {
    tree.texts.large++
    return undefined
  }
  records.noteEnd(stop)
  return start * PLACE + stop - start
}

/**
 * The value that native code returned in the form of its kind. Objects are deeply frozen, because they may be shared;
 * bytes belong to the caller, and so does what a codec returns, whose code may run here.
 *
 * @param {Shapes} shapes of the map
 * @param {number} kind
 * @param {any} raw
 * @returns {any} GONE if it has to be read again
 */
function decode(shapes, kind, raw) {
  if (kind < JSON_TEXT) return raw
  if (kind === SHAPED) return decodeRecord(shapes, raw, true)
  if (kind === JSON_TEXT) return deepFreeze(JSON.parse(raw))
  return kind < ENCODED ? viewOf(kind, raw) : decodeEncoded(shapes, kind, raw)
}

/**
 * @param {Shapes} shapes
 * @param {number} kind
 * @param {any} raw
 */
function decodeEncoded(shapes, kind, raw) {
  const state = scratch[SCRATCH.STATE]
  const value = codecOf(shapes).decode(kind === ENCODED ? viewOf(FIRST_BYTES, raw) : raw)
  // The function may have read a map: what observes the call asks whether it found an entry.
  scratch[SCRATCH.STATE] = state
  return value
}

/**
 * A record that native code returned: where it puts them, or as bytes.
 *
 * @param {Shapes} shapes of the map
 * @param {any} raw its texts, if they are few; or the bytes
 * @param {boolean} isFrozen
 * @returns {any} GONE if it has to be read again
 */
function decodeRecord(shapes, raw, isFrozen) {
  if (typeof raw !== 'object') return unpack(shapes, records.outgoing, 0, scratch[SCRATCH.SIZE], raw, 0, isFrozen)
  return unpack(shapes, areaOf(raw), 0, raw.byteLength, undefined, 0, isFrozen)
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {import('../native/records.js').Area} */
const areaOf = ({ buffer, byteOffset, byteLength }) => ({
  bytes: Buffer.from(buffer, byteOffset, byteLength),
  view: new DataView(buffer, byteOffset, byteLength)
})

/**
 * @param {Shapes} shapes
 * @param {import('../native/records.js').Area} area
 * @param {number} start
 * @param {number} length
 * @param {string | undefined} text its texts, if they are few
 * @param {number} textStart where they begin in it
 * @param {boolean} isFrozen
 */
function unpack(shapes, area, start, length, text, textStart, isFrozen) {
  try {
    const number = record.open(area, start)
    const layout = number === BARE ? undefined : shapes.layoutOf(number)
    if (layout === undefined && number !== BARE) return GONE
    return record.unpack(layout, start + length, text, textStart, isFrozen)
  } catch (error) {
    throw asBroken(error)
  }
}

/**
 * The error to throw for one that reading a stored value threw.
 *
 * @param {unknown} error
 */
const asBroken = error =>
  error instanceof record.Malformed || error instanceof RangeError || error instanceof SyntaxError
    ? createError(ERROR_NUMBERS.ERR_BROKEN, {})
    : error

/**
 * What native code found at a pointer.
 *
 * @param {Shapes} shapes of the map
 * @param {number} kind
 * @param {any} raw
 * @param {readonly string[]} tokens of the pointer
 * @param {boolean} isFrozen
 * @returns {any} GONE if it has to be read again
 */
function decodeField(shapes, kind, raw, tokens, isFrozen) {
  if (kind < JSON_TEXT) return raw
  try {
    if (kind !== SHAPED) return isFrozen ? decode(shapes, kind, raw) : decodeCopy(shapes, kind, raw)
    const number = record.open(records.outgoing, 0)
    if (number === BARE) return decodeRecord(shapes, raw, isFrozen)
    const layout = shapes.layoutOf(number)
    return layout === undefined ? GONE : record.unpackPart(layout, tokens, scratch[SCRATCH.SIZE], raw, isFrozen)
  } catch (error) {
    throw asBroken(error)
  }
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
 * @param {Shapes} shapes
 * @param {number} kind
 * @param {any} raw
 * @returns {any}
 */
function decodeCopy(shapes, kind, raw) {
  if (kind < JSON_TEXT) return raw
  if (kind === SHAPED) return decodeRecord(shapes, raw, false)
  if (kind === JSON_TEXT) return JSON.parse(raw)
  return kind < ENCODED ? viewOf(kind, raw) : decodeEncoded(shapes, kind, raw)
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
 * What a read would return for a value that is written in this form. A record must still lie where it was written.
 *
 * @param {Shapes} shapes
 * @param {number} kind
 * @param {any} wire
 */
function decodeWritten(shapes, kind, wire) {
  if (kind === SHAPED) return decodeWrittenRecord(shapes, wire, true)
  return decode(shapes, kind, kind >= FIRST_BYTES ? ownBytes(wire) : wire)
}

/**
 * A value on its way to a write that returns what a read of it would.
 *
 * @typedef {object} Prepared
 * @property {number} kind
 * @property {any} wire
 * @property {any} known LATER, or what a read would return
 */

/**
 * Encodes a value for a write that returns what a read of it would. A codec decodes it here, so that nothing is
 * written if it throws.
 *
 * @param {Shapes} shapes
 * @param {any} value
 * @returns {Prepared}
 */
function prepare(shapes, value) {
  const kind = kindOf(shapes, value)
  const wire = encode(shapes, value, kind)
  if (kind !== ENCODED) return { kind: kindOfWire(kind, wire), wire, known: LATER }
  const own = { kind: kindOfWire(kind, wire), wire: ownBytes(wire) }
  return { ...own, known: decodeWritten(shapes, own.kind, own.wire) }
}

/**
 * What a read would return for a value that was just written.
 *
 * @param {Shapes} shapes
 * @param {Prepared} prepared
 * @returns {any} GONE if it has to be read
 */
const decodePrepared = (shapes, { kind, wire, known }) => (known === LATER ? decodeWritten(shapes, kind, wire) : known)

/** @param {number} place */
const startOf = place => Math.floor(place / PLACE)

/**
 * @param {Shapes} shapes
 * @param {number} place
 * @param {boolean} isFrozen
 */
const decodeWrittenRecord = (shapes, place, isFrozen) =>
  unpack(shapes, records.incoming, startOf(place), place % PLACE, undefined, 0, isFrozen)

/** Decodes the records of a batch in order, whose bytes and texts are cells of it. */
class Records {
  #shapes
  #area = records.outgoing
  #text = ''
  /** Where the texts of the next record begin. */
  #at = 0

  /** @param {Shapes} shapes of the map */
  constructor(shapes) {
    this.#shapes = shapes
  }

  /**
   * @param {number} start where it lies in its cell, which is the next one if that is 0
   * @param {number} length
   * @param {() => any} nextCell
   * @returns {any} GONE if it has to be read again
   */
  take(start, length, nextCell) {
    if (start === 0) this.#area = areaOf(nextCell())
    const texts = record.textBytes(this.#area, start)
    if (texts === 0 || texts > JOINED_TEXT_BYTES) {
      return unpack(this.#shapes, this.#area, start, length, undefined, 0, true)
    }
    if (this.#at === this.#text.length) {
      this.#text = nextCell()
      this.#at = 0
    }
    const from = this.#at
    this.#at += texts
    return unpack(this.#shapes, this.#area, start, length, this.#text, from, true)
  }
}

/**
 * A record that was written, as JSON text.
 *
 * @param {Shapes} shapes
 * @param {number} place
 */
const textOfWritten = (shapes, place) => JSON.stringify(decodeWrittenRecord(shapes, place, false))

module.exports = {
  GONE,
  PLACE,
  Records,
  decode,
  decodeCopy,
  decodeField,
  decodePrepared,
  decodeTexts,
  decodeWritten,
  encode,
  encodeAsText,
  kindOf,
  kindOfWire,
  prepare,
  startOf,
  textOfWritten
}
