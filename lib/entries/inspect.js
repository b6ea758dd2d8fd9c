'use strict'

// What `util.inspect` and `console.log` show of a map: its name, what it holds, and a few entries. The output is
// bounded, and showing a map does not affect eviction.

const { binding } = require('../native/attach.js')
const { readData } = require('../native/data.js')
const { WANT } = require('../native/layout.js')
const { reportHitsOf } = require('../session/opens.js')
const { Cursor } = require('./iterators.js')
const { peek } = require('./lifetime.js')
const { weightOf } = require('./limits.js')

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('node:util').InspectOptionsStylized} Options */
/** @typedef {(value: unknown, options: import('node:util').InspectOptions) => string} Inspect */

const { outline: outlineBinding } = binding

/** Entries that are shown at most. */
const SHOWN = 5

/** An entry that costs more than this is shown by its size, and not decoded. */
const SHOWN_BYTES = 4_096

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB']
const CUSTOM = Symbol.for('nodejs.util.inspect.custom')

/** @param {number} bytes */
function readable(bytes) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  return `${Math.round((bytes / 1024 ** power) * 10) / 10} ${UNITS[power]}`
}

/**
 * The first entries, each value as it is or by its size.
 *
 * @param {object} map
 * @param {OpenMap} open
 * @param {number} most
 */
function someEntries(map, open, most) {
  const shown = new Map()
  for (const cursor = new Cursor(map, open, WANT.KEYS); shown.size < most && cursor.step(); ) {
    const { key } = cursor
    const bytes = weightOf(open, key)
    if (bytes === undefined) continue
    const isShown = bytes <= SHOWN_BYTES
    shown.set(key, isShown ? shownOf(open, key) : { [CUSTOM]: () => `<${readable(bytes)}>` })
  }
  return shown
}

/**
 * A value as it is, or what its codec says in its place.
 *
 * @param {OpenMap} open
 * @param {any} key
 */
function shownOf(open, key) {
  if (open.shapes.codec === undefined) return peek(open, key)
  try {
    return peek(open, key)
  } catch (error) {
    open.check()
    return { [CUSTOM]: () => `<not decoded: ${error instanceof Error ? error.message : error}>` }
  }
}

/**
 * What is held, and how well reads hit.
 *
 * @param {Record<string, any>} outline
 */
function figuresOf({ memoryBytes, memoryLimit, hits, misses, cacheHitRate }) {
  const memory = `${readable(memoryBytes)}${memoryLimit === null ? '' : ` of ${readable(memoryLimit)}`}`
  return hits + misses === 0 ? memory : `${memory}, ${Math.round(cacheHitRate)} % hits`
}

/**
 * @param {{ size: number, constructor: Function }} map
 * @param {OpenMap} open
 * @param {number | null} depth
 * @param {Options} options
 * @param {Inspect} inspect
 * @returns {string}
 */
function inspectMap(map, open, depth, options, inspect) {
  const type = map.constructor?.name || 'TypedMap'
  if (depth !== null && depth < 0) return options.stylize(`[${type}]`, 'special')
  const name = open.name === null ? '' : ` ${inspect(open.name, { ...options, depth: 0 })}`
  try {
    const { size } = map
    reportHitsOf(open)
    const outline = readData(outlineBinding(open.id))
    const entries = someEntries(map, open, Math.min(SHOWN, options.maxArrayLength ?? SHOWN))
    const asMap = inspect(entries, { ...options, depth })
    // Without its own name and size.
    const text = asMap.slice(asMap.indexOf('{'))
    const more = size - entries.size
    return `${type}(${size})${name} <${figuresOf(outline)}> ${more > 0 ? withMore(text, more) : text}`
  } catch (error) {
    // Closed, destroyed or broken.
    return `${type}${name} <${/** @type {any} */ (error).code}> {}`
  }
}

/**
 * @param {string} text of a Map
 * @param {number} count
 */
function withMore(text, count) {
  const more = `... ${count} more item${count === 1 ? '' : 's'}`
  if (text === '{}') return `{ ${more} }`
  return text.includes('\n') ? `${text.slice(0, -2)},\n  ${more}\n}` : `${text.slice(0, -2)}, ${more} }`
}

module.exports = { CUSTOM, inspectMap }
