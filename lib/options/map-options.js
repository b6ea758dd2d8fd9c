'use strict'

// Options of a map: what there is, what is allowed, and how it is handed to native code.

const { badOption, describe, outOfRange, wrongType } = require('../errors.js')
const {
  MAX_COUNT,
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
  seed,
  wordFor
} = require('./checks.js')
const { TARGETS, level, targets } = require('./log.js')

/** @typedef {import('./checks.js').Check} Check */

/**
 * Default number of entries in the near cache, per map and thread: most of what a web server reads when reads follow a
 * Zipf distribution.
 */
const DEFAULT_NEAR_ENTRIES = 10_000

/**
 * Default bytes of the near cache, per map and thread: 10,000 decoded objects of 800 bytes. In a map with a limit they
 * are at most one in NEAR_SHARES of it, so that the near caches of many threads stay small beside the map.
 */
const DEFAULT_NEAR_BYTES = 16 * 1024 ** 2
const LEAST_NEAR_BYTES = 256 * 1024
const NEAR_SHARES = 16

const MAX_SHARDS = 4_096
/** The engine's `Map`, which finds the copy of a key, cannot hold many more entries than this. */
const MAX_NEAR_ENTRIES = 16_000_000

/**
 * Makes a map of a clock that stands still until `advanceClockForTest` moves it. Not exported, so it is for tests
 * alone.
 */
const MANUAL_CLOCK = Symbol('manual clock')

/** Marks a function in the native options. The function itself stays in the thread that passed it. */
const FUNCTION = 'function'

/** Codecs of the package. */
const CODECS = ['json', 'v8']
/** The longest content type. */
const MAX_CONTENT_TYPE = 255

/** Recoveries that a map begins by itself, and how long each may take, unless the user says something else. */
const DEFAULT_ATTEMPTS = 3
const DEFAULT_RECOVERY_MS = 30_000
const MAX_ATTEMPTS = 1_000_000
const RECOVERY_OPTIONS = ['attempts', 'timeout']

const NEAR_OPTIONS = ['maxEntries', 'maxBytes']
const EVICTION_STRATEGIES = ['lru', 'lfu', 'ttl', 'fifo', 'sieve', 's3-fifo', 'w-tinylfu']
const OOM_STRATEGIES = ['evict', 'reject', 'evict-expired']
/** Operations that can have a target. */
const TIMED = ['get', 'set', 'insert', 'delete', 'load']
/** A day. */
const MAX_TARGET_MS = 86_400_000
const HASHES = ['ahash', 'siphash', 'xxh3', 'fnv1a']

/**
 * @typedef {object} Codec functions of the user
 * @property {string} contentType
 * @property {(value: any) => any} encode
 * @property {(encoded: any) => any} decode
 */
/**
 * @typedef {object} Options
 * @property {Record<string, unknown>} native options that belong to the map, for native code; only those given
 * @property {import('./log.js').Level} logLevel
 * @property {readonly string[]} logTargets
 * @property {number} nearMaxEntries 0 for no near cache
 * @property {number | undefined} nearMaxBytes undefined for what `nearBytesFor` says
 * @property {Codec | undefined} codec the functions that are `codec`
 * @property {Function | undefined} choose the function that is `evictionStrategy`
 * @property {Function | undefined} free the function that is `oomStrategy`
 * @property {((key: any) => any) | undefined} normalizeKey
 */

/** @type {Check} */
const nearCache = (name, value) => {
  if (value === false) return { maxEntries: 0, maxBytes: 0 }
  const allowed = 'false or { maxEntries, maxBytes }'
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(`option ${name}`, value, allowed)
  }
  for (const inner of Object.keys(value)) {
    if (!NEAR_OPTIONS.includes(inner)) throw badOption(`${name}.${inner}`, `does not exist; allowed: ${allowed}`)
  }
  const { maxEntries = DEFAULT_NEAR_ENTRIES, maxBytes } = value
  return {
    maxEntries: integer(1, MAX_NEAR_ENTRIES)(`${name}.maxEntries`, maxEntries),
    maxBytes: maxBytes === undefined ? undefined : nearBytes(`${name}.maxBytes`, maxBytes)
  }
}

/** @type {Check} */
const nearBytes = (name, value) => {
  // For `memoryLimit`, this word means a part of the machine.
  if (value === 'auto') throw outOfRange(`option ${name}`, value, `a number of bytes above 0, or text such as '16mb'`)
  return bytes(1)(name, value)
}

/**
 * The default bytes of a map's near cache.
 *
 * @param {number | null | undefined} memoryLimit that of the map, if it has one
 */
