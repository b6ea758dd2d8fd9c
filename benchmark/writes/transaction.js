'use strict'

/*
 * What does a transaction of four keys cost, without conflict, next to four writes of their own? And one that reads
 * each of them before it writes it?
 */

const { TypedMap } = require('typed-superdashmap')
const { atMost } = require('../harness/question.js')
const { interleave } = require('../harness/rounds.js')

const TRANSACTIONS = 10_000
const KEYS = 1_000
const PER_TRANSACTION = 4
/** Times the time of four `set`. */
const COST = 2.5

const names = Array.from({ length: KEYS }, (_, n) => `account:${n}`)

/** The keys of the transaction of this number. */
function keysOf(n) {
  const first = (n * PER_TRANSACTION) % KEYS
  return [names[first], names[first + 1], names[first + 2], names[first + 3]]
}

const LOOPS = {
  'four set': map => {
    for (let n = 0; n < TRANSACTIONS; n++) for (const key of keysOf(n)) map.set(key, n)
  },
  'transaction of four set': map => {
    for (let n = 0; n < TRANSACTIONS; n++) {
      map.transaction(tx => {
        for (const key of keysOf(n)) tx.set(key, n)
      })
    }
  },
  'transaction of four get and set': map => {
    for (let n = 0; n < TRANSACTIONS; n++) {
      map.transaction(tx => {
        for (const key of keysOf(n)) tx.set(key, tx.get(key) + 1)
      })
    }
  }
}

async function measure({ quick }, report) {
  const map = new TypedMap(names.map(name => [name, 0]))
  const contenders = Object.entries(LOOPS).map(([name, loop]) => ({
    name,
    operations: TRANSACTIONS,
    run: () => loop(map)
  }))
  const results = await interleave(contenders, { seconds: quick ? 1 : 6, onRound: report })
  const rows = Object.entries(results).map(([contender, { median: value, ...spread }]) => ({
    case: 'four numbers',
    contender,
    value,
    unit: 'ns',
    ...spread
  }))
  const ratio = results['transaction of four set'].median / results['four set'].median
  return { rows, targets: [atMost('transaction of four keys without conflict: time against four set', COST, ratio)] }
}

module.exports = { title: 'Transactions', tasks: { measure } }
