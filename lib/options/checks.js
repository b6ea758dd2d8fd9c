'use strict'

// What arguments and options have to be. A check returns the value in the form that the code uses, or throws an error
// that names the option, the actual value and the allowed ones.

const os = process.getBuiltinModule('node:os')
const { badOption, outOfRange, wrongType } = require('../errors.js')

/** @typedef {(name: string, value: any) => any} Check */

const MAX_COUNT = 2 ** 32
const MAX_SEED = 2n ** 64n - 1n

/** The share of the memory this process may use that `'auto'` is. The JavaScript heaps of all threads want theirs. */
const AUTO_SHARE = 1 / 4

const MS_PER_SECOND = 1_000

/** The longest time to live, 4,459 years: a deadline has 48 bits in native code. */
const MAX_TTL_MS = 2 ** 47

/** The native value for "no limit". */
const NONE = null

/**
 * A check of a limit, which also takes `Infinity`, for none.
 *
 * @param {(orNone: string) => Check} make with what its message says of that
 * @returns {Check}
 */
const orNone = make => {
  const check = make(', or Infinity for none')
  return (name, value) => (value === Number.POSITIVE_INFINITY ? NONE : check(name, value))
}

/** @param {number} least @param {number} most @param {string} [more] what else is allowed @returns {Check} */
const integer = (least, most, more = '') => {
  const allowed = `an integer from ${least} to ${most}${more}`
  return (name, value) => {
    if (typeof value !== 'number') throw wrongType(`option ${name}`, value, allowed)
    if (!Number.isInteger(value) || value < least || value > most) throw outOfRange(`option ${name}`, value, allowed)
    return value
  }
}

/** @param {number} most @returns {Check} */
const powerOfTwo = most => {
  const allowed = `a power of two from 1 to ${most}`
  return (name, value) => {
    if (typeof value !== 'number') throw wrongType(`option ${name}`, value, allowed)
    if (!(value >= 1 && value <= most && Number.isInteger(Math.log2(value)))) {
      throw outOfRange(`option ${name}`, value, allowed)
    }
    return value
  }
}

/** @param {number} least @param {number} most @returns {Check} */
const number = (least, most) => {
  const allowed = `a number from ${least} to ${most}`
  return (name, value) => {
    if (typeof value !== 'number') throw wrongType(`option ${name}`, value, allowed)
    if (!(value >= least && value <= most)) throw outOfRange(`option ${name}`, value, allowed)
    return value
  }
}

/** @type {Check} */
const boolean = (name, value) => {
  if (typeof value !== 'boolean') throw wrongType(`option ${name}`, value, 'true or false')
  return value
}

/** @type {Check} */
const seed = (name, value) => {
  const allowed = 'an integer or bigint from 0 to 2^64 - 1'
  // No error shows a seed, not even one that does not fit: it may be a secret that was misplaced.
  if (typeof value !== 'bigint' && typeof value !== 'number') {
    throw badOption(name, `is of type ${typeof value}; allowed: ${allowed}`)
  }
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw badOption(name, `is no safe integer; allowed: ${allowed}`)
  }
  if (value < 0 || value > MAX_SEED) throw badOption(name, `is out of range; allowed: ${allowed}`)
  // A number of JavaScript does not hold 64 bits.
  return String(value)
}

/** @type {Record<string, number>} */
const BYTES_PER = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 }

/** Bytes that this process may use: what its container has, or else the machine. */
function availableBytes() {
  const machine = os.totalmem()
  // Without a container this is 0, undefined, or more than there is.
  const container = process.constrainedMemory()
  return container > 0 && container < machine ? container : machine
}

/** @param {string} text @returns {number} NaN if the text is not an amount */
function parseBytes(text) {
  if (text === 'auto') return availableBytes() * AUTO_SHARE
  // No regular expression: V8 compiles one at its first use, and aborts the process if no stack is left for that.
  const lower = text.toLowerCase()
  const suffix = Object.keys(BYTES_PER).findLast(unit => lower.endsWith(unit))
  if (suffix === undefined) return Number.NaN
  const amount = lower.slice(0, -suffix.length)
  const digits = amount.endsWith(' ') ? amount.slice(0, -1) : amount
  return isDecimal(digits) ? Number(digits) * BYTES_PER[suffix] : Number.NaN
}

/**
 * Whether a text is digits, with at most one point between them.
 *
 * @param {string} text
 */
function isDecimal(text) {
  const parts = text.split('.')
  return parts.length <= 2 && parts.every(part => part !== '' && [...part].every(digit => digit >= '0' && digit <= '9'))
}

