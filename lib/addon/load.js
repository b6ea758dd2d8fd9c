'use strict'

// Loads the addon, or throws an error with the reason. Two copies of it in one process share nothing, so this warns of
// the second.

const home = require('./home.js')
const { VERSION, placesFrom } = require('./platforms.js')
const { platformName } = require('./system.js')
const { unavailable } = require('./unavailable.js')

/** Names the file of an addon by its path, which then is the only one that is tried. */
const GIVEN = 'TYPED_SUPERDASHMAP_ADDON'

/** The copies of the package that a thread has loaded: image number to a file of it. */
const COPIES = Symbol.for('typed-superdashmap.copies')

/** @typedef {typeof import('./binding.js')} Binding */

/**
 * Files that the addon is looked for from. In the package they lie in one folder. In a bundle the first is the bundle;
 * an ES module has no `__filename`, and knows its URL or only the file that the process began with.
 */
function files() {
  const known = [typeof __filename === 'string' ? __filename : undefined, home.url].filter(file => file !== undefined)
  return known.length > 0 ? known : process.argv.slice(1, 2)
}

/** The file that a variable of the environment names. @param {string} given */
function givenAddon(given) {
  const file = process.getBuiltinModule('node:path').resolve(given)
  return process.getBuiltinModule('node:module').createRequire(file)(file)
}

/**
 * What loads the addon, in the order in which it is tried.
 *
 * @param {string} name of the platform
 * @returns {(() => unknown)[]}
 */
function placesOf(name) {
  const given = process.env[GIVEN]
  if (given) return [() => givenAddon(given)]
  return files().flatMap(file => placesFrom(file)[name] ?? [])
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
      // A bundle that is an ES module has no `__dirname`.
      if (!(failure instanceof ReferenceError)) failures.push(failure)
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
  copies.set(image, files()[0] ?? 'a program without a file')
  if (copies.size !== 2) return
  const places = [...copies.values()].join(' and ')
  process.emitWarning(
    `two copies of typed-superdashmap are loaded, from ${places}: they share no maps, even under the same name`,
    { code: 'TYPED_SUPERDASHMAP_COPIES' }
  )
}

const binding = load()
noteCopy(binding.image())

module.exports = binding