function nearBytesFor(memoryLimit) {
  if (memoryLimit === null || memoryLimit === undefined) return DEFAULT_NEAR_BYTES
  return Math.min(DEFAULT_NEAR_BYTES, Math.max(LEAST_NEAR_BYTES, Math.floor(memoryLimit / NEAR_SHARES)))
}

/** @type {Check} */
const evictionStrategy = (name, value) => {
  if (typeof value === 'function') return value
  const allowed = `${quoted(EVICTION_STRATEGIES)}, or a function`
  if (typeof value !== 'string') throw wrongType(`option ${name}`, value, allowed)
  const word = wordFor(EVICTION_STRATEGIES, value)
  if (word === undefined) throw outOfRange(`option ${name}`, value, allowed)
  return word
}

/** @type {Check} */
const oomStrategy = (name, value) => {
  if (typeof value === 'function') return value
  const allowed = `${quoted(OOM_STRATEGIES)}, { evictIdle: milliseconds }, or a function`
  if (typeof value === 'string') {
    const word = wordFor(OOM_STRATEGIES, value)
    if (word === undefined) throw outOfRange(`option ${name}`, value, allowed)
    return word
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(`option ${name}`, value, allowed)
  }
  for (const inner of Object.keys(value)) {
    if (inner !== 'evictIdle') throw badOption(`${name}.${inner}`, `does not exist; allowed: ${allowed}`)
  }
  return { evictIdle: duration('milliseconds')(`${name}.evictIdle`, value.evictIdle) }
}

/** @type {Check} */
const autoRecovery = (name, value) => {
  if (value === false) return false
  const allowed = 'false or { attempts, timeout }'
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(`option ${name}`, value, allowed)
  }
  for (const inner of Object.keys(value)) {
    if (!RECOVERY_OPTIONS.includes(inner)) throw badOption(`${name}.${inner}`, `does not exist; allowed: ${allowed}`)
  }
  const { attempts = DEFAULT_ATTEMPTS, timeout = DEFAULT_RECOVERY_MS } = value
  return {
    attempts: integer(1, MAX_ATTEMPTS)(`${name}.attempts`, attempts),
    timeout: duration('milliseconds')(`${name}.timeout`, timeout)
  }
}

/** Returns a word, or the functions of the user. @type {Check} */
const codec = (name, value) => {
  const allowed = `${quoted(CODECS)}, or { encode, decode, contentType }`
  if (typeof value === 'string') {
    if (!CODECS.includes(value)) throw outOfRange(`option ${name}`, value, allowed)
    return value
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(`option ${name}`, value, allowed)
  }
  // Read once, and called as methods of the object.
  const { contentType, encode, decode } = value
  checkFunction(`option ${name}.encode`, encode)
  checkFunction(`option ${name}.decode`, decode)
  return {
    contentType: checkContentType(`option ${name}.contentType`, contentType),
    encode: (/** @type {any} */ given) => Reflect.apply(encode, value, [given]),
    decode: (/** @type {any} */ encoded) => Reflect.apply(decode, value, [encoded])
  }
}

/**
 * A slash tells it from the names of the package's codecs.
 *
 * @param {string} argument
 * @param {any} value
 */
function checkContentType(argument, value) {
  const allowed = `a media type such as 'application/msgpack', of at most ${MAX_CONTENT_TYPE} characters`
  if (typeof value !== 'string') throw wrongType(argument, value, allowed)
  const isOne = value.length <= MAX_CONTENT_TYPE && value.includes('/') && /** @type {any} */ (value).isWellFormed()
  if (!isOne) throw outOfRange(argument, value, allowed)
  return value
}

/** @type {Check} */
const timeTargets = (name, value) => {
  const allowed = `an object of milliseconds, of one or more of ${quoted(TIMED)}`
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(`option ${name}`, value, allowed)
  }
  /** @type {Record<string, number>} */
  const checked = {}
  for (const [operation, ms] of Object.entries(value)) {
    if (!TIMED.includes(operation)) throw badOption(`${name}.${operation}`, `does not exist; allowed: ${allowed}`)
    if (ms === undefined) continue
    if (typeof ms !== 'number') throw wrongType(`option ${name}.${operation}`, ms, 'milliseconds above 0')
    if (!(ms > 0 && ms <= MAX_TARGET_MS)) {
      throw outOfRange(`option ${name}.${operation}`, ms, `milliseconds above 0, at most ${MAX_TARGET_MS}`)
    }
    checked[operation] = ms
  }
  if (Object.keys(checked).length === 0) throw outOfRange(`option ${name}`, value, allowed)
  return checked
}

