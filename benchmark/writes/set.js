'use strict'

/*
 * What does it cost to write a small object, next to the other ways to keep a private copy of it: into an empty map,
 * and over an entry that is there?
 */

const { byKey } = require('../adapters/typed-map.js')
const { cloned, json, map } = require('../adapters/map.js')
const { lmdb } = require('../adapters/lmdb.js')
const { sharedMap } = require('../adapters/sharedmap.js')
const { compare, variant } = require('../harness/compare.js')
const { workOf } = require('../harness/life.js')
const { atMost, rowsOf } = require('../harness/question.js')

const SIZES = [1_000, 100_000]

/** Times what it is compared with. From Node.js 24 on, `JSON.stringify` takes half of the time that it took before. */
const CLONED_COST = 0.5
const TEXT_COST = Number.parseInt(process.versions.node, 10) >= 24 ? 2.2 : 1.3

const LMDB_ENTRIES = 1_000
const TEXT_LENGTH = 40

const uncached = variant(byKey, 'set-uncached', 'TypedMap, no near cache', { nearCache: false })
const sharedTexts = variant(sharedMap, 'sharedmap', sharedMap.title, { textLength: TEXT_LENGTH })

const CASES = [
  { operation: 'insert', title: 'new keys', peers: [] },
  { operation: 'update', title: 'keys that are there', peers: [sharedTexts] }
]

async function measure({ quick }, report) {
  const rows = []
  const targets = []
  const sizes = quick ? SIZES.slice(0, 1) : SIZES
  const all = sizes.flatMap(entries => CASES.map(one => ({ ...one, entries })))
  for (const [i, { operation, title: keys, peers, entries }] of all.entries()) {
    const title = `${keys}, ${entries.toLocaleString('en')} entries`
    const contenders = [map, json, cloned, byKey, uncached, ...peers]
    const results = await compare({
      contenders,
      work: workOf({ entries, keys: 'string', values: 'small' }),
      operation,
      seconds: quick ? 1 : 8,
      onRound: part => report((i + part) / (all.length + 1))
    })
    rows.push(...rowsOf(title, contenders, results))
    const against = contender => results[byKey.name].median / results[contender.name].median
    targets.push(
      atMost(
        `set(key, small object), ${title}: time against map.set(key, structuredClone(value))`,
        CLONED_COST,
        against(cloned)
      ),
      atMost(
        `set(key, small object), ${title}: time against map.set(key, JSON.stringify(value))`,
        TEXT_COST,
        against(json)
      )
    )
  }
  // A write of lmdb waits for its commit: fewer entries, or this row would take longer than all others together.
  const few = workOf({ entries: LMDB_ENTRIES, keys: 'string', values: 'small' })
  const results = await compare({ contenders: [lmdb], work: few, operation: 'update', seconds: 1, minRounds: 3 })
  rows.push(...rowsOf(`keys that are there, ${LMDB_ENTRIES.toLocaleString('en')} entries`, [lmdb], results))
  return { rows, targets, chart: { unit: 'ns', scale: 'log', highlight: ['TypedMap'] } }
}

module.exports = { title: 'Writes of a small object', tasks: { measure } }
