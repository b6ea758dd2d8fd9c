'use strict'

// Why a spec file, or the tests of the store, may fail where they run in an emulator (`npm run test:platforms`), and
// which platforms are not run.

const ELSEWHERE_TOO = 'a check of the source, which failed on Linux x64, too, in the revision that was run'

const OTHER_ADDON =
  'the revision that was run damaged the addon of another platform, which lay beside; written anew since'

/** Platform to (part of) the name of the file to the reason. @type {Record<string, Record<string, string>>} */
const DIFFERENCES = {
  'linux-x64-musl': {
    'load-error.spec': OTHER_ADDON,
    'options.spec': ELSEWHERE_TOO,
    'sound.spec': ELSEWHERE_TOO
  },
  'win32-x64': {
    'load-error.spec': `${OTHER_ADDON}; one test deleted an addon that was loaded, and no longer does`,
    'options.spec': ELSEWHERE_TOO,
    'readme.spec': 'wine makes no symbolic links',
    'sound.spec': ELSEWHERE_TOO
  }
}

/** Spec files that are not run there, because they read the source, or pack and install with npm of this machine. */
const HERE_ONLY = [
  'binaries',
  'levels',
  'lines',
  'managers',
  'mutations',
  'package',
  'platforms',
  'published',
  'tap',
  'tools',
  'workflows'
].map(name => `__test__/package/${name}.spec.js`)

/** @type {Record<string, string>} */
const NOT_RUN = {
  'linux-arm64-musl': 'qemu with the loader of musl for arm64 should do; not tried',
  'darwin-x64': 'no emulator runs programs of macOS on Linux',
  'darwin-arm64': 'likewise',
  'win32-arm64': 'wine on x86-64 runs no programs for arm64'
}

module.exports = { DIFFERENCES, HERE_ONLY, NOT_RUN }