/** @type {Check} */
const normalizeKey = (name, value) => {
  if (typeof value !== 'function') throw wrongType(`option ${name}`, value, 'a function')
  return value
}

/**
 * @typedef {object} Row what is known of an option
 * @property {Check} check returns the value in the form that is used
 * @property {string} [as] the name under which native code has it, where that is another one
 * @property {boolean} [isLimit] whether `setLimits` takes it, too
 * @property {boolean} [isOwn] whether it belongs to the opening thread, not to the map
 */

/**
 * All options. Those of the map have a row in `src/store/options.rs` as well, under the same names.
 *
 * @type {Record<string, Row>}
 */
const OPTIONS = {
  memoryLimit: { check: orNone(more => bytes(1, more)), isLimit: true },
  memoryLimitMb: { check: orNone(more => bytes(1024 ** 2, more)), isLimit: true, as: 'memoryLimit' },
  memoryLimitGb: { check: orNone(more => bytes(1024 ** 3, more)), isLimit: true, as: 'memoryLimit' },
  maxEntries: { check: orNone(more => integer(1, Number.MAX_SAFE_INTEGER, more)), isLimit: true },
  maxValueBytes: { check: orNone(more => integer(1, Number.MAX_SAFE_INTEGER, more)), isLimit: true },
  evictionStrategy: { check: evictionStrategy },
  oomStrategy: { check: oomStrategy },
  ttl: { check: orNone(more => duration('milliseconds', more)) },
  ttlSeconds: { check: orNone(more => duration('seconds', more)), as: 'ttl' },
  ttlOnUpdate: { check: oneOf(['renew', 'keep']) },

  sliding: { check: boolean },
  strictTtl: { check: boolean },
  codec: { check: codec },
  autoRecovery: { check: autoRecovery },
  initialCapacity: { check: integer(0, MAX_COUNT) },
  maxLoadFactor: { check: number(0.25, 0.95) },
  shards: { check: powerOfTwo(MAX_SHARDS) },
  hash: { check: oneOf(HASHES) },
  seed: { check: seed },
  caseInsensitiveKeys: { check: boolean },
  normalizeKey: { check: normalizeKey },
  latency: { check: boolean },
  timeTargets: { check: timeTargets },
  enableSIMD: { check: boolean },
  simdEnabled: { check: boolean, as: 'enableSIMD' },
  hotKeys: { check: boolean },
  ghostCache: { check: boolean },
  nearCache: { check: nearCache, isOwn: true },
  logLevel: { check: level, isOwn: true },
  logTargets: { check: targets, isOwn: true }
}

const LIMITS = Object.keys(OPTIONS).filter(name => OPTIONS[name]?.isLimit)

const ENTRIES = 'a map is limited by maxEntries'
const BYTES = 'a map is limited in bytes by memoryLimit'
const TTL = 'milliseconds to live are ttl here'
const LISTENER = 'map.onEvict takes a function that is called with each removed entry'
const POLICY = 'the eviction policy is evictionStrategy here'

/** Names of options in other caches, with the equivalent here. @type {Record<string, string>} */
const ELSEWHERE = {
  autoResize: 'map.autoResize = false does this here',
  capacity: ENTRIES,
  limit: ENTRIES,
  max: ENTRIES,
  maxItems: ENTRIES,
  maxKeys: ENTRIES,
  maxLength: ENTRIES,
  maximumSize: ENTRIES,
  size: ENTRIES,
  maxSize: `${ENTRIES}, and in bytes by memoryLimit`,
  maxBytes: BYTES,
  maxMemory: BYTES,
  maxEntrySize: 'one value is limited by maxValueBytes',
  maxValueSize: 'one value is limited by maxValueBytes',
  sizeCalculation: 'bytes are counted anyway, and limited by memoryLimit',
  expires: TTL,
  expiry: TTL,
  maxAge: TTL,
  maxTtl: TTL,
  stdTTL: 'seconds to live are ttlSeconds here',
  checkperiod: 'entries with a ttl are removed on time, without a check',
  ttlAutopurge: 'entries with a ttl are removed on time, without a timer of yours',
  deleteOnExpire: 'entries with a ttl are removed on time',
  updateAgeOnGet: 'sliding does this here',
  updateAgeOnHas: 'sliding does this for reads; has is none',
  noUpdateTTL: `ttlOnUpdate: 'keep' does this here`,
  useClones: 'values come back frozen, and as a copy from map.get(key, { copy: true })',
  fetchMethod: 'map.getOrInsertComputed(key, callback) takes a function that makes a value',
  dispose: LISTENER,
  disposeAfter: LISTENER,
  onDispose: LISTENER,
  onEvict: LISTENER,
  onEviction: LISTENER,
  algorithm: POLICY,
  eviction: POLICY,
  evictionPolicy: POLICY,
  policy: POLICY,
  strategy: POLICY
}

