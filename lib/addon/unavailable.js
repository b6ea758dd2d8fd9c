'use strict'

// The error for an addon that cannot be loaded.

const { TypedMapError } = require('../errors.js')
const { glibcVersion, libc } = require('./system.js')

/** The first line of what was thrown: Node.js adds the files that asked for a module. @param {unknown} failure */
const lineOf = failure => String(/** @type {any} */ (failure)?.message ?? failure).split('\n')[0] ?? ''

/** The C library, as far as Node.js knows it. */
function library() {
  const version = glibcVersion()
  return version === null ? libc() : `glibc ${version}`
}

/**
 * @param {string} name of the platform
 * @param {readonly unknown[]} failures what was thrown at each place, in order
 */
function unavailable(name, failures) {
  const { platform, arch, version: node } = process
  const system = { platform, arch, libc: library(), node }
  const tried = failures.map(lineOf)
  const where = `${platform} ${arch}${system.libc === null ? '' : ` (${system.libc})`} with Node.js ${node}`
  return new TypedMapError(
    'ERR_NATIVE_UNAVAILABLE',
    `the native addon cannot be loaded on ${where}: ${tried.join('; ') || `there is none for ${name}`}`,
    { ...system, tried },
    { cause: failures.at(-1) }
  )
}

module.exports = { unavailable }
