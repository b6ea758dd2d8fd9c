'use strict'

// Objects as JSON text: what `JSON.stringify` writes, in one pass that reads each property and calls each `toJSON`
// once. The difference: what JSON would silently empty (a promise, a Map, an Error) is an error that says where it is.
//
// Why not `JSON.stringify`: a replacer function sees as much, and `set` of a small object takes 1.5 times as long with
// one; a look at the object before or after would run its getters twice. Written out here, a small object costs about
// the same.
//
// No regular expressions in here: V8 compiles one at its first use, and aborts the process if no stack is left for
// that.

const { types } = require('node:util')
const { notSerializable } = require('../errors.js')

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
/** Not every supported engine has raw JSON. @type {(value: unknown) => boolean} */
const isRawJson = /** @type {any} */ (JSON).isRawJSON ?? (() => false)

const ordinary = Object.prototype

/** Stands for objects that wrap a primitive value, which JSON writes as that value. */
const WRAPPER = 'wrapper'
const PROMISE = 'a promise'
const THENABLE = 'a thenable'
const BIGINT = 'a bigint inside a value'

/** What JSON would empty: its class, its noun, and how to recognise it if it is of another realm (`node:vm`). */
const EMPTIED = /** @type {[{ prototype: object }, string, (value: unknown) => boolean][]} */ ([
  [Promise, PROMISE, types.isPromise],
  [Map, 'a Map', types.isMap],
  [Set, 'a Set', types.isSet],
  [WeakMap, 'a WeakMap', types.isWeakMap],
  [WeakSet, 'a WeakSet', types.isWeakSet],
  [WeakRef, 'a WeakRef', () => false],
  [Error, 'an Error', types.isNativeError],
  [RegExp, 'a RegExp', types.isRegExp],
  [ArrayBuffer, 'an ArrayBuffer', types.isArrayBuffer],
  [SharedArrayBuffer, 'a SharedArrayBuffer', types.isSharedArrayBuffer],
  [DataView, 'a DataView', types.isDataView]
])

/** What to do instead. @type {Record<string, string>} */
const ADVICE = {
  [PROMISE]: 'is an await missing?',
  [THENABLE]: 'is an await missing?',
  'a Map': 'store an array of its entries',
  'a Set': 'store an array of its members',
  'an Error': 'store the properties that matter, or give it a toJSON',
  'a RegExp': 'store its source',
  'an ArrayBuffer': 'store a Uint8Array of it, alone',
  'a SharedArrayBuffer': 'store a Uint8Array of it, alone',
  'a DataView': 'store a Uint8Array of it, alone'
}

/** Nouns by prototype. @type {Map<object, string>} */
const NOUNS = new Map(EMPTIED.map(([type, noun]) => [type.prototype, noun]))
for (const type of [Number, String, Boolean, BigInt]) NOUNS.set(type.prototype, WRAPPER)

/** Texts of names with a brace before and a colon behind. @type {Map<string, string>} */
const firstNames = new Map()
/** The same with a comma before. @type {Map<string, string>} */
const nextNames = new Map()

// The containers around the value that is being written, outermost first, and the name of each in the one before. User
// code may run in between and write another value: its containers follow from `first` on.
/** @type {unknown[]} */
const around = []
/** @type {(string | number)[]} */
const path = []
let first = 0
let depth = 0

/**
 * The JSON text of an object; `undefined` if its `toJSON` returned nothing.
 *
 * @param {object} value
 * @returns {string | undefined}
 * @throws TypeError with ERR_VALUE_NOT_SERIALIZABLE, and what code of the value throws
 */
function jsonText(value) {
  const outerFirst = first
  const outerDepth = depth
  first = depth
  try {
    return objectText(value, '')
  } finally {
    // An error leaves its containers on the list.
    while (depth > outerDepth) around[--depth] = undefined
    first = outerFirst
  }
}

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
      if (name === 'then') throw emptied(THENABLE)
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
  let container = value
  const { toJSON } = value
  if (typeof toJSON === 'function') {
    container = apply(toJSON, value, [String(name)])
    // It is not asked for a toJSON of its own.
    if (typeof container === 'function') return undefined
    if ((typeof container !== 'object' || container === null) && typeof container !== 'bigint') {
      return valueText(container, name)
    }
  }
  for (let level = first; level < depth; level++) if (around[level] === container) throw containsItself(level, name)
  around[depth] = container
  path[depth] = name
  depth++
  const text = Array.isArray(container) ? arrayText(container) : recordText(container)
  around[--depth] = undefined
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
    if (typeof value !== 'number') {
      const text = index === 0 ? '' : `${stringify(numbers).slice(1, -1)},`
      const member = valueText(value, index) ?? 'null'
      return restText(`${text}${member}${index + 1 < length ? ',' : ''}`, array, index + 1, length)
    }
    numbers.push(value)
  }
  return stringify(numbers)
}

/**
 * @param {string} before text of the members before, and a comma if there are more
 * @param {readonly any[]} array
 * @param {number} start
 * @param {number} length
 */
