'use strict'

// Entries that are loaded again in the background when they are read after some time.
//
// No hit looks at a clock. When the time of an entry has come, native code ends its copies, and the next read asks. A
// copy by key may be made by any read, also by one that does not ask; so the copies that this trusts belong to handles
// that nothing else has.

const { GONE, decode } = require('../codec/values.js')
const { binding, scratch } = require('../native/attach.js')
const { FRESHNESS, ROW, SCRATCH } = require('../native/layout.js')
const { handleAt } = require('../native/rows.js')
const { detach } = require('../near/detach.js')
const { STALE } = require('../near/near-cache.js')

const { get: getBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('./loads.js').Loads} Loads */

const ABSENT = 0

/** Handles that are kept. A map that has more forgets all. */
const MOST_HANDLES = 10_000

/** Of a key that a handle is kept for, in characters: of longer ones every read is a native call. */
const LONGEST_KEY = 256

/** Whether a handle is kept for a key. @param {any} key */
const isKept = key =>
  typeof key === 'string'
    ? key.length <= LONGEST_KEY
    : typeof key !== 'object' && (typeof key !== 'bigint' || BigInt.asIntN(64, key) === key)

/**
 * The copy of a key's value that is not to be loaded again yet; STALE if there is none.
 *
 * @param {OpenMap} open
 * @param {any} key
 */
function lookup({ near, refreshed }, key) {
  const handle = refreshed.get(key)
  return handle === undefined ? STALE : near.lookup(handle)
}

/**
 * The value of a key, STALE if there is none. Loads it again if it is time for that.
 *
 * @param {Loads} loads
 * @param {any} key
 * @param {(key: any, given: any) => any} loader
 * @param {import('../options/load.js').LoadOptions} options
 */
function read(loads, key, loader, options) {
  const { open } = loads
  for (;;) {
    const raw = getBinding(open.id, key)
    const kind = scratch[SCRATCH.STATE]
    if (kind === ABSENT) return STALE
    const row = scratch.slice(0, ROW)
    const value = decode(open.shapes, kind, raw)
    if (value === GONE) continue
    // After it was read: what is fresh now was fresh then.
    const freshness = loads.refresh(key, loader, options, value)
    if (freshness === FRESHNESS.WATCHED && isKept(key)) {
      const { refreshed } = open
      if (refreshed.size >= MOST_HANDLES) refreshed.clear()
      const handle = handleAt(open.origin, row, 0)
      // It may be a part of a long text.
      if (typeof key === 'string') detach(key)
      refreshed.set(key, handle)
      open.near.keep(handle, kind, value, row, 0)
    }
    return value
  }
}

module.exports = { lookup, read }
