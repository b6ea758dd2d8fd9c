'use strict'

// `explain(key)`: all that is known of one entry, as plain JSON.

const { binding } = require('../native/attach.js')
const { readData } = require('../native/data.js')
const { STALE } = require('../near/near-cache.js')
const { about } = require('../session/open-map.js')
const { kindName } = require('./kinds.js')

const { explain: explainBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

/**
 * @param {OpenMap} open
 * @param {any} key
 * @returns {Record<string, any> | undefined} `undefined` if it is not there
 */
function explain(open, key) {
  if (!open.mayHave(key)) return undefined
  // A policy that goes by the order of hits learns of them with this call.
  const text = about(explainBinding, open, key)
  if (text === undefined) return undefined
  const { kind, ...rest } = readData(text)
  return { ...rest, storedAs: kindName(kind), isNear: open.near.peek(key) !== STALE }
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** @param {any} key */
  explain(key) {
    const open = openOf(this)
    return explain(open, open.keyOf(key))
  }
})

module.exports = { methods }
