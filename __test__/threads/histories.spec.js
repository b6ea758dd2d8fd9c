'use strict'

// What threads see of one map at the same time is what they could see if each operation happened in one moment:
// between its call and its return, near caches included. `__test__/README.md` says what exactly is asked for, and of
// what.
//
//   HISTORIES_SECONDS=n   runs for so long (a minute or so otherwise); `npm run test:histories` for an hour
//   SEED=n                begins with the round that a failed run printed

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { Histories, PROFILES, THREADS } = require('../support/histories.js')
const { chooseSeed } = require('../support/random.js')

require('../support/sound.js')

const SECONDS = Number(process.env.HISTORIES_SECONDS ?? 0)
/** Default numbers of rounds: of each map, and of those that are watched. */
const ROUNDS = 50
const WATCHED_ROUNDS = 40

/** Threads that end with the test. */
function startThreads(t) {
  const histories = new Histories()
  t.after(() => histories.end())
  return histories
}

/** Runs rounds, as many or for as long as asked for, and prints the rate of what they count. */
async function rounds(t, what, count, share, run) {
  let seed = chooseSeed()
  t.diagnostic(`SEED=${seed}`)
  const begin = performance.now()
  const seconds = () => (performance.now() - begin) / 1_000
  let sum = 0
  let done = 0
  for (; SECONDS > 0 ? seconds() < SECONDS * share : done < count; done++, seed++) {
    try {
      sum += await run(seed)
    } catch (error) {
      t.diagnostic(`failed in round ${done}, after ${seconds().toFixed(1)} s`)
      throw error
    }
  }
  t.diagnostic(`${done} rounds, ${sum} ${what}, ${Math.round(sum / seconds())}/s`)
  assert.ok(sum > 0)
}

describe(`histories of ${THREADS} threads`, () => {
  it('are explained by operations that happen in one moment each', async t => {
    const histories = startThreads(t)
    let checkBefore = () => 0
    await rounds(t, 'operations', ROUNDS * PROFILES.length, 0.7, async seed => {
      // Checked while the next one runs.
      const running = histories.record(seed)
      const operations = checkBefore()
      checkBefore = await running
      return operations
    })
    checkBefore()
  })

  it('never go backwards for a thread that only watches', async t => {
    const histories = startThreads(t)
    await rounds(t, 'reads', WATCHED_ROUNDS, 0.3, seed => histories.watch(seed))
  })
})
