'use strict'

// Random values that `structuredClone` takes and JSON does not, through a map with codec 'v8'. Each is made twice
// alike: one is stored, the other is what every read has to give.
//
//   CODEC_VALUES=n  values, 2,000 unless given
//   TEST_SEED=n     where to begin, random unless given

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { Random, seededRandom } = require('../support/random.js')

require('../support/sound.js')

const COUNT = Number(process.env.CODEC_VALUES ?? 2_000)
const DEEPEST = 4

const ERRORS = [Error, TypeError, RangeError, SyntaxError, EvalError, ReferenceError, URIError]
const VIEWS = [Uint8Array, Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array]
VIEWS.push(Float32Array, Float64Array, BigInt64Array, BigUint64Array)
const NAMES = ['a', 'b', 'self', '__proto__', 'then', 'toJSON', 'length', '7', '4294967295', '', 'é', '日本', '\ud800']
const SCALARS = [
  undefined,
  null,
  true,
  false,
  0,
  -0,
  1,
  -1,
  2 ** 31,
  2 ** 53,
  0.1,
  Number.NaN,
  Number.POSITIVE_INFINITY
]
SCALARS.push('', 'a', 'é', 'Ā', '😀', '\ud800', '\0', 'long '.repeat(2_000), 0n, -1n, 2n ** 64n, -(2n ** 200n))

/** Makes values; two of one seed make the same ones. */
class Values {
  #random
  /** Objects made so far, which later ones may have inside: cycles, and one object in two places. */
  #made = []
  #kinds

  constructor(seed, kinds) {
    this.#random = new Random(seed)
    this.#kinds = kinds
  }

  next() {
    this.#made = []
    return this.#value(0)
  }

  #value(depth) {
    const random = this.#random
    if (random.oneIn(8) && this.#made.length > 0) return random.pick(this.#made)
    if (depth >= DEEPEST || random.oneIn(3)) return random.pick(SCALARS)
    const kind = random.pick(Object.keys(MAKERS))
    this.#kinds?.set(kind, (this.#kinds.get(kind) ?? 0) + 1)
    return MAKERS[kind](
      random,
      () => this.#value(depth + 1),
      made => this.#keep(made)
    )
  }

  #keep(made) {
    this.#made.push(made)
    return made
  }
}

const bytesOf = random => Array.from({ length: random.below(40) }, () => random.below(256))

/** @type {Record<string, (random: Random, value: () => any, keep: <T>(made: T) => T) => any>} */
const MAKERS = {
  object(random, value, keep) {
    const object = keep({})
    for (let count = random.below(6); count > 0; count--) {
      // As JSON.parse does it, so that `__proto__` is a property.
      const [name, content] = [random.pick(NAMES), value()]
      Object.defineProperty(object, name, { value: content, writable: true, enumerable: true, configurable: true })
    }
    return object
  },
  array(random, value, keep) {
    const array = keep([])
    for (let count = random.below(6); count > 0; count--) array.push(value())
    return array
  },
  sparse(random, value, keep) {
    const array = keep(new Array(random.below(50)))
    for (let count = random.below(4); count > 0; count--) array[random.below(60)] = value()
    if (random.oneIn(3)) array.named = value()
    return array
  },
  map(random, value, keep) {
    const map = keep(new Map())
    for (let count = random.below(5); count > 0; count--) map.set(value(), value())
    return map
  },
  set(random, value, keep) {
    const set = keep(new Set())
    for (let count = random.below(5); count > 0; count--) set.add(value())
    return set
  },
  date: (random, _, keep) => keep(new Date((random.next() - 0.5) * 1e15)),
  regExp: (random, _, keep) =>
    keep(new RegExp(random.pick(['', 'a+', '[/]', '\\u{1F600}']), random.pick(['', 'g', 'giu']))),
  error(random, _, keep) {
    const cause = random.oneIn(2) ? { cause: random.pick(SCALARS) } : undefined
    return keep(new (random.pick(ERRORS))(random.pick(['', 'message', 'é']), cause))
  },
  buffer: (random, _, keep) => keep(Buffer.from(bytesOf(random))),
  arrayBuffer: (random, _, keep) => keep(new Uint8Array(bytesOf(random)).buffer),
  dataView: (random, _, keep) => keep(new DataView(new Uint8Array(bytesOf(random)).buffer)),
  view(random, _, keep) {
    const View = random.pick(VIEWS)
    const start = random.below(3) * 8
    const { buffer } = new Uint8Array([...bytesOf(random), ...Array(64).fill(random.below(256))])
    return keep(new View(buffer, start, random.below(4)))
  },
  boxed: (random, _, keep) => keep(Object(random.pick([5, 'text', true, 7n])))
}

/** Whether `structuredClone` makes something else of it: it knows no Buffer. */
function hasBuffer(value, seen = new Set()) {
  if (typeof value !== 'object' || value === null || seen.has(value)) return false
  seen.add(value)
  if (Buffer.isBuffer(value)) return true
  const inner = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : []
  return [...inner, ...(ArrayBuffer.isView(value) ? [] : Object.values(value))].some(one => hasBuffer(one, seen))
}

describe('codec: random values', () => {
  it('come back from codec v8 as they were, by every way', t => {
    const { seed } = seededRandom(t)
    const kinds = new Map()
    const [given, expected] = [new Values(seed, kinds), new Values(seed, undefined)]
    const map = new TypedMap({ codec: 'v8' })
    for (let index = 0; index < COUNT; index++) {
      const [value, same] = [given.next(), expected.next()]
      const where = `value ${index}`
      map.set('set', value)
      map.setMany([['many', value]])
      const handle = map.insert(value)
      const reads = [map.get('set'), map.peek('many'), handle.get(), map.getOrInsert(`or ${index}`, value)]
      reads.push(...map.getMany(['many', handle]), ...map.values(), map.remove(handle), map.remove(`or ${index}`))
      for (const read of reads) assert.deepStrictEqual(read, same, where)
      if (!hasBuffer(same)) assert.deepStrictEqual(map.get('set'), structuredClone(same), where)
    }
    if (COUNT >= 2_000) for (const kind of Object.keys(MAKERS)) assert.ok((kinds.get(kind) ?? 0) > 10, kind)
    assert.equal(map.size, 2)
  })

  it('an invalid date stays one', () => {
    const map = new TypedMap({ codec: 'v8' })
    const read = map.set('a', new Date(Number.NaN)).get('a')
    assert.ok(read instanceof Date && Number.isNaN(read.getTime()))
  })

  it('keep cycles and one object in two places', () => {
    const map = new TypedMap({ codec: 'v8' })
    const shared = { bytes: new Uint8Array([1, 2]) }
    const value = { one: shared, two: shared, list: [] }
    value.list.push(value, new Map([[value, shared]]))
    map.set('a', value)
    const read = map.get('a')
    assert.equal(read.one, read.two)
    assert.equal(read.list[0], read)
    assert.equal(read.list[1].get(read), read.one)
  })
})
