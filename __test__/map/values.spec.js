'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { contentOf, refusesUnchanged } = require('../support/errors.js')
const { seededRandom } = require('../support/random.js')

require('../support/sound.js')

/** Each way a value comes out of a map, fresh and cached, by key and by handle. */
function* readings(value) {
  const map = new TypedMap()
  map.set('key', value)
  yield ['get', map.get('key')]
  yield ['get again', map.get('key')]
  yield ['get a copy', map.get('key', { copy: true })]
  yield ['values()', map.values().next().value]
  yield ['entries()', map.entries().next().value[1]]
  const each = []
  map.forEach(given => {
    each.push(given)
  })
  yield ['forEach', each[0]]
  yield ['getMany', map.getMany(['key'])[0]]
  yield ['getOrInsert', map.getOrInsert('key', 'other')]
  yield ['getOrInsertComputed', map.getOrInsertComputed('key', () => 'other')]
  const found = map.getHandle('key')
  yield ['get(getHandle())', map.get(found)]
  yield ['get(getHandle()) again', map.get(found)]
  const handle = map.insert(value)
  yield ['get(handle)', map.get(handle)]
  yield ['getByHandle', map.getByHandle(handle)]
  yield ['getMany of handles', map.getMany([handle])[0]]
  yield ['insertWithHandle', map.get(map.insertWithHandle('other', value))]
  map.replace(handle, 'something else')
  map.replace(handle, value)
  yield ['replace', map.get(handle)]
  map.setMany([['batch', value]])
  yield ['setMany', map.get('batch')]
  map.updateMany([['batch', value]])
  yield ['updateMany', map.get('batch')]
  const [many] = map.insertMany([value])
  yield ['insertMany', map.get(many)]
  yield ['remove(handle)', map.remove(handle)]
  yield ['remove(key)', map.remove('key')]
  const computed = new TypedMap()
  yield ['getOrInsert of a new key', computed.getOrInsert('key', value)]
  yield ['getOrInsertComputed of a new key', computed.getOrInsertComputed('other', () => value)]
  yield ['get after getOrInsert', computed.get('key')]
}

const SCALARS = {
  undefined: undefined,
  null: null,
  true: true,
  false: false,
  0: 0,
  '-0': -0,
  1: 1,
  '-1': -1,
  'the largest int32': 2 ** 31 - 1,
  'the smallest int32': -(2 ** 31),
  'above int32': 2 ** 31,
  'below int32': -(2 ** 31) - 1,
  'the largest uint32': 2 ** 32 - 1,
  'the largest safe integer': Number.MAX_SAFE_INTEGER,
  'the smallest safe integer': Number.MIN_SAFE_INTEGER,
  0.1: 0.1,
  'the smallest number': Number.MIN_VALUE,
  'the largest number': Number.MAX_VALUE,
  infinity: Number.POSITIVE_INFINITY,
  'minus infinity': Number.NEGATIVE_INFINITY,
  NaN: Number.NaN,
  'an empty string': '',
  'a string': 'text',
  'a string of one character': 'x',
  'a string in latin1': 'façade',
  'a string beyond latin1': '€ and Ω',
  'a string beyond the BMP': '😀 and 𐍈',
  'a string with NUL': 'a\0b\0',
  'a string of NUL': '\0',
  'a lone high surrogate': '\ud800',
  'a lone low surrogate': '\udc00',
  'surrogates in the wrong order': '\udc00\ud800',
  'a lone surrogate inside': 'a\ud800b',
  'U+FFFD': '\ufffd',
  'U+FFFD and a lone surrogate': '\ufffd\ud800\ufffd',
  'a byte order mark': '\ufefftext',
  'a string that looks like JSON': '{"a":1}',
  'a string that looks like a number': '12',
  'a long string': 'long '.repeat(50_000),
  'a long string beyond latin1': '€uro '.repeat(50_000),
  'a long string with a surrogate at its end': `${'x'.repeat(100_000)}\ud83d`,
  '0n': 0n,
  '1n': 1n,
  '-1n': -1n,
  '2n ** 63n': 2n ** 63n,
  '-(2n ** 63n)': -(2n ** 63n),
  '2n ** 64n - 1n': 2n ** 64n - 1n,
  '2n ** 64n': 2n ** 64n,
  '-(2n ** 64n)': -(2n ** 64n),
  '2n ** 4096n + 1n': 2n ** 4096n + 1n,
  '-(3n ** 2000n)': -(3n ** 2000n)
}

