'use strict'

/*
 * A map without a limit is filled, and 98 of 100 entries are deleted, one by one, again and again. What stays is
 * spread over all that was filled.
 */

const { atMost } = require('../harness/question.js')

const VALUE = 'x'.repeat(1_300)
const SHORTEST = 60
const KEYS_PER_THREAD = 100_000
const KEPT = 50
const BATCH = 2_000

module.exports = {
  title: 'Fill, then delete 98 %, no limit',
  options: { nearCache: false },
  begin: () => ({ next: 0, deletes: false }),
  step(map, { random, thread, state }) {
    for (let n = 0; n < BATCH; n++) {
      const key = thread * KEYS_PER_THREAD + state.next
      if (!state.deletes) map.set(key, VALUE.slice(0, SHORTEST + Math.floor(random() * (VALUE.length - SHORTEST))))
      else if (state.next % KEPT !== 0) map.delete(key)
      state.next++
      if (state.next === KEYS_PER_THREAD) {
        state.next = 0
        state.deletes = !state.deletes
        return
      }
    }
  },
  end(map) {
    for (const key of [...map.keys()]) if (key % KEPT !== 0) map.delete(key)
    map.shrinkToFit()
    for (let n = 0; n < 20_000; n++) {
      map.set('a', n)
      map.delete('a')
    }
  },
  targets: ({ ended }) => [
    atMost(
      'resident when 98 % was deleted, against 1.25 × accounted + 8 MB',
      1,
      ended.residentMb / (1.25 * ended.accountedMb + 8)
    )
  ]
}
