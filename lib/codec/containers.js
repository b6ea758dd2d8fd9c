'use strict'

// The containers around the value that is being written, for the two ways to write one: as text (json.js) and as
// fields (fields.js). They are needed to notice an object that contains itself, and to say where something is.
//
// No regular expressions in here: V8 compiles one at its first use, and aborts the process if no stack is left for
// that.

const { types } = process.getBuiltinModule('node:util')
const { notSerializable } = require('../errors.js')

const { getPrototypeOf } = Object
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

// Outermost first, and the name of each in the one before. User code may run in between and write another value: its
// containers follow from `first` on.
/** @type {unknown[]} */
const around = []
/** @type {(string | number)[]} */
const path = []
let first = 0
let depth = 0

/**
 * Writes a value in containers of its own.
 *
 * @template V, T
 * @param {(value: V) => T} write
 * @param {V} value
 * @returns {T}
 */
function inside(write, value) {
  const outerFirst = first
  const outerDepth = depth
  first = depth
  try {
    return write(value)
  } finally {
    // An error leaves its containers on the list.
    while (depth > outerDepth) around[--depth] = undefined
    first = outerFirst
  }
}

/**
 * Steps into a container. `leave` follows once its members are written.
 *
 * @param {unknown} container
 * @param {string | number} name of it in the container around
 * @throws TypeError with ERR_VALUE_NOT_SERIALIZABLE for one that is open already
 */
function enter(container, name) {
  for (let level = first; level < depth; level++) if (around[level] === container) throw containsItself(level, name)
  around[depth] = container
  path[depth] = name
  depth++
}

/** Steps out of the innermost container. */
function leave() {
  around[--depth] = undefined
}

/**
 * Whether an object is a wrapper of a primitive, which JSON writes as that primitive.
 *
 * @param {any} object the innermost container, no array
 * @param {object | null} prototype that it has
 * @returns {boolean}
 * @throws TypeError with ERR_VALUE_NOT_SERIALIZABLE for one that JSON would empty
 */
function isWrapper(object, prototype) {
  const noun = nounOf(object, prototype)
  if (noun === WRAPPER) return true
  if (noun !== undefined) throw emptied(noun)
  return false
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

/** The error for the innermost container, which has a method `then`. */
const thenable = () => emptied(THENABLE)

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

module.exports = { checkEmpty, enter, inside, isWrapper, leave, ordinary, thenable }
