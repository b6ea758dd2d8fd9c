'use strict'

/*
 * What does a first read cost, one that no near cache can answer, next to the other ways to get a private copy of an
 * object out of a store?
 */

const { byHandle, byKey } = require('../adapters/typed-map.js')
const { cloned, json } = require('../adapters/map.js')
const { lmdb } = require('../adapters/lmdb.js')
const { sharedMap } = require('../adapters/sharedmap.js')
const { compare, variant } = require('../harness/compare.js')
const { workOf } = require('../harness/life.js')
const { atLeast, atMost, entriesOf, rowsOf } = require('../harness/question.js')

const ENTRIES = 100_000

/** Room for the longest text of a small value. */
const TEXT_LENGTH = 40

const cold = variant(byKey, 'cold-key', 'TypedMap by key, no near cache', { nearCache: false })
const coldHandle = variant(byHandle, 'cold-handle', 'TypedMap by handle, no near cache', { nearCache: false })
const sharedTexts = variant(sharedMap, 'sharedmap', sharedMap.title, { textLength: TEXT_LENGTH })

async function measure({ quick }, report) {
  const entries = quick ? ENTRIES / 10 : ENTRIES
  const contenders = [json, cold, coldHandle, cloned, lmdb, sharedTexts]
  const results = await compare({
    contenders,
    work: workOf({ entries, keys: 'string', values: 'small' }),
    operation: 'get',
    seconds: quick ? 2 : 10,
    onRound: report
  })
  const time = contender => results[contender.name].median
  return {
    rows: rowsOf(entriesOf(entries), contenders, results),
    targets: [
      atMost('cold get(key), small object: time against JSON.parse(map.get(key))', 0.6, time(cold) / time(json)),
      atLeast('cold get(key), small object: times faster than lmdb', 2.2, time(lmdb) / time(cold))
    ],
    chart: { unit: 'ns', highlight: ['TypedMap'] }
  }
}

module.exports = { title: 'First reads of a small object', tasks: { measure } }
