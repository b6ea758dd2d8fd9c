'use strict'

// The error for an addon that cannot be loaded.

const { TypedMapError } = require('../errors.js')
const { diagnose, lineOf } = require('./diagnose.js')
const { VERSION, packageOf, placesFrom } = require('./platforms.js')
const { TEXTS } = require('./reasons.js')
const { glibcVersion, libc } = require('./system.js')

/** The C library, as far as Node.js knows it. */
function library() {
  const version = glibcVersion()
  return version === null ? libc() : `glibc ${version}`
}

/**
 * @param {string} name of the platform
 * @param {readonly import('./diagnose.js').Attempt[]} attempts in order
 * @param {{ from: string | undefined, missing?: { file: string, variable: string } }} where the file that the addon was
 * looked for from, or the file that a variable names and that is not there
 */
function unavailable(name, attempts, { from, missing }) {
  const { platform, arch, version: node } = process
  const system = { platform, arch, libc: library(), node }
  /** @type {import('./diagnose.js').Finding} */
  const { reason, facts } =
    missing === undefined
      ? diagnose(name, attempts, from, Object.keys(placesFrom('/')))
      : { reason: 'file-missing', facts: missing }
  const text = TEXTS[reason]({ name, version: VERSION, ...facts })
  const where = `${platform} ${arch}${system.libc === null ? '' : ` (${system.libc})`} with Node.js ${node}`
  const tried = [...new Set(attempts.map(({ error }) => lineOf(String(error?.message ?? error))))]
  return new TypedMapError(
    'ERR_NATIVE_UNAVAILABLE',
    `the native addon cannot be loaded on ${where}: ${text}`,
    { reason, ...facts, ...system, package: packageOf(name), tried },
    { cause: attempts.find(({ error }) => error?.code !== 'MODULE_NOT_FOUND')?.error ?? attempts.at(-1)?.error }
  )
}

module.exports = { unavailable }