describe('values: scalars come back as themselves', () => {
  for (const [name, value] of Object.entries(SCALARS)) {
    it(name, () => {
      for (const [how, back] of readings(value)) assert.ok(Object.is(back, value), how)
    })
  }
})

const BYTES = {
  'an empty Uint8Array': new Uint8Array(),
  Uint8Array: Uint8Array.of(0, 1, 127, 128, 255),
  Buffer: Buffer.from('some bytes'),
  'an empty Buffer': Buffer.alloc(0),
  Int8Array: Int8Array.of(-128, -1, 0, 127),
  Uint8ClampedArray: Uint8ClampedArray.of(0, 255),
  Int16Array: Int16Array.of(-32_768, 32_767),
  Uint16Array: Uint16Array.of(0, 65_535),
  Int32Array: Int32Array.of(-(2 ** 31), 2 ** 31 - 1),
  Uint32Array: Uint32Array.of(0, 2 ** 32 - 1),
  Float32Array: Float32Array.of(-0, 0.5, Number.NaN, Number.POSITIVE_INFINITY),
  Float64Array: Float64Array.of(-0, 0.1, Number.NaN, Number.MIN_VALUE),
  BigInt64Array: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n),
  BigUint64Array: BigUint64Array.of(0n, 2n ** 64n - 1n),
  'an empty Float64Array': new Float64Array(),
  'a long Uint8Array': new Uint8Array(300_000).map((_, at) => at * 7)
}
if (typeof Float16Array === 'function') BYTES.Float16Array = globalThis.Float16Array.of(1.5, -0, Number.NaN)

describe('values: bytes come back as their own kind', () => {
  for (const [name, value] of Object.entries(BYTES)) {
    it(name, () => {
      for (const [how, back] of readings(value)) {
        assert.equal(Object.getPrototypeOf(back), Object.getPrototypeOf(value), how)
        assert.deepEqual(back, value, how)
        assert.notEqual(back.buffer, value.buffer, how)
      }
    })
  }

  it('a view of a part stores that part alone', () => {
    const whole = Float64Array.of(1, 2, 3, 4)
    const map = new TypedMap([['part', whole.subarray(1, 3)]])
    const back = map.get('part')
    assert.deepEqual(back, Float64Array.of(2, 3))
    assert.equal(back.buffer.byteLength, 16)
  })

  it('are copied in and out, so that no caller can change the stored bytes', () => {
    const given = Uint8Array.of(1, 2, 3)
    const map = new TypedMap([['bytes', given]])
    given[0] = 9
    const first = map.get('bytes')
    assert.deepEqual(first, Uint8Array.of(1, 2, 3))
    first[1] = 9
    const second = map.get('bytes')
    assert.deepEqual(second, Uint8Array.of(1, 2, 3))
    assert.notEqual(first, second)
    const handle = map.getHandle('bytes')
    map.get(handle)[2] = 9
    assert.deepEqual(map.get(handle), Uint8Array.of(1, 2, 3))
    for (const value of map.values()) value.fill(0)
    assert.deepEqual(map.get('bytes'), Uint8Array.of(1, 2, 3))
  })

  it('of a shared buffer come back in a buffer of their own', () => {
    const shared = new Int32Array(new SharedArrayBuffer(8))
    shared[1] = 7
    const map = new TypedMap([['shared', shared]])
    const back = map.get('shared')
    assert.deepEqual([...back], [0, 7])
    assert.ok(back.buffer instanceof ArrayBuffer)
  })
})

const deep = levels => {
  let value = ['the end']
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? { inner: value } : [value]
  return value
}

