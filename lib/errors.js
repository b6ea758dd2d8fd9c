'use strict'

// Every error of the package: its code, its number, its class and its text.
//
// A wrong argument is a real TypeError or RangeError, as the language throws it, with the properties of a TypedMapError
// added: `error instanceof TypedMapError`, `error instanceof TypeError` and `error.constructor === TypeError` all hold.

/** Every code this version throws, with its number. */
const ERROR_NUMBERS = Object.freeze({
  ERR_HANDLE_NOT_FOUND: 1001,
  ERR_WRONG_TYPE: 1002,
  ERR_HANDLE_INVALIDATED: 1003,
  ERR_GENERATION_MISMATCH: 1004,
  ERR_INVALID_SHARD_INDEX: 1005,
  ERR_MEMORY_LIMIT: 1006,
  ERR_VALUE_TOO_LARGE: 1007,
  ERR_EVICTION_FAILED: 1008,
  ERR_OUT_OF_MEMORY: 1009,
  ERR_CLOSED: 1010,
  ERR_KEY_TYPE: 1011,
  ERR_VALUE_NOT_SERIALIZABLE: 1012,
  ERR_INVALID_OPTION: 1013,
  ERR_TRANSACTION_CONFLICT: 1014,
  ERR_TRANSACTION_CLOSED: 1015,
  ERR_BROKEN: 1020,
  ERR_NATIVE_UNAVAILABLE: 1024,
  ERR_OUT_OF_RANGE: 1025,
  ERR_VALIDATION: 1026,
  ERR_TIMEOUT: 1027,
  ERR_INVALID_QUERY: 1028,
  ERR_TRANSACTION_TOO_LARGE: 1030,
  ERR_CLOCK_ENDED: 1031,
  ERR_TOO_MANY_JOBS: 1032,
  ERR_REFRESH_FAILED: 1033,
  ERR_EXPIRY_UNATTENDED: 1034
})

/** @typedef {keyof typeof ERROR_NUMBERS} ErrorCode */
/** @typedef {Record<string, any>} Details */

/** @type {Map<number, ErrorCode>} */
const CODES = new Map()
for (const [code, number] of Object.entries(ERROR_NUMBERS)) CODES.set(number, /** @type {ErrorCode} */ (code))

/** Errors that statistics have counted already, or never are to. @type {WeakSet<object>} */
const counted = new WeakSet()

/** @param {object} error */
const isCounted = error => counted.has(error)

/**
 * Has an error not be counted (again).
 *
 * @template {object} T
 * @param {T} error
 * @returns {T} the same
 */
function markCounted(error) {
  counted.add(error)
  return error
}

/** Marks the TypeErrors and RangeErrors of this package, whichever copy of it made them. */
const BRAND = Symbol.for('typed-superdashmap.error')

/** @type {(type: unknown, value: unknown) => boolean} */
const ordinaryHasInstance = (type, value) => Function.prototype[Symbol.hasInstance].call(type, value)

class TypedMapError extends Error {
  /** @type {ErrorCode} */
  code
  /** @type {number} */
  number
  /** @type {Details} */
  details

  /**
   * @param {ErrorCode} code
   * @param {string} message
   * @param {Details} [details]
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, details = {}, options = undefined) {
    super(message, options)
    this.code = code
    this.number = ERROR_NUMBERS[code]
    this.details = details
  }

  /** @param {unknown} value */
  static [Symbol.hasInstance](value) {
    // biome-ignore lint/complexity/noThisInStatic: a derived class asks for its own instances
    if (ordinaryHasInstance(this, value)) return true
    // biome-ignore lint/complexity/noThisInStatic: the same
    return this === TypedMapError && typeof value === 'object' && value !== null && BRAND in value
  }
}

// Not enumerable, as the names of the language's own errors.
Object.defineProperty(TypedMapError.prototype, 'name', { value: 'TypedMapError', writable: true, configurable: true })

/**
 * An error about an argument.
 *
 * @param {typeof TypeError | typeof RangeError} Base
 * @param {ErrorCode} code
 * @param {string} message
 * @param {Details} details
 * @param {ErrorOptions} [options]
 */
