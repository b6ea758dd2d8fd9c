'use strict'

// What a listener to log lines wants: a level and targets.

const { outOfRange, wrongType } = require('../errors.js')
const { LEVEL, TARGET } = require('../native/layout.js')
const { checkObject, oneOf, quoted } = require('./checks.js')

/** @typedef {keyof typeof LEVEL} Level */
/** @typedef {{ level: Level, targets: readonly string[] }} LogOptions */

/** @type {Level[]} */
const LEVELS = /** @type {any} */ (Object.keys(LEVEL))

/** Names of targets, by their number. */
const TARGETS = Object.keys(TARGET).map(name => `typedmap.${name}`)

/** @type {import('./checks.js').Check} */
const level = oneOf(LEVELS)

/** @type {import('./checks.js').Check} */
const targets = (name, value) => {
  const allowed = `an array of ${quoted(TARGETS)}`
  if (!Array.isArray(value)) throw wrongType(`option ${name}`, value, allowed)
  for (const target of value) {
    if (typeof target !== 'string') throw wrongType(`option ${name}`, target, allowed)
    if (!TARGETS.includes(target)) throw outOfRange(`option ${name}`, target, allowed)
  }
  return [...new Set(value)]
}

/**
 * @param {unknown} options
 * @param {LogOptions} defaults
 * @returns {LogOptions}
 */
function readLogOptions(options, defaults) {
  if (options === undefined) return defaults
  const given = checkObject('options', options, ['level', 'targets'])
  return {
    level: given.level === undefined ? defaults.level : level('level', given.level),
    targets: given.targets === undefined ? defaults.targets : targets('targets', given.targets)
  }
}

module.exports = { LEVELS, TARGETS, level, readLogOptions, targets }
