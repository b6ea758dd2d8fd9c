'use strict'

// What this process runs on, as far as it decides which addon fits.

const { libcOfProgram } = require('./executable.js')

/** The version of glibc that runs, or null where another C library does. It takes milliseconds. */
function glibcVersion() {
  if (process.platform !== 'linux') return null
  try {
    const { header } = /** @type {any} */ (process.report.getReport())
    return /** @type {string | undefined} */ (header.glibcVersionRuntime) ?? null
  } catch {
    return null
  }
}

/** `gnu` or `musl`, as Node.js itself was built with; null where systems have one C library each. */
function libc() {
  if (process.platform !== 'linux') return null
  let family = null
  try {
    family = libcOfProgram(process.execPath)
  } catch {
    // The permission model may hide the file.
  }
  return family ?? (glibcVersion() === null ? 'musl' : 'gnu')
}

/**
 * The name of a platform, as in `platforms.js`, whether or not that has it.
 *
 * @param {string} platform
 * @param {string} arch
 * @param {string | null} family
 */
const nameOf = (platform, arch, family) => (family === null ? `${platform}-${arch}` : `${platform}-${arch}-${family}`)

/** The name of the platform of this process. */
const platformName = () => nameOf(process.platform, process.arch, libc())

module.exports = { glibcVersion, libc, nameOf, platformName }