function argumentError(Base, code, message, details, options) {
  const error = new Base(message, options)
  Object.defineProperty(error, BRAND, { value: true })
  return Object.assign(error, { code, number: ERROR_NUMBERS[code], details })
}

/**
 * What a value is, in a few words, for messages and details. Never runs code of the value.
 *
 * @param {unknown} value
 * @returns {string}
 */
function describe(value) {
  switch (typeof value) {
    case 'string':
      return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`
    case 'bigint':
      return `${value}n`
    case 'symbol':
      return 'a symbol'
    case 'function':
      return 'a function'
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? 'an array' : 'an object'
    default:
      return Object.is(value, -0) ? '-0' : String(value)
  }
}

const KEYS_ALLOWED = 'string, number, bigint, boolean, null, undefined, Uint8Array, or a handle of this map'

/** The nouns of `typeof` with their article. */
const WITH_ARTICLE = /** @type {Record<string, string>} */ ({
  object: 'an object',
  symbol: 'a symbol',
  function: 'a function',
  handle: 'a handle'
})

/** Characters of a pointer that a message has. */
const MAX_POINTER_SHOWN = 200

/** @param {number} count @param {string} noun */
const some = (count, noun) => `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`

/** Why a transaction takes no call. @type {Record<string, string>} */
const TRANSACTION_STATES = {
  committed: 'the transaction is over: it was committed',
  rolledBack: 'the transaction is over: it was rolled back',
  conflict: 'the transaction is over: others changed what it had read',
  ended: 'the transaction is over: its callback has returned',
  running:
    'the callback of this transaction is running: what it returns or throws commits the transaction or rolls it back',
  nested: 'a transaction of this map is running in this thread: use the one that its callback got, or begin()'
}

/**
 * The first of what a schema has found, and how many more there are.
 *
 * @param {readonly { message: string, path: (string | number)[] }[]} issues
 */
function showIssues(issues) {
  if (issues.length === 0) return 'the schema does not say why'
  const [{ message, path }] = issues
  const at = path.length === 0 ? '' : `${path.join('.')}: `
  return issues.length === 1 ? `${at}${message}` : `${at}${message} (and ${issues.length - 1} more)`
}

/**
 * The text for each number that the native side throws, made of the details that come with it.
 *
 * @type {Record<number, (details: Details) => string>}
 */
const MESSAGES = {
  1001: ({ pending }) =>
    pending
      ? 'the transaction that inserts the entry of this handle has not been committed'
      : 'the entry of this handle is gone',
  1002: ({ at, expected, found, of, operation }) =>
    operation !== undefined
      ? `${operation} needs a map with codec '${expected}', and this one has '${found}'`
      : at !== undefined
        ? `expected ${expected} at ${describe(at)}, found ${found}`
        : of === 'value'
          ? `expected ${expected} as the value, found ${found}`
          : `expected an entry of type '${expected}', ` +
            `found ${found === null ? 'one without a type' : `one of type '${found}'`}`,
  1003: ({ given, map }) =>
    given === undefined
      ? 'the map was cleared since this handle was made'
      : map === undefined
        ? `no map made this handle of map ${given}: map.handle(handle) makes one that can be read`
        : `the handle belongs to map ${given}, and this is map ${map}`,
  1004: ({ given, found }) =>
    `the entry of this handle is gone: the handle is of generation ${given}, and its slot is at generation ${found}`,
  1005: ({ shard, shards }) => `the handle names shard ${shard}, and this map has the shards 0 to ${shards - 1}`,
  1006: ({ scope, limitEntries, limitBytes, usedBytes, requestedBytes }) =>
    limitEntries === undefined
      ? `the write needs ${some(requestedBytes, 'byte')} more, and ${some(usedBytes, 'byte')} of the limit of ` +
        `${some(limitBytes, 'byte')} ${scope === 'process' ? 'for all maps of the process ' : ''}are in use`
      : `the map has as many entries as its limit allows: ${some(limitEntries, 'entry').replace('entrys', 'entries')}`,
  1007: ({ bytes, limitBytes }) =>
    `an entry of ${some(bytes, 'byte')} can never fit: the largest possible here has ${some(limitBytes, 'byte')}`,
  1008: ({ reason = 'the function of the map freed too little' }) => `no room was made for the write: ${reason}`,
  1009: ({ bytes }) => `the system has no ${some(bytes, 'byte')} of memory left; the map is unchanged`,
  1010: () => 'the map is closed',
  1011: ({ argument, given, allowed = KEYS_ALLOWED }) =>
    `${argument} is ${WITH_ARTICLE[given] ?? given}; allowed: ${allowed}` +
    (given === 'handle' ? ', except here: updateMany and replace write by handle' : '') +
    (given === 'object' ? '; map.handle(data) makes a handle of what postMessage or JSON made of one' : ''),
  1013: ({ option, given, existing, allowed }) =>
    allowed !== undefined
      ? `option ${option} is ${given}; allowed: ${allowed}`
      : given === undefined
        ? 'a map that was made without limits and without evictionStrategy takes none: it does not track what to evict'
        : `option ${option} is ${given}, but the map of this name was made with ${existing}`,
  1014: ({ retries, keys }) =>
    keys === undefined
      ? `the entry was changed by others during each of ${retries + 1} attempts to update it; it is as they left it`
      : `others changed ${keys.length === 1 ? describe(keys[0]) : some(keys.length, 'key')} meanwhile, ` +
        `${retries === undefined ? 'so' : `in each of ${some(retries + 1, 'attempt')};`} nothing was written`,
  1015: ({ state }) => TRANSACTION_STATES[state],
  1020: ({ panic }) =>
    'an internal failure left the map in doubt, and it refuses further use until it is recovered' +
    (panic === undefined ? '' : ` (${panic})`),
  1025: ({ reached, allowed }) => `the result is ${reached}; allowed: ${allowed}; the entry is unchanged`,
  1026: ({ type, issues }) => `the value does not fit the schema of type '${type}': ${showIssues(issues)}`,
  1027: ({ timeout, operation }) =>
    `${operation === 'recover' ? 'the map was not recovered' : 'no value was loaded'} within ` +
    some(timeout, 'millisecond'),
  1028: ({ at, allowed }) => {
    const end = at.length > MAX_POINTER_SHOWN ? `…${at.slice(-MAX_POINTER_SHOWN)}` : at
    return `the query is wrong ${at === '' ? 'as a whole' : `at '${end}'`}; allowed: ${allowed}`
  },
  1030: ({ keys, limitKeys, bytes, limitBytes }) =>
    `a transaction of ${some(keys, 'key')} and ${some(bytes, 'byte')} is too large: it may have ` +
    `${some(limitKeys, 'key')} and ${some(limitBytes, 'byte')}`,
  1032: ({ limit }) =>
    limit === undefined
      ? 'the system starts no thread for the job'
      : `${limit} jobs of this process wait or are under way, and no more can; try again when one of them is done`,
  1034: () => 'no thread removes expired entries: each is removed when something meets it'
}

/** The name of an error's number. @param {number} number */
const codeOf = number => CODES.get(number) ?? `ERR_${number}`

/**
 * The error for a number and the details that belong to it.
 *
 * @param {number} number
 * @param {Details} details
 * @returns {Error}
 */
function createError(number, details) {
  const code = CODES.get(number)
  const message = MESSAGES[number]
  if (code === undefined || message === undefined) return new Error(`typed-superdashmap: unknown error ${number}`)
  if (number === ERROR_NUMBERS.ERR_INVALID_QUERY) return argumentError(TypeError, code, message(details), details)
  if (number >= ERROR_NUMBERS.ERR_KEY_TYPE && number <= ERROR_NUMBERS.ERR_INVALID_OPTION) {
    const isOutOfRange = number === ERROR_NUMBERS.ERR_INVALID_OPTION && details.allowed !== undefined
    return argumentError(isOutOfRange ? RangeError : TypeError, code, message(details), details)
  }
  return new TypedMapError(code, message(details), details)
}

/** The prefix of argument names that are options. */
const OPTION = 'option '

/**
 * The error for an argument with a forbidden type or value. Options are arguments named `option …`.
 *
 * @param {typeof TypeError | typeof RangeError} Base
 * @param {string} argument
 * @param {unknown} given
 * @param {string} allowed
 */
function notAllowed(Base, argument, given, allowed) {
  const description = describe(given)
  const option = argument.startsWith(OPTION) ? argument.slice(OPTION.length) : undefined
  return argumentError(Base, 'ERR_INVALID_OPTION', `${argument} is ${description}; allowed: ${allowed}`, {
    ...(option === undefined ? { argument } : { option }),
    given: description,
    allowed
  })
}

/**
 * The error for an argument of the wrong type.
 *
 * @param {string} argument
 * @param {unknown} given
 * @param {string} allowed
 */
const wrongType = (argument, given, allowed) => notAllowed(TypeError, argument, given, allowed)

/**
 * The error for an argument of the right type with a value that is not allowed.
 *
 * @param {string} argument
 * @param {unknown} given
 * @param {string} allowed
 */
const outOfRange = (argument, given, allowed) => notAllowed(RangeError, argument, given, allowed)

/** The error for a schema whose answer comes later: a write is done when the call returns. */
const asynchronousSchema = () =>
  argumentError(
    TypeError,
    'ERR_INVALID_OPTION',
    'the schema is asynchronous: its validate returned a promise; allowed: a schema that validates at once',
    { argument: 'schema', given: 'an asynchronous schema', allowed: 'a schema that validates at once' }
  )

/**
 * The error for an invalid option.
 *
 * @param {string} option
 * @param {string} reason
 * @param {Details} [more]
 */
function badOption(option, reason, more = {}) {
  return argumentError(TypeError, 'ERR_INVALID_OPTION', `option ${option} ${reason}`, { option, reason, ...more })
}

/**
 * The error for a value that cannot be stored.
 *
 * @param {string} reason
 * @param {Details} details
 * @param {unknown} [cause]
 */
function notSerializable(reason, details, cause) {
  const options = cause === undefined ? undefined : { cause }
  return argumentError(
    TypeError,
    'ERR_VALUE_NOT_SERIALIZABLE',
    `the value cannot be stored: ${reason}`,
    { argument: 'value', ...details },
    options
  )
}

/**
 * The error for a write that was refused and for which no room was made.
 *
 * @param {string} reason
 * @param {TypedMapError} refused the error of the write
 * @param {unknown} [cause] what a function of the user threw
 */
function evictionFailed(reason, refused, cause = refused) {
  const details = { reason, ...refused.details }
  const text = MESSAGES[ERROR_NUMBERS.ERR_EVICTION_FAILED]
  return new TypedMapError('ERR_EVICTION_FAILED', text(details), details, { cause })
}

/** The message of what a loader threw, whatever that is. @param {any} cause */
function messageOf(cause) {
  try {
    return String(cause.message)
  } catch {
    return 'what the loader threw has no text'
  }
}

/**
 * The error for a load in the background that brought nothing: the entry keeps its value.
 *
 * @param {any} cause what the loader threw
 */
function refreshFailed(cause) {
  const why = typeof cause === 'object' && cause !== null ? messageOf(cause) : describe(cause)
  const details = { operation: 'getOrLoad' }
  return new TypedMapError('ERR_REFRESH_FAILED', `a refresh in the background failed: ${why}`, details, { cause })
}

/**
 * An error of this package that another thread described.
 *
 * @param {string} name
 * @param {ErrorCode} code
 * @param {string} message
 * @param {Details} details
 */
function reviveError(name, code, message, details) {
  // That thread has counted it.
  if (name === 'TypeError') return markCounted(argumentError(TypeError, code, message, details))
  if (name === 'RangeError') return markCounted(argumentError(RangeError, code, message, details))
  return markCounted(new TypedMapError(code, message, details))
}

/**
 * The error for a query that is none.
 *
 * @param {string} at where, as a JSON pointer into the query
 * @param {string} allowed what may be there
 */
const invalidQuery = (at, allowed) => createError(ERROR_NUMBERS.ERR_INVALID_QUERY, { at, allowed })

const closed = () => createError(ERROR_NUMBERS.ERR_CLOSED, {})

module.exports = {
  ERROR_NUMBERS,
  TypedMapError,
  asynchronousSchema,
  badOption,
  closed,
  codeOf,
  createError,
  describe,
  evictionFailed,
  invalidQuery,
  isCounted,
  markCounted,
  notSerializable,
  outOfRange,
  refreshFailed,
  reviveError,
  wrongType
}
