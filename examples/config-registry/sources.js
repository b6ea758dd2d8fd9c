'use strict'

const { readFileSync } = require('node:fs')
const path = require('node:path')
const toml = require('smol-toml')
const yaml = require('yaml')
const { isTable } = require('./merge.js')

/** @typedef {import('./merge.js').Layer} Layer */

/** What is wrong with a source, or with the settings. `problems` has a sentence for each. */
class ConfigError extends Error {
  /** @param {string[]} problems */
  constructor(problems) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** Files of a folder by their names, in the order in which they lie over each other. */
const PARSERS = {
  'app.toml': toml.parse,
  'app.yaml': yaml.parse,
  'app.yml': yaml.parse,
  'app.json': JSON.parse
}

/** `folder` and all folders that it is in, the innermost first. */
function* foldersUp(folder) {
  for (let inner = path.resolve(folder); ; inner = path.dirname(inner)) {
    yield inner
    if (path.dirname(inner) === inner) return
  }
}

/**
 * Reads the files of a folder and of those around it, up to one that says `root = true`. Those further in lie over
 * those further out. In each file, `profiles.NAME` lies over the rest if it is the chosen profile.
 *
 * @param {string} folder
 * @param {string | undefined} profile
 * @returns {{ layers: Layer[], folders: string[], profiles: Set<string>, warnings: string[] }}
 */
function readFiles(folder, profile) {
  const layers = []
  const folders = []
  const profiles = new Set()
  const warnings = []
  for (const inner of foldersUp(folder)) {
    folders.push(inner)
    const files = Object.keys(PARSERS).flatMap(name => readFile(path.join(inner, name)) ?? [])
    if (files.length > 1) {
      const names = files.map(({ origin }) => path.basename(origin))
      warnings.push(`${files[0].origin}: lies under ${names.slice(1).join(' and ')} of the same folder`)
    }
    const here = files.flatMap(({ origin, values }) => {
      const { profiles: own = {}, root, ...base } = values
      if (!isTable(own)) throw new ConfigError([`${origin}: profiles has to be a table`])
      for (const name of Object.keys(own)) profiles.add(name)
      const chosen = profile !== undefined && isTable(own[profile]) ? own[profile] : {}
      return [
        { origin, values: base },
        { origin: `${origin} [${profile}]`, values: chosen }
      ]
    })
    layers.unshift(...here)
    if (files.some(({ values }) => values.root === true)) break
  }
  return { layers, folders, profiles, warnings }
}

/** What is in a file, undefined if there is none. */
function readFile(file) {
  let text
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw new ConfigError([`${file}: ${error.message}`])
  }
  const inside = path.relative('', file)
  const origin = inside.startsWith('..') ? file : inside
  let values
  try {
    // Through JSON, because the map stores it so: dates become texts.
    values = JSON.parse(JSON.stringify(PARSERS[path.basename(file)](text) ?? {}))
  } catch (error) {
    const { line, col: column } = error.linePos?.[0] ?? { line: error.line, col: error.column }
    const place = line === undefined ? '' : `:${line}:${column}`
    const [reason] = error.message.split(/ at line |\n/)
    throw new ConfigError([`${origin}${place}: ${reason}`])
  }
  if (!isTable(values)) throw new ConfigError([`${origin}: has to be a table of settings`])
  return { origin, values }
}

/**
 * Settings of the environment: `APP_SERVER__PORT` is `server.port`.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string} prefix
 * @returns {Layer[]}
 */
function readEnvironment(env, prefix) {
  return Object.keys(env)
    .filter(name => name.startsWith(prefix) && name !== `${prefix}PROFILE`)
    .sort()
    .map(name => layerOf(name, name.slice(prefix.length).toLowerCase().split('__'), env[name]))
}

/**
 * Settings of a command line: `server.port=8080`.
 *
 * @param {string[]} given
 * @returns {Layer[]}
 */
function readOverrides(given) {
  return given.map(text => {
    const end = text.indexOf('=')
    if (end < 1) throw new ConfigError([`--set ${text}: has to be PATH=VALUE, such as server.port=8080`])
    return layerOf('--set', text.slice(0, end).split('.'), text.slice(end + 1))
  })
}

/** A layer of one value. */
function layerOf(origin, names, text) {
  if (names.includes('')) throw new ConfigError([`${origin}: '${names.join('.')}' has an empty name`])
  const values = names.reduceRight((inner, name) => ({ [name]: inner }), text)
  return { origin, values: /** @type {any} */ (values), isText: true }
}

module.exports = { ConfigError, readEnvironment, readFiles, readOverrides }
