'use strict'

// Options of a map: what there is, what is allowed, and how it is handed to native code.

const { badOption, describe, outOfRange, wrongType } = require('./errors.js')
const { LEVEL } = require('./layout.js')

/**
 * Entries of the near cache unless told otherwise, per map and thread. Decoded objects of a kilobyte take 10 MB, which a
 * web server has in each thread, and 10,000 are most of what it reads when reads follow a Zipf distribution. A map of
 * large values wants fewer.
 */
const DEFAULT_NEAR_ENTRIES = 10_000

const MAX_SHARDS = 65_536
const MAX_COUNT = 2 ** 32
/** The longest ring that an array holds without becoming a dictionary. */
const MAX_NEAR_ENTRIES = 32_000_000
const MAX_SEED = 2n ** 64n - 1n

/**
 * @typedef {object} Options
 * @property {Record<string, unknown>} native options that belong to the map, for native code; only those given
 * @property {keyof typeof LEVEL} logLevel
 * @property {number} nearMaxEntries 0 for no near cache
 */

/** @typedef {(name: string, value: any) => unknown} Check */

/** @param {number} least @param {number} most @returns {Check} */
const integer = (least, most) => {
  const allowed = `an integer from ${least} to ${most}`
  return (name, value) => {
    if (typeof value !== 'number') throw wrongType(`option ${name}`, value, allowed)
    if (!Number.isInteger(value) || value < least || value > most) throw outOfRange(`option ${name}`, value, allowed)
    return value
  }
}

/** @type {Check} */
const shards = (name, value) => {
  const allowed = `a power of two from 1 to ${MAX_SHARDS}`
  if (typeof value !== 'number') throw wrongType(`option ${name}`, value, allowed)
  if (!(value >= 1 && value <= MAX_SHARDS && Number.isInteger(Math.log2(value)))) {
    throw outOfRange(`option ${name}`, value, allowed)
  }
  return value
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
  if (typeof value !== 'bigint' && typeof value !== 'number') throw wrongType(`option ${name}`, value, allowed)
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw outOfRange(`option ${name}`, value, allowed)
  if (value < 0 || value > MAX_SEED) throw outOfRange(`option ${name}`, value, allowed)
  // A number of JavaScript does not hold 64 bits.
  return String(value)
}

/** @type {Record<string, number>} */
const BYTES_PER = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 }

/** @param {number} unit @returns {Check} */
const bytes = unit => {
  const allowed = unit === 1 ? `a number of bytes above 0, or text such as '64mb'` : 'a number above 0'
  return (name, value) => {
    let amount = value
    if (unit === 1 && typeof value === 'string') {
      const [, digits, suffix] = /^(\d+(?:\.\d+)?) ?([kmgt]?b)$/i.exec(value) ?? []
      if (digits === undefined || suffix === undefined) throw outOfRange(`option ${name}`, value, allowed)
      amount = Number(digits) * /** @type {number} */ (BYTES_PER[suffix.toLowerCase()])
    } else if (typeof value !== 'number') {
      throw wrongType(`option ${name}`, value, allowed)
    }
    const total = Math.floor(amount * unit)
    if (!(total >= 1 && total <= Number.MAX_SAFE_INTEGER)) throw outOfRange(`option ${name}`, value, allowed)
    return total
  }
}

/** @type {Check} */
const logLevel = (name, value) => {
  const allowed = Object.keys(LEVEL)
    .map(level => `'${level}'`)
    .join(', ')
  if (typeof value !== 'string') throw wrongType(`option ${name}`, value, allowed)
  if (!Object.hasOwn(LEVEL, value)) throw outOfRange(`option ${name}`, value, allowed)
  return value
}

/** @type {Check} */
const nearCache = (name, value) => {
  if (value === false) return 0
  const allowed = 'false or { maxEntries }'
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(`option ${name}`, value, allowed)
  }
  for (const inner of Object.keys(value)) {
    if (inner !== 'maxEntries') throw badOption(`${name}.${inner}`, `does not exist; allowed: ${allowed}`)
  }
  const { maxEntries = DEFAULT_NEAR_ENTRIES } = value
  return integer(1, MAX_NEAR_ENTRIES)(`${name}.maxEntries`, maxEntries)
}

/** Each option with its check, which returns the value in the form that is used. @type {Record<string, Check>} */
const CHECKS = {
  memoryLimit: bytes(1),
  memoryLimitMb: bytes(1024 ** 2),
  memoryLimitGb: bytes(1024 ** 3),
  maxEntries: integer(1, Number.MAX_SAFE_INTEGER),
  initialCapacity: integer(0, MAX_COUNT),
  maxLoadFactor: number(0.25, 0.95),
  shards,
  seed,
  enableSIMD: boolean,
  simdEnabled: boolean,
  nearCache,
  logLevel
}

/** Options under several names, and the name under which native code has them. @type {Record<string, string>} */
const SAME_AS = { memoryLimitMb: 'memoryLimit', memoryLimitGb: 'memoryLimit', simdEnabled: 'enableSIMD' }

