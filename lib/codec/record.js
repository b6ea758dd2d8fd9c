'use strict'

// Records: the fields of an object as bytes, and back. How they are laid out is told in `record.rs`, where native code
// reads them; here is the only file of JavaScript that knows it.

const { MAX_ROWS, Text } = require('./fields.js')
const { deepFreeze } = require('./freeze.js')

const { noteDecoded } = require('../native/decoded.js')

/** @typedef {import('../native/records.js').Area} Area */

/** Up to this length, a look at each character costs less than a call that copies. */
const SHORT = 40

/** Added to small integers. */
const SMALL_BIAS = 16
const SMALL_END = 0x80
const SHORT_TEXT = 0x80
const SHORT_TEXT_END = 0xc0
const NULL = 0xc0
const FALSE = 0xc1
const TRUE = 0xc2
const INT16 = 0xc3
const INT32 = 0xc4
const FLOAT = 0xc5
const DOUBLE = 0xc6
const LATIN = 0xc7
const WIDE = 0xc8
const LATIN_JSON = 0xc9
const WIDE_JSON = 0xca
const INTS8 = 0xcb
const INTS16 = 0xcc
const INTS32 = 0xcd
const FLOATS = 0xce
const DOUBLES = 0xcf
const TEXTS = 0xd0

/** Texts of one record at most, beside which it is text as a whole. */
const MAX_TEXTS = 4_096
/** For each text of a record, in order: whether it is not Latin-1. */
const wides = new Uint8Array(MAX_TEXTS)

const { fround } = Math
const { defineProperty, freeze } = Object

// ---- Writing

/** Where records are written. @type {Buffer} */
let target
/** @type {DataView} */
let targetView
let at = 0
/** Where the record has to end. */
let limit = 0
let texts = 0

/**
 * Writes a record.
 *
 * @param {Area} area
 * @param {number} start where it begins there
 * @param {number} end where it has to end
 * @param {number} shape its number
 * @param {readonly any[]} fields
 * @param {number} from
 * @param {number} to
 * @returns {number} where it ends; -1 if there is no room for it
 */
function pack(area, start, end, shape, fields, from, to) {
  target = area.bytes
  targetView = area.view
  at = start
  limit = end
  putVarint(shape)
  const head = at
  at = head + 1
  texts = 0
  for (let index = from; index < to; index++) {
    const field = fields[index]
    if (typeof field === 'string') putTail(field)
    else if (typeof field === 'object' && field !== null) putTailOf(field)
  }
  const tail = at - head - 1
  // The length may take two bytes more.
  if (at + 2 >= limit || texts > MAX_TEXTS) return -1
  if (tail < 0x80) target[head] = tail
  else moveTail(head, tail)
  texts = 0
  for (let index = from; index < to; index++) putField(fields[index])
  return at <= limit ? at : -1
}

/** @param {number} number */
function putVarint(number) {
  while (number >= 0x80) {
    target[at++] = (number & 0x7f) | 0x80
    number >>>= 7
  }
  target[at++] = number
}

/** Makes room for a length of more than one byte. @param {number} head @param {number} tail */
function moveTail(head, tail) {
  const start = head + (tail < 0x4000 ? 2 : 3)
  target.copyWithin(start, head + 1, head + 1 + tail)
  at = head
  putVarint(tail)
  at = start + tail
}

/** @param {object} field */
function putTailOf(field) {
  if (field instanceof Text) putTail(field.text)
  else if (typeof (/** @type {any[]} */ (field)[0]) === 'string') {
    for (const text of /** @type {string[]} */ (field)) putTail(text)
  }
}

/** @param {string} text */
function putTail(text) {
  const { length } = text
  const start = at
  if (length <= SHORT) {
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index)
      if (unit > 0xff) {
        at = start
        wides[texts++] = 1
        return
      }
      target[at++] = unit
    }
    wides[texts++] = 0
    return
  }
  // Only what is Latin-1 comes back as it was.
  at += length
  if (at <= limit && target.write(text, start, length, 'latin1') === length) {
    if (target.toString('latin1', start, at) !== text) {
      at = start
      wides[texts++] = 1
      return
    }
  }
  wides[texts++] = 0
}

