'use strict'

// Queries of a whole map: native code asks them of all entries, on threads of its own, and this thread waits for the
// answer as its event loop goes on. How many entries match, their handles, and their end.

const { Handle } = require('../handle.js')
const { binding } = require('../native/attach.js')
const { later } = require('../native/timer.js')
const { Subscription } = require('../observe/turns.js')
const { checkFunction, checkObject, integer } = require('../options/checks.js')
const { readGlob } = require('../options/glob.js')
const { MORE, pending } = require('../session/pending.js')
const { refused } = require('../session/refusals.js')
const { wrongType } = require('../errors.js')
const { writeQuery } = require('./query.js')
const { readType } = require('./scan-options.js')

const {
  askCount: askCountBinding,
  askDelete: askDeleteBinding,
  askDeletePrefix: askDeletePrefixBinding,
  askFind: askFindBinding,
  jobProgress: jobProgressBinding,
  takeAnswer: takeAnswerBinding,
  takeHandles: takeHandlesBinding
} = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

/** Milliseconds between two calls of `onProgress`. */
const PROGRESS_MS = 100
/** Handles that are made in one step: some hundred microseconds. */
const HANDLES_PER_STEP = 1_024
/** Numbers of a handle that native code gives. */
const HANDLE_ROW = 3

const limitOf = integer(1, Number.MAX_SAFE_INTEGER)

/**
 * @typedef {object} JobOptions
 * @property {number} limit
 * @property {string | undefined} type
 * @property {AbortSignal | undefined} signal
 * @property {((progress: { seen: number, found: number, total: number }) => void) | undefined} onProgress
 */

/** @param {unknown} given @param {string[]} names @returns {JobOptions} */
function readJobOptions(given, names) {
  const { limit, type, signal, onProgress } = given === undefined ? {} : checkObject('options', given, names)
  if (onProgress !== undefined) checkFunction('option onProgress', onProgress)
  return {
    limit: limit === undefined ? Number.MAX_SAFE_INTEGER : limitOf('limit', limit),
    type: readType(type),
    signal: readSignal(signal),
    onProgress
  }
}

/** @param {any} signal @returns {AbortSignal | undefined} */
function readSignal(signal) {
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function') {
    throw wrongType('option signal', signal, 'an AbortSignal')
  }
  return signal
}

/**
 * Has a job's progress told now and then, as long as its promise waits.
 *
 * @param {OpenMap} open
 * @param {number} number
 * @param {NonNullable<JobOptions['onProgress']>} onProgress
 * @returns {() => void} ends it
 */
function report(open, number, onProgress) {
  const listener = new Subscription(onProgress)
  let isOver = false
  const tell = () => {
    if (isOver) return
    listener.call(jobProgressBinding(open.id, number))
    later(tell, PROGRESS_MS)
  }
  later(tell, PROGRESS_MS)
  return () => {
    isOver = true
  }
}

/**
 * A promise for what a job comes to.
 *
 * @template T
 * @param {OpenMap} open
 * @param {object} map
 * @param {JobOptions} options
 * @param {() => number} ask starts the job, and returns the number of its promise
 * @param {(number: number) => T | typeof MORE} take
 * @returns {Promise<T>}
 */
async function job(open, map, { signal, onProgress }, ask, take) {
  let end = () => {}
  const begin = () => {
    const number = ask()
    if (onProgress !== undefined) end = report(open, number, onProgress)
    return number
  }
  try {
    return await pending(open, map, { begin, take, signal })
  } finally {
    end()
  }
}

/**
 * What takes how many entries a job has found.
 *
 * @param {OpenMap} open
 */
const answerTaker = open => (/** @type {number} */ number) => takeAnswerBinding(open.id, number)

/**
 * What takes the handles that a job has found, some in each step.
 *
 * @param {OpenMap} open
 */
function handleTaker({ id, origin }) {
  const table = new Uint32Array(HANDLES_PER_STEP * HANDLE_ROW)
  /** @type {Handle[]} */
  const handles = []
  return (/** @type {number} */ number) => {
    const count = takeHandlesBinding(id, number, table)
    for (let row = 0; row < count * HANDLE_ROW; row += HANDLE_ROW) {
      handles.push(new Handle(origin.instance, table[row], table[row + 1], table[row + 2], origin))
    }
    return count < HANDLES_PER_STEP ? handles : MORE
  }
}

/**
 * A query whose glob is one over keys as the map has them.
 *
 * @param {OpenMap} open
 * @param {any} query
 */
function withOwnKeys(open, query) {
  if (!open.normalizes || typeof query?.key !== 'string') return query
  return { ...query, key: readGlob(open, 'key of the query', query.key) }
}

/**
 * Checks a query, and writes it for native code.
 *
 * @param {string} operation
 * @param {OpenMap} open
 * @param {unknown} query
 */
function readQuery(operation, open, query) {
  const text = writeQuery(withOwnKeys(open, query))
  if (/** @type {any} */ (query)?.where !== undefined) open.checkJson(operation)
  open.check()
  return text
}

/** @param {OpenMap} open @param {unknown} given @returns {string} */
function readPrefix(open, given) {
  if (typeof given !== 'string') throw wrongType('prefix', given, 'a string')
  const prefix = open.keyOf(given)
  if (typeof prefix !== 'string') throw wrongType('prefix, which normalizeKey was called with,', prefix, 'a string')
  return prefix
}

/** Options of what only counts. */
const COUNT_OPTIONS = ['type', 'signal', 'onProgress']

/**
 * Handles of what a query asks for.
 *
 * @param {OpenMap} open
 * @param {object} map
 * @param {any} query
 * @param {JobOptions} read
 */
function find(open, map, query, read) {
  const text = readQuery('find', open, query)
  return job(open, map, read, () => askFindBinding(open.id, text, read.type, read.limit), handleTaker(open))
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** @param {any} query @param {any} options */
  async find(query, options = undefined) {
    const open = openOf(this)
    try {
      return find(open, this, query, readJobOptions(options, ['limit', 'type', 'signal', 'onProgress']))
    } catch (error) {
      throw refused(open, error)
    }
  },

  /** @param {any} query @param {any} options */
  async count(query, options = undefined) {
    const open = openOf(this)
    try {
      const read = readJobOptions(options, COUNT_OPTIONS)
      const text = readQuery('count', open, query)
      return job(open, this, read, () => askCountBinding(open.id, text, read.type), answerTaker(open))
    } catch (error) {
      throw refused(open, error)
    }
  },

  /** @param {any} query @param {any} options */
  async deleteWhere(query, options = undefined) {
    const open = openOf(this)
    try {
      const read = readJobOptions(options, COUNT_OPTIONS)
      const text = readQuery('deleteWhere', open, query)
      return job(open, this, read, () => askDeleteBinding(open.id, text, read.type), answerTaker(open))
    } catch (error) {
      throw refused(open, error)
    }
  },

  /** @param {any} prefix @param {any} options */
  async deletePrefix(prefix, options = undefined) {
    const open = openOf(this)
    try {
      const read = readJobOptions(options, ['signal', 'onProgress'])
      const text = readPrefix(open, prefix)
      open.check()
      return job(open, this, read, () => askDeletePrefixBinding(open.id, text), answerTaker(open))
    } catch (error) {
      throw refused(open, error)
    }
  }
})

module.exports = { PROGRESS_MS, find, methods, readJobOptions }