/** Options of a map, as far as they were read. */
class Reading {
  /** Under the names that native code uses. @type {Record<string, any>} */
  native = {}
  /** The name under which the user passed each. @type {Map<string, string>} */
  #givenAs = new Map()

  /**
   * Takes an option that belongs to the map.
   *
   * @param {string} name
   * @param {Row} row
   * @param {unknown} checked
   */
  take(name, { as: target = name }, checked) {
    const other = this.#givenAs.get(target)
    if (other !== undefined && this.native[target] !== checked) {
      throw badOption(name, `says something else than option ${other}; give one of them`)
    }
    this.#givenAs.set(target, name)
    this.native[target] = checked
  }
}

/**
 * Checks the options of a map.
 *
 * @param {unknown} [given]
 * @returns {Options}
 */
function readOptions(given = {}) {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw wrongType('options', given, 'an object')
  }
  /** @type {Record<string, any>} */
  const own = {}
  const reading = new Reading()
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    const row = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined
    if (row === undefined) throw unknownOption(name)
    const checked = row.check(name, value)
    if (row.isOwn) own[name] = checked
    else reading.take(name, row, checked)
  }
  const { native } = reading
  if (/** @type {any} */ (given)[MANUAL_CLOCK] === true) native.manualClock = true
  return {
    native,
    logLevel: own.logLevel ?? 'info',
    logTargets: own.logTargets ?? TARGETS,
    nearMaxEntries: own.nearCache?.maxEntries ?? DEFAULT_NEAR_ENTRIES,
    nearMaxBytes: own.nearCache?.maxBytes,
    codec: takeCodec(native),
    ...takeFunctions(native)
  }
}

/**
 * Takes the functions of a codec out of the options of a map, and puts its content type in their place.
 *
 * @param {Record<string, any>} native
 * @returns {Codec | undefined}
 */
function takeCodec(native) {
  const { codec: given } = native
  if (typeof given !== 'object') return undefined
  native.codec = given.contentType
  return given
}

/**
 * Takes the functions out of the options of a map, and puts FUNCTION in their place.
 *
 * @param {Record<string, any>} native
 */
function takeFunctions(native) {
  const { normalizeKey } = native
  if (normalizeKey !== undefined) native.normalizeKey = FUNCTION
  return { normalizeKey, ...takeRoomFunctions(native) }
}

/** @param {Record<string, any>} native */
function takeRoomFunctions(native) {
  const { evictionStrategy: choose, oomStrategy: free } = native
  if (typeof choose === 'function') {
    if (free !== undefined && free !== 'evict') {
      const given = typeof free === 'string' ? `'${free}'` : describe(free)
      throw badOption('oomStrategy', `is ${given}, and evictionStrategy is a function, which would never be asked`)
    }
    delete native.oomStrategy
    native.evictionStrategy = FUNCTION
    return { choose, free: undefined }
  }
  if (typeof free !== 'function') return { choose: undefined, free: undefined }
  native.oomStrategy = FUNCTION
  return { choose: undefined, free }
}

/**
 * Checks new limits of a map: the present ones, `null` to remove one.
 *
 * @param {unknown} given
 * @returns {Record<string, number | null>}
 */
function readLimits(given) {
  const limits = checkObject('limits', given, LIMITS)
  const reading = new Reading()
  for (const [name, value] of Object.entries(limits)) {
    if (value === undefined) continue
    const row = OPTIONS[name]
    reading.take(name, row, value === null ? NONE : row.check(name, value))
  }
  return reading.native
}

/** @param {string} name */
function unknownOption(name) {
  if (Object.hasOwn(ELSEWHERE, name)) return badOption(name, `does not exist; ${ELSEWHERE[name]}`)
  const nearest = nearestName(name, Object.keys(OPTIONS))
  return badOption(name, `does not exist${nearest === undefined ? '' : `; did you mean ${nearest}?`}`)
}

/**
 * The known name that is nearest to the misspelt `name`.
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
      const replaced = row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1)
      next[j] = Math.min(replaced, row[j] + 1, next[j - 1] + 1)
    }
    row = next
  }
  return Math.min(row[to.length], enough)
}

module.exports = { FUNCTION, MANUAL_CLOCK, OPTIONS, nearBytesFor, readLimits, readOptions }
