'use strict'

// `TypedMap.names`: the named maps of the process, with a few figures on request.

const { binding } = require('../native/attach.js')
const { readData } = require('../native/data.js')
const { boolean, checkObject } = require('../options/checks.js')
const { eachOpen } = require('../session/opens.js')

const { evaluation, names: namesBinding, outlines: outlinesBinding } = binding

/** @param {unknown} options */
function readDetails(options) {
  if (options === undefined) return false
  const { details = false } = checkObject('options', options, ['details'])
  return boolean('details', details)
}

/** @param {unknown} options @returns {string[] | Record<string, any>[]} */
function namesOf(options) {
  // A list that native code makes may be of another realm.
  if (!readDetails(options)) return [...namesBinding()]
  eachOpen(open => open.reportHits())
  return /** @type {any} */ (readData(outlinesBinding(evaluation)))
}

module.exports = { namesOf }
