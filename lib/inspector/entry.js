'use strict'

// What the inspector says of one entry, and of the keys that begin with a text. Values only if that was asked for.

const { inspect } = process.getBuiltinModule('node:util')
const { MAX_GLOB } = require('../native/layout.js')

/** Keys that a search gives. */
const MOST_KEYS = 50
/** Pages of a scan that a search takes, so that it ends in a map without such keys. */
const MOST_PAGES = 16
/** Entries of one page, which takes a millisecond at most. */
const ENTRIES_PER_PAGE = 512

/** Characters that are shown of a key, and of a value. */
const KEY_SHOWN = 200
const VALUE_SHOWN = 4_096

/** How a key is read of its text. @type {Record<string, (text: string) => unknown>} */
const KEY_TYPES = {
  string: text => text,
  number: text => (text.trim() === '' ? undefined : numberOf(text)),
  bigint: text => (/^-?\d{1,400}$/.test(text) ? BigInt(text) : undefined),
  boolean: text => (text === 'true' ? true : text === 'false' ? false : undefined)
}

/** @param {string} text */
const numberOf = text => (Number.isNaN(Number(text)) && text !== 'NaN' ? undefined : Number(text))

/** @param {unknown} key */
function showKey(key) {
  const text = typeof key === 'string' ? key : inspect(key)
  return { type: typeof key, text: text.length > KEY_SHOWN ? `${text.slice(0, KEY_SHOWN)}…` : text }
}

/** @param {unknown} value */
function showValue(value) {
  const text = inspect(value, { depth: 4, breakLength: 80, maxArrayLength: 50, maxStringLength: 1_000 })
  return text.length > VALUE_SHOWN ? `${text.slice(0, VALUE_SHOWN)}…` : text
}

/**
 * What is known of the entry of a key.
 *
 * @param {any} map within a visit
 * @param {unknown} key
 * @param {{ showsValues: boolean, hasCodec: boolean }} how
 */
function describeEntry(map, key, { showsValues, hasCodec }) {
  const ttlMs = map.ttlOf(key)
  const isFound = ttlMs !== undefined
  if (!isFound) return { isFound, key: showKey(key) }
  const handle = map.getHandle(key)
  return {
    isFound,
    key: showKey(key),
    bytes: map.memoryUsage(key),
    ttlMs: Number.isFinite(ttlMs) ? ttlMs : null,
    shard: handle?.shard,
    slot: handle?.slot,
    generation: handle?.generation,
    explained: map.explain(key),
    ...(showsValues && {
      value: hasCodec ? 'stored by a codec, which this thread does not have' : showValue(map.peek(key))
    })
  }
}

/**
 * Keys that begin with a text; none, and not all, of one that is too long to look for.
 *
 * @param {any} map within a visit
 * @param {string} prefix
 */
function findKeys(map, prefix) {
  const match = `${prefix.replaceAll(/[\\*?[\]]/g, '\\$&')}*`
  if (match.length > MAX_GLOB) return { keys: [], isComplete: false }
  const keys = []
  let cursor = '0'
  let pages = 0
  do {
    const page = map.scan(cursor, { match, count: ENTRIES_PER_PAGE })
    for (const [key] of page.entries) if (keys.length < MOST_KEYS) keys.push(showKey(key))
    cursor = page.cursor
    pages++
  } while (cursor !== '0' && keys.length < MOST_KEYS && pages < MOST_PAGES)
  return { keys, isComplete: cursor === '0' && keys.length < MOST_KEYS }
}

module.exports = { KEY_TYPES, describeEntry, findKeys, showKey }
