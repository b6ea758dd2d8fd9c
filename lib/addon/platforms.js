'use strict'

// The platforms that have an addon, and where it is found: in this folder, where a build puts it, or in the package of
// its platform. Each name is a literal, because tracers and bundlers read names from the source.

const { createRequire } = require('node:module')

/** The version of this package, which the addon has to have, too. */
const VERSION = '0.1.0'

/** Resolves from this file. Bundlers let it stand, for an addon cannot be a part of a bundle; tracers follow it. */
const native = createRequire(__filename)

/**
 * @typedef {object} Platform
 * @property {() => unknown} built the addon that `npm run build` made
 * @property {() => unknown} packaged the addon of the platform package
 */

/** Names are those of Node.js, and on Linux that of the C library. @type {Readonly<Record<string, Platform>>} */
const PLATFORMS = Object.freeze({
  'linux-x64-gnu': {
    built: () => native('./typed-superdashmap.linux-x64-gnu.node'),
    packaged: () => native('@typed-superdashmap/binding-linux-x64-gnu')
  },
  'linux-x64-musl': {
    built: () => native('./typed-superdashmap.linux-x64-musl.node'),
    packaged: () => native('@typed-superdashmap/binding-linux-x64-musl')
  },
  'linux-arm64-gnu': {
    built: () => native('./typed-superdashmap.linux-arm64-gnu.node'),
    packaged: () => native('@typed-superdashmap/binding-linux-arm64-gnu')
  },
  'linux-arm64-musl': {
    built: () => native('./typed-superdashmap.linux-arm64-musl.node'),
    packaged: () => native('@typed-superdashmap/binding-linux-arm64-musl')
  },
  'darwin-x64': {
    built: () => native('./typed-superdashmap.darwin-x64.node'),
    packaged: () => native('@typed-superdashmap/binding-darwin-x64')
  },
  'darwin-arm64': {
    built: () => native('./typed-superdashmap.darwin-arm64.node'),
    packaged: () => native('@typed-superdashmap/binding-darwin-arm64')
  },
  'win32-x64': {
    built: () => native('./typed-superdashmap.win32-x64.node'),
    packaged: () => native('@typed-superdashmap/binding-win32-x64')
  },
  'win32-arm64': {
    built: () => native('./typed-superdashmap.win32-arm64.node'),
    packaged: () => native('@typed-superdashmap/binding-win32-arm64')
  }
})

module.exports = { PLATFORMS, VERSION, native }
