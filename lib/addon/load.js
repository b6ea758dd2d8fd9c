'use strict'

// Loads the addon, or throws an error with the reason. Two copies of it in one process share nothing, so this warns of
// the second.

const path = require('node:path')
const process = require('node:process')
const { PLATFORMS, VERSION, native } = require('./platforms.js')
const { platformName } = require('./system.js')
const { unavailable } = require('./unavailable.js')

/** Names the file of an addon by its path, which then is the only one that is tried. */
const GIVEN = 'TYPED_SUPERDASHMAP_ADDON'

/** The copies of the package that a thread has loaded: image number to folder. */
const COPIES = Symbol.for('typed-superdashmap.copies')

/** @typedef {typeof import('./binding.js')} Binding */

/** The places where the addon may be, in the order in which they are tried. @param {string} name */
function placesOf(name) {
  const given = process.env[GIVEN]
  if (given) return [() => native(path.resolve(given))]
  const platform = PLATFORMS[name]
  return platform === undefined ? [] : [platform.built, platform.packaged]
}

/** @returns {Binding} */
function load() {
  const name = platformName()
  /** @type {unknown[]} */
  const failures = []
  for (const place of placesOf(name)) {
    try {
      const binding = /** @type {Binding} */ (place())
      const version = binding.version?.()
      if (version === VERSION) return binding
      failures.push(new Error(`the addon is of version ${version ?? 'unknown'}, and the package of version ${VERSION}`))
    } catch (failure) {
      failures.push(failure)
    }
  }
  throw unavailable(name, failures)
}

/**
 * Warns of a second image of the addon in this thread, once.
 *
 * @param {number} image
 */
function noteCopy(image) {
  /** @type {Map<number, string>} */
  const copies = /** @type {any} */ (process)[COPIES] ?? new Map()
  if (copies.size === 0) Object.defineProperty(process, COPIES, { value: copies, configurable: true })
  if (copies.has(image)) return
  copies.set(image, __dirname)
  if (copies.size !== 2) return
  const folders = [...copies.values()].join(' and ')
  process.emitWarning(
    `two copies of typed-superdashmap are loaded, from ${folders}: they share no maps, even under the same name`,
    { code: 'TYPED_SUPERDASHMAP_COPIES' }
  )
}

const binding = load()
noteCopy(binding.image())

module.exports = binding