/** @param {any} field */
function putField(field) {
  if (typeof field === 'string') putText(field, LATIN, WIDE)
  else if (typeof field === 'number') putNumber(field)
  else if (typeof field === 'boolean') target[at++] = field ? TRUE : FALSE
  else if (field === null) target[at++] = NULL
  else if (field instanceof Text) putText(field.text, LATIN_JSON, WIDE_JSON)
  else putList(field)
}

/** @param {string} text @param {number} latin @param {number} wide */
function putText(text, latin, wide) {
  const { length } = text
  if (wides[texts++] === 0) {
    if (length < SHORT_TEXT_END - SHORT_TEXT && latin === LATIN) target[at++] = SHORT_TEXT | length
    else {
      target[at++] = latin
      putVarint(length)
    }
    return
  }
  target[at++] = wide
  putVarint(length)
  if (at + length * 2 <= limit) target.write(text, at, length * 2, 'utf16le')
  at += length * 2
}

/** @param {number} number */
function putNumber(number) {
  const int = number | 0
  if (int === number) {
    if (int >= -SMALL_BIAS && int < SMALL_END - SMALL_BIAS) target[at++] = int + SMALL_BIAS
    else if (int === (int << 16) >> 16) {
      target[at] = INT16
      target[at + 1] = int
      target[at + 2] = int >> 8
      at += 3
    } else {
      target[at] = INT32
      target[at + 1] = int
      target[at + 2] = int >> 8
      target[at + 3] = int >> 16
      target[at + 4] = int >> 24
      at += 5
    }
  } else putFloat(number)
}

/** @param {number} number */
function putFloat(number) {
  const isSingle = fround(number) === number
  target[at++] = isSingle ? FLOAT : DOUBLE
  const bytes = isSingle ? 4 : 8
  if (at + bytes <= limit) {
    if (isSingle) targetView.setFloat32(at, number, true)
    else targetView.setFloat64(at, number, true)
  }
  at += bytes
}

/** @param {readonly any[]} list of numbers only, or of texts only */
function putList(list) {
  const { length } = list
  if (typeof list[0] === 'string') {
    target[at++] = TEXTS
    putVarint(length)
    for (let index = 0; index < length; index++) putText(list[index], LATIN, WIDE)
    return
  }
  const tag = tagOf(list)
  target[at++] = tag
  putVarint(length)
  const start = at
  at += length * ELEMENT_BYTES[tag - INTS8]
  if (at > limit) return
  const view = targetView
  let place = start
  switch (tag) {
    case INTS8:
      for (let index = 0; index < length; index++) target[place++] = list[index]
      return
    case INTS16:
      for (let index = 0; index < length; index++, place += 2) view.setInt16(place, list[index], true)
      return
    case INTS32:
      for (let index = 0; index < length; index++, place += 4) view.setInt32(place, list[index], true)
      return
    case FLOATS:
      for (let index = 0; index < length; index++, place += 4) view.setFloat32(place, list[index] + 0, true)
      return
    default:
      for (let index = 0; index < length; index++, place += 8) view.setFloat64(place, list[index] + 0, true)
  }
}

/** Bytes of an element, from INTS8 on. */
const ELEMENT_BYTES = [1, 2, 4, 4, 8]

/**
 * The shortest form that all numbers of an array have.
 *
 * @param {readonly number[]} list
 */
function tagOf(list) {
  let [isInts, isFloats, least, most] = [true, true, 0, 0]
  for (let index = 0; index < list.length && (isInts || isFloats); index++) {
    const number = list[index]
    if (isInts) {
      if ((number | 0) !== number) isInts = false
      else if (number < least) least = number
      else if (number > most) most = number
    }
    if (isFloats && fround(number) !== number) isFloats = false
  }
  if (!isInts) return isFloats ? FLOATS : DOUBLES
  if (least >= -0x80 && most < 0x80) return INTS8
  return least >= -0x8000 && most < 0x8000 ? INTS16 : INTS32
}

// ---- Reading

