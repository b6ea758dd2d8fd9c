'use strict'

// Finds out why no addon could be loaded. Only then is anything here called, so that time is no concern.

const { existsSync } = process.getBuiltinModule('node:fs')
const path = process.getBuiltinModule('node:path')
const { libcOfAddon, readHead } = require('./executable.js')
const { installedPlatforms, lockOf, omission } = require('./installed.js')
const { glibcVersion, libc, nameOf } = require('./system.js')

/**
 * A place that was tried.
 *
 * @typedef {object} Attempt
 * @property {string | null} file the addon that was found there
 * @property {any} error why it is not the one
 */

/**
 * @typedef {object} Finding
 * @property {import('./reasons.js').Reason} reason
 * @property {Record<string, any>} facts
 */

/**
 * @param {string} name of the platform of this process
 * @param {readonly Attempt[]} attempts in order
 * @param {string | undefined} from the file that the addon was looked for from
 * @param {readonly string[]} names of all platforms that have an addon
 * @returns {Finding}
 */
function diagnose(name, attempts, from, names) {
  const telling = attempts.find(({ error }) => error?.code !== 'MODULE_NOT_FOUND')
  if (telling !== undefined) return whyRefused(telling)
  if (!names.includes(name)) return { reason: 'platform-unsupported', facts: { names } }
  if (from === undefined || isBundle(from)) return { reason: 'bundle', facts: { from: from ?? null } }
  return whyMissing(name, from, names)
}

/** In the package, the loader is a file of this folder. @param {string} from */
const isBundle = from => !from.endsWith(path.join('lib', 'addon', 'load.js')) || !existsSync(from)

/**
 * Why the package of a platform is not there.
 *
 * @param {string} name
 * @param {string} from
 * @param {readonly string[]} names
 * @returns {Finding}
 */
function whyMissing(name, from, names) {
  const installed = installedPlatforms(from, names)
  if (installed.includes(name)) return { reason: 'damaged', facts: {} }
  const home = path.dirname(from)
  if (installed.length > 0) {
    const isAlike = installed.some(other => sansLibc(other) === sansLibc(name))
    return { reason: isAlike ? 'wrong-libc' : 'other-platform', facts: { found: installed.join(', ') } }
  }
  const how = omission(home, process.env)
  if (how !== null) return { reason: 'optional-omitted', facts: { how } }
  const lock = lockOf(home, names)
  if (lock?.platforms.includes(name)) return { reason: 'optional-omitted', facts: { lock: lock.file } }
  if (lock?.isOfNpm && lock.platforms.length > 0) {
    return { reason: 'lock-file', facts: { lock: lock.file, found: lock.platforms.join(', ') } }
  }
  return { reason: 'package-missing', facts: {} }
}

/** A platform without its C library. @param {string} name */
const sansLibc = name => name.split('-').slice(0, 2).join('-')

/** @param {Attempt} attempt @returns {Finding} */
function whyRefused({ file, error }) {
  const text = String(error?.message ?? error)
  // The last three are of `load.js`.
  switch (error?.code) {
    case 'ERR_DLOPEN_DISABLED':
      return { reason: isPermitted() ? 'no-addons' : 'permission', facts: {} }
    case 'OTHER_VERSION':
      return { reason: 'other-version', facts: { file, ...error.details } }
    case 'CPU':
      return { reason: 'cpu', facts: { file, ...error.details } }
    case 'DAMAGED':
      return { reason: 'damaged', facts: { file } }
  }
  const needed = afterLast(text, 'GLIBC_')
  if (text.includes('not found') && needed !== null) {
    return { reason: 'glibc-too-old', facts: { file, needed, found: glibcVersion() } }
  }
  return (file === null ? null : whyUnfit(file)) ?? { reason: 'load-failed', facts: { file, text: lineOf(text) } }
}

/**
 * What the addon itself says. Null if it seems to fit.
 *
 * @param {string} file
 * @returns {Finding | null}
 */
function whyUnfit(file) {
  try {
    const head = readHead(file)
    if (head === null || !head.isWhole) return { reason: 'damaged', facts: { file } }
    const { platform, arch } = head
    const family = platform === 'linux' ? libcOfAddon(file) : null
    const found = nameOf(platform, arch, family)
    if (platform !== process.platform || arch !== process.arch)
      return { reason: 'other-platform', facts: { file, found } }
    return family === libc() ? null : { reason: 'wrong-libc', facts: { file, found } }
  } catch {
    return null
  }
}

/** Whether the permission model of Node.js is off, or allows addons. */
function isPermitted() {
  const isModel = /** @type {any} */ (process).permission !== undefined
  return !isModel || [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(' ')].includes('--allow-addons')
}

/** The word that follows the last `mark` of a text. @param {string} text @param {string} mark */
function afterLast(text, mark) {
  const at = text.lastIndexOf(mark)
  return at === -1 ? null : (text.slice(at + mark.length).split("'")[0] ?? null)
}

/** The first line: Node.js adds the files that asked for a module. @param {string} text */
const lineOf = text => text.split('\n')[0] ?? ''

module.exports = { diagnose, lineOf }
