'use strict'

// What this process runs on, as far as it decides which addon fits.

const { Buffer } = process.getBuiltinModule('node:buffer')
const { closeSync, openSync, readSync } = process.getBuiltinModule('node:fs')

/** The name of the program that starts Node.js stands within the first bytes of an executable file. */
const HEAD_BYTES = 2048

/**
 * The C library that Node.js itself was built with: what starts a program on Linux is named in it. Null if that cannot
 * be read: by permission, or because the program is started in another way.
 */
function libcOfExecutable() {
  const head = Buffer.alloc(HEAD_BYTES)
  try {
    const file = openSync(process.execPath, 'r')
    try {
      readSync(file, head, 0, HEAD_BYTES, 0)
    } finally {
      closeSync(file)
    }
  } catch {
    return null
  }
  if (head.includes('ld-musl-')) return 'musl'
  return head.includes('ld-linux') || head.includes('ld64.so') ? 'gnu' : null
}

/** The head of Node's report about itself. It takes milliseconds. */
function report() {
  try {
    return /** @type {any} */ (process.report.getReport()).header
  } catch {
    return {}
  }
}

/** The version of glibc that runs, or null where another C library does. @returns {string | null} */
const glibcVersion = () => (process.platform === 'linux' ? (report().glibcVersionRuntime ?? null) : null)

/** `gnu` or `musl`, or null where systems have one C library each. */
function libc() {
  if (process.platform !== 'linux') return null
  return libcOfExecutable() ?? (glibcVersion() === null ? 'musl' : 'gnu')
}

/** The name of the platform, as in `platforms.js`, whether or not that has it. */
function platformName() {
  const { platform, arch } = process
  const family = libc()
  return family === null ? `${platform}-${arch}` : `${platform}-${arch}-${family}`
}

module.exports = { glibcVersion, libc, platformName }
