'use strict'

// What native code reports of entries, as the objects that listeners get: a report is taken out of native memory with
// its key and its value.

const { scratch } = require('../native/attach.js')
const { decode } = require('../codec/values.js')
const layout = require('../native/layout.js')
const { handleAt } = require('../native/rows.js')

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {Record<string, any>} Report */

const { CAUSE, KEY_KIND, KIND, OMITTED_BYTES, REMOVAL_ROW, REMOVED_BY, SCRATCH, WRITTEN_BY } = layout
const { COUNT, DROPPED, HAS_MORE, STATE, TYPE } = SCRATCH
const JSON_TEXT = KIND.Json

/**
 * Reports that are taken out of native memory in one step, and bytes of keys and values after which it takes no more:
 * some 100 µs. One that is larger, of 1 MB at most, is taken out alone.
 */
const TAKEN_PER_STEP = 64
const TAKEN_PER_STEP_BYTES = 256 * 1024

/**
 * A document with more characters than this is decoded when a listener asks for it, and so is what a codec has made: if
 * that throws, the listener gets the error. Shorter documents take some µs, and as plain properties they are easier to
 * look at.
 */
const LARGE_TEXT = 1_024

/** Native code describes each report here. */
const states = new Uint32Array(TAKEN_PER_STEP * REMOVAL_ROW)

/** What a report is of, by its number. @type {Record<number, Report>} */
const HEADS = {}
for (const [cause, number] of Object.entries(CAUSE)) HEADS[number] = { change: 'removed', cause }
for (const [change, number] of Object.entries(WRITTEN_BY)) HEADS[number] = { change }

/**
 * Takes reports out of native memory.
 *
 * @param {OpenMap} open
 * @param {(count: number, states: Uint32Array, bytes: number) => readonly any[]} take returns key and value of each
 * @param {boolean} areChanges whether they say what has changed; else they are removals
 * @returns {{ reports: Report[], dropped: number, hasMore: boolean }} with the number of those that were dropped after
 *   them, and whether there may be more changes
 */
function takeReports(open, take, areChanges) {
  const cells = take(TAKEN_PER_STEP, states, TAKEN_PER_STEP_BYTES)
  const count = scratch[COUNT]
  const dropped = scratch[DROPPED]
  const hasMore = scratch[HAS_MORE] === 1
  const reports = []
  for (let index = 0; index < count; index++) reports.push(reportAt(open, cells, index, areChanges))
  return { reports, dropped, hasMore }
}

/**
 * The object that listeners get for what is described at `index` of `states`.
 *
 * @param {OpenMap} open
 * @param {readonly any[]} cells
 * @param {number} index
 * @param {boolean} isChange
 * @returns {Report}
 */
function reportAt(open, cells, index, isChange) {
  const row = index * REMOVAL_ROW
  const at = (/** @type {number} */ column) => states[row + column]
  const handle = handleAt(open.origin, states, row)
  const key = at(KEY_KIND) === 0 ? handle : cells[index * 2]
  const [kind, raw] = [at(STATE), cells[index * 2 + 1]]
  const omittedBytes = at(OMITTED_BYTES)
  const isLater = omittedBytes === 0 && (kind === JSON_TEXT ? raw.length > LARGE_TEXT : kind >= KIND.Encoded)
  const value = omittedBytes > 0 || isLater ? undefined : decode(open.shapes, kind, raw)
  const { change, cause } = HEADS[at(REMOVED_BY)]
  /** @type {Report} */
  const report = isChange ? { change, key, handle, value } : { key, handle, value }
  if (cause !== undefined) report.cause = cause
  if (isLater) decodeLater(open, report, kind, raw)
  if (omittedBytes > 0) report.omittedBytes = omittedBytes
  const type = at(TYPE) === 0 ? null : open.typeName(at(TYPE))
  if (type !== null) report.type = type
  return report
}

/**
 * Decodes the value of a report when it is first asked for.
 *
 * @param {OpenMap} open
 * @param {Report} report
 * @param {number} kind
 * @param {string} raw
 */
function decodeLater(open, report, kind, raw) {
  const become = (/** @type {any} */ value) =>
    Object.defineProperty(report, 'value', { value, writable: true, enumerable: true, configurable: true }).value
  Object.defineProperty(report, 'value', {
    get: () => become(decode(open.shapes, kind, raw)),
    set: become,
    enumerable: true,
    configurable: true
  })
}

module.exports = { takeReports }
