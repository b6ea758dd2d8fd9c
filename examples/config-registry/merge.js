'use strict'

const { isDeepStrictEqual } = require('node:util')

/**
 * A layer of settings, of which later ones lie over earlier ones.
 *
 * @typedef {object} Layer
 * @property {string} origin where it is from, for messages
 * @property {Record<string, any>} values
 * @property {boolean} [isText] whether values are texts, as in the environment
 */

/**
 * @typedef {object} Merged
 * @property {Record<string, any>} values
 * @property {Map<string, string>} origins where each value is from, by its path, such as `server.port`
 * @property {string[]} warnings
 */

/** Names with these endings edit the list of the layers below, rather than replace it. */
const EDIT = /^(.+)_(add|remove)$/

/** @param {unknown} value @returns {value is Record<string, any>} */
const isTable = value => typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Lays settings over each other: tables are merged name by name, everything else is replaced, and `NAME_remove` and
 * `NAME_add` take items out of the list `NAME` and put others in.
 *
 * @param {Layer[]} layers
 * @returns {Merged}
 */
function merge(layers) {
  const merged = { values: {}, origins: new Map(), warnings: [] }
  for (const layer of layers) mergeTable(merged, merged.values, layer, layer.values, '')
  return merged
}

/**
 * @param {Merged} merged
 * @param {Record<string, any>} target the table of the layers below, to be changed
 * @param {Layer} layer
 * @param {Record<string, any>} values
 * @param {string} path of both tables
 */
function mergeTable(merged, target, layer, values, path) {
  const entries = Object.entries(values)
  const warn = (at, problem) => merged.warnings.push(`${layer.origin}: ${at}: ${problem}`)
  for (const [name, value] of entries.filter(([name]) => !EDIT.test(name))) {
    const at = path + name
    if (name === '__proto__') {
      warn(at, 'is no name for a setting')
      continue
    }
    const below = target[name]
    if (below !== undefined && isTable(below) !== isTable(value)) {
      warn(at, `${kindOf(value)} takes the place of ${kindOf(below)} (${originOf(merged, at)})`)
    }
    if (isTable(value)) {
      if (!isTable(below)) target[name] = {}
      mergeTable(merged, target[name], layer, value, `${at}.`)
    } else {
      target[name] = layer.isText ? fromText(value, below) : value
      merged.origins.set(at, layer.origin)
    }
  }
  // Removals come before additions, so that a layer can move an item to the end.
  for (const kind of ['remove', 'add']) {
    for (const [name, value] of entries) {
      const [, list, edit] = EDIT.exec(name) ?? []
      if (edit !== kind || list === '__proto__') continue
      const items = [layer.isText ? fromText(value, []) : value].flat()
      editList(merged, target, layer.origin, path, list, kind, items, problem => warn(path + name, problem))
    }
  }
}

function editList({ origins }, target, origin, path, name, kind, items, warn) {
  const below = target[name] ?? []
  if (!Array.isArray(below)) return warn(`${path}${name} is no list, but ${kindOf(below)}`)
  const has = (list, item) => list.some(other => isDeepStrictEqual(other, item))
  if (kind === 'remove') {
    for (const item of items) if (!has(below, item)) warn(`${JSON.stringify(item)} is not in ${path}${name}`)
    target[name] = below.filter(item => !has(items, item))
  } else {
    target[name] = [...below, ...items.filter((item, i) => !has(below, item) && !has(items.slice(0, i), item))]
  }
  const before = origins.get(path + name)
  if (before === undefined) origins.set(path + name, origin)
  else if (!before.endsWith(origin)) origins.set(path + name, `${before} + ${origin}`)
}

/** What a text of the environment means: text where text is, and JSON elsewhere, if it is JSON. */
function fromText(text, below) {
  if (typeof below === 'string') return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const kindOf = value => (isTable(value) ? 'a table' : Array.isArray(value) ? 'a list' : JSON.stringify(value))

/** Where a value is from, or any value of a table. */
function originOf({ origins }, path) {
  if (origins.has(path)) return origins.get(path)
  for (const [at, origin] of origins) if (at.startsWith(`${path}.`)) return origin
  return 'an empty table'
}

/**
 * What differs between two settings: the path, and both values.
 *
 * @returns {{ path: string, from: any, to: any }[]}
 */
function differences(from, to, path = '') {
  if (isTable(from) && isTable(to)) {
    const names = new Set([...Object.keys(from), ...Object.keys(to)])
    return [...names].flatMap(name => differences(from[name], to[name], path === '' ? name : `${path}.${name}`))
  }
  return isDeepStrictEqual(from, to) ? [] : [{ path, from, to }]
}

module.exports = { differences, isTable, merge }