function restText(before, array, start, length) {
  let text = `[${before}`
  for (let index = start; index < length; index++) {
    if (index > start) text += ','
    const value = array[index]
    // Strings and numbers first, without a call: most members are.
    if (typeof value === 'string') text += stringText(value)
    else if (typeof value === 'number') text += Number.isFinite(value) ? value : 'null'
    else if (typeof value === 'object' && value !== null) text += objectText(value, index) ?? 'null'
    else text += valueText(value, index) ?? 'null'
  }
  return `${text}]`
}

/** @param {any} object */
function recordText(object) {
  const prototype = getPrototypeOf(object)
  if (prototype !== ordinary) {
    const noun = nounOf(object, prototype)
    if (noun === WRAPPER) return stringify(object)
    if (noun !== undefined) throw emptied(noun)
  }
  let text = ''
  for (const name in object) {
    if (!isOwn.call(object, name)) continue
    const value = object[name]
    let member
    if (typeof value === 'string') member = stringText(value)
    else if (typeof value === 'number') member = Number.isFinite(value) ? value : 'null'
    else {
      member = typeof value === 'object' && value !== null ? objectText(value, name) : valueText(value, name)
      if (member === undefined) continue
    }
    text +=
      (text === ''
        ? (firstNames.get(name) ?? nameText(name, '{', firstNames))
        : (nextNames.get(name) ?? nameText(name, ',', nextNames))) + member
  }
  if (text !== '') return `${text}}`
  if (prototype !== ordinary && prototype !== null) checkEmpty(object)
  return '{}'
}

/**
 * A noun for an object whose content is not in its properties; undefined for others.
 *
 * @param {unknown} object
 * @param {any} prototype
 * @returns {string | undefined}
 */
function nounOf(object, prototype) {
  if (typeof object === 'bigint') throw refused(`${BIGINT} is not JSON`)
  if (prototype === null) return isRawJson(object) ? WRAPPER : undefined
  let root = prototype
  for (let next = prototype; next !== null; next = getPrototypeOf(next)) {
    const noun = NOUNS.get(next)
    if (noun !== undefined) return noun
    root = next
  }
  if (root !== ordinary) {
    if (types.isBoxedPrimitive(object)) return WRAPPER
    const foreign = EMPTIED.find(([, , isOne]) => isOne(object))
    if (foreign !== undefined) return foreign[1]
  }
  return typeof prototype.then === 'function' ? THENABLE : undefined
}

/**
 * Refuses an object whose content is not in its properties: an iterator, `URLSearchParams`, `Headers`. Classes of the
 * language and of the web have a tag.
 *
 * @param {any} object one with no property that JSON takes
 */
function checkEmpty(object) {
  const tag = object[Symbol.toStringTag]
  if (typeof tag === 'string') throw emptied(`an object of class ${tag}`)
}

/**
 * The text of a name and what stands around it.
 *
 * @param {string} name
 * @param {string} before
 * @param {Map<string, string>} texts where it is kept
 */
function nameText(name, before, texts) {
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

/**
 * The error for the innermost container, which is something that JSON would empty.
 *
 * @param {string} noun
 */
function emptied(noun) {
  const advice = ADVICE[noun]
  const content = noun === PROMISE || noun === THENABLE ? '' : ', which would lose its content'
  return refused(`${noun} is not JSON${content}${advice === undefined ? '' : `; ${advice}`}`)
}

/**
 * The error for the innermost container.
 *
 * @param {string} reason
 */
function refused(reason) {
  const place = pathTo(depth - 1)
  return notSerializable(place === '' ? reason : `${reason} (at ${place})`, { path: place })
}

/**
 * @param {number} level of the container that is met again
 * @param {string | number} name of the member that is it, in the innermost container
 */
function containsItself(level, name) {
  path[depth] = name
  const place = pathTo(depth)
  const target = pathTo(level)
  const reason = `it contains itself, ${place} is ${target === '' ? 'the value itself' : target}`
  return notSerializable(reason, { path: place })
}

/**
 * The path from the value to a container: `a.b[1]`.
 *
 * @param {number} level
 */
function pathTo(level) {
  let text = ''
  // The outermost has no name.
  for (let at = first + 1; at <= level; at++) text = join(text, path[at])
  return text
}

/** @param {string} outer @param {string | number} name */
function join(outer, name) {
  if (typeof name === 'number') return `${outer}[${name}]`
  if (!isIdentifier(name)) return `${outer}[${stringify(name)}]`
  return outer === '' ? name : `${outer}.${name}`
}

/** @param {string} name */
function isIdentifier(name) {
  for (let index = 0; index < name.length; index++) {
    const character = name[index]
    const isLetter = character === '_' || character === '$' || character.toLowerCase() !== character.toUpperCase()
    const isDigit = character >= '0' && character <= '9'
    if (!isLetter && !(isDigit && index > 0)) return false
  }
  return name !== ''
}

module.exports = { jsonText }
