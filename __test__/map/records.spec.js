'use strict'

require('../support/sound.js')

// Objects that are stored as records are what JSON makes of them, in every way in which they are written and read.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../../index.js')
const { compareWithJson } = require('../support/differential.js')
const { Random, seededRandom } = require('../support/random.js')

/** Values that are compared in a run without a time. */
const VALUES = 4_000
const SECONDS = process.env.VALUES_SECONDS === undefined ? undefined : Number(process.env.VALUES_SECONDS)
/** Values for which a map lives: afterwards its shapes are others. */
const VALUES_PER_MAP = 20_000

describe('records', { timeout: 7_200_000 }, () => {
  it('random values are what JSON makes of them', t => {
    const random = seededRandom(t)
    const end = Date.now() + 1_000 * (SECONDS ?? 0)
    let compared = 0
    do {
      const map = new TypedMap({ nearCache: false })
      compared += compareWithJson(map, random, SECONDS === undefined ? VALUES : VALUES_PER_MAP)
      const { shapes } = map.getStats()
      assert.ok(shapes.count > 5 && shapes.values > 10, `${shapes.count} shapes of ${shapes.values} values`)
      map.close()
    } while (Date.now() < end)
    t.diagnostic(`${compared} values`)
  })

  it('values of the same seed are the same', () => {
    const first = []
    const second = []
    for (const list of [first, second]) {
      const { RandomValues } = require('../support/random-values.js')
      const values = new RandomValues(new Random(1))
      for (let n = 0; n < 50; n++) list.push(JSON.stringify(values.next()().value))
    }
    assert.deepEqual(first, second)
  })
})