const JSONS = {
  'an empty object': {},
  'an empty array': [],
  'a small object': { host: 'localhost', port: 8080, on: true, off: false, none: null },
  'nested ones': { a: [1, [2, { b: [{}] }]], c: { d: { e: [] } } },
  'an array of everything': [1, -1.5, 'x', '', true, false, null, [], {}],
  'odd names': { '': 1, ' ': 2, '\0': 3, 'a.b': 4, 1: 5, constructor: 6, toString: 7, '€': 8, '😀': 9 },
  'text with lone surrogates': { '\ud800': '\udc00', pair: '😀', mark: '\ufffd' },
  'text to be escaped': ['"', '\\', '\n', '\u2028', '\u0001', '</script>'],
  numbers: [0, 1e300, 1e-300, 123456789012345, 0.1 + 0.2],
  'a thousand records': Array.from({ length: 1_000 }, (_, id) => ({ id, name: `name ${id}`, tags: ['a', 'b'] })),
  'a deep one': deep(500)
}

describe('values: JSON comes back equal, and frozen to the ground', () => {
  const isFrozen = value => {
    if (typeof value !== 'object' || value === null) return
    assert.ok(Object.isFrozen(value))
    for (const inner of Object.values(value)) isFrozen(inner)
  }

  for (const [name, value] of Object.entries(JSONS)) {
    it(name, () => {
      for (const [how, back] of readings(value)) {
        assert.deepEqual(back, value, how)
        assert.notEqual(back, value, how)
        if (how !== 'get a copy') isFrozen(back)
      }
      assert.equal(Object.isFrozen(value), false, 'what the caller gave stays his')
    })
  }

  it('a private copy is the caller’s own, and may be changed', () => {
    const map = new TypedMap([['a', { list: [1, { two: 2 }] }]])
    const copy = map.get('a', { copy: true })
    copy.list[1].two = 3
    copy.list.push(4)
    copy.more = true
    assert.deepEqual(map.get('a'), { list: [1, { two: 2 }] })
    assert.notEqual(map.get('a', { copy: true }), map.get('a', { copy: true }))
    const handle = map.getHandle('a')
    const other = map.get(handle, { copy: true })
    other.list.length = 0
    assert.deepEqual(map.get(handle), { list: [1, { two: 2 }] })
  })

  it('a name __proto__ is a property and not a prototype', () => {
    const value = JSON.parse('{"__proto__":{"admin":true},"a":1}')
    const map = new TypedMap([['a', value]])
    const back = map.get('a')
    assert.equal(Object.getPrototypeOf(back), Object.prototype)
    assert.equal(back.admin, undefined)
    assert.deepEqual(Object.keys(back), ['__proto__', 'a'])
  })

  it('a value is stored as it is at the time of the call', () => {
    const given = { list: [1] }
    const map = new TypedMap([['a', given]])
    given.list.push(2)
    assert.deepEqual(map.get('a'), { list: [1] })
  })
})

describe('values: what is nested follows JSON.stringify', () => {
  const GIVEN = {
    'a date': new Date(0),
    'a date inside': { at: new Date(86_400_000) },
    'NaN and infinities inside': [Number.NaN, Number.POSITIVE_INFINITY, -0],
    'undefined inside': { a: undefined, b: [undefined], c: 1 },
    'functions and symbols inside': { f() {}, s: Symbol('s'), list: [() => {}, Symbol('s')], kept: 1 },
    'symbol keys inside': { [Symbol('s')]: 1, kept: 2 },
    'a string object': Object('text'),
    'a number object': { n: Object(1), b: Object(true) },
    'an instance': new (class Point {
      x = 1
      #y = 2
      get y() {
        return this.#y
      }
    })(),
    'an object without prototype': Object.assign(Object.create(null), { a: 1 }),
    'a toJSON': { a: { toJSON: name => `called for ${name}` } },
    'bytes inside': { bytes: Uint8Array.of(1, 2), buffer: Buffer.from('x') },
    'a sparse array': Object.assign(Array(3), { 0: 1, 2: 3 })
  }

  for (const [name, value] of Object.entries(GIVEN)) {
    it(name, () => {
      const expected = JSON.parse(JSON.stringify(value))
      for (const [how, back] of readings(value)) assert.deepEqual(back, expected, how)
    })
  }

  it('a toJSON at the top is called with the empty name, and returns the value', () => {
    const names = []
    const value = {
      toJSON(name) {
        names.push(name)
        return { given: true }
      }
    }
    const map = new TypedMap()
    map.set('a', value)
    assert.deepEqual(map.get('a'), { given: true })
    assert.deepEqual(names, [''])
  })
})

