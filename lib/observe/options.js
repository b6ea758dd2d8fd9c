'use strict'

// `map.options`: the options that a map was made with, and those of this reference to it.

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

/** What was shown of each. @type {WeakMap<OpenMap, Record<string, any>>} */
const shown = new WeakMap()

/**
 * Freezes plain data with all that is in it.
 *
 * @template {object} T
 * @param {T} data
 * @returns {T}
 */
function frozen(data) {
  for (const part of Object.values(data)) if (typeof part === 'object' && part !== null) frozen(part)
  return Object.freeze(data)
}

/** @param {{ maxEntries: number, maxBytes: number | undefined }} nearOptions */
function nearCacheOf({ maxEntries, maxBytes }) {
  if (maxEntries === 0) return false
  return maxBytes === undefined ? { maxEntries } : { maxEntries, maxBytes }
}

/** @param {OpenMap} open */
function optionsOf({ config, nearOptions, logLevel, logTargets }) {
  // Native code hides the seed. What is null was not set, or is no limit.
  const set = Object.entries(config).filter(([, value]) => value !== null)
  return frozen({
    ...Object.fromEntries(set),
    nearCache: nearCacheOf(nearOptions),
    logLevel,
    logTargets: [...logTargets]
  })
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  get options() {
    const open = openOf(this)
    const known = shown.get(open)
    if (known !== undefined) return known
    const options = optionsOf(open)
    shown.set(open, options)
    return options
  }
})

module.exports = { methods }
