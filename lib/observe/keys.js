'use strict'

// Keys of entries that native code found.

const { binding, scratch } = require('../native/attach.js')
const { SCRATCH } = require('../native/layout.js')

const { keyOf: keyOfBinding } = binding

/** What native code says in place of a kind: the entry is gone. */
const GONE = 0

/**
 * @param {number} id
 * @param {{ shard: number, slot: number, generation: number }} handle
 * @returns {{ key: any } | undefined} `undefined` if the entry is gone; without a key, its key is `undefined`
 */
function keyOfHandle(id, { shard, slot, generation }) {
  const key = keyOfBinding(id, shard, slot, generation)
  return scratch[SCRATCH.STATE] === GONE ? undefined : { key }
}

module.exports = { keyOfHandle }