/** What is read. @type {Buffer} */
let source
/** @type {DataView} */
let sourceView
/** Where the next field is in it. */
let next = 0
/** The texts in one string, if there are few. @type {string | undefined} */
let joined
/** Where the next text is: in that string, else in the bytes. */
let textAt = 0
/** Whether what is read is frozen. */
let isFrozen = true
/** Bytes of the heap that what was read takes. */
let heapBytes = 0

/** Header of a string, with half of what rounding adds; of an array with its elements; of a number that is no int. */
const STRING_BYTES = 20
const ARRAY_BYTES = 48
const NUMBER_BYTES = 16
const WORD_BYTES = 8
/** What JSON text becomes, for each of its characters. */
const HEAP_PER_JSON = 1.75

/**
 * The members of an object in a record.
 *
 * @typedef {object} Layout
 * @property {readonly string[]} names
 * @property {readonly (Layout | undefined)[]} inner for each what is inside it, undefined for a field
 * @property {boolean} isRows whether these are the members of each object of an array
 * @property {boolean} isInherited whether objects inherit one of the names
 * @property {number} heapBytes what the object takes of the heap, without what its members refer to
 */

/** Thrown for bytes that are no record of their shape. */
class Malformed extends Error {}

/**
 * The number of the shape of a record.
 *
 * @param {Area} area
 * @param {number} start where it begins there
 */
function open(area, start) {
  source = area.bytes
  sourceView = area.view
  next = start
  return takeVarint()
}

/**
 * Bytes of the texts of a record.
 *
 * @param {Area} area
 * @param {number} start where it begins there
 */
function textBytes(area, start) {
  open(area, start)
  return takeVarint()
}

/**
 * Reads the record that was opened.
 *
 * @param {Layout | undefined} layout of its shape; undefined for one that is an array of numbers
 * @param {number} end where it ends
 * @param {string | undefined} text its texts, if they are few
 * @param {number} textStart where they begin in it
 * @param {boolean} frozen
 * @returns {any}
 */
function unpack(layout, end, text, textStart, frozen) {
  const tail = takeVarint()
  const textEnd = next + tail
  joined = text
  textAt = text === undefined ? next : textStart
  next = textEnd
  isFrozen = frozen
  heapBytes = 0
  const value = layout === undefined ? takeField() : takeObject(layout)
  if (next !== end || textAt !== (text === undefined ? textEnd : textStart + tail)) throw new Malformed()
  noteDecoded(heapBytes)
  return value
}

/**
 * As `unpack`, for a record of what a pointer led to.
 *
 * @param {Layout} layout of the whole shape
 * @param {readonly string[]} tokens of the pointer
 * @param {number} end where it ends
 * @param {string | undefined} text its texts, if they are few
 * @param {boolean} frozen
 * @returns {any}
 */
function unpackPart(layout, tokens, end, text, frozen) {
  /** @type {Layout | undefined} */
  let part = layout
  let isRows = false
  for (const token of tokens) {
    // The index of a row is no step in the layout.
    if (isRows) isRows = false
    else {
      part = part?.inner[part.names.indexOf(token)]
      isRows = part?.isRows === true
    }
  }
  if (part === undefined) throw new Malformed()
  const tail = takeVarint()
  const textEnd = next + tail
  joined = text
  textAt = text === undefined ? next : 0
  next = textEnd
  isFrozen = frozen
  const value = isRows ? takeRows(part) : takeObject(part)
  if (next !== end || textAt !== (text === undefined ? textEnd : tail)) throw new Malformed()
  return value
}

/** @returns {number} */
function takeVarint() {
  let byte = source[next++]
  if (byte < 0x80) return byte
  let number = byte & 0x7f
  for (let shift = 7; shift < 35; shift += 7) {
    byte = source[next++]
    number |= (byte & 0x7f) << shift
    if (byte < 0x80) return number >>> 0
  }
  throw new Malformed()
}

/** @param {Layout} layout */
function takeObject(layout) {
  const { names, inner, isInherited } = layout
  /** @type {Record<string, any>} */
  const object = {}
  heapBytes += layout.heapBytes
  // What is inherited may not be writable, and then it cannot be set.
  if (isInherited) for (const name of names) define(object, name)
  for (let index = 0; index < names.length; index++) {
    const inside = inner[index]
    object[names[index]] = inside === undefined ? takeField() : inside.isRows ? takeRows(inside) : takeObject(inside)
  }
  return isFrozen ? freeze(object) : object
}

