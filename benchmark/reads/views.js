'use strict'

/*
 * What does a view of one type cost, next to the map? And does a walk over it cost what the type has: ten entries of
 * many, next to ten entries of a map that has no others?
 */

const assert = require('node:assert')
const { TypedMap } = require('typed-superdashmap')
const { atMost, entriesOf, rowsOf } = require('../harness/question.js')
const { interleave } = require('../harness/rounds.js')
const { KEYS, VALUES, make } = require('../harness/workload.js')

const ENTRIES = 1_000_000
const QUICK_ENTRIES = 20_000
const FEW = 10
/** Entries that are read and written in a round. */
const ROUND = 1_000

/** Times what the walk over a map of ten takes. */
const WALK_COST = 3
/** Times what the map takes, for a read that no copy answers, and for a write. */
const READ_COST = 1.5
const WRITE_COST = 1.3

/** A map with `entries` entries, of which each `every`th has the type. */
function filled(entries, every) {
  const map = new TypedMap({ nearCache: false })
  const view = map.ofType('Few')
  const keys = make(entries, KEYS.string.key)
  for (let i = 0; i < entries; i++) {
    const target = i % every === 0 ? view : map
    target.set(keys[i], VALUES.small(i))
  }
  return { map, view, keys: keys.filter((_, i) => i % every === 0) }
}

const sizeAndWalk = view => {
  assert.strictEqual(view.size, FEW)
  let walked = 0
  for (const [key] of view) if (key !== undefined) walked++
  assert.strictEqual(walked, FEW)
}

async function measure({ quick }, report) {
  const entries = quick ? QUICK_ENTRIES : ENTRIES
  const many = filled(entries, entries / FEW)
  const alone = filled(FEW, 1)
  const typed = filled(ROUND, 1)
  const read = from => {
    let found = 0
    for (const key of typed.keys) if (from.get(key) !== undefined) found++
    assert.strictEqual(found, ROUND)
  }
  const write = to => {
    for (let i = 0; i < ROUND; i++) to.set(typed.keys[i], VALUES.small(i))
  }
  const plain = filled(ROUND, ROUND + 1)
  const plainKeys = make(ROUND, KEYS.string.key)
  const contenders = [
    {
      name: 'walk-few',
      title: `size and walk, ${FEW} of ${entriesOf(entries)}`,
      operations: FEW,
      run: () => sizeAndWalk(many.view)
    },
    { name: 'walk-alone', title: `size and walk, ${FEW} alone`, operations: FEW, run: () => sizeAndWalk(alone.view) },
    { name: 'get-view', title: 'get of a view', operations: ROUND, run: () => read(typed.view) },
    { name: 'get-map', title: 'get of the map', operations: ROUND, run: () => read(typed.map) },
    { name: 'set-view', title: 'set of a view', operations: ROUND, run: () => write(typed.view) },
    {
      name: 'set-map',
      title: 'set of a map without types',
      operations: ROUND,
      run: () => {
        for (let i = 0; i < ROUND; i++) plain.map.set(plainKeys[i], VALUES.small(i))
      }
    }
  ]
  const results = await interleave(contenders, { seconds: quick ? 2 : 8, minRounds: 9, onRound: report })
  for (const { map } of [many, alone, typed, plain]) map.close()
  const cost = (one, other) => results[one].median / results[other].median
  const among = `size and walk of ${FEW} among ${entriesOf(entries)} against the same without the others`
  return {
    rows: rowsOf(entriesOf(entries), contenders, results),
    targets: [
      atMost(among, WALK_COST, cost('walk-few', 'walk-alone')),
      atMost('get of a view against get of its map, near cache off', READ_COST, cost('get-view', 'get-map')),
      atMost('set of a view against set of a map without types', WRITE_COST, cost('set-view', 'set-map'))
    ],
    chart: { unit: 'ns', highlight: ['walk-few', 'get-view', 'set-view'] }
  }
}

module.exports = { title: 'Views of one type', tasks: { measure } }
