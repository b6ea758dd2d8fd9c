'use strict'

/*
 * What does a repeated read through a handle cost, next to `Map.get` with a string?
 *
 * Entries are made in order and read in random order; the near cache has room for all of them. The map with a limit has
 * room for all entries too: it measures what the policy must record about each read.
 */

const { byHandle } = require('../adapters/typed-map.js')
const { map } = require('../adapters/map.js')
const { compare, variant } = require('../harness/compare.js')
const { workOf } = require('../harness/life.js')
const { atLeast, atMost, entriesOf, rowsOf } = require('../harness/question.js')

/** Times the time without a limit. */
const LIMIT_COST = 1.5

/** Times faster than Map.get: without a limit, and with one. */
const TARGETS = [
  { entries: 1_000, free: 3, limited: 2.3 },
  { entries: 100_000, free: 5, limited: 3.5 },
  { entries: 1_000_000, free: 5, limited: 3 }
]

async function measure({ quick }, report) {
  const rows = []
  const targets = []
  const cases = quick ? TARGETS.slice(0, 2) : TARGETS
  for (const [i, { entries, free, limited }] of cases.entries()) {
    const roomy = { nearCache: { maxEntries: entries, maxBytes: '1gb' } }
    const unlimited = variant(byHandle, 'hot-handle', 'TypedMap by handle', roomy)
    const bounded = variant(byHandle, 'hot-handle-limit', 'TypedMap by handle, with a limit', { ...roomy, limit: true })
    const contenders = [map, unlimited, bounded]
    const results = await compare({
      contenders,
      work: workOf({ entries, keys: 'string', values: 'small' }),
      operation: 'get',
      seconds: quick ? 1 : 6,
      onRound: part => report((i + part) / cases.length)
    })
    rows.push(...rowsOf(entriesOf(entries), contenders, results))
    const faster = contender => results[map.name].median / results[contender.name].median
    targets.push(
      atLeast(`hot get(handle), ${entriesOf(entries)}: times faster than Map.get`, free, faster(unlimited)),
      atLeast(
        `hot get(handle) with a limit, ${entriesOf(entries)}: times faster than Map.get`,
        limited,
        faster(bounded)
      ),
      atMost(
        `hot get(handle), ${entriesOf(entries)}: time with a limit against without`,
        LIMIT_COST,
        results[bounded.name].median / results[unlimited.name].median
      )
    )
  }
  return { rows, targets, chart: { unit: 'ns', highlight: ['TypedMap'] } }
}

module.exports = { title: 'Repeated reads by handle', tasks: { measure } }
