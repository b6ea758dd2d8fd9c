'use strict'

require('../support/sound.js')

// Objects are stored as JSON.stringify writes them, to the letter, with the same code of the value run in the same
// order.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../../index.js')
const { jsonText } = require('../support/json-text.js')
const { seededRandom } = require('../support/random.js')

const point = new (class Point {
  x = 1
  #y = 2
  get y() {
    return this.#y
  }
})()
const withInherited = Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true }, hidden: { value: 3 } })
const named = Object.assign(() => {}, { toJSON: name => `called for ${name}` })

const GIVEN = {
  'an empty object': {},
  'an empty array': [],
  names: {
    '': 1,
    'a b': 2,
    '"': 3,
    '\\': 4,
    '\n': 5,
    '\ud800': 6,
    '😀': 7,
    2: 8,
    1: 9,
    __proto__: null,
    constructor: 10
  },
  'a name __proto__': JSON.parse('{"__proto__":{"a":1}}'),
  strings: [
    '',
    'a',
    '"',
    '\\',
    '\b\t\n\f\r',
    '\0\x1f\x7f',
    '\u2028',
    'é',
    '€',
    '😀',
    '\ud800',
    '\udc00x',
    'x'.repeat(33)
  ],
  'long strings': ['"'.repeat(99), 'é'.repeat(99), `${'x'.repeat(99)}\ud83d`],
  numbers: [0, -0, 1, -1, 0.1, 1e21, 1e-7, 5e-324, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY],
  'many numbers': Array.from({ length: 99 }, (_, n) => n / 3),
  'many numbers and one that is none': [...Array(40).keys(), Number.NaN, -0, 'x', { a: [1] }, ...Array(9).keys()],
  'many numbers and a hole': [...Array(20).keys(), undefined, 1],
  'many strings': Array(40).fill('x'),
  'many of all kinds': [...Array(20).keys(), null, true, undefined, () => {}, Symbol('s'), [], {}],
  'a hole at the end': [...Array(20).keys(), Symbol('s')],
  'left out': {
    a: undefined,
    f() {},
    s: Symbol('s'),
    [Symbol('k')]: 1,
    list: [undefined, () => {}, Symbol('s')],
    z: 0
  },
  'nothing left': { a: undefined, f() {} },
  'a sparse array': Object.assign(Array(3), { 1: 1, more: 2 }),
  'an instance': point,
  'inherited and hidden ones': withInherited,
  'no prototype': Object.assign(Object.create(null), { a: 1 }),
  wrappers: [Object(1), Object('text'), Object(true), { n: Object(-0) }],
  dates: [new Date(0), { at: new Date(Number.NaN) }],
  bytes: { bytes: Uint8Array.of(1, 2), buffer: Buffer.from('x'), floats: Float64Array.of(0.5) },
  'toJSON that is none': { toJSON: 1 },
  'toJSON inside': { a: { toJSON: name => [name] }, b: [{ toJSON: name => ({ name }) }] },
  'toJSON that gives one': { toJSON: () => ({ toJSON: () => 'not asked', a: 1 }) },
  'toJSON that gives nothing': { a: { toJSON() {} }, b: [{ toJSON() {} }, { toJSON: () => () => {} }] },
  'a function with a toJSON': { named, list: [named] },
  'an array with a toJSON': Object.assign([1], { toJSON: () => 'list' }),
  arguments: (function () {
    // biome-ignore lint/complexity/noArguments: this is what is given
    return arguments
  })(1, 2),
  'the same twice': (shared => [shared, { shared }])({ a: [1] }),
  'a proxy': new Proxy({ a: [1], b: 2 }, {}),
  'a proxy of an array': new Proxy([1, { a: 2 }], {})
}

describe('json: the text is that of JSON.stringify', () => {
  for (const [name, value] of Object.entries(GIVEN)) {
    it(name, () => {
      assert.equal(jsonText(value), JSON.stringify(value))
      assert.equal(jsonText({ inner: [value] }), JSON.stringify({ inner: [value] }))
    })
  }

  it('raw JSON, where there is such a thing', { skip: JSON.rawJSON === undefined }, () => {
    const value = { big: JSON.rawJSON('12345678901234567890'), list: [JSON.rawJSON('"x"')] }
    assert.equal(jsonText(value), JSON.stringify(value))
  })

  it('a bigint, where a program gave it a toJSON', t => {
    const prototype = BigInt.prototype
    prototype.toJSON = function () {
      return `${this}n`
    }
    t.after(() => Reflect.deleteProperty(prototype, 'toJSON'))
    assert.equal(jsonText({ a: 5n, b: [6n] }), '{"a":"5n","b":["6n"]}')
  })

  it('something that a program added to Object.prototype is left out', t => {
    Object.prototype.added = 1
    t.after(() => Reflect.deleteProperty(Object.prototype, 'added'))
    assert.equal(jsonText({ a: { b: 1 } }), '{"a":{"b":1}}')
  })

  it('more names than are kept', () => {
    const value = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`name ${n} ${'"'.repeat(n % 3)}`, n]))
    for (let round = 0; round < 2; round++) assert.equal(jsonText(value), JSON.stringify(value))
  })

  it('as deep as JSON.stringify goes in an engine where that is recursive', () => {
    let value = 'the end'
    // The stack of Node.js has room for 1,800 levels on x64 and, where a frame takes more, for 1,400 on arm64.
    for (let level = 0; level < 1_200; level++) value = level % 2 === 0 ? { inner: value } : [value]
    assert.equal(jsonText(value), JSON.stringify(value))
  })
})

