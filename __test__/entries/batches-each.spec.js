'use strict'

// What batches say of each item, and take for each.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { stillMap } = require('../support/clock.js')
const { throwsTyped } = require('../support/errors.js')

require('../support/sound.js')

/** Keys and handles of a map, and whether each is there. */
function mixed(map) {
  map.setMany([
    ['a', 1],
    [2, 'two'],
    ['gone', 1],
    [new Uint8Array([7]), { n: 1 }],
    ['undefined', undefined]
  ])
  const [live, dead] = [map.insert(1), map.insert(2)]
  map.deleteMany([dead, 'gone'])
  const items = ['a', 'none', 2, live, dead, new TypedMap().insert(1), new Uint8Array([7]), 'gone', 'undefined']
  return { items, presence: [true, false, true, true, false, false, true, false, true] }
}

describe('hasMany', () => {
  it('says of each key and handle whether it is there', () => {
    const map = new TypedMap()
    const { items, presence } = mixed(map)
    assert.deepEqual(map.hasMany(items), presence)
    assert.deepEqual(map.hasMany(new Set(items)), presence)
    assert.deepEqual(map.hasMany([]), [])
    assert.deepEqual(map.hasMany(['a', 'a']), [true, true])
    assert.equal(map.size, presence.filter(Boolean).length)
  })

  it('in batches of any size, after others that used the same table', () => {
    const map = new TypedMap()
    for (const size of [1, 255, 256, 257, 40_000]) {
      const keys = Array.from({ length: size }, (_, key) => key)
      map.setMany(keys.filter(key => key % 3 === 0).map(key => [key, key]))
      map.getMany(keys)
      assert.deepEqual(
        map.hasMany(keys),
        keys.map(key => key % 3 === 0)
      )
      map.clear()
    }
  })

  it('of what is past its deadline, nothing is there', () => {
    const { map, advance, close } = stillMap()
    map.setMany([
      ['a', 1],
      ['b', 2, { ttl: 10 }]
    ])
    assert.deepEqual(map.hasMany(['a', 'b']), [true, true])
    advance(10)
    assert.deepEqual(map.hasMany(['a', 'b']), [true, false])
    close()
  })

  it('wrong arguments are errors', () => {
    const map = new TypedMap()
    throwsTyped(() => map.hasMany(5), 'ERR_INVALID_OPTION', { kind: TypeError })
    throwsTyped(() => map.hasMany(['a', {}]), 'ERR_KEY_TYPE', { kind: TypeError })
    map.close()
    throwsTyped(() => map.hasMany(['a']), 'ERR_CLOSED')
  })
})

describe('deleteMany with each', () => {
  it('says of each item whether it was there', () => {
    const map = new TypedMap()
    const { items, presence } = mixed(map)
    for (const item of items) map.get(item)
    assert.deepEqual(map.deleteMany(items, { each: true }), presence)
    assert.equal(map.size, 0)
    assert.deepEqual(map.getMany(items), new Array(items.length).fill(undefined))
    assert.deepEqual(map.deleteMany(items, { each: true }), new Array(items.length).fill(false))
    map.set('a', 1)
    assert.deepEqual(map.deleteMany(['a', 'a'], { each: true }), [true, false])
    assert.deepEqual(map.deleteMany([], { each: true }), [])
  })

  it('without it, says how many there were', () => {
    const map = new TypedMap([['a', 1]])
    assert.equal(map.deleteMany(['a', 'b'], { each: false }), 1)
    assert.equal(map.deleteMany(['a'], undefined), 0)
    for (const options of [5, null, { each: 1 }, { more: true }]) {
      throwsTyped(() => map.deleteMany(['a'], options), 'ERR_INVALID_OPTION')
    }
  })
})

describe('rows with a ttl of their own', () => {
  it('setMany and updateMany: a row lives as it says, the others as the batch does', () => {
    for (const operation of ['setMany', 'updateMany']) {
      const { map, close } = stillMap({ ttl: 1_000 })
      const keys = ['own', 'forever', 'batch', 'none']
      map.setMany(keys.map(key => [key, 0]))
      const rows = [
        ['own', 1, { ttl: 50 }],
        ['forever', { n: [1] }, { ttl: Number.POSITIVE_INFINITY }],
        ['batch', 'text'],
        ['none', 4, undefined]
      ]
      map[operation](rows, { ttl: 70 })
      assert.deepEqual(
        keys.map(key => map.ttlOf(key)),
        [50, Number.POSITIVE_INFINITY, 70, 70]
      )
      map[operation](rows)
      assert.deepEqual(
        keys.map(key => map.ttlOf(key)),
        [50, Number.POSITIVE_INFINITY, 1_000, 1_000]
      )
      assert.deepEqual(map.getMany(keys), [1, { n: [1] }, 'text', 4])
      close()
    }
  })

  it('a ttl is not left behind in the table for a later batch', () => {
    const { map, close } = stillMap()
    map.setMany([['a', 1, { ttl: 50 }]])
    map.setMany([['b', 1]])
    map.getMany(['a', 'b'])
    map.setMany([['c', 1]])
    assert.deepEqual(
      ['a', 'b', 'c'].map(key => map.ttlOf(key)),
      [50, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    )
    close()
  })

  it('goes on with its own ttl where room was made in between', () => {
    const { map, close } = stillMap({ maxEntries: 2, evictionStrategy: ([first]) => first })
    map.setMany(Array.from({ length: 5 }, (_, key) => [key, key, { ttl: 10 * (key + 1) }]))
    for (const key of map.keys()) assert.equal(map.ttlOf(key), 10 * (key + 1))
    assert.equal(map.size, 2)
    close()
  })

  it('is checked before anything is written', () => {
    const map = new TypedMap()
    for (const options of [5, null, { ttl: 0 }, { ttl: '1' }, { more: 1 }]) {
      throwsTyped(
        () =>
          map.setMany([
            ['a', 1],
            ['b', 2, options]
          ]),
        'ERR_INVALID_OPTION'
      )
    }
    assert.equal(map.size, 0)
  })
})
