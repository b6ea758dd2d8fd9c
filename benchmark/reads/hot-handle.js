'use strict'

/*
 * What does a repeated read through a handle cost, by `map.get(handle)` and by `handle.get()`, next to `Map.get` with a
 * string?
 *
 * Entries are made in order and read in random order; the near cache has room for all of them. The map with a limit has
 * room for all entries too: it measures what the policy must record about each read. Rounds are calibrated: a busy
 * sibling processor slows these reads and not `Map.get`, which waits for memory, so rounds in such windows are dropped.
 */

const { byHandle, byItself } = require('../adapters/typed-map.js')
const { map } = require('../adapters/map.js')
const { compare, variant } = require('../harness/compare.js')
const { workOf } = require('../harness/life.js')
const { atLeast, atMost, entriesOf, rowsOf } = require('../harness/question.js')

/** Times the time without a limit. */
const LIMIT_COST = 1.5

/** Times faster than Map.get: without a limit, and with one. */
const TARGETS = [
  { entries: 1_000, get: { free: 3, limited: 2.3 }, itself: { free: 3, limited: 2 } },
  { entries: 100_000, get: { free: 5, limited: 3.5 }, itself: { free: 3.8, limited: 2.5 } },
  { entries: 1_000_000, get: { free: 5, limited: 3 }, itself: { free: 4, limited: 2.8 } }
]

async function measure({ quick }, report) {
  const rows = []
  const targets = []
  const cases = quick ? TARGETS.slice(0, 2) : TARGETS
  for (const [i, { entries, get, itself }] of cases.entries()) {
    const roomy = { nearCache: { maxEntries: entries, maxBytes: '1gb' } }
    const full = { ...roomy, limit: true }
    const unlimited = variant(byHandle, 'hot-handle', 'TypedMap by handle', roomy)
    const bounded = variant(byHandle, 'hot-handle-limit', 'TypedMap by handle, with a limit', full)
    const ownUnlimited = variant(byItself, 'hot-handle-get', 'TypedMap by handle.get()', roomy)
    const ownBounded = variant(byItself, 'hot-handle-get-limit', 'TypedMap by handle.get(), with a limit', full)
    const contenders = [map, unlimited, bounded, ownUnlimited, ownBounded]
    const results = await compare({
      contenders,
      work: workOf({ entries, keys: 'string', values: 'small' }),
      operation: 'get',
      seconds: quick ? 2 : 10,
      isCalibrated: true,
      onRound: part => report((i + part) / cases.length)
    })
    rows.push(...rowsOf(entriesOf(entries), contenders, results))
    const { rounds, dropped } = results[map.name]
    const note = `${dropped} of ${rounds + dropped} rounds were in slow windows`
    const faster = contender => results[map.name].median / results[contender.name].median
    const slower = (contender, than) => results[contender.name].median / results[than.name].median
    const times = (what, limit, contender) => ({
      ...atLeast(`hot ${what}, ${entriesOf(entries)}: times faster than Map.get`, limit, faster(contender)),
      note
    })
    targets.push(
      times('handle.get()', itself.free, ownUnlimited),
      times('handle.get() with a limit', itself.limited, ownBounded),
      times('get(handle)', get.free, unlimited),
      times('get(handle) with a limit', get.limited, bounded),
      atMost(
        `hot get(handle), ${entriesOf(entries)}: time with a limit against without`,
        LIMIT_COST,
        slower(bounded, unlimited)
      )
    )
  }
  return { rows, targets, chart: { unit: 'ns', highlight: ['TypedMap'] } }
}

module.exports = { title: 'Repeated reads by handle', tasks: { measure } }
