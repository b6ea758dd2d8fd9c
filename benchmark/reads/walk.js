'use strict'

/*
 * What does a walk over all entries cost: keys and numbers next to a `Map`, objects next to `JSON.parse` of the text of
 * each? Nothing of it is near: a walk keeps no copies.
 */

const assert = require('node:assert')
const { TypedMap } = require('typed-superdashmap')
const { atMost, entriesOf, rowsOf } = require('../harness/question.js')
const { interleave } = require('../harness/rounds.js')
const { KEYS, VALUES, make } = require('../harness/workload.js')

const ENTRIES = 100_000
const QUICK_ENTRIES = 10_000

/** Times what it is compared with. */
const KEYS_COST = 7
const NUMBERS_COST = 7
const OBJECTS_COST = 0.7

/** The values are looked at, so that none can be left out. */
const LOOPS = {
  keys(map) {
    let characters = 0
    for (const key of map.keys()) characters += key.length
    return characters
  },
  numbers(map) {
    let sum = 0
    for (const number of map.values()) sum += number
    return sum
  },
  objects(map) {
    let sum = 0
    for (const [key, { port }] of map) sum += port + key.length
    return sum
  },
  parsed(texts) {
    let sum = 0
    for (const [key, text] of texts) sum += JSON.parse(text).port + key.length
    return sum
  }
}

/** A contender whose loop V8 shares with no other. */
function contenderOf(name, title, loop, entries, given) {
  const own = new Function(`return ${loop.toString().replace(/^\w+/, `function ${name.replaceAll('-', '_')}`)}`)()
  const expected = own(given)
  return { name, title, operations: entries, run: () => assert.strictEqual(own(given), expected) }
}

async function measure({ quick }, report) {
  const entries = quick ? QUICK_ENTRIES : ENTRIES
  const keys = make(entries, KEYS.string.key)
  const filled = (map, value) => {
    for (let i = 0; i < entries; i++) map.set(keys[i], value(i))
    return map
  }
  const numbers = [filled(new TypedMap(), VALUES.scalar), filled(new Map(), VALUES.scalar)]
  const objects = [filled(new TypedMap(), VALUES.small), filled(new Map(), i => JSON.stringify(VALUES.small(i)))]
  const contender = (...given) => contenderOf(...given.slice(0, 3), entries, given[3])
  const contenders = [
    contender('map-keys', 'Map, keys', LOOPS.keys, numbers[1]),
    contender('typed-map-keys', 'TypedMap, keys', LOOPS.keys, numbers[0]),
    contender('map-numbers', 'Map, numbers', LOOPS.numbers, numbers[1]),
    contender('typed-map-numbers', 'TypedMap, numbers', LOOPS.numbers, numbers[0]),
    contender('json-parse', 'Map of texts, JSON.parse of each', LOOPS.parsed, objects[1]),
    contender('typed-map-objects', 'TypedMap, entries of objects', LOOPS.objects, objects[0])
  ]
  const results = await interleave(contenders, { seconds: quick ? 2 : 10, minRounds: 9, onRound: report })
  for (const map of [numbers[0], objects[0]]) map.close()
  const cost = (name, than) => results[name].median / results[than].median
  const what = (of, than) => `a walk over ${of}, ${entriesOf(entries)}: time against ${than}`
  return {
    rows: rowsOf(entriesOf(entries), contenders, results),
    targets: [
      atMost(what('keys', 'Map'), KEYS_COST, cost('typed-map-keys', 'map-keys')),
      atMost(what('numbers', 'Map'), NUMBERS_COST, cost('typed-map-numbers', 'map-numbers')),
      atMost(what('objects', 'JSON.parse of each'), OBJECTS_COST, cost('typed-map-objects', 'json-parse'))
    ],
    chart: { unit: 'ns', highlight: ['TypedMap'] }
  }
}

module.exports = { title: 'Walks over all entries', tasks: { measure } }
