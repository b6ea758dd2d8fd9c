'use strict'

// Packs the package as it is published, whole or broken on purpose.

const fs = require('node:fs')
const path = require('node:path')
const { runCommand } = require('./process.js')

const ROOT = path.join(__dirname, '..', '..')

/**
 * @typedef {object} Tarballs
 * @property {string} main the package
 * @property {Record<string, string>} platforms packages with an addon each, by the name of the platform
 */

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

/**
 * Packs into `folder`.
 *
 * @param {string} folder
 * @returns {Promise<Tarballs>}
 */
async function pack(folder) {
  return { main: await packFolder(ROOT, folder), platforms: {} }
}

/** @param {string} source @param {string} folder */
async function packFolder(source, folder) {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const { stdout } = await runCommand('npm', args, { cwd: source })
  return path.join(folder, /** @type {{ filename: string }[]} */ (Object.values(JSON.parse(stdout)))[0]?.filename ?? '')
}

/**
 * The same tarballs, with a package that does one thing wrong.
 *
 * @param {Tarballs} tarballs
 * @param {keyof typeof BREAKS} how
 * @param {string} folder
 * @returns {Promise<Tarballs>}
 */
async function breakPackage(tarballs, how, folder) {
  const home = path.join(folder, how)
  fs.mkdirSync(home)
  await runCommand('tar', ['-xzf', tarballs.main, '-C', home], { cwd: folder })
  fs.appendFileSync(path.join(home, 'package', 'index.js'), `\n${BREAKS[how]}\n`)
  return { ...tarballs, main: await packFolder(path.join(home, 'package'), home) }
}

module.exports = { BREAKS, ROOT, breakPackage, pack }
