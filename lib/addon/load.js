'use strict'

// Loads the addon, or throws an error with the reason. Two copies of it in one process share nothing, so this warns of
// the second.

const { existsSync } = process.getBuiltinModule('node:fs')
const { createRequire } = process.getBuiltinModule('node:module')
const path = process.getBuiltinModule('node:path')
const { fileURLToPath } = process.getBuiltinModule('node:url')
const { lackingFeatures, readHead } = require('./executable.js')
const home = require('./home.js')
const { VERSION, placesFrom, requestsOf } = require('./platforms.js')
const { platformName } = require('./system.js')

/** Names the file of an addon by its path, which then is the only one that is tried. */
const GIVEN = 'TYPED_SUPERDASHMAP_ADDON'

/** The copies of the package that a thread has loaded: image number to a file of it. */
const COPIES = Symbol.for('typed-superdashmap.copies')

/** @typedef {typeof import('./binding.js')} Binding */

/**
 * Where the addon may be.
 *
 * @typedef {object} Place
 * @property {string} from the file that looks for it
 * @property {string} request what is looked for
 * @property {() => unknown} load
 */

/**
 * Files that the addon is looked for from. In the package they lie in one folder. In a bundle the first is the bundle;
 * an ES module has no `__filename`, and knows its URL or only the file that the process began with.
 */
function files() {
  const url = home.url?.startsWith('file:') ? fileURLToPath(home.url) : undefined
  const known = [typeof __filename === 'string' ? __filename : undefined, url]
  const files = known.filter(file => file !== undefined && path.isAbsolute(file))
  return /** @type {string[]} */ (
    files.length > 0 ? files : process.argv.slice(1, 2).filter(file => path.isAbsolute(file))
  )
}

/** The places of a platform, in the order in which they are tried. @param {string} name @returns {Place[]} */
function placesOf(name) {
  const given = process.env[GIVEN]
  if (given) {
    const file = path.resolve(given)
    return [{ from: file, request: file, load: () => createRequire(file)(file) }]
  }
  const requests = requestsOf(name)
  return files().flatMap(from =>
    (placesFrom(from)[name] ?? []).map((load, at) => ({ from, request: requests[at] ?? '', load }))
  )
}

/** The file of a place; null if it is not known. @param {Place} place */
function fileOf({ from, request }) {
  try {
    return createRequire(from).resolve(request)
  } catch {
    return null
  }
}

/**
 * Refuses a file that is no addon, that ends too early, or that was built for another processor: a process that runs
 * such a one is killed.
 *
 * @param {string} file
 */
function assertFit(file) {
  let head
  /** @type {string[]} */
  let lacking = []
  try {
    head = readHead(file)
    lacking = lackingFeatures(head?.assumes ?? [])
  } catch {
    // Loading it says why it cannot be read.
    return
  }
  if (!head?.isWhole) throw Object.assign(new Error(`${file} is no whole addon`), { code: 'DAMAGED' })
  if (lacking.length > 0) {
    const details = { needed: lacking.join(', ') }
    throw Object.assign(new Error(`${file} assumes ${details.needed}`), { code: 'CPU', details })
  }
}

/** @param {Binding} binding */
function assertVersion(binding) {
  const found = binding.version?.() ?? null
  if (found === VERSION) return
  const text = `the addon is of version ${found ?? 'unknown'}, and the package of version ${VERSION}`
  throw Object.assign(new Error(text), { code: 'OTHER_VERSION', details: { found } })
}

/** @returns {Binding} */
function load() {
  const name = platformName()
  /** @type {import('./diagnose.js').Attempt[]} */
  const attempts = []
  for (const place of placesOf(name)) {
    const file = fileOf(place)
    try {
      if (file !== null) assertFit(file)
      const binding = /** @type {Binding} */ (place.load())
      assertVersion(binding)
      return binding
    } catch (error) {
      // A bundle that is an ES module has no `__dirname`.
      if (!(error instanceof ReferenceError)) attempts.push({ file, error })
    }
  }
  // Only then is it read: every worker loads the addon.
  const { unavailable } = require('./unavailable.js')
  throw unavailable(name, attempts, missingOf() ?? { from: files()[0] })
}

/** The file that was given and is not there. */
function missingOf() {
  const given = process.env[GIVEN]
  if (!given) return undefined
  const file = path.resolve(given)
  return existsSync(file) ? undefined : { from: undefined, missing: { file, variable: GIVEN } }
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