describe('values: what cannot be held is refused', () => {
  const cycle = { name: 'cycle' }
  cycle.self = cycle
  const ring = []
  ring.push({ ring })
  const failure = new Error('toJSON failed')
  const REFUSED = {
    'a function': () => {},
    'a class': class {},
    'a symbol': Symbol('s'),
    'a cycle': cycle,
    'a cycle through an array': ring,
    'a nested bigint': { n: 1n },
    'a bigint in an array': [1n],
    'an object with a toJSON that returns nothing': { toJSON: () => undefined },
    'an object with a toJSON that returns a function': { toJSON: () => () => {} },
    'an object with a toJSON that throws': {
      toJSON() {
        throw failure
      }
    },
    'an object with a getter that throws': {
      get broken() {
        throw failure
      }
    }
  }

  for (const [name, value] of Object.entries(REFUSED)) {
    it(`${name} leaves the map unchanged, whatever the method`, () => {
      const map = new TypedMap([
        ['a', 1],
        ['b', { two: 2 }]
      ])
      const handle = map.insert('keyless')
      const calls = [
        () => map.set('a', value),
        () => map.set('new', value),
        () => map.insert(value),
        () => map.insertWithHandle('new', value),
        () => map.getOrInsert('new', value),
        () => map.getOrInsertComputed('new', () => value),
        () => map.replace(handle, value),
        () =>
          map.setMany([
            ['a', 9],
            ['new', value]
          ]),
        () => map.insertMany([1, value]),
        () =>
          map.updateMany([
            ['a', 9],
            ['b', value]
          ])
      ]
      const before = contentOf(map)
      for (const call of calls) {
        const error = refusesUnchanged(map, call, 'ERR_VALUE_NOT_SERIALIZABLE', { kind: TypeError, says: [/value/i] })
        if (/throws$/.test(name)) assert.equal(error.cause, failure)
      }
      assert.deepEqual(contentOf(map), before)
      assert.throws(() => new TypedMap([['a', value]]), TypeError)
    })
  }
})

describe('values: generated ones', () => {
  function generate(random, depth) {
    const kind = random.below(depth > 0 ? 9 : 7)
    switch (kind) {
      case 0:
        return null
      case 1:
        return random.oneIn(2)
      case 2:
        return random.below(2 ** 32) - 2 ** 31
      case 3:
        return (random.next() - 0.5) * 10 ** random.below(30)
      case 4:
        return String.fromCharCode(...Array.from({ length: random.below(20) }, () => random.below(0x10000)))
      case 5:
        return 'x'.repeat(random.below(600))
      case 6:
        return String.fromCodePoint(...Array.from({ length: random.below(9) }, () => random.below(0xd800)))
      case 7:
        return Array.from({ length: random.below(6) }, () => generate(random, depth - 1))
      default:
        return Object.fromEntries(
          Array.from({ length: random.below(6) }, () => [generate(random, 0), generate(random, depth - 1)])
        )
    }
  }

  it('any JSON comes back equal', t => {
    const random = seededRandom(t)
    const map = new TypedMap()
    const model = new Map()
    for (let key = 0; key < 5_000; key++) {
      const value = generate(random, 4)
      map.set(key, value)
      // The text is what is promised: -0 inside is 0 there too.
      model.set(key, JSON.stringify(value))
    }
    for (const [key, text] of model) assert.equal(JSON.stringify(map.get(key)), text, `key ${key}`)
  })
})
