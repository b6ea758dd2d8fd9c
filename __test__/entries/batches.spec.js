'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { Handle, TypedMap } = require('../..')
const { refusesUnchanged } = require('../support/errors.js')

require('../support/sound.js')

const three = () =>
  new TypedMap([
    ['a', 1],
    ['b', { two: 2 }],
    ['c', Uint8Array.of(3)]
  ])

/** A generator yields its items once, and its length is unknown before. */
function* once(items) {
  yield* items
}

describe('getMany', () => {
  it('returns the values in the order of the keys, undefined for missing keys', () => {
    const map = three()
    assert.deepEqual(map.getMany(['c', 'missing', 'a', 'b', 'a']), [Uint8Array.of(3), undefined, 1, { two: 2 }, 1])
  })

  it('takes keys and handles side by side', () => {
    const map = three()
    const keyless = map.insert('keyless')
    const dead = map.insert('dead')
    map.delete(dead)
    const foreign = new TypedMap().insert('foreign')
    assert.deepEqual(map.getMany([keyless, 'a', dead, map.getHandle('b'), foreign, undefined]), [
      'keyless',
      1,
      undefined,
      { two: 2 },
      undefined,
      undefined
    ])
  })

  it('takes any iterable, also an empty one', () => {
    const map = three()
    assert.deepEqual(map.getMany([]), [])
    assert.deepEqual(map.getMany(new Set(['a', 'b'])), [1, { two: 2 }])
    assert.deepEqual(map.getMany(once(['b', 'a'])), [{ two: 2 }, 1])
    assert.deepEqual(map.getMany(map.keys()), [...map.values()])
    assert.deepEqual(map.getMany('abc'), [1, { two: 2 }, Uint8Array.of(3)])
  })

  it('returns frozen objects, the cached ones where there are any', () => {
    const map = three()
    const cached = map.get('b')
    const [given] = map.getMany(['b'])
    assert.ok(Object.isFrozen(given))
    assert.deepEqual(given, cached)
  })

  it('counts a hit or a miss for each item', () => {
    const map = three()
    const { hits, misses } = map.getStats()
    map.getMany(['a', 'b', 'missing', 'a'])
    const after = map.getStats()
    assert.equal(after.hits - hits, 3)
    assert.equal(after.misses - misses, 1)
  })

  it('refuses what is not iterable', () => {
    for (const keys of [undefined, null, 1, {}, () => {}]) assert.throws(() => three().getMany(keys), TypeError)
  })
})

describe('setMany', () => {
  it('sets each entry in order, and returns the map', () => {
    const map = three()
    const result = map.setMany([
      ['d', 4],
      ['a', 'new'],
      ['d', 5]
    ])
    assert.equal(result, map)
    assert.deepEqual([...map.keys()], ['a', 'b', 'c', 'd'])
    assert.equal(map.get('a'), 'new')
    assert.equal(map.get('d'), 5)
  })

  it('takes what the constructor takes: maps, sets of entries, generators', () => {
    const entries = [
      ['x', 1],
      ['y', [2]]
    ]
    for (const given of [entries, new Map(entries), new Set(entries), once(entries), new TypedMap(entries)]) {
      assert.deepEqual([...new TypedMap().setMany(given)], entries)
    }
    assert.equal(new TypedMap().setMany([]).size, 0)
    const same = new TypedMap(entries)
    assert.deepEqual([...same.setMany(same)], entries)
  })

  it('of thousands of entries is like as many sets', () => {
    const entries = Array.from({ length: 20_000 }, (_, n) => [n % 15_000, { n }])
    const one = new TypedMap().setMany(entries)
    const other = new Map(entries)
    assert.equal(one.size, other.size)
    for (const [key, value] of one) assert.deepEqual(value, other.get(key))
    assert.deepEqual([...one.keys()], [...other.keys()])
  })
})

describe('insertMany', () => {
  it('returns a handle for each value, in order', () => {
    const map = three()
    const handles = map.insertMany(['x', { y: 1 }, undefined])
    assert.equal(map.size, 6)
    assert.ok(handles.every(handle => handle instanceof Handle))
    assert.deepEqual(map.getMany(handles), ['x', { y: 1 }, undefined])
    assert.deepEqual([...map.values()].slice(3), ['x', { y: 1 }, undefined])
    assert.deepEqual(map.insertMany([]), [])
    assert.equal(map.insertMany(once([1, 2])).length, 2)
  })

  it('of thousands of values returns thousands of different handles', () => {
    const map = new TypedMap()
    const handles = map.insertMany(Array.from({ length: 10_000 }, (_, n) => n))
    assert.equal(new Set(handles.map(({ id }) => id)).size, 10_000)
    assert.deepEqual(
      map.getMany(handles.toReversed()),
      Array.from({ length: 10_000 }, (_, n) => 9_999 - n)
    )
  })
})

describe('deleteMany', () => {
  it('says how many there were to delete', () => {
    const map = three()
    const keyless = map.insert(1)
    assert.equal(map.deleteMany(['a', 'missing', keyless, 'a', keyless]), 2)
    assert.deepEqual([...map.keys()], ['b', 'c'])
    assert.equal(map.deleteMany([]), 0)
    assert.equal(map.deleteMany(once(['b', 'c'])), 2)
    assert.equal(map.size, 0)
  })

  it('of its own keys empties a map', () => {
    const map = three()
    map.insert('keyless')
    assert.equal(map.deleteMany(map.keys()), 4)
    assert.equal(map.size, 0)
  })
})