/** Options that belong to the opening thread, not to the map. */
const OWN = new Set(['nearCache', 'logLevel'])

/** Options that are known and not built yet. Better refused than ignored. */
const LATER = new Set([
  'autoResize',
  'evictionStrategy',
  'hash',
  'logTargets',
  'maxValueBytes',
  'oomStrategy',
  'sliding',
  'strictTtl',
  'ttl',
  'ttlOnUpdate',
  'ttlSeconds'
])

/**
 * Checks the options of a map.
 *
 * @param {unknown} given
 * @returns {Options}
 */
function readOptions(given) {
  if (given === undefined) return { native: {}, logLevel: 'info', nearMaxEntries: DEFAULT_NEAR_ENTRIES }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw wrongType('options', given, 'an object')
  }
  /** @type {Record<string, any>} */
  const own = {}
  /** @type {Record<string, unknown>} */
  const native = {}
  /** @type {Map<string, string>} */
  const givenAs = new Map()
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined
    if (check === undefined) throw unknownOption(name)
    const checked = check(name, value)
    if (OWN.has(name)) {
      own[name] = checked
      continue
    }
    const target = SAME_AS[name] ?? name
    const other = givenAs.get(target)
    if (other !== undefined && native[target] !== checked) {
      throw badOption(name, `says something else than option ${other}; give one of them`)
    }
    givenAs.set(target, name)
    native[target] = checked
  }
  return { native, logLevel: own.logLevel ?? 'info', nearMaxEntries: own.nearCache ?? DEFAULT_NEAR_ENTRIES }
}

/** @param {string} name */
function unknownOption(name) {
  if (LATER.has(name)) return badOption(name, 'is not available in this version')
  const nearest = nearestName(name, [...Object.keys(CHECKS), ...LATER])
  return badOption(name, `does not exist${nearest === undefined ? '' : `; did you mean ${nearest}?`}`)
}

/**
 * The name that somebody who wrote `name` most likely meant.
 *
 * @param {string} name
 * @param {string[]} names
 */
function nearestName(name, names) {
  const lower = name.toLowerCase()
  let nearest
  // A third of the letters may be wrong; beyond that it is another word.
  let least = Math.ceil(name.length / 3) + 1
  for (const candidate of names) {
    const edits = editsBetween(lower, candidate.toLowerCase(), least)
    if (edits < least) {
      least = edits
      nearest = candidate
    }
  }
  return nearest
}

/**
 * How many letters have to be added, removed or changed (Levenshtein distance), or `enough` if it is at least that.
 *
 * @param {string} from
 * @param {string} to
 * @param {number} enough
 */
function editsBetween(from, to, enough) {
  if (Math.abs(from.length - to.length) >= enough) return enough
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = /** @type {number} */ (row[j - 1]) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next[j] = Math.min(replaced, /** @type {number} */ (row[j]) + 1, /** @type {number} */ (next[j - 1]) + 1)
    }
    row = next
  }
  return Math.min(/** @type {number} */ (row[to.length]), enough)
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

/**
 * Checks the name of a map or of an entry type.
 *
 * @param {string} argument
 * @param {unknown} name
 * @returns {string}
 */
function readName(argument, name) {
  const allowed = 'a string that is not empty and has no lone surrogates'
  if (typeof name !== 'string') throw wrongType(argument, name, allowed)
  if (name === '' || /\p{Surrogate}/u.test(name)) throw outOfRange(argument, name, allowed)
  return name
}

/**
 * Checks the options of a read: the name of a type, or an object.
 *
 * @param {unknown} given
 * @returns {{ copy: boolean, type: string | undefined }}
 */
function readGetOptions(given) {
  if (given === undefined) return { copy: false, type: undefined }
  if (typeof given === 'string') return { copy: false, type: readName('type', given) }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw wrongType('the second argument', given, 'the name of a type, or { copy, type }')
  }
  for (const name of Object.keys(given)) {
    if (name !== 'copy' && name !== 'type') throw badOption(name, 'does not exist; allowed: { copy, type }')
  }
  const { copy = false, type } = /** @type {{ copy?: unknown, type?: unknown }} */ (given)
  boolean('copy', copy)
  return { copy: /** @type {boolean} */ (copy), type: type === undefined ? undefined : readName('option type', type) }
}

/**
 * Checks the options of an insert.
 *
 * @param {unknown} given
 * @returns {string | undefined} the type
 */
function readInsertOptions(given) {
  if (given === undefined) return undefined
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw wrongType('options', given, '{ type }')
  }
  for (const name of Object.keys(given)) {
    if (name === 'ttl') throw unknownOption(name)
    if (name !== 'type') throw badOption(name, 'does not exist; allowed: { type }')
  }
  const { type } = /** @type {{ type?: unknown }} */ (given)
  return type === undefined ? undefined : readName('option type', type)
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

module.exports = { checkFunction, describe, readCount, readGetOptions, readInsertOptions, readName, readOptions }
