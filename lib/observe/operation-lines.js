'use strict'

// Log lines of single calls, target `typedmap.operations`. A line says which operation, of which key or handle, and how
// long it took; never a value. Lines are of the calls of this thread.

const { isHandleKey } = require('../handle.js')
const { LEVEL } = require('../native/layout.js')
const { detach } = require('../near/detach.js')
const { OPERATION_NAMES } = require('./operations.js')
const { probe } = require('./probes.js')

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('./probes.js').Call} Call */
/**
 * Logs a line.
 *
 * @typedef {(
 *   open: OpenMap,
 *   level: keyof typeof LEVEL,
 *   target: string,
 *   code: string,
 *   message: string,
 *   details: Record<string, any>
 * ) => void} Say
 */

const TARGET = 'typedmap.operations'
const LEVEL_NAME = 'debug'

const ENDED = ['operation.ended', 'A call of the map ended']
const FAILED = ['operation.failed', 'A call of the map threw an error']

const nothing = () => {}

/** Of a key that a line shows: characters, or bytes. */
const SHOWN = 256

/**
 * By the id of the open map: for how many listeners its calls are logged, and what ends that. Nothing here holds the
 * map, which what ends a listener would hold, too.
 *
 * @type {Map<number, { listeners: number, end: () => void }>}
 */
const watched = new Map()

/**
 * A key as plain JSON, at most SHOWN of it.
 *
 * @param {any} key
 */
function shownKey(key) {
  if (typeof key === 'string') {
    if (key.length <= SHOWN) return key
    const start = key.slice(0, SHOWN)
    detach(start)
    return `${start}…`
  }
  if (key instanceof Uint8Array) return Array.from(key.subarray(0, SHOWN))
  if (typeof key === 'bigint') return BigInt.asIntN(64, key) === key ? `${key}n` : 'a bigint'
  return key === null || typeof key === 'boolean' || Number.isFinite(key) ? key : String(key)
}

/** Whether it can be the key of an entry. @param {any} key */
const isKey = key =>
  key !== undefined && typeof key !== 'symbol' && (typeof key !== 'object' || key === null || key instanceof Uint8Array)

/**
 * The details of a line.
 *
 * @param {Call} call
 */
function detailsOf({ operation, key, hit, isNear, count, hits, wrote, durationMs, error, hasFailed }) {
  /** @type {Record<string, any>} */
  const details = { operation }
  if (isHandleKey(key)) {
    const { map, shard, slot, generation } = key
    details.handle = { map, shard, slot, generation }
  } else if (isKey(key)) {
    details.key = shownKey(key)
  }
  if (count !== undefined) details.count = count
  if (hits !== undefined) details.hits = hits
  if (hit !== undefined) details.hit = hit
  if (wrote !== undefined) details.wrote = wrote
  if (isNear) details.near = true
  details.durationMs = durationMs
  if (hasFailed) details.error = /** @type {any} */ (error)?.code ?? 'ERR_OTHER'
  return details
}

/**
 * Has the calls of a map logged while a listener wants them.
 *
 * @param {OpenMap} open
 * @param {import('../options/log.js').LogOptions} options of the listener
 * @param {Say} say
 * @returns {() => void} ends it
 */
function watchOperations(open, { level, targets }, say) {
  if (LEVEL[level] > LEVEL[LEVEL_NAME] || !targets.includes(TARGET)) return nothing
  const { id } = open
  const known = watched.get(id)
  if (known === undefined) {
    watched.set(id, { listeners: 1, end: probe(open, OPERATION_NAMES, logger(new WeakRef(open), say)) })
    open.atEnd(forget)
  } else known.listeners++
  return ender(id)
}

/** @param {number} id */
function forget(id) {
  watched.get(id)?.end()
  watched.delete(id)
}

/**
 * Ends logging for one listener.
 *
 * @param {number} id
 */
function ender(id) {
  let isOver = false
  return () => {
    if (isOver) return
    isOver = true
    const place = watched.get(id)
    if (place === undefined) return
    place.listeners--
    if (place.listeners === 0) forget(id)
  }
}

/**
 * What logs a call.
 *
 * @param {WeakRef<OpenMap>} reference
 * @param {Say} say
 * @returns {(call: Call) => void}
 */
function logger(reference, say) {
  return call => {
    const open = reference.deref()
    if (open === undefined) return
    const [code, message] = call.hasFailed ? FAILED : ENDED
    say(open, LEVEL_NAME, TARGET, code, message, detailsOf(call))
  }
}

module.exports = { watchOperations }
