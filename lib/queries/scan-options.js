'use strict'

// Arguments of scans: what is asked for, and where to go on.
//
// A cursor is `0`, or three numbers: the map, the shard, the slot. So it needs no memory anywhere, and one of another
// map is known.

const { MAX_TYPE_NAME_BYTES, checkObject, integer, readName } = require('../options/checks.js')
const { outOfRange, wrongType } = require('../errors.js')
const { readGlob } = require('../options/glob.js')

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

/**
 * @typedef {object} ScanOptions
 * @property {number} count
 * @property {string | undefined} match
 * @property {string | undefined} type
 */

const DEFAULT_COUNT = 100
/** Entries of a page, however many are asked for. */
const MAX_COUNT = 4_096

const START = '0'
const CURSOR_ALLOWED = "'0' to begin, or the cursor of the page before, of this map"
/** Numbers of maps, shards and slots have 32 bits. */
const MAX_NUMBER = 2 ** 32 - 1

const count = integer(1, 2 ** 32)

/**
 * Checks the options of a scan.
 *
 * @param {OpenMap} open
 * @param {unknown} given
 * @returns {ScanOptions}
 */
function readScanOptions(open, given) {
  if (given === undefined) return { count: DEFAULT_COUNT, match: undefined, type: undefined }
  const options = checkObject('options', given, ['count', 'match', 'type'])
  const { match, type } = options
  return {
    count: options.count === undefined ? DEFAULT_COUNT : Math.min(count('count', options.count), MAX_COUNT),
    match: match === undefined ? undefined : readGlob(open, 'option match', match),
    type: readType(type)
  }
}

/**
 * The same for a scan of a view, which has its type.
 *
 * @param {OpenMap} open
 * @param {unknown} given
 * @returns {ScanOptions}
 */
function readViewScanOptions(open, given) {
  return readScanOptions(open, given === undefined ? undefined : checkObject('options', given, ['count', 'match']))
}

/** The name of a type, or undefined for all. @param {unknown} given @returns {string | undefined} */
const readType = given => (given === undefined ? undefined : readName('option type', given, MAX_TYPE_NAME_BYTES))

/**
 * Where a cursor says to go on.
 *
 * @param {OpenMap} open
 * @param {unknown} cursor
 * @returns {{ shard: number, slot: number }}
 */
function readCursor(open, cursor) {
  if (typeof cursor !== 'string') throw wrongType('cursor', cursor, CURSOR_ALLOWED)
  if (cursor === START) return { shard: 0, slot: 0 }
  const numbers = cursor.split('-', 4).map(Number)
  const [instance, shard, slot] = numbers
  const isCursor =
    numbers.length === 3 &&
    numbers.every(number => Number.isInteger(number) && number >= 0 && number <= MAX_NUMBER) &&
    // As it is written, without signs, spaces and zeros in front.
    numbers.join('-') === cursor &&
    instance === open.instance &&
    shard < open.shards
  if (!isCursor) throw outOfRange('cursor', cursor, CURSOR_ALLOWED)
  return { shard, slot }
}

/**
 * The cursor of a page that begins there.
 *
 * @param {OpenMap} open
 * @param {number} shard as many as there are at the end
 * @param {number} slot
 */
function cursorOf(open, shard, slot) {
  return shard >= open.shards ? START : `${open.instance}-${shard}-${slot}`
}

module.exports = { START, cursorOf, readCursor, readScanOptions, readType, readViewScanOptions }