/** A value with getters and methods `toJSON` that record their calls in `calls`. */
function generate(random, depth, calls) {
  const inner = () => generate(random, depth - 1, calls)
  switch (random.below(depth > 0 ? 15 : 8)) {
    case 0:
      return null
    case 1:
      return random.oneIn(2)
    case 2:
      return random.below(2 ** 32) - 2 ** 31
    case 3:
      return (random.next() - 0.5) * 10 ** random.below(30)
    case 4:
      return String.fromCharCode(...Array.from({ length: random.below(50) }, () => random.below(0x10000)))
    case 5:
      return 'x'.repeat(random.below(60))
    case 6:
      return [undefined, Symbol('s'), () => {}, Number.NaN, -0][random.below(5)]
    case 7:
      return [Object(1), Object('s'), new Date(random.below(1e9)), new Date(Number.NaN)][random.below(4)]
    case 8:
      return Array.from({ length: random.below(25) }, inner)
    case 9:
      return Array.from({ length: random.below(40) }, (_, n) => (random.oneIn(20) ? inner() : n))
    case 10: {
      const given = inner()
      const id = calls.length
      return {
        toJSON(name) {
          calls.push(`toJSON ${id} ${typeof name} ${name}`)
          return given
        }
      }
    }
    case 11: {
      const given = inner()
      const id = random.below(1e6)
      const object = { before: 1 }
      Object.defineProperty(object, 'got', {
        enumerable: true,
        get() {
          calls.push(`get ${id}`)
          return given
        }
      })
      object.after = inner()
      return object
    }
    case 12:
      return new Proxy({ a: inner(), b: inner() }, {})
    case 13:
      return Object.assign(Object.create(random.oneIn(2) ? null : { up: 1 }), { a: inner(), b: inner() })
    default:
      return Object.fromEntries(
        Array.from({ length: random.below(8) }, () => [
          random.oneIn(3) ? random.below(99) : 'n'.repeat(random.below(5)),
          inner()
        ])
      )
  }
}

describe('json: long texts', () => {
  // Each is written in several pieces, with an end of a piece at every kind of place.
  const many = make => Array.from({ length: 3_000 }, (_, at) => make(at))
  const member = at => [`name ${at}`, at % 7 === 0 ? undefined : at % 5 === 0 ? { at, text: 'é'.repeat(at % 50) } : at]
  const wide = Object.fromEntries(many(member))
  const LONG = {
    'a wide object': wide,
    'with nothing but what is left out at its end': {
      ...wide,
      ...Object.fromEntries(many(at => [`end ${at}`, undefined]))
    },
    'an array of mixed members': many(at => member(at)[1]),
    'an array of texts': many(at => `text ${at}`),
    'wide objects inside': { before: wide, list: [wide, [wide]], after: 1 },
    'members of any length': Object.fromEntries(many(at => [`name ${at}`, 'x'.repeat(at)]))
  }
  for (const [name, value] of Object.entries(LONG)) {
    it(name, () => {
      assert.equal(jsonText(value), JSON.stringify(value))
      const map = new TypedMap({ nearCache: false })
      for (let again = 0; again < 3; again++) {
        map.set('key', { value })
        assert.equal(JSON.stringify(map.get('key')), JSON.stringify({ value }))
        map.set('key', value)
        assert.equal(JSON.stringify(map.get('key')), JSON.stringify(value))
      }
      map.close()
    })
  }
})

describe('json: generated values', () => {
  it('have the text of JSON.stringify, and their code runs in the same order', t => {
    const random = seededRandom(t)
    for (let round = 0; round < 5_000; round++) {
      const calls = []
      const value = { value: generate(random, 4, calls) }
      calls.length = 0
      const expected = JSON.stringify(value)
      const expectedCalls = calls.splice(0)
      assert.equal(jsonText(value), expected)
      assert.deepEqual(calls, expectedCalls)
    }
  })
})
