'use strict'

/* Entries come and go beside one that stays for the whole run. */

const { atMost } = require('../harness/question.js')

const PAIRS = 1_000

module.exports = {
  title: 'Entries come and go beside an old one',
  options: { nearCache: false },
  begin: () => ({ next: 0 }),
  step(map, { thread, state }) {
    if (state.next === 0) map.set(`old ${thread}`, 1)
    for (let n = 0; n < PAIRS; n++) {
      const key = thread * 2 ** 40 + state.next++
      map.set(key, n)
      map.delete(key)
    }
  },
  targets: ({ churned }) => [atMost('accounted when only the old entries are left', 2, churned.accountedMb, ' MB')]
}
