'use strict'

// The value of an entry as it was at one moment, and writes that are made only if the entry has not changed since.

const { GONE, decodeCopy } = require('../codec/values.js')
const { binding, scratch } = require('../native/attach.js')
const { SCRATCH } = require('../native/layout.js')
const { about } = require('../session/open-map.js')

const { getVersion: getVersionBinding, removeIf: removeIfBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

/**
 * The value of an entry at one moment, and what tells it from later ones.
 *
 * @typedef {object} Seen
 * @property {any} value a private copy
 * @property {number} shard
 * @property {number} slot
 * @property {number} generation
 * @property {number} version
 */

const { GENERATION, SEEN_VERSION, SHARD, SLOT, STATE } = SCRATCH
const ABSENT = 0

/**
 * @param {OpenMap} open
 * @param {any} target of this map, if it is a handle
 * @param {(id: number, ...target: any[]) => any} [look] peekVersionBinding for a look that does not count
 * @returns {Seen | undefined} `undefined` if there is no entry
 */
function find(open, target, look = getVersionBinding) {
  const raw = about(look, open, target)
  const kind = scratch[STATE]
  if (kind === ABSENT) return undefined
  // The code of a codec may use the scratch array.
  const [shard, slot, generation] = [scratch[SHARD], scratch[SLOT], scratch[GENERATION]]
  const version = scratch[SEEN_VERSION]
  const value = decodeCopy(open.shapes, kind, raw)
  return value === GONE ? find(open, target, look) : { value, shard, slot, generation, version }
}

/**
 * Removes the entry, if nothing has changed it since it was seen; returns whether it is gone.
 *
 * @param {OpenMap} open
 * @param {any} target
 * @param {Seen | undefined} seen
 */
function removeSeen(open, target, seen) {
  if (seen === undefined) return true
  const isDone = removeIfBinding(open.id, seen.shard, seen.slot, seen.generation, seen.version)
  if (isDone) open.near.forget(target)
  return isDone
}

module.exports = { find, removeSeen }
