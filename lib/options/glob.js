'use strict'

// Globs over keys.

const { outOfRange, wrongType } = require('../errors.js')
const { MAX_GLOB } = require('../native/layout.js')

/**
 * Checks a glob. It is over keys as the map has them, so it is normalised as they are.
 *
 * @param {{ keyOf(key: any): any }} open
 * @param {string} argument
 * @param {unknown} given
 * @returns {string}
 */
function readGlob(open, argument, given) {
  const allowed = `a glob of at most ${MAX_GLOB} characters`
  if (typeof given !== 'string') throw wrongType(argument, given, allowed)
  const glob = open.keyOf(given)
  if (typeof glob !== 'string') throw wrongType(`${argument}, which normalizeKey was called with,`, glob, 'a string')
  if (glob.length > MAX_GLOB) throw outOfRange(argument, glob, allowed)
  return glob
}

module.exports = { readGlob }
