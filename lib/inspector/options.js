'use strict'

// The options of serveInspector.

const { randomBytes } = process.getBuiltinModule('node:crypto')
const { isIPv4 } = process.getBuiltinModule('node:net')
const { badOption, outOfRange, wrongType } = require('../errors.js')
const { boolean, checkFunction, checkObject, integer, oneOf } = require('../options/checks.js')
const { LEVELS, targets } = require('../options/log.js')

/** The others cost the calls of the maps something. */
const LOG_TARGETS = ['typedmap.memory', 'typedmap.lifecycle']

const TOKEN_BYTES = 32
const MIN_INTERVAL_MS = 100
const MAX_INTERVAL_MS = 60_000

/**
 * @typedef {object} Options
 * @property {number} port 0 for one that is free
 * @property {string} host
 * @property {string | false} token
 * @property {string[]} allowedHosts
 * @property {boolean} values
 * @property {number} interval milliseconds
 * @property {string} logLevel
 * @property {readonly string[]} logTargets
 * @property {((line: any) => void) | undefined} onLog
 */

const WORD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_'

/**
 * Whether a text has only such characters, and so many. No regular expression, which V8 would compile in the thread of
 * the caller, and abort at the end of the stack.
 *
 * @param {string} text @param {string} characters @param {number} least @param {number} most
 */
const isMadeOf = (text, characters, least, most) =>
  text.length >= least && text.length <= most && [...text].every(character => characters.includes(character))

/** Whether nothing but this machine reaches an address. @param {string} host */
const isLoopback = host => host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))

/** @param {string} name @param {unknown} value */
function readHost(name, value) {
  const allowed = 'an address or a name of this machine'
  if (typeof value !== 'string') throw wrongType(`option ${name}`, value, allowed)
  if (!isMadeOf(value, `${WORD}.:-`, 1, 253)) throw outOfRange(`option ${name}`, value, allowed)
  return value
}

/** @param {unknown} given @param {string} host */
function readToken(given, host) {
  const allowed = 'a string of 16 to 256 letters, digits and .-_~, or false where the host is a loopback address'
  if (given === undefined || given === true) return randomBytes(TOKEN_BYTES).toString('base64url')
  if (given === false) {
    if (!isLoopback(host)) throw badOption('token', `is false, and others reach ${host}; allowed: ${allowed}`)
    return false
  }
  // A token is not shown, not even one that is refused.
  if (typeof given !== 'string') throw badOption('token', `is of type ${typeof given}; allowed: ${allowed}`)
  if (!isMadeOf(given, `${WORD}.~-`, 16, 256)) throw badOption('token', `is no such text; allowed: ${allowed}`)
  return given
}

/** @param {unknown} given */
function readHosts(given) {
  if (!Array.isArray(given))
    throw wrongType('option allowedHosts', given, 'an array of names, each with its port or not')
  return given.map((name, at) => readHost(`allowedHosts[${at}]`, name))
}

/**
 * @param {unknown} [given]
 * @returns {Options}
 */
function readOptions(given = {}) {
  const names = ['port', 'host', 'token', 'allowedHosts', 'values', 'interval', 'logLevel', 'logTargets', 'onLog']
  const {
    port = 0,
    host: asked = '127.0.0.1',
    token,
    allowedHosts = [],
    values = false,
    ...rest
  } = checkObject('options', given, names)
  const { interval = 1_000, logLevel = 'info', logTargets = LOG_TARGETS, onLog } = rest
  if (onLog !== undefined) checkFunction('option onLog', onLog)
  const host = readHost('host', asked)
  return {
    port: integer(0, 65_535)('port', port),
    host,
    token: readToken(token, host),
    allowedHosts: readHosts(allowedHosts),
    values: boolean('values', values),
    interval: integer(MIN_INTERVAL_MS, MAX_INTERVAL_MS)('interval', interval),
    logLevel: oneOf(LEVELS)('logLevel', logLevel),
    logTargets: targets('logTargets', logTargets),
    onLog
  }
}

module.exports = { readOptions }
