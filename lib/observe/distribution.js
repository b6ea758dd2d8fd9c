'use strict'

// `getMemoryDistribution()`: what the memory of a map is made of. Native code counts it beside this thread.

const { Handle } = require('../handle.js')
const { wrongType } = require('../errors.js')
const { binding } = require('../native/attach.js')
const { readData } = require('../native/data.js')
const { checkObject, integer } = require('../options/checks.js')
const { pending } = require('../session/pending.js')
const { refused } = require('../session/refusals.js')
const { keyOfHandle } = require('./keys.js')
const { kindName } = require('./kinds.js')

const { askDistribution: askDistributionBinding, takeDistribution: takeDistributionBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

const MAX_SEPARATOR_CHARACTERS = 16
const DEFAULTS = { separator: ':', prefixes: 50, largest: 10 }

const prefixesOf = integer(0, 500)
const largestOf = integer(0, 100)

/** @param {unknown} given */
function readSeparator(given) {
  const isText = typeof given === 'string' && given.length <= MAX_SEPARATOR_CHARACTERS
  // What is no text in UTF-8 does not come back as it was.
  if (isText && Buffer.from(given).toString() === given) return given
  const allowed = `a string of at most ${MAX_SEPARATOR_CHARACTERS} characters without lone surrogates`
  throw wrongType('option separator', given, allowed)
}

/** @param {unknown} given */
function readDistributionOptions(given) {
  const names = ['separator', 'prefixes', 'largest', 'signal']
  const options = given === undefined ? {} : checkObject('options', given, names)
  const { separator = DEFAULTS.separator, prefixes = DEFAULTS.prefixes, largest = DEFAULTS.largest, signal } = options
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function') {
    throw wrongType('option signal', signal, 'an AbortSignal')
  }
  return {
    separator: readSeparator(separator),
    prefixes: prefixesOf('prefixes', prefixes),
    largest: largestOf('largest', largest),
    signal
  }
}

/** Kinds of one name together. @param {any[]} rows */
function byName(rows) {
  /** @type {Map<string, any>} */
  const kinds = new Map()
  for (const { kind, ...sums } of rows) {
    const storedAs = kindName(kind)
    const known = kinds.get(storedAs)
    if (known === undefined) kinds.set(storedAs, { storedAs, ...sums })
    else for (const [name, count] of Object.entries(sums)) known[name] += count
  }
  return [...kinds.values()].sort((one, other) => other.bytes - one.bytes)
}

/**
 * Of the largest entries those that are still there.
 *
 * @param {OpenMap} open
 * @param {any[]} rows
 */
function named({ id, origin }, rows) {
  return rows.flatMap(({ shard, slot, generation, kind, bytes }) => {
    const handle = new Handle(origin.instance, shard, slot, generation, origin)
    const found = keyOfHandle(id, handle)
    return found === undefined ? [] : [{ key: found.key, handle, storedAs: kindName(kind), bytes }]
  })
}

/**
 * @param {OpenMap} open
 * @param {number} number of the promise
 * @param {number} prefixes
 */
function read(open, number, prefixes) {
  const text = takeDistributionBinding(open.id, number, prefixes)
  const { all, sizes, kinds, withoutPrefix, errorBytes, largest, ...rest } = readData(text)
  const others = withoutPrefix.entries === 0 ? [] : [withoutPrefix]
  const byBytes = (/** @type {any} */ one, /** @type {any} */ other) => other.bytes - one.bytes
  return {
    ...all,
    sizes,
    kinds: byName(kinds),
    types: rest.types,
    prefixes: prefixes === 0 ? [] : [...rest.prefixes, ...others].sort(byBytes).slice(0, prefixes),
    errorBytes,
    largest: named(open, largest)
  }
}

/** @param {OpenMap} open @param {unknown} options */
function optionsFor(open, options) {
  try {
    return readDistributionOptions(options)
  } catch (error) {
    throw refused(open, error)
  }
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** @param {any} options */
  async getMemoryDistribution(options = undefined) {
    const open = openOf(this)
    const { separator, prefixes, largest, signal } = optionsFor(open, options)
    open.check()
    return pending(open, this, {
      begin: () => askDistributionBinding(open.id, separator, largest),
      take: number => read(open, number, prefixes),
      signal
    })
  }
})

module.exports = { methods }
