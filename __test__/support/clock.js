'use strict'

const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { binding } = require('../../lib/native/attach.js')
const { MANUAL_CLOCK } = require('../../lib/options/map-options.js')

let names = 0

/**
 * A map with a clock that stands still until `advance(ms)`. Other threads open it by `name`.
 */
function stillMap(options) {
  const name = `still ${process.pid} ${++names}`
  const map = TypedMap.open(name, { ...options, [MANUAL_CLOCK]: true })
  const { id } = binding.open(name, '{}')
  return {
    map,
    name,
    advance: ms => assert.equal(binding.advanceClockForTest(id, ms), true),
    close() {
      map.close()
      binding.close(id)
    }
  }
}

module.exports = { stillMap }
