'use strict'

// `getHotKeys(n)`: the keys that all threads read most, of a map with the option `hotKeys`.

const { badOption, outOfRange, wrongType } = require('../errors.js')
const { Handle } = require('../handle.js')
const { binding } = require('../native/attach.js')
const { readData } = require('../native/data.js')
const { boolean, checkObject } = require('../options/checks.js')
const { keyOfHandle } = require('./keys.js')

const { hotKeys: hotKeysBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

const DEFAULT_COUNT = 10
const MAX_COUNT = 1_000

/** @param {unknown} given */
function readCount(given) {
  const allowed = `an integer from 1 to ${MAX_COUNT}`
  if (typeof given !== 'number') throw wrongType('count', given, allowed)
  if (!Number.isInteger(given) || given < 1 || given > MAX_COUNT) throw outOfRange('count', given, allowed)
  return given
}

/**
 * @param {OpenMap} open
 * @param {number} count
 * @param {boolean} resets
 */
function hotKeys(open, count, resets) {
  // More than are wanted, because some may go meanwhile.
  const text = hotKeysBinding(open.id, 2 * count + DEFAULT_COUNT, resets)
  if (text === null) throw badOption('hotKeys', 'is not true for this map, so its reads are not sampled')
  const keys = []
  for (const { shard, slot, generation, hits, error } of /** @type {any} */ (readData(text))) {
    const handle = new Handle(open.instance, shard, slot, generation, open.origin)
    const found = keyOfHandle(open.id, handle)
    if (found !== undefined) keys.push({ key: found.key, handle, hits, errorHits: error })
    if (keys.length === count) break
  }
  return keys
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** @param {number} count @param {any} options */
  getHotKeys(count = DEFAULT_COUNT, options = undefined) {
    const open = openOf(this)
    const { reset = false } = options === undefined ? {} : checkObject('options', options, ['reset'])
    return hotKeys(open, readCount(count), boolean('reset', reset))
  }
})

module.exports = { methods }
