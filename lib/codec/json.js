'use strict'

// Objects as JSON text: what `JSON.stringify` writes, in one pass that reads each property and calls each `toJSON`
// once. The difference: what JSON would silently empty (a promise, a Map, an Error) is an error that says where it is.
//
// Why not `JSON.stringify`: a replacer function sees as much, and `set` of a small object takes 1.5 times as long with
// one; a look at the object before or after would run its getters twice. Written out here, a small object costs about
// the same.
//
// No regular expressions in here, as in containers.js.

const { checkEmpty, enter, inside, isWrapper, leave, ordinary, thenable } = require('./containers.js')
const { PIECE, joined, withPiece } = require('./pieces.js')

/** Names of members whose text is kept, and the longest of them. Programs have few names and repeat them. */
const KEPT_NAMES = 2_048
const LONGEST_KEPT_NAME = 64

/** Up to this length, a look at each character costs less than a call of `JSON.stringify`. */
const SHORT = 32

/** From this length on, an array of numbers is left to `JSON.stringify`. */
const LONG = 16

const SPACE = 0x20
const QUOTE = 0x22
const BACKSLASH = 0x5c
const FIRST_SURROGATE = 0xd800
const LAST_SURROGATE = 0xdfff

const { apply } = Reflect
const { getPrototypeOf } = Object
const { hasOwnProperty: isOwn } = Object.prototype
const { stringify } = JSON

/** Texts of names with a brace before and a colon behind. @type {Map<string, string>} */
const firstNames = new Map()
/** The same with a comma before. @type {Map<string, string>} */
const nextNames = new Map()

/**
 * The text of a whole value.
 *
 * @param {object} value
 * @returns {string | undefined} undefined if `toJSON` returned nothing
 * @throws TypeError with ERR_VALUE_NOT_SERIALIZABLE, and what code of the value throws
 */
const write = value => inside(rootText, value)

/** @param {any} value */
const rootText = value => objectText(value, '')

/**
 * @param {any} value
 * @param {string | number} name
 * @returns {string | undefined} `undefined` for what JSON leaves out
 */
function valueText(value, name) {
  switch (typeof value) {
    case 'string':
      return stringText(value)
    case 'number':
      return Number.isFinite(value) ? `${value}` : 'null'
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      return value === null ? 'null' : objectText(value, name)
    case 'function':
      if (typeof value.toJSON === 'function') return objectText(value, name)
      if (name === 'then') throw thenable()
      return undefined
    case 'bigint':
      // Programs add a toJSON to BigInt.prototype.
      return objectText(value, name)
    default:
      return undefined
  }
}

/**
 * @param {any} value an object, a function that has a `toJSON`, or a bigint
 * @param {string | number} name
 */
function objectText(value, name) {
  return shownText(shownBy(value, value.toJSON, name), name)
}

/**
 * What JSON shows of a value: what its `toJSON` returns, if it has one. That is not asked for a toJSON of its own.
 *
 * @param {any} value
 * @param {unknown} toJSON
 * @param {string | number} name
 */
const shownBy = (value, toJSON, name) => (typeof toJSON === 'function' ? apply(toJSON, value, [String(name)]) : value)

/**
 * The text of what JSON shows of a value.
 *
 * @param {any} shown
 * @param {string | number} name
 * @returns {string | undefined}
 */
function shownText(shown, name) {
  // A bigint is refused as what has members.
  if ((typeof shown === 'object' && shown !== null) || typeof shown === 'bigint') return containerText(shown, name)
  return typeof shown === 'function' ? undefined : valueText(shown, name)
}

/**
 * @param {any} container
 * @param {string | number} name
 * @returns {string}
 */
function containerText(container, name) {
  enter(container, name)
  const text = Array.isArray(container) ? arrayText(container) : recordText(container)
  leave()
  return text
}

/** @param {readonly any[]} array */
function arrayText(array) {
  const { length } = array
  return length < LONG ? restText('', array, 0, length) : longArrayText(array, length)
}

