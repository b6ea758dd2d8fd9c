'use strict'

// Values through a map against values through JSON: the same value, the same properties in the same order, and the
// same code of the value run in the same order.

const assert = require('node:assert/strict')
const { jsonText } = require('./json-text.js')
const { RandomValues } = require('./random-values.js')

/** What JSON makes of a value, or its error. @param {() => { value: any, log: string[] }} make */
function byJson(make) {
  const { value, log } = make()
  const text = JSON.stringify(value)
  return { text, value: text === undefined ? undefined : JSON.parse(text), log }
}

/**
 * Writes random values to a map, in all the ways there are, and compares what comes back.
 *
 * @param {any} map
 * @param {import('./random.js').Random} random
 * @param {number} count
 * @returns {number} how many were compared
 */
function compareWithJson(map, random, count) {
  const values = new RandomValues(random)
  let compared = 0
  for (let n = 0; n < count; n++) {
    const make = values.next()
    const expected = byJson(make)
    const { value, log } = make()
    const key = n % 100
    if (expected.text === undefined || typeof value !== 'object') continue
    const way = n % 5
    let written = key
    if (way === 0) map.setMany([[key, value]])
    else if (way === 1) written = map.insert(value)
    else if (way === 2) written = map.insertMany([1, value])[1]
    else map.set(key, value)
    assert.deepEqual(log, expected.log, 'the code of the value')
    const where = `value ${n}, written in way ${way}: ${expected.text.slice(0, 2_000)}`
    check(map.peek(written), expected, where)
    check(map.get(written, { copy: true }), expected, where)
    check(map.getMany([written])[0], expected, where)
    if (way === 1 || way === 2) check(map.remove(written), expected, where)
    assert.equal(jsonText(make().value), expected.text, where)
    compared++
  }
  return compared
}

/**
 * @param {any} found
 * @param {{ value: any, text: string }} expected
 * @param {string} where
 */
function check(found, expected, where) {
  assert.deepStrictEqual(found, expected.value, where)
  // Order of properties, which deep equality does not look at.
  assert.equal(JSON.stringify(found), JSON.stringify(expected.value), where)
}

module.exports = { compareWithJson }
