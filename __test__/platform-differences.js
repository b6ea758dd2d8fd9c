'use strict'

// Why a spec file, or the tests of the store, may fail where they run in an emulator (`npm run test:platforms`), and
// which platforms are not run.

/** Platform to (part of) the name of the file to the reason. @type {Record<string, Record<string, string>>} */
const DIFFERENCES = {
  'linux-arm64-gnu': {},
  'win32-x64': {}
}

/** @type {Record<string, string>} */
const NOT_RUN = {
  'linux-arm64-musl': 'qemu with the loader of musl for arm64 should do; not tried',
  'darwin-x64': 'no emulator runs programs of macOS on Linux',
  'darwin-arm64': 'likewise',
  'win32-arm64': 'wine on x86-64 runs no programs for arm64'
}

module.exports = { DIFFERENCES, NOT_RUN }