/** @param {number} unit 1 to take text too @param {string} [more] what else is allowed @returns {Check} */
const bytes = (unit, more = '') => {
  const plain = unit === 1 ? `a number of bytes from 1 on, text such as '64mb', 'auto'` : 'a number above 0'
  const allowed = `${plain}${more}`
  return (name, value) => {
    const isText = unit === 1 && typeof value === 'string'
    if (!isText && typeof value !== 'number') throw wrongType(`option ${name}`, value, allowed)
    const total = Math.floor(isText ? parseBytes(value) : /** @type {number} */ (value) * unit)
    if (!(total >= 1 && total <= Number.MAX_SAFE_INTEGER)) throw outOfRange(`option ${name}`, value, allowed)
    return total
  }
}

/**
 * @param {'milliseconds' | 'seconds'} unit
 * @param {string} [more] what else is allowed @returns {Check} returns milliseconds, fractions rounded up
 */
const duration = (unit, more = '') => {
  const factor = unit === 'seconds' ? MS_PER_SECOND : 1
  const allowed = `a number of ${unit} above 0, up to ${MAX_TTL_MS / factor}${more}`
  return (name, value) => {
    if (typeof value !== 'number') throw wrongType(`option ${name}`, value, allowed)
    const ms = Math.ceil(value * factor)
    if (!(ms >= 1 && ms <= MAX_TTL_MS)) throw outOfRange(`option ${name}`, value, allowed)
    return ms
  }
}

/** @param {string[]} words */
const quoted = words => words.map(word => `'${word}'`).join(', ')

/** @param {string[]} words @returns {Check} */
const oneOf = words => {
  const allowed = quoted(words)
  return (name, value) => {
    if (typeof value !== 'string') throw wrongType(`option ${name}`, value, allowed)
    if (!words.includes(value)) throw outOfRange(`option ${name}`, value, allowed)
    return value
  }
}

/**
 * The one of `words` that is meant by a name that may be written in upper case and with underscores.
 *
 * @param {string[]} words
 * @param {string} text
 */
function wordFor(words, text) {
  const plain = text.toLowerCase().replaceAll('_', '-')
  return words.includes(plain) ? plain : undefined
}

/**
 * Checks that a value is an object that has no other properties than these.
 *
 * @param {string} argument
 * @param {unknown} given
 * @param {string[]} names
 * @param {string} [allowed] what else is, besides such an object
 * @returns {Record<string, any>}
 */
function checkObject(argument, given, names, allowed = '') {
  const shape = `${allowed}{ ${names.join(', ')} }`
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw wrongType(argument, given, shape)
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) throw badOption(name, `does not exist; allowed: ${shape}`)
  }
  return given
}

/**
 * A number of entries.
 *
 * @param {string} argument
 * @param {unknown} count
 * @returns {number}
 */
function readCount(argument, count) {
  const allowed = `an integer from 0 to ${MAX_COUNT}`
  if (typeof count !== 'number') throw wrongType(argument, count, allowed)
  if (!Number.isInteger(count) || count < 0 || count > MAX_COUNT) throw outOfRange(argument, count, allowed)
  return count
}

/** The longest names of maps and of types, as UTF-8. */
const MAX_MAP_NAME_BYTES = 65_536
const MAX_TYPE_NAME_BYTES = 4_096

/**
 * Checks the name of a map or of an entry type.
 *
 * @param {string} argument
 * @param {unknown} name
 * @returns {string}
 * @param {number} most bytes
 */
function readName(argument, name, most) {
  const allowed = `a string that is not empty, has no lone surrogates and takes at most ${most} bytes`
  if (typeof name !== 'string') throw wrongType(argument, name, allowed)
  // How many bytes exactly, native code sees: a huge string should not get there.
  const isTooLong = name.length > most
  if (isTooLong || name === '' || !(/** @type {any} */ (name).isWellFormed())) throw outOfRange(argument, name, allowed)
  return name
}

/**
 * Checks a function that will be called.
 *
 * @param {string} argument
 * @param {unknown} given
 */
function checkFunction(argument, given) {
  if (typeof given !== 'function') throw wrongType(argument, given, 'a function')
}

module.exports = {
  MAX_COUNT,
  MAX_TTL_MS,
  NONE,
  boolean,
  bytes,
  checkFunction,
  checkObject,
  duration,
  integer,
  number,
  oneOf,
  orNone,
  powerOfTwo,
  quoted,
  readCount,
  MAX_MAP_NAME_BYTES,
  MAX_TYPE_NAME_BYTES,
  readName,
  seed,
  wordFor
}
