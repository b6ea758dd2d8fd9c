'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { refusesUnchanged } = require('../support/errors.js')
const { seededRandom } = require('../support/random.js')

require('../support/sound.js')

const MAX = Number.MAX_SAFE_INTEGER

// No two of these are the same key.
const STRINGS = [
  '',
  ' ',
  'a',
  'A',
  'ab',
  'a\0',
  '\0',
  '\0\0',
  'a\0b',
  '1',
  '-1',
  '0',
  '-0',
  'NaN',
  'null',
  'undefined',
  'true',
  'false',
  '1n',
  '\x7f',
  '\x80',
  '\xff',
  'é',
  'e\u0301',
  '€',
  '߿',
  'ࠀ',
  '\u2028',
  '\uffff',
  '\ufffe',
  '\ufeff',
  '\ufeffa',
  '😀',
  '😀😁',
  '\ufffd',
  '\ufffd\ufffd',
  'a\ufffd',
  '\ud800',
  '\udc00',
  '\ud83d',
  '\ude00',
  '\ude00\ud83d',
  '\ud800\ud800',
  'a\ud800',
  '\ud800a',
  '\ud800\ufffd',
  '\ufffd\ud800',
  '😀\ud83d',
  '__proto__',
  'constructor',
  'toString',
  'size'
]
const NUMBERS = [
  0,
  1,
  -1,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53,
  MAX,
  -MAX,
  0.1,
  -0.1,
  1.5,
  1e21,
  1e-7,
  Number.EPSILON,
  Number.MIN_VALUE,
  -Number.MIN_VALUE,
  Number.MAX_VALUE,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
  256,
  65_536,
  -256
]
const BIGINTS = [
  0n,
  1n,
  -1n,
  255n,
  256n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  -(2n ** 63n),
  2n ** 64n - 1n,
  2n ** 64n,
  -(2n ** 64n),
  2n ** 64n + 1n,
  2n ** 128n,
  -(2n ** 128n),
  2n ** 1000n,
  -(2n ** 1000n),
  10n ** 300n
]
const BYTES = [[], [0], [0, 0], [1], [255], [97], [0, 97], [97, 0], [1, 0, 0, 0]].map(list => Uint8Array.from(list))
const OTHERS = [undefined, null, true, false]
const PRIMITIVES = [...STRINGS, ...NUMBERS, ...BIGINTS, ...OTHERS]
const ALL = [...PRIMITIVES, ...BYTES]

const show = key => (typeof key === 'bigint' ? `${key}n` : typeof key === 'string' ? JSON.stringify(key) : String(key))
const filled = (keys, options) => {
  const map = new TypedMap(options)
  for (const [at, key] of keys.entries()) map.set(key, at)
  return map
}

describe('keys: which are the same', () => {
  it('every key of every kind is a key of its own', () => {
    const map = filled(ALL)
    assert.equal(map.size, ALL.length)
    ALL.forEach((key, at) => {
      assert.equal(map.get(key), at, show(key))
      assert.equal(map.has(key), true, show(key))
    })
  })

  it('a key comes back as it was passed', () => {
    const back = [...filled(ALL).keys()]
    assert.deepEqual(back, ALL)
    back.forEach((key, at) => {
      if (at < PRIMITIVES.length) assert.ok(Object.is(key, ALL[at]), show(ALL[at]))
      else assert.equal(Object.getPrototypeOf(key), Uint8Array.prototype)
    })
  })

  it('deleting one key keeps all others', () => {
    for (let gone = 0; gone < ALL.length; gone++) {
      const map = filled(ALL, { shards: 1 })
      assert.equal(map.delete(ALL[gone]), true, show(ALL[gone]))
      assert.equal(map.has(ALL[gone]), false)
      assert.equal(map.size, ALL.length - 1)
      assert.equal([...map.values()].includes(gone), false)
    }
  })

  it('a map with one shard distinguishes them like a map with many', () => {
    for (const shards of [1, 2, 64]) {
      const map = filled(ALL, { shards })
      for (const [at, key] of ALL.entries()) assert.equal(map.get(key), at, show(key))
    }
  })

  it('1, "1", 1n, true and the byte 1 are five keys', () => {
    const map = filled([1, '1', 1n, true, Uint8Array.of(1)])
    assert.equal(map.size, 5)
    assert.deepEqual([...map.values()], [0, 1, 2, 3, 4])
  })

  it('0 and -0 are one key, and NaN is one key', () => {
    const map = new TypedMap([
      [-0, 'zero'],
      [Number.NaN, 'not a number']
    ])
    assert.equal(map.get(0), 'zero')
    assert.equal(map.get(-0), 'zero')
    assert.equal(map.get(Number.NaN), 'not a number')
    // A NaN with other bits is the same NaN.
    const odd = new Float64Array(new BigUint64Array([0xfff8_0000_dead_beefn]).buffer)[0]
    assert.equal(map.get(odd), 'not a number')
    assert.ok(Object.is([...map.keys()][0], 0))
  })

  it('numbers are compared by value, however the engine holds them', () => {
    const map = new TypedMap()
    map.set(1, 'one')
    assert.equal(map.get(0.5 + 0.5), 'one')
    assert.equal(map.get(new Float64Array([1])[0]), 'one')
    map.set(2 ** 31, 'big')
    assert.equal(map.get(new Uint32Array([2 ** 31])[0]), 'big')
  })

  it('strings are compared by their code units, however the engine holds them', () => {
    const map = new TypedMap()
    const text = 'ein längerer Schlüssel mit € und 😀'
    map.set(text, 1)
    const rope = ['ein längerer ', 'Schlüssel mit ', '€ und 😀'].reduce((all, part) => all + part)
    const slice = `xx${text}yy`.slice(2, -2)
    const twoByte = `${text}€`.slice(0, -1)
    for (const same of [rope, slice, twoByte]) assert.equal(map.get(same), 1)
    // One byte per character and two bytes per character, the same text.
    map.set('latin', 2)
    assert.equal(map.get('€latin'.slice(1)), 2)
    assert.equal(map.get('é'), undefined)
    map.set('é', 3)
    assert.equal(map.get('€é'.slice(1)), 3)
    assert.equal(map.get('e\u0301'), undefined)
  })
})

