'use strict'

// Folders with this package as a package manager installs it: without an addon of its own, and packages of platforms
// beside it.

const { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { version } = require('../../package.json')
const { packageOf } = require('../../lib/addon/platforms.js')
const { platformName } = require('../../lib/addon/system.js')

/** Fixtures of tools need it too, so that nothing here asks for the test runner. */
const PACKAGE = path.join(__dirname, '..', '..')

/** The platform of this process. */
const OWN = platformName()

/** The addon that was built. */
const ADDON = path.join(PACKAGE, 'lib', 'addon', `typed-superdashmap.${OWN}.node`)

const FILES = ['index.js', 'index.mjs', 'package.json', 'lib']

/**
 * Makes a project that has the package installed; returns its folder.
 *
 * @param {Record<string, Buffer | string | null>} [platforms] names of the platforms whose packages are installed, each
 * with what its addon consists of, or null if that file is missing
 * @param {Record<string, string>} [files] more files, by their paths in the project
 */
function install(platforms = {}, files = {}) {
  const project = mkdtempSync(path.join(tmpdir(), 'typed-superdashmap-'))
  const modules = path.join(project, 'node_modules')
  for (const file of FILES) {
    cpSync(path.join(PACKAGE, file), path.join(modules, 'typed-superdashmap', file), {
      recursive: true,
      filter: name => path.extname(name) !== '.node'
    })
  }
  for (const [name, content] of Object.entries(platforms)) {
    const home = path.join(modules, packageOf(name))
    mkdirSync(home, { recursive: true })
    const manifest = { name: packageOf(name), version, main: './typed-superdashmap.node' }
    writeFileSync(path.join(home, 'package.json'), JSON.stringify(manifest))
    if (content !== null) writeFileSync(path.join(home, 'typed-superdashmap.node'), content)
  }
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(project, name)), { recursive: true })
    writeFileSync(path.join(project, name), content)
  }
  return project
}

/** @param {string} project */
const uninstall = project => rmSync(project, { recursive: true, force: true })

/**
 * The addon that was built, with a text in it replaced by one that is no longer.
 *
 * @param {string} from
 * @param {string} to
 */
function patchedAddon(from, to) {
  const bytes = readFileSync(ADDON)
  let at = bytes.indexOf(from)
  if (at === -1) throw new Error(`the addon has no ${JSON.stringify(from)}`)
  for (; at !== -1; at = bytes.indexOf(from, at + 1)) bytes.write(to.padEnd(from.length, '\0'), at, 'latin1')
  return bytes
}

module.exports = { ADDON, OWN, install, packageOf, patchedAddon, uninstall }