describe('updateMany', () => {
  it('updates present entries, adds none, and returns the number of writes', () => {
    const map = three()
    const keyless = map.insert('old')
    const dead = map.insert('dead')
    map.delete(dead)
    const updated = map.updateMany([
      ['a', 'new'],
      ['missing', 1],
      [keyless, { new: true }],
      [dead, 2],
      [map.getHandle('b'), 'b2'],
      ['a', 'newest']
    ])
    assert.equal(updated, 4)
    assert.equal(map.size, 4)
    assert.equal(map.get('a'), 'newest')
    assert.equal(map.get('b'), 'b2')
    assert.equal(map.has('missing'), false)
    assert.deepEqual(map.get(keyless), { new: true })
    assert.deepEqual([...map.keys()].slice(0, 3), ['a', 'b', 'c'])
    assert.equal(map.updateMany([]), 0)
  })
})

describe('batches: all or nothing of a wrong argument', () => {
  const BAD_KEYS = [{}, Symbol('s'), () => {}]
  const BAD_VALUES = [() => {}, Symbol('s'), { n: 1n }]

  it('an invalid key stops a batch before its first write', () => {
    const map = three()
    for (const key of BAD_KEYS) {
      for (const call of [
        () =>
          map.setMany([
            ['a', 9],
            ['z', 9],
            [key, 9]
          ]),
        () => map.deleteMany(['a', 'b', key]),
        () =>
          map.updateMany([
            ['a', 9],
            [key, 9]
          ]),
        () => map.getMany(['a', key])
      ]) {
        refusesUnchanged(map, call, 'ERR_KEY_TYPE', { kind: TypeError })
      }
    }
  })

  it('a value that cannot be held stops a batch before its first write', () => {
    const map = three()
    for (const value of BAD_VALUES) {
      for (const call of [
        () =>
          map.setMany([
            ['a', 9],
            ['z', 9],
            ['b', value]
          ]),
        () => map.insertMany([1, 2, value]),
        () =>
          map.updateMany([
            ['a', 9],
            ['b', value]
          ])
      ]) {
        refusesUnchanged(map, call, 'ERR_VALUE_NOT_SERIALIZABLE', { kind: TypeError })
      }
    }
  })

  it('entries that are no entries, and iterables that throw, stop a batch before its first write', () => {
    const map = three()
    for (const entry of [undefined, null, 1, 'ab', true]) {
      assert.throws(() => map.setMany([['a', 9], entry]), TypeError)
      assert.throws(() => map.updateMany([['a', 9], entry]), TypeError)
    }
    const failure = new Error('no more')
    function* failing(first) {
      yield first
      throw failure
    }
    for (const call of [
      () => map.setMany(failing(['a', 9])),
      () => map.updateMany(failing(['a', 9])),
      () => map.insertMany(failing(9)),
      () => map.deleteMany(failing('a')),
      () => map.getMany(failing('a'))
    ]) {
      assert.throws(call, error => error === failure)
    }
    assert.deepEqual([...map], [...three()])
  })

  it('what is not iterable is a TypeError', () => {
    const map = three()
    for (const given of [undefined, null, 1, {}, () => {}]) {
      for (const name of ['getMany', 'setMany', 'insertMany', 'deleteMany', 'updateMany']) {
        assert.throws(() => map[name](given), TypeError, name)
      }
    }
    assert.deepEqual([...map], [...three()])
  })

  it('a batch may change the map it reads its items from', () => {
    const map = three()
    function* items() {
      yield ['a', 9]
      map.clear()
      yield ['b', 9]
    }
    assert.deepEqual(
      [...map.setMany(items())],
      [
        ['a', 9],
        ['b', 9]
      ]
    )
  })
})

// From 30,000 entries on a batch looks ahead, in groups of sixteen.
describe('batches in a large map', () => {
  it('do what single calls do, whatever their length', () => {
    const map = new TypedMap({ nearCache: false })
    const key = i => `key ${i}`
    const model = new Map(Array.from({ length: 40_000 }, (_, i) => [key(i), i]))
    map.setMany(model)
    const handles = [1, 2, 30_000].map(i => map.getHandle(key(i)))
    for (const length of [1, 15, 16, 17, 100]) {
      // Every third key is not there.
      const keys = Array.from({ length }, (_, i) => (i % 3 === 2 ? `no ${key(i)}` : key((i * 7_919) % 40_000)))
      assert.deepEqual(
        map.getMany(keys),
        keys.map(one => model.get(one))
      )
      assert.deepEqual(map.getMany([...handles, ...keys]), [1, 2, 30_000, ...keys.map(one => model.get(one))])
      const written = map.updateMany([[handles[0], 1], ...keys.map(one => [one, model.get(one) ?? -1])])
      assert.equal(written, 1 + keys.filter(one => model.has(one)).length)
      assert.equal(map.deleteMany(keys), keys.filter(one => model.has(one)).length)
      assert.deepEqual(
        map.getMany(keys),
        keys.map(() => undefined)
      )
      map.setMany(keys.filter(one => model.has(one)).map(one => [one, model.get(one)]))
    }
    assert.equal(map.size, 40_000)
    assert.deepEqual(new Map(map), model)
    map.destroy()
  })
})
