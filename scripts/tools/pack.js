'use strict'

// Packs the package as it is published, whole or broken on purpose, and serves it from a registry of its own.

const fs = require('node:fs')
const path = require('node:path')
const process = require('node:process')
const { allPacked, startRegistry } = require('../../__test__/support/registry.js')
const { pack } = require('../pack.js')
const { runCommand } = require('./process.js')

const ROOT = path.join(__dirname, '..', '..')
const MAIN = 'typed-superdashmap'
const PLATFORM = '@typed-superdashmap/binding-'

/**
 * @typedef {object} Tarballs
 * @property {string} main the package
 * @property {Record<string, string>} platforms the packages with an addon each, by the name of the platform
 */

/** @typedef {{ tarballs: Tarballs, url: string, close: () => Promise<unknown> }} Registry */

/**
 * Ways to break the package, each a line added to `index.js`. A fixture that passes with one of them tests nothing.
 * Pools and runners share maps between threads, so they have to notice that too.
 */
const BREAKS = {
  values: `module.exports.TypedMap.prototype.get = () => 'broken'`,
  sharing: `{
    const { TypedMap } = module.exports
    const { open } = TypedMap
    TypedMap.open = function (name, ...rest) {
      return open.call(this, name + require('node:worker_threads').threadId, ...rest)
    }
  }`
}

/** @typedef {import('../../__test__/support/registry.js').Packed} Packed */

/**
 * Packs into `folder`, as `npm run pack:all` does.
 *
 * @param {string} folder
 * @returns {Promise<Packed[]>}
 */
async function packAll(folder) {
  await runCommand(process.execPath, [path.join(ROOT, 'scripts', 'pack.js'), folder], { cwd: ROOT })
  return allPacked(folder)
}

/**
 * The same packages, the main one with one thing wrong.
 *
 * @param {Packed[]} packages
 * @param {keyof typeof BREAKS} how
 * @param {string} folder
 * @returns {Packed[]}
 */
function breakPackage(packages, how, folder) {
  const home = path.join(folder, how)
  const staged = path.join(home, MAIN)
  fs.cpSync(path.join(folder, 'packages', MAIN), staged, { recursive: true })
  fs.appendFileSync(path.join(staged, 'index.js'), `\n${BREAKS[how]}\n`)
  const tarball = pack(staged, home)
  return packages.map(one => (one.manifest.name === MAIN ? { ...one, tarball } : one))
}

/** @param {Packed[]} packages @returns {Promise<Registry>} */
async function serve(packages) {
  /** @type {Tarballs} */
  const tarballs = { main: '', platforms: {} }
  for (const { manifest, tarball } of packages) {
    if (manifest.name === MAIN) tarballs.main = tarball
    else tarballs.platforms[manifest.name.slice(PLATFORM.length)] = tarball
  }
  return { tarballs, ...(await startRegistry(packages)) }
}

module.exports = { BREAKS, breakPackage, packAll, serve }
