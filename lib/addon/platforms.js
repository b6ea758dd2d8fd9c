'use strict'

// The platforms that have an addon, and where it is found. Every place is a literal, because tracers read them from the
// source. Bundlers let them stand, so a bundle finds its addon when it runs: it looks from where it lies.

/** The version of this package, which the addon has to have, too. */
const VERSION = '0.1.0'

/**
 * For each platform what loads its addon, in the order in which it is tried: from this folder, where a build puts it,
 * or from beside a bundle; from the package of the platform; from the folder where that package usually is, which
 * tracers copy that know of files, but not of `createRequire`.
 *
 * Names are those of Node.js, and on Linux that of the C library.
 *
 * @param {string} file path or URL of the file that looks for it
 * @returns {Readonly<Record<string, readonly (() => unknown)[]>>}
 */
function placesFrom(file) {
  // Tracers know `module.createRequire` by that name.
  const module = process.getBuiltinModule('node:module')
  const native = module.createRequire(file)
  return {
    'linux-x64-gnu': [
      () => native('./typed-superdashmap.linux-x64-gnu.node'),
      () => native('@typed-superdashmap/binding-linux-x64-gnu'),
      () => native(`${__dirname}/../../../@typed-superdashmap/binding-linux-x64-gnu/typed-superdashmap.node`)
    ],
    'linux-x64-musl': [
      () => native('./typed-superdashmap.linux-x64-musl.node'),
      () => native('@typed-superdashmap/binding-linux-x64-musl'),
      () => native(`${__dirname}/../../../@typed-superdashmap/binding-linux-x64-musl/typed-superdashmap.node`)
    ],
    'linux-arm64-gnu': [
      () => native('./typed-superdashmap.linux-arm64-gnu.node'),
      () => native('@typed-superdashmap/binding-linux-arm64-gnu'),
      () => native(`${__dirname}/../../../@typed-superdashmap/binding-linux-arm64-gnu/typed-superdashmap.node`)
    ],
    'linux-arm64-musl': [
      () => native('./typed-superdashmap.linux-arm64-musl.node'),
      () => native('@typed-superdashmap/binding-linux-arm64-musl'),
      () => native(`${__dirname}/../../../@typed-superdashmap/binding-linux-arm64-musl/typed-superdashmap.node`)
    ],
    'darwin-x64': [
      () => native('./typed-superdashmap.darwin-x64.node'),
      () => native('@typed-superdashmap/binding-darwin-x64'),
      () => native(`${__dirname}/../../../@typed-superdashmap/binding-darwin-x64/typed-superdashmap.node`)
    ],
    'darwin-arm64': [
      () => native('./typed-superdashmap.darwin-arm64.node'),
      () => native('@typed-superdashmap/binding-darwin-arm64'),
      () => native(`${__dirname}/../../../@typed-superdashmap/binding-darwin-arm64/typed-superdashmap.node`)
    ],
    'win32-x64': [
      () => native('./typed-superdashmap.win32-x64.node'),
      () => native('@typed-superdashmap/binding-win32-x64'),
      () => native(`${__dirname}/../../../@typed-superdashmap/binding-win32-x64/typed-superdashmap.node`)
    ],
    'win32-arm64': [
      () => native('./typed-superdashmap.win32-arm64.node'),
      () => native('@typed-superdashmap/binding-win32-arm64'),
      () => native(`${__dirname}/../../../@typed-superdashmap/binding-win32-arm64/typed-superdashmap.node`)
    ]
  }
}

/**
 * What the places of a platform are called from a file of this folder, in the same order.
 *
 * @param {string} name of the platform
 */
function requestsOf(name) {
  return [`./typed-superdashmap.${name}.node`, packageOf(name), `../../../${packageOf(name)}/typed-superdashmap.node`]
}

/** @param {string} name of a platform */
const packageOf = name => `@typed-superdashmap/binding-${name}`

module.exports = { VERSION, packageOf, placesFrom, requestsOf }
