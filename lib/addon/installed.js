'use strict'

// What a package manager installed, and what it was told, as far as it says why the package of a platform is missing.

const { existsSync, readFileSync } = process.getBuiltinModule('node:fs')
const path = process.getBuiltinModule('node:path')
const { packageOf } = require('./platforms.js')

/** The text of a file, or null if there is none to be read. @param {string} file */
function textOf(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

/**
 * The platforms whose packages are installed where `file` would find them.
 *
 * @param {string} file
 * @param {readonly string[]} names
 */
function installedPlatforms(file, names) {
  const { resolve } = process.getBuiltinModule('node:module').createRequire(file)
  return names.filter(name => {
    try {
      return resolve(`${packageOf(name)}/package.json`) !== ''
    } catch {
      return false
    }
  })
}

/** A folder and those around it, from the inside out. @param {string} folder */
function around(folder) {
  const folders = [folder]
  for (let inner = folder; path.dirname(inner) !== inner; inner = path.dirname(inner)) folders.push(path.dirname(inner))
  return folders
}

/**
 * The next file with one of these names around a folder.
 *
 * @param {string} folder
 * @param {readonly string[]} names
 */
const nextFile = (folder, names) =>
  around(folder)
    .flatMap(outer => names.map(name => path.join(outer, name)))
    .find(file => existsSync(file))

/** Lock files of npm. */
const NPM_LOCKS = ['npm-shrinkwrap.json', 'package-lock.json']

/**
 * The lock file around a folder, and the platforms that it names; null if there is none, or if it does not name this
 * package.
 *
 * @param {string} folder
 * @param {readonly string[]} names
 */
function lockOf(folder, names) {
  const file = nextFile(folder, [...NPM_LOCKS, 'yarn.lock', 'pnpm-lock.yaml'])
  const text = file === undefined ? null : textOf(file)
  if (file === undefined || text === null) return null
  const isOfNpm = NPM_LOCKS.includes(path.basename(file))
  /** An entry, as npm writes it or as the others do. @param {string} name */
  const has = name => text.includes(isOfNpm ? `node_modules/${name}"` : `${name}@`)
  return has('typed-superdashmap') ? { file, isOfNpm, platforms: names.filter(name => has(packageOf(name))) } : null
}

/** What leaves optional dependencies out, as lines of `.npmrc` without blanks. */
const OMITTING = new Set(['omit=optional', 'omit[]=optional', 'optional=false'])

/** The first line of a file that leaves optional dependencies out. @param {string} file */
function omittingLine(file) {
  const lines = (textOf(file) ?? '').split('\n').map(line => line.split(' ').join('').trim())
  return lines.find(line => OMITTING.has(line))
}

/**
 * What tells a package manager to leave out optional dependencies, in words; null if nothing is seen to.
 *
 * @param {string} folder of the package
 * @param {Record<string, string | undefined>} environment
 */
function omission(folder, environment) {
  const { npm_config_omit: omit = '', npm_config_optional: optional } = environment
  if (omit.includes('optional')) return `npm_config_omit=${omit}`
  if (optional === 'false' || optional === '') return `npm_config_optional=${optional}`
  const files = [
    ...around(folder).map(outer => path.join(outer, '.npmrc')),
    path.join(process.getBuiltinModule('node:os').homedir(), '.npmrc')
  ]
  for (const file of files) {
    const line = omittingLine(file)
    if (line !== undefined) return `${line} in ${file}`
  }
  // pnpm notes what it installed, in JSON.
  const modules = nextFile(folder, ['.modules.yaml', path.join('node_modules', '.modules.yaml')])
  const noted = modules === undefined ? null : textOf(modules)?.split(' ').join('')
  return noted?.includes('optionalDependencies":false') || noted?.includes('optionalDependencies:false')
    ? `pnpm's note in ${modules}`
    : null
}

module.exports = { installedPlatforms, lockOf, omission }