describe('keys: strings', () => {
  it('lone surrogates are kept, and differ from each other and from U+FFFD', () => {
    const keys = ['\ud800', '\ud801', '\udc00', '\ufffd', 'x\ud800y', 'x\ufffdy', 'x\ud801y']
    const map = filled(keys)
    assert.equal(map.size, keys.length)
    assert.deepEqual([...map.keys()], keys)
    for (const [at, key] of keys.entries()) assert.equal(map.get(key), at)
  })

  it('a pair of surrogates is one character, whatever pieces it was made from', () => {
    const map = new TypedMap([['😀', 1]])
    assert.equal(map.get(['\ud83d', '\ude00'].join('')), 1)
    assert.equal(map.get('\ude00\ud83d'), undefined)
  })

  it('every length around the buffer sizes works, in every width', () => {
    const map = new TypedMap()
    const lengths = []
    for (let length = 0; length <= 80; length++) lengths.push(length)
    for (const power of [127, 128, 255, 256, 511, 512, 1023, 1024, 2048, 4096, 8192, 16_384, 65_536]) {
      lengths.push(power - 1, power, power + 1)
    }
    const units = ['a', 'é', '€', '😀', '\ud800', '\ufffd']
    const keys = new Set()
    for (const unit of units) {
      for (const length of lengths) {
        keys.add(unit.repeat(length))
        keys.add(`${'a'.repeat(length)}${unit}`)
        keys.add(`${unit}${'a'.repeat(length)}`)
      }
    }
    const list = [...keys]
    for (const [at, key] of list.entries()) map.set(key, at)
    assert.equal(map.size, list.length)
    for (const [at, key] of list.entries()) assert.equal(map.get(key), at)
    let at = 0
    for (const key of map.keys()) assert.ok(key === list[at++], `key ${at} came back as another string`)
  })

  it('a key of megabytes is a key', () => {
    const map = new TypedMap()
    const keys = ['x'.repeat(5_000_000), `${'x'.repeat(5_000_000)}y`, '€'.repeat(2_000_000), '\udc00'.repeat(1_000_000)]
    for (const [at, key] of keys.entries()) map.set(key, at)
    for (const [at, key] of keys.entries()) assert.equal(map.get(key), at)
    for (const key of keys) assert.equal(map.delete(key), true)
    assert.equal(map.size, 0)
  })

  it('any code units at all come back unharmed', t => {
    const random = seededRandom(t)
    // Few code units, so that surrogates meet in every order.
    const units = [0, 0x61, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xfffd, 0xffff]
    const model = new Map()
    const map = new TypedMap()
    for (let at = 0; at < 20_000; at++) {
      const length = random.below(8) === 0 ? random.below(300) : random.below(6)
      const key = String.fromCharCode(...Array.from({ length }, () => random.pick(units)))
      model.set(key, at)
      map.set(key, at)
    }
    assert.equal(map.size, model.size)
    for (const [key, value] of model) assert.equal(map.get(key), value, JSON.stringify(key))
    assert.deepEqual([...map.keys()], [...model.keys()])
  })
})