/** @param {object} object @param {string} name */
function define(object, name) {
  defineProperty(object, name, { value: undefined, writable: true, enumerable: true, configurable: true })
}

/** @param {Layout} layout */
function takeRows(layout) {
  const count = takeField()
  const rows = []
  // Rows without members take no bytes.
  if (!(count <= MAX_ROWS)) throw new Malformed()
  heapBytes += ARRAY_BYTES + count * WORD_BYTES
  for (let index = 0; index < count; index++) rows.push(takeObject(layout))
  return isFrozen ? freeze(rows) : rows
}

/** @returns {any} */
function takeField() {
  const tag = source[next++]
  if (tag < SMALL_END) return tag - SMALL_BIAS
  if (tag < SHORT_TEXT_END) return takeText(tag & 0x3f)
  switch (tag) {
    case NULL:
      return null
    case FALSE:
      return false
    case TRUE:
      return true
    case INT16:
      next += 2
      return ((source[next - 1] << 24) >> 16) | source[next - 2]
    case INT32:
      next += 4
      return sourceView.getInt32(next - 4, true)
    case FLOAT:
      next += 4
      heapBytes += NUMBER_BYTES
      return sourceView.getFloat32(next - 4, true)
    case DOUBLE:
      next += 8
      heapBytes += NUMBER_BYTES
      return sourceView.getFloat64(next - 8, true)
    case LATIN:
      return takeText(takeVarint())
    case WIDE:
      return takeWide()
    case LATIN_JSON:
      return parse(takeText(takeVarint()))
    case WIDE_JSON:
      return parse(takeWide())
    case TEXTS:
      return takeTexts()
    default:
      if (tag >= INTS8 && tag <= DOUBLES) return takeNumbers(tag)
      throw new Malformed()
  }
}

/** @param {number} length */
function takeText(length) {
  const start = textAt
  textAt += length
  heapBytes += STRING_BYTES + length
  return joined === undefined ? source.toString('latin1', start, textAt) : joined.slice(start, textAt)
}

function takeWide() {
  const start = takeVarint() * 2 + next
  heapBytes += STRING_BYTES + start - next
  const text = source.toString('utf16le', next, start)
  next = start
  return text
}

/** @param {string} text */
function parse(text) {
  const value = JSON.parse(text)
  heapBytes += text.length * HEAP_PER_JSON
  return isFrozen ? deepFreeze(value) : value
}

/** @returns {readonly string[]} */
function takeTexts() {
  const texts = []
  heapBytes += ARRAY_BYTES
  for (let count = takeVarint(); count > 0; count--) {
    if (next >= source.length) throw new Malformed()
    texts.push(takeField())
    heapBytes += WORD_BYTES
  }
  return isFrozen ? freeze(texts) : texts
}

/** @param {number} tag */
function takeNumbers(tag) {
  const count = takeVarint()
  const end = next + count * ELEMENT_BYTES[tag - INTS8]
  if (end > source.length) throw new Malformed()
  // As many places as it needs; one that grows has up to half as many more.
  const numbers = new Array(count)
  let index = 0
  // What is frozen refers to each number that is no int.
  heapBytes += ARRAY_BYTES + count * (tag < FLOATS || !isFrozen ? WORD_BYTES : WORD_BYTES + NUMBER_BYTES)
  const view = sourceView
  switch (tag) {
    case INTS8:
      for (; next < end; next++) numbers[index++] = view.getInt8(next)
      break
    case INTS16:
      for (; next < end; next += 2) numbers[index++] = view.getInt16(next, true)
      break
    case INTS32:
      for (; next < end; next += 4) numbers[index++] = view.getInt32(next, true)
      break
    case FLOATS:
      for (; next < end; next += 4) numbers[index++] = view.getFloat32(next, true)
      break
    default:
      for (; next < end; next += 8) numbers[index++] = view.getFloat64(next, true)
  }
  return isFrozen ? freeze(numbers) : numbers
}

module.exports = { Malformed, open, pack, textBytes, unpack, unpackPart }
