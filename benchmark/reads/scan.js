'use strict'

/*
 * What does an entry cost that a scan gives, next to one that `getMany` reads? Both make a page of a thousand, and
 * neither has anything near.
 */

const assert = require('node:assert')
const { TypedMap } = require('typed-superdashmap')
const { atMost, entriesOf, rowsOf } = require('../harness/question.js')
const { interleave } = require('../harness/rounds.js')
const { KEYS, VALUES, make } = require('../harness/workload.js')

const ENTRIES = 100_000
const QUICK_ENTRIES = 10_000
const PAGE = 1_000

/** Times what `getMany` takes. */
const COST = 1.5

function scanAll(map) {
  let given = 0
  let cursor = '0'
  do {
    const page = map.scan(cursor, { count: PAGE })
    given += page.entries.length
    cursor = page.cursor
  } while (cursor !== '0')
  return given
}

function getAll(map, pages) {
  let given = 0
  for (const keys of pages) given += map.getMany(keys).length
  return given
}

async function measure({ quick }, report) {
  const entries = quick ? QUICK_ENTRIES : ENTRIES
  const keys = make(entries, KEYS.string.key)
  const pages = Array.from({ length: entries / PAGE }, (_, page) => keys.slice(page * PAGE, (page + 1) * PAGE))
  const contenders = []
  const maps = []
  for (const [kind, value] of [
    ['numbers', VALUES.scalar],
    ['objects', VALUES.small]
  ]) {
    const map = new TypedMap({ nearCache: false })
    for (let i = 0; i < entries; i++) map.set(keys[i], value(i))
    maps.push(map)
    const contender = (name, title, run) => ({
      name: `${name}-${kind}`,
      title: `${title}, ${kind}`,
      operations: entries,
      run: () => assert.strictEqual(run(), entries)
    })
    contenders.push(
      contender('get-many', 'getMany of 1,000 keys', () => getAll(map, pages)),
      contender('scan', 'scan, count: 1000', () => scanAll(map))
    )
  }
  const results = await interleave(contenders, { seconds: quick ? 2 : 8, minRounds: 9, onRound: report })
  for (const map of maps) map.close()
  const cost = kind => results[`scan-${kind}`].median / results[`get-many-${kind}`].median
  const what = kind => `scan, count: 1000, ${kind}, ${entriesOf(entries)}: time per entry against getMany`
  return {
    rows: rowsOf(entriesOf(entries), contenders, results),
    targets: [atMost(what('numbers'), COST, cost('numbers')), atMost(what('objects'), COST, cost('objects'))],
    chart: { unit: 'ns', highlight: ['scan'] }
  }
}

module.exports = { title: 'Scans', tasks: { measure } }
