'use strict'

// Loads the addon, or throws an error with the reason. Two copies of it in one process share nothing, so this warns of
// the second.

const process = require('node:process')
const { nativeUnavailable } = require('../errors.js')

/** The copies of the package that a thread has loaded: image number to folder. */
const COPIES = Symbol.for('typed-superdashmap.copies')

/** @typedef {typeof import('./binding.js')} Binding */

/** @returns {Binding} */
function load() {
  try {
    return require('./binding.js')
  } catch (cause) {
    throw nativeUnavailable(cause, {
      platform: process.platform,
      arch: process.arch,
      libc: libc(),
      node: process.version
    })
  }
}

/** The C library, as far as Node knows it. */
function libc() {
  if (process.platform !== 'linux') return null
  try {
    const { header } = /** @type {any} */ (process.report.getReport())
    return header.glibcVersionRuntime === undefined ? 'musl' : `glibc ${header.glibcVersionRuntime}`
  } catch {
    return null
  }
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
