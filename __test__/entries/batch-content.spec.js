'use strict'

// What crosses in a batch arrives as it went, whatever stands beside it.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')

require('../support/sound.js')

const LONG = 'long '.repeat(2_000)

/** Strings that an encoding could harm, short and longer than any buffer. */
const STRINGS = [
  '',
  '\0',
  'a\0b',
  '\ud800',
  '\udc00',
  'lone \ud800 inside',
  'reversed \udc00\ud800',
  'pair 😀',
  '\ufffd',
  'real \ufffd beside lone \udfff',
  'é',
  '€',
  '\x7f\x80\xff',
  'exactly8',
  'exactly8é',
  '😀'.repeat(170),
  'x'.repeat(510),
  'x'.repeat(511),
  'x'.repeat(512),
  `${'x'.repeat(511)}€`,
  `${'x'.repeat(510)}😀`,
  LONG,
  `${LONG}\ud83d`,
  `${LONG}é\ufffd`,
  '[',
  '"',
  ',',
  '"],["'
]

const KEYS = [
  ...STRINGS,
  ...[0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 0.5, -0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53],
  ...[0n, 1n, -1n, 2n ** 64n, -(2n ** 200n)],
  ...[true, false, null, undefined]
]

const VALUES = [
  ...STRINGS,
  ...STRINGS.map(text => ({ [text]: text })),
  ...STRINGS.map(text => [text, { text }]),
  ...[0, -0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 0.1, Number.NaN, Number.NEGATIVE_INFINITY, 5e-324, 2 ** 53],
  ...[0n, -1n, 2n ** 65n],
  ...[true, false, null, undefined],
  ...[[], {}, [[]], [null], { a: { b: [1, 2, { c: null }] } }],
  ...[new Uint8Array([0, 255]), Buffer.from('é'), new Float64Array([-0, Number.NaN]), new Uint16Array(0)]
]

/** Numbers that look random and are the same in each run. */
function* numbers(seed) {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state / 2 ** 32
  }
}

const OPTIONS = [{}, { nearCache: false }, { nearCache: { maxEntries: 1 } }]

describe('a batch harms nothing that it carries', () => {
  for (const options of OPTIONS) {
    const setting = JSON.stringify(options)

    it(`every key, every value, ${setting}`, () => {
      const map = new TypedMap(options)
      const expected = new Map(KEYS.map((key, n) => [key, VALUES[n]]))
      map.setMany(expected)
      assert.deepEqual(map.getMany(KEYS), [...expected.values()])
      assert.deepEqual([...map.keys()], [...expected.keys()])
      for (const [key, value] of expected) assert.deepEqual(map.get(key), value)
      const handles = map.insertMany(VALUES)
      assert.deepEqual(map.getMany(handles), VALUES)
      for (const [n, handle] of handles.entries()) assert.deepEqual(map.get(handle), VALUES[n])
      assert.equal(map.deleteMany([...KEYS, ...handles]), KEYS.length + handles.length)
      assert.equal(map.size, 0)
    })

    it(`random mixtures of keys, handles and values, as single operations would do it, ${setting}`, () => {
      const [batched, single] = [new TypedMap(options), new TypedMap(options)]
      const random = numbers(7)
      const below = count => Math.floor(random.next().value * count)
      const draw = list => list[below(list.length)]
      const handles = []
      for (let round = 0; round < 150; round++) {
        const values = Array.from({ length: below(40) }, () => draw(VALUES))
        const one = values.map(value => single.insert(value))
        for (const [n, handle] of batched.insertMany(values).entries()) handles.push([handle, one[n]])
        const entries = Array.from({ length: below(40) }, () => [draw(KEYS), draw(VALUES)])
        batched.setMany(entries)
        for (const [key, value] of entries) single.set(key, value)
        const items = Array.from({ length: below(40) }, () => (below(2) ? draw(handles) : undefined) ?? draw(KEYS))
        const of = which => items.map(item => (Array.isArray(item) ? item[which] : item))
        const changes = items.map(() => draw(VALUES))
        const alive = of(1).map((item, n) => {
          const isThere = single.has(item)
          if (isThere) single.set(item, changes[n])
          return isThere
        })
        assert.equal(batched.updateMany(of(0).map((item, n) => [item, changes[n]])), alive.filter(Boolean).length)
        assert.deepEqual(
          batched.getMany(of(0)),
          of(1).map(item => single.get(item))
        )
        const gone = below(items.length)
        assert.equal(
          batched.deleteMany(of(0).slice(0, gone)),
          of(1)
            .slice(0, gone)
            .filter(item => single.delete(item)).length
        )
      }
      assert.deepEqual([...batched.values()], [...single.values()])
    })
  }

  it('objects with more JSON text together than is read at once', () => {
    const map = new TypedMap()
    const values = Array.from({ length: 3_000 }, (_, n) =>
      n % 7 === 0 ? `text ${n}` : { n, text: 'é'.repeat(n % 300) }
    )
    map.setMany(values.map((value, n) => [n, value]))
    const uncached = new TypedMap({ nearCache: false })
    uncached.setMany(map)
    for (const one of [map, uncached]) {
      const read = one.getMany(values.keys())
      assert.deepEqual(read, values)
      assert.ok(read.every(value => Object.isFrozen(value)))
    }
  })

  it('values larger than everything that waits', () => {
    const map = new TypedMap({ nearCache: false })
    const values = [
      { text: 'x'.repeat(300_000) },
      1,
      'y'.repeat(300_000),
      { n: 2 },
      new Uint8Array(300_000).fill(3),
      { n: 4 }
    ]
    assert.deepEqual(map.getMany(map.insertMany(values)), values)
  })
})

describe('a batch inside a batch', () => {
  it('started by a toJSON does not affect the outer one', () => {
    const map = new TypedMap({ nearCache: false })
    map.setMany([
      ['a', 1.5],
      ['b', { b: 2 }]
    ])
    const reader = {
      toJSON() {
        map.setMany([
          ['inner', 0.25],
          ['a', 7]
        ])
        return { read: map.getMany(['b', 'inner', 'a', 'missing']), handles: map.insertMany([1, 'two']).length }
      }
    }
    map.setMany([
      [1, 0.5],
      [2, reader],
      [3, 3],
      ['four', reader],
      [5, true]
    ])
    const read = { read: [{ b: 2 }, 0.25, 7, null], handles: 2 }
    assert.deepEqual(map.getMany([1, 2, 3, 'four', 5]), [0.5, read, 3, read, true])
  })

  it('that fails does not affect the next one', () => {
    const map = new TypedMap({ nearCache: false })
    for (let round = 0; round < 3; round++) {
      const failing = {
        toJSON() {
          throw new Error('no')
        }
      }
      assert.throws(() =>
        map.setMany([
          ['a', 1],
          ['b', failing]
        ])
      )
      assert.throws(() => map.getMany([Symbol('s')]))
      assert.equal(map.setMany([['a', { round }]]).size, 1)
      assert.deepEqual(map.getMany(['a', 'b']), [{ round }, undefined])
    }
  })
})