/**
 * The same for one that may be many numbers, which `JSON.stringify` writes faster.
 *
 * @param {readonly any[]} array
 * @param {number} length
 */
function longArrayText(array, length) {
  /** @type {number[]} */
  const numbers = []
  for (let index = 0; index < length; index++) {
    const value = array[index]
    if (typeof value !== 'number') return restAfter(numbers, value, array, index, length)
    numbers.push(value)
  }
  return stringify(numbers)
}

/**
 * The text of an array of which some members were read already.
 *
 * @param {readonly unknown[]} known the members before `index`: numbers only, or strings only
 * @param {any} value the member at `index`
 * @param {readonly any[]} array
 * @param {number} index
 * @param {number} length
 */
function restAfter(known, value, array, index, length) {
  const text = index === 0 ? '' : `${stringify(known).slice(1, -1)},`
  const member = valueText(value, index) ?? 'null'
  return restText(`${text}${member}${index + 1 < length ? ',' : ''}`, array, index + 1, length)
}

/**
 * @param {string} before text of the members before, and a comma if there are more
 * @param {readonly any[]} array
 * @param {number} start
 * @param {number} length
 */
function restText(before, array, start, length) {
  let text = `[${before}`
  /** @type {string[] | undefined} */
  let pieces
  for (let index = start; index < length; index++) {
    if (text.length > PIECE) {
      pieces = withPiece(pieces, text)
      text = ''
    }
    if (index > start) text += ','
    const value = array[index]
    // Strings and numbers first, without a call: most members are.
    if (typeof value === 'string') text += stringText(value)
    else if (typeof value === 'number') text += Number.isFinite(value) ? value : 'null'
    else if (typeof value === 'object' && value !== null) text += objectText(value, index) ?? 'null'
    else text += valueText(value, index) ?? 'null'
  }
  return joined(pieces, `${text}]`)
}

/** @param {any} object */
function recordText(object) {
  const prototype = getPrototypeOf(object)
  if (prototype !== ordinary && isWrapper(object, prototype)) return stringify(object)
  let text = ''
  /** @type {string[] | undefined} */
  let pieces
  for (const name in object) {
    if (!isOwn.call(object, name)) continue
    const value = object[name]
    if (text.length > PIECE) {
      pieces = withPiece(pieces, text)
      text = ''
    }
    let member
    if (typeof value === 'string') member = stringText(value)
    else if (typeof value === 'number') member = Number.isFinite(value) ? value : 'null'
    else {
      member = typeof value === 'object' && value !== null ? objectText(value, name) : valueText(value, name)
      if (member === undefined) continue
    }
    text += nameText(name, text === '' && pieces === undefined) + member
  }
  if (text !== '' || pieces !== undefined) return joined(pieces, `${text}}`)
  if (prototype !== ordinary && prototype !== null) checkEmpty(object)
  return '{}'
}

/**
 * The text of a name and what stands around it.
 *
 * @param {string} name
 * @param {boolean} isFirst
 */
function nameText(name, isFirst) {
  const texts = isFirst ? firstNames : nextNames
  return texts.get(name) ?? newNameText(name, isFirst ? '{' : ',', texts)
}

/**
 * @param {string} name
 * @param {string} before
 * @param {Map<string, string>} texts where it is kept
 */
function newNameText(name, before, texts) {
  const text = `${before}${stringText(name)}:`
  if (texts.size < KEPT_NAMES && name.length <= LONGEST_KEPT_NAME) texts.set(name, text)
  return text
}

/** @param {string} text */
function stringText(text) {
  const { length } = text
  if (length > SHORT) return stringify(text)
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < SPACE || unit === QUOTE || unit === BACKSLASH) return stringify(text)
    if (unit >= FIRST_SURROGATE && unit <= LAST_SURROGATE) return stringify(text)
  }
  return `"${text}"`
}

module.exports = {
  nameText,
  recordText,
  restAfter,
  restText,
  shownBy,
  shownText,
  stringText,
  valueText,
  write
}
