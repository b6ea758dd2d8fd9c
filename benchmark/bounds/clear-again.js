'use strict'

/* A few entries are written, read through near caches, and cleared, again and again. */

const ENTRIES = 20

module.exports = {
  title: 'Clear a few entries, again and again',
  options: {},
  begin: () => ({ keys: Array.from({ length: ENTRIES }, (_, n) => `key ${n}`) }),
  step(map, { state }) {
    for (let round = 0; round < 20; round++) {
      for (const key of state.keys) map.set(key, { key })
      for (const key of state.keys) map.get(key)
      map.clear()
    }
  }
}