describe('keys: bytes', () => {
  it('are compared by content', () => {
    const map = new TypedMap()
    map.set(Uint8Array.of(1, 2, 3), 'bytes')
    assert.equal(map.get(Uint8Array.of(1, 2, 3)), 'bytes')
    assert.equal(map.get(Uint8Array.of(0, 1, 2, 3, 4).subarray(1, 4)), 'bytes')
    assert.equal(map.get(Buffer.from([1, 2, 3])), 'bytes')
    assert.equal(map.get(Uint8Array.of(1, 2)), undefined)
    assert.equal(map.size, 1)
  })

  it('are taken at the time of the call', () => {
    const map = new TypedMap()
    const key = Uint8Array.of(1, 2, 3)
    map.set(key, 'before')
    key[0] = 9
    assert.equal(map.get(key), undefined)
    assert.equal(map.get(Uint8Array.of(1, 2, 3)), 'before')
  })

  it('come back as a copy of the caller alone', () => {
    const map = new TypedMap([[Uint8Array.of(1, 2, 3), 'x']])
    const [first] = map.keys()
    first[0] = 9
    const [second] = map.keys()
    assert.deepEqual(second, Uint8Array.of(1, 2, 3))
    assert.notEqual(first.buffer, second.buffer)
    assert.equal(second.buffer.byteLength, 3)
  })

  it('of a shared buffer are bytes too', () => {
    const map = new TypedMap()
    const shared = new Uint8Array(new SharedArrayBuffer(4))
    shared.set([1, 2, 3, 4])
    map.set(shared, 'shared')
    assert.equal(map.get(Uint8Array.of(1, 2, 3, 4)), 'shared')
  })

  it('of a detached buffer are no bytes, and change nothing else', () => {
    const map = new TypedMap([['a', 1]])
    const key = Uint8Array.of(1, 2, 3)
    structuredClone(key.buffer, { transfer: [key.buffer] })
    assert.equal(map.get(key), undefined)
    map.set(key, 'empty')
    assert.equal(map.get(new Uint8Array()), 'empty')
    assert.equal(map.get('a'), 1)
  })

  it('long ones work', () => {
    const map = new TypedMap()
    const long = new Uint8Array(1_000_000).fill(7)
    map.set(long, 1)
    const other = long.slice()
    other[999_999] = 8
    assert.equal(map.get(long.slice()), 1)
    assert.equal(map.get(other), undefined)
  })
})

describe('keys: invalid keys', () => {
  const REFUSED = {
    symbol: Symbol('s'),
    'registered symbol': Symbol.for('s'),
    object: {},
    array: ['a'],
    function: () => {},
    class: TypedMap,
    date: new Date(0),
    map: new Map(),
    'string object': Object('text'),
    'number object': Object(1),
    Int8Array: new Int8Array(1),
    Uint16Array: new Uint16Array(1),
    Float64Array: new Float64Array(1),
    Uint8ClampedArray: new Uint8ClampedArray(1),
    ArrayBuffer: new ArrayBuffer(1),
    DataView: new DataView(new ArrayBuffer(1))
  }

  for (const [name, key] of Object.entries(REFUSED)) {
    it(`${name} is a TypeError that changes nothing`, () => {
      const map = new TypedMap([['a', 1]])
      const expected = { kind: TypeError, says: [/key/i] }
      const calls = [
        () => map.get(key),
        () => map.has(key),
        () => map.delete(key),
        () => map.remove(key),
        () => map.getHandle(key),
        () => map.set(key, 1),
        () => map.insertWithHandle(key, 1),
        () => map.getOrInsert(key, 1),
        () => map.getOrInsertComputed(key, () => 1),
        () => map.getMany(['a', key]),
        () => map.deleteMany(['a', key]),
        () =>
          map.setMany([
            ['b', 1],
            [key, 1]
          ]),
        () =>
          map.updateMany([
            ['a', 2],
            [key, 1]
          ])
      ]
      for (const call of calls) refusesUnchanged(map, call, 'ERR_KEY_TYPE', expected)
      assert.equal(map.get('a'), 1)
    })
  }

  it('the details name the argument and the actual value', () => {
    const map = new TypedMap()
    const error = refusesUnchanged(map, () => map.set(Symbol('s'), 1), 'ERR_KEY_TYPE', { kind: TypeError })
    assert.equal(error.details.argument, 'key')
    assert.match(String(error.details.given), /symbol/i)
    assert.match(error.message, /symbol/i)
    assert.match(error.message, /Uint8Array/)
  })
})
