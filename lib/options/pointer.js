'use strict'

// JSON pointers (RFC 6901): `/address/city` leads to the member `city` of the member `address`.

const { MAX_POINTER_STEPS } = require('../native/layout.js')
const { outOfRange, wrongType } = require('../errors.js')

/**
 * @typedef {object} Pointer
 * @property {string} text
 * @property {readonly string[]} tokens the names and indexes that it consists of
 * @property {boolean} isNative whether native code follows it
 */

/** Programs have few pointers, and ask for them again and again. Longer ones are not kept. */
const MAX_KEPT = 256
const MAX_KEPT_LENGTH = 256

/** @type {Map<string, Pointer>} */
const kept = new Map()
/** The one of them that was asked for last. @type {Pointer} */
let last = { text: '', tokens: [], isNative: true }

const ALLOWED = "a JSON pointer such as '/address/city', with ~0 for ~ and ~1 for / in a name, or ''"

/**
 * Checks the pointer of a read.
 *
 * @param {unknown} given
 * @returns {Pointer}
 */
function readPointer(given) {
  if (given === last.text) return last
  if (typeof given !== 'string') throw wrongType('option at', given, ALLOWED)
  const known = kept.get(given)
  if (known !== undefined) {
    last = known
    return known
  }
  const pointer = parse(given)
  if (given.length <= MAX_KEPT_LENGTH) {
    if (kept.size === MAX_KEPT) kept.clear()
    kept.set(given, pointer)
  }
  return pointer
}

/** @param {string} text @returns {Pointer} */
function parse(text) {
  if (text === '') return { text, tokens: [], isNative: true }
  if (text[0] !== '/') throw outOfRange('option at', text, ALLOWED)
  const tokens = text.slice(1).split('/').map(unescaped)
  if (tokens.includes(INVALID)) throw outOfRange('option at', text, ALLOWED)
  // Lone surrogates do not cross the wall.
  const isNative = tokens.length <= MAX_POINTER_STEPS && /** @type {any} */ (text).isWellFormed()
  return { text, tokens: /** @type {string[]} */ (tokens), isNative }
}

/** Stands for a token that is none. */
const INVALID = Symbol('invalid')

/** @param {string} token */
function unescaped(token) {
  if (!token.includes('~')) return token
  for (let at = token.indexOf('~'); at >= 0; at = token.indexOf('~', at + 1)) {
    if (token[at + 1] !== '0' && token[at + 1] !== '1') return INVALID
  }
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}

module.exports = { readPointer }
