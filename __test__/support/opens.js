'use strict'

// What `lib/` knows of a map that a test has open.

const { greetAll } = require('../../lib/session/opens.js')

/** @param {object} map @returns {import('../../lib/session/open-map.js').OpenMap} */
function openOf(map) {
  let found
  greetAll(open => {
    if (open.map === map) found = open
  })()
  return found
}

module.exports = { openOf }
