'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { Handle, TypedMap } = require('../..')
const { stillMap } = require('../support/clock.js')
const { throwsTyped } = require('../support/errors.js')
const { seededRandom } = require('../support/random.js')

require('../support/sound.js')

/** Runs with a `Math.random` that a seed determines. */
function withRandom(random, run) {
  const { random: original } = Math
  Math.random = () => random.next()
  try {
    run()
  } finally {
    Math.random = original
  }
}

describe('randomKey and randomEntry', () => {
  it('draw each entry as often as any other', t => {
    const random = seededRandom(t)
    withRandom(random, () => {
      for (const [shards, entries, kept] of [
        [1, 20, 20],
        [4, 200, 200],
        [16, 20_000, 300]
      ]) {
        const map = new TypedMap({ shards })
        const keys = Array.from({ length: entries }, (_, n) => (n % 3 === 0 ? map.insert(n) : n))
        for (const key of keys) if (!(key instanceof Handle)) map.set(key, key)
        // What is left lies unevenly in what there was.
        const order = keys.toSorted(() => random.next() - 0.5)
        map.deleteMany(order.slice(kept))
        const counts = new Map()
        const draws = 100 * kept
        for (let n = 0; n < draws; n++) {
          const key = map.randomKey()
          const name = key instanceof Handle ? key.id : key
          counts.set(name, (counts.get(name) ?? 0) + 1)
        }
        assert.ok([...counts.keys()].every(name => order.slice(0, kept).some(key => (key.id ?? key) === name)))
        const chiSquare = [...counts.values(), ...new Array(kept - counts.size).fill(0)]
          .map(count => (count - 100) ** 2 / 100)
          .reduce((sum, term) => sum + term, 0)
        const freedom = kept - 1
        const allowed = freedom + 5 * Math.sqrt(2 * freedom)
        t.diagnostic(`${kept} of ${entries} entries: chi-square ${chiSquare.toFixed(1)}, allowed ${allowed.toFixed(1)}`)
        assert.ok(chiSquare <= allowed)
      }
    })
  })

  it('give key and value, a handle where there is no key, undefined where there is nothing', () => {
    const map = new TypedMap()
    assert.equal(map.randomKey(), undefined)
    assert.equal(map.randomEntry(), undefined)
    map.set('a', { b: 1 })
    assert.equal(map.randomKey(), 'a')
    assert.deepEqual(map.randomEntry(), ['a', { b: 1 }])
    assert.ok(Object.isFrozen(map.randomEntry()[1]))
    map.delete('a')
    const handle = map.insert('text')
    assert.equal(map.randomKey().id, handle.id)
    assert.deepEqual(map.randomEntry()[1], 'text')
    const { hits, misses } = map.getStats()
    assert.deepEqual([hits, misses], [0, 0])
    map.close()
    throwsTyped(() => map.randomKey(), 'ERR_CLOSED')
    throwsTyped(() => map.randomEntry(), 'ERR_CLOSED')
  })

  it('give no entry that has expired', () => {
    const { map, advance, close } = stillMap()
    for (let n = 0; n < 2_000; n++) map.set(n, n, { ttl: 5 })
    map.set('stays', 1)
    advance(5)
    for (let n = 0; n < 20; n++) assert.equal(map.randomKey(), 'stays')
    map.delete('stays')
    assert.equal(map.randomEntry(), undefined)
    close()
  })
})
