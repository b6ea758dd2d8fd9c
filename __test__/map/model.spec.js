'use strict'

// Long random sequences of operations, each answer compared with that of a Map.
//
//   TEST_SEED=n    repeats the sequence that a failed run printed
//   MODEL_STEPS=n  steps per configuration, 100,000 unless given
//
// The promises: every operation answers as the model does; iterators begun at any time and continued at any other agree
// with those of the model; a handle reads its entry until that is deleted or cleared and nothing ever after; an
// operation that throws changes nothing; a read through one reference sees what was written through another.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap, TypedMapError } = require('../..')
const { refuseForeignMemoryForTest } = require('../../lib/addon/load.js')
const { seededRandom } = require('../support/random.js')

require('../support/sound.js')

/** Asked of the error itself: what `throws` of Deno looks at is its prototypes. */
const isOurs = error => error instanceof TypedMapError

const STEPS = Number(process.env.MODEL_STEPS ?? 100_000)
/** Full comparisons are as slow as the map is large, so they come at this distance. */
const STEPS_PER_COMPARISON = 2_000
/** From time to time the sequence turns from growing to shrinking, so that tables move in both directions. */
const STEPS_PER_PHASE = 6_000
const MOST_HANDLES = 300
const LONGEST_LOG = 15

const ODD_KEYS = [
  undefined,
  null,
  true,
  false,
  Number.NaN,
  -0,
  0,
  '0',
  0n,
  '',
  0.5,
  -1.5,
  2 ** 40,
  2n ** 70n,
  -(2n ** 70n),
  '\ud800',
  '\ufffd',
  'é',
  '€',
  'a\0b',
  Number.POSITIVE_INFINITY,
  'x'.repeat(3_000)
]

/** What Map takes for the same key: bytes by content, everything else by itself. */
const tokenOfAny = key => (key instanceof Uint8Array ? `bytes:${key.join()}` : key)

/** Spellings of one key, where case is ignored: some have another length in bytes. */
const SPELLINGS = ['key', 'KEY', 'Key', '\u212aey', '\u212aEY']

/** The same for a map that ignores case. The strings here have one lower case each, but for the sign of Kelvin. */
const tokenOfSpelling = key => (typeof key === 'string' ? key.replaceAll('\u212a', 'k').toLowerCase() : tokenOfAny(key))

function sameValue(actual, expected) {
  if (Object.is(actual, expected)) return true
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null) return false
  if (Object.getPrototypeOf(actual) !== Object.getPrototypeOf(expected)) return false
  if (ArrayBuffer.isView(actual)) return Buffer.compare(bytesOf(actual), bytesOf(expected)) === 0
  return JSON.stringify(actual) === JSON.stringify(expected)
}

const bytesOf = view => Buffer.from(view.buffer, view.byteOffset, view.byteLength)

class Sequence {
  #random
  #maps
  /** token → { key, value, handle }: the entries in the order of a Map; those without a key have an object as token. */
  #model = new Map()
  /** Handles that were returned, each with its entry, dead ones included. */
  #held = []
  #iterators = []
  #log = []
  #growing = true
  #ignoresCase

  /** Native code looks into no value of a codec. */
  #hasCodec

  constructor(random, maps, { codec, caseInsensitiveKeys = false }) {
    this.#random = random
    this.#maps = maps
    this.#hasCodec = codec !== undefined
    this.#ignoresCase = caseInsensitiveKeys
  }

  run(steps) {
    const operations = Object.entries(OPERATIONS)
      .filter(([name]) => !this.#hasCodec || !OF_JSON.includes(name))
      .flatMap(([name, weight]) => Array(weight).fill(name))
    for (let step = 1; step <= steps; step++) {
      const name = this.#random.pick(operations)
      try {
        this[name](this.#random.pick(this.#maps))
        const { size } = this.#random.pick(this.#maps)
        assert.equal(size, this.#model.size, 'size')
        if (step % STEPS_PER_COMPARISON === 0) this.compare()
      } catch (error) {
        const log = this.#log.join('\n  ')
        error.message = `step ${step} (${name}), seed ${this.#random.seed}: ${error.message}\n  ${log}`
        throw error
      }
      if (step % STEPS_PER_PHASE === 0) this.#growing = !this.#growing
    }
    this.compare()
  }

  compare() {
    for (const map of this.#maps) {
      const entries = map.entries()
      for (const [token, entry] of this.#model) {
        const { value, done } = entries.next()
        assert.equal(done, false, 'too few entries')
        this.#sameKey(value[0], token, entry)
        this.#same(value[1], entry.value)
      }
      assert.equal(entries.next().done, true, 'too many entries')
    }
  }

  #say(...words) {
    const short = words.map(word => {
      const text =
        typeof word === 'bigint' ? `${word}n` : typeof word === 'string' ? word : (JSON.stringify(word) ?? '')
      return text.length > 80 ? `${text.slice(0, 80)}…` : text
    })
    this.#log.push(short.join(' '))
    if (this.#log.length > LONGEST_LOG) this.#log.shift()
  }

  #same(actual, expected) {
    if (!sameValue(actual, expected)) assert.deepStrictEqual(actual, expected)
  }

  #sameKey(actual, token, entry) {
    if (typeof token === 'object' && token !== null) assert.equal(actual.id, entry.handle.id)
    else this.#same(actual, entry.key)
  }

  #tokenOf(key) {
    return this.#ignoresCase ? tokenOfSpelling(key) : tokenOfAny(key)
  }

  #key() {
    const random = this.#random
    switch (random.below(8)) {
      case 0:
        return random.pick(ODD_KEYS)
      case 1:
        return Uint8Array.from({ length: random.below(3) }, () => random.below(3))
      case 2:
      case 3:
        return random.below(64)
      case 4:
        return `${this.#ignoresCase ? random.pick(SPELLINGS) : 'key'} ${random.below(64)}`
      default:
        return this.#growing ? random.below(20_000) : random.below(64)
    }
  }

  #value() {
    const random = this.#random
    switch (random.below(10)) {
      case 0:
        return random.pick([undefined, null, true, false, -0, Number.NaN, '', 7n ** 40n, '\ud83d', '\ufffd'])
      case 1:
        return random.below(2 ** 32) - 2 ** 31
      case 2:
        return random.next()
      case 3:
        return 'v'.repeat(random.below(200))
      case 4:
        return Uint8Array.from({ length: random.below(40) }, () => random.below(256))
      case 5:
        return Float64Array.of(random.next(), random.next())
      case 6:
        return Array.from({ length: random.below(5) }, () => random.below(10))
      case 7:
        return { text: '€'.repeat(random.below(2_000)) }
      default:
        return { id: random.below(1_000), nested: { list: [random.below(10)] } }
    }
  }

  #hold(handle, token) {
    const entry = this.#model.get(token)
    entry.handle = handle
    const held = { handle, token, entry }
    if (this.#held.length < MOST_HANDLES) this.#held.push(held)
    else this.#held[this.#random.below(MOST_HANDLES)] = held
  }

  #isAlive({ token, entry }) {
    return this.#model.get(token) === entry
  }

  #store(key, value) {
    const token = this.#tokenOf(key)
    const entry = this.#model.get(token)
    if (entry) entry.value = value
    // Map keeps 0 for -0.
    else this.#model.set(token, { key: Object.is(key, -0) ? 0 : key, value, handle: undefined })
    return token
  }

  set(map) {
    const key = this.#key()
    const value = this.#value()
    this.#say('set', key, value)
    assert.equal(map.set(key, value), map)
    this.#store(key, value)
  }

  get(map) {
    const key = this.#key()
    this.#say('get', key)
    this.#same(map.get(key), this.#model.get(this.#tokenOf(key))?.value)
  }

  getTwice(map) {
    const key = this.#key()
    this.#say('get twice', key)
    const first = map.get(key)
    const second = map.get(key)
    this.#same(second, this.#model.get(this.#tokenOf(key))?.value)
    this.#same(first, second)
  }

  has(map) {
    const key = this.#key()
    this.#say('has', key)
    assert.equal(map.has(key), this.#model.has(this.#tokenOf(key)))
  }

  delete(map) {
    const key = this.#key()
    this.#say('delete', key)
    assert.equal(map.delete(key), this.#model.delete(this.#tokenOf(key)))
  }

  /** Shrinks faster than keys drawn at random would. */
  deleteOldest(map) {
    if (this.#growing) return
    const tokens = []
    for (const [token, { key, handle }] of this.#model) {
      tokens.push([token, typeof token === 'object' && token !== null ? handle : key])
      if (tokens.length === 20) break
    }
    this.#say('delete the oldest', tokens.length)
    for (const [token, item] of tokens) {
      assert.equal(map.delete(item), true)
      this.#model.delete(token)
    }
  }

  remove(map) {
    const key = this.#key()
    this.#say('remove', key)
    this.#same(map.remove(key), this.#model.get(this.#tokenOf(key))?.value)
    this.#model.delete(this.#tokenOf(key))
  }

  clear(map) {
    if (!this.#random.oneIn(40)) return
    this.#say('clear')
    map.clear()
    this.#model.clear()
  }

  /** Steps on whatever is there: what is no number stays as it is. */
  increment(map) {
    const key = this.#random.oneIn(2) ? this.#key() : `counter ${this.#random.below(20)}`
    const by = this.#random.pick([undefined, 1, -3, 0.5, 2 ** 40, 1n, -(2n ** 65n)])
    this.#say('increment', key, by)
    const entry = this.#model.get(this.#tokenOf(key))
    const zero = typeof by === 'bigint' ? 0n : 0
    const before = entry === undefined ? zero : entry.value
    if (typeof before !== typeof zero) {
      assert.throws(() => map.increment(key, by), { code: 'ERR_WRONG_TYPE' })
      return
    }
    const sum = before + (by ?? 1)
    if (typeof sum === 'number' && !(Math.abs(sum) <= Number.MAX_SAFE_INTEGER)) {
      assert.throws(() => map.increment(key, by), { code: 'ERR_OUT_OF_RANGE' })
      return
    }
    this.#same(map.increment(entry === undefined || this.#random.oneIn(2) ? key : map.getHandle(key), by), sum)
    this.#store(key, sum)
  }

  update(map) {
    const key = this.#key()
    const value = this.#random.oneIn(3) ? undefined : this.#value()
    this.#say('update', key, value)
    const entry = this.#model.get(this.#tokenOf(key))
    const seen = []
    const written = map.update(key, before => {
      seen.push(before)
      // Something comes in between.
      if (seen.length === 1 && this.#random.oneIn(3)) map.set(`beside ${this.#random.below(3)}`, 1) && map.delete(key)
      return value
    })
    this.#same(seen[0], entry?.value)
    for (let n = 0; n < 3; n++) map.delete(`beside ${n}`)
    if (seen.length === 2) this.#same(seen[1], undefined)
    if (seen.length === 2 || value === undefined) this.#model.delete(this.#tokenOf(key))
    if (value !== undefined) this.#store(key, value)
    this.#same(written, value)
  }

  compareAndSet(map) {
    const key = this.#key()
    const entry = this.#model.get(this.#tokenOf(key))
    const expects = this.#random.oneIn(3) ? this.#value() : entry?.value
    const value = this.#value()
    this.#say('compareAndSet', key, expects, value)
    const target = entry === undefined || this.#random.oneIn(2) ? key : map.getHandle(key)
    const { swapped, value: after } = map.compareAndSet(target, expects, value)
    if (entry !== undefined && expects === entry.value) assert.equal(swapped, true)
    if (entry === undefined) assert.equal(swapped, false)
    // Another value may be equal.
    if (swapped) {
      this.#same(expects, entry.value)
      this.#store(key, value)
    }
    this.#same(after, swapped ? value : entry?.value)
  }

  getOrInsert(map) {
    const key = this.#key()
    const value = this.#value()
    this.#say('getOrInsert', key, value)
    const token = this.#tokenOf(key)
    if (!this.#model.has(token)) this.#store(key, value)
    this.#same(map.getOrInsert(key, value), this.#model.get(token).value)
  }

  getOrInsertComputed(map) {
    const key = this.#key()
    const value = this.#value()
    this.#say('getOrInsertComputed', key, value)
    const token = this.#tokenOf(key)
    const present = this.#model.has(token)
    let calls = 0
    const back = map.getOrInsertComputed(key, () => {
      calls++
      return value
    })
    assert.equal(calls, present ? 0 : 1)
    if (!present) this.#store(key, value)
    this.#same(back, this.#model.get(token).value)
  }

  insert(map) {
    const value = this.#value()
    this.#say('insert', value)
    const handle = map.insert(value)
    const token = {}
    this.#model.set(token, { key: undefined, value, handle })
    this.#hold(handle, token)
  }

  insertWithHandle(map) {
    const key = this.#key()
    const value = this.#value()
    this.#say('insertWithHandle', key, value)
    const handle = map.insertWithHandle(key, value)
    this.#hold(handle, this.#store(key, value))
  }

  getHandle(map) {
    const key = this.#key()
    this.#say('getHandle', key)
    const handle = map.getHandle(key)
    const token = this.#tokenOf(key)
    assert.equal(handle !== undefined, this.#model.has(token))
    if (handle) this.#hold(handle, token)
  }

  getByHandle(map) {
    if (this.#held.length === 0) return
    const held = this.#random.pick(this.#held)
    const handle = this.#random.oneIn(4) ? map.handle({ ...held.handle }) : held.handle
    this.#say('get by handle', held.handle)
    const expected = this.#isAlive(held) ? held.entry.value : undefined
    this.#same(map.get(handle), expected)
    this.#same(map.getByHandle(handle), expected)
    assert.equal(map.has(handle), this.#isAlive(held))
  }

  replace(map) {
    if (this.#held.length === 0) return
    const held = this.#random.pick(this.#held)
    const value = this.#value()
    this.#say('replace', held.handle, value)
    if (this.#isAlive(held)) {
      map.replace(held.handle, value)
      held.entry.value = value
    } else {
      assert.throws(() => map.replace(held.handle, value), isOurs)
    }
  }

  deleteByHandle(map) {
    if (this.#held.length === 0) return
    const held = this.#random.pick(this.#held)
    this.#say('delete by handle', held.handle)
    const alive = this.#isAlive(held)
    if (this.#random.oneIn(2)) assert.equal(map.delete(held.handle), alive)
    else this.#same(map.remove(held.handle), alive ? held.entry.value : undefined)
    if (alive) this.#model.delete(held.token)
  }

  /** Keys and handles for a batch, each with what the model holds there. */
  #items() {
    return Array.from({ length: this.#random.below(12) }, () => {
      const held = this.#held.length > 0 && this.#random.oneIn(3) ? this.#random.pick(this.#held) : undefined
      if (held === undefined) {
        const key = this.#key()
        return { item: key, token: this.#tokenOf(key), isThere: () => this.#model.has(this.#tokenOf(key)) }
      }
      return { item: held.handle, token: held.token, isThere: () => this.#isAlive(held) }
    })
  }

  getMany(map) {
    const items = this.#items()
    this.#say('getMany', items.length)
    const values = map.getMany(items.map(({ item }) => item))
    assert.equal(values.length, items.length)
    items.forEach(({ token, isThere }, at) => {
      this.#same(values[at], isThere() ? this.#model.get(token).value : undefined)
    })
  }

  setMany(map) {
    const entries = Array.from({ length: this.#random.below(12) }, () => [this.#key(), this.#value()])
    this.#say('setMany', entries.length)
    assert.equal(map.setMany(entries), map)
    for (const [key, value] of entries) this.#store(key, value)
  }

  insertMany(map) {
    const values = Array.from({ length: this.#random.below(4) }, () => this.#value())
    this.#say('insertMany', values.length)
    map.insertMany(values).forEach((handle, at) => {
      const token = {}
      this.#model.set(token, { key: undefined, value: values[at], handle })
      this.#hold(handle, token)
    })
  }

  deleteMany(map) {
    const items = this.#items()
    this.#say('deleteMany', items.length)
    const deleted = map.deleteMany(items.map(({ item }) => item))
    let expected = 0
    for (const { token, isThere } of items) {
      if (!isThere()) continue
      this.#model.delete(token)
      expected++
    }
    assert.equal(deleted, expected)
  }

  updateMany(map) {
    const items = this.#items()
    const values = items.map(() => this.#value())
    this.#say('updateMany', items.length)
    const updated = map.updateMany(items.map(({ item }, at) => [item, values[at]]))
    let expected = 0
    items.forEach(({ token, isThere }, at) => {
      if (!isThere()) return
      this.#model.get(token).value = values[at]
      expected++
    })
    assert.equal(updated, expected)
  }

  startIterator(map) {
    this.#say('start an iterator')
    const pair = { real: map.entries(), model: this.#model.entries() }
    if (this.#iterators.length < 4) this.#iterators.push(pair)
    else this.#iterators[this.#random.below(4)] = pair
  }

  stepIterator() {
    if (this.#iterators.length === 0) return
    const { real, model } = this.#random.pick(this.#iterators)
    const steps = this.#random.below(60)
    this.#say('step an iterator', steps)
    for (let step = 0; step < steps; step++) {
      const actual = real.next()
      const expected = model.next()
      assert.equal(actual.done ?? false, expected.done ?? false, 'done')
      if (expected.done) return
      const [token, entry] = expected.value
      this.#sameKey(actual.value[0], token, entry)
      this.#same(actual.value[1], entry.value)
    }
  }

  misuse(map) {
    this.#say('misuse')
    const key = this.#key()
    const refused = this.#random.pick([
      () => map.set({}, 1),
      () => map.set(key, () => {}),
      () => map.set(key, this.#hasCodec ? { n: Promise.resolve() } : { n: 1n }),
      () =>
        map.setMany([
          [key, 1],
          [Symbol('s'), 2]
        ]),
      () => map.updateMany([[key, Symbol('s')]]),
      () => map.deleteMany([key, {}]),
      () => map.insert(Symbol('s'))
    ])
    assert.throws(refused, isOurs)
  }
}

/** How often each operation is drawn. */
const OPERATIONS = {
  set: 14,
  get: 10,
  getTwice: 8,
  has: 4,
  delete: 6,
  deleteOldest: 3,
  remove: 3,
  clear: 1,
  increment: 4,
  update: 3,
  compareAndSet: 4,
  getOrInsert: 3,
  getOrInsertComputed: 3,
  insert: 4,
  insertWithHandle: 3,
  getHandle: 3,
  getByHandle: 10,
  replace: 4,
  deleteByHandle: 3,
  getMany: 3,
  setMany: 3,
  insertMany: 2,
  deleteMany: 2,
  updateMany: 3,
  startIterator: 1,
  stepIterator: 4,
  misuse: 1
}

/** Those that look into values. */
const OF_JSON = ['increment', 'compareAndSet']

const CONFIGURATIONS = {
  'with its near cache': {},
  'without a near cache': { nearCache: false },
  'with a near cache of one entry': { nearCache: { maxEntries: 1 } },
  'with one shard': { shards: 1 },
  'with a codec': { codec: 'v8' },
  'that ignores case': { caseInsensitiveKeys: true, hash: 'siphash' },
  'on an engine that refuses shared memory': {}
}

describe('model', () => {
  for (const [name, options] of Object.entries(CONFIGURATIONS)) {
    it(`a map ${name} answers like a Map, for ${STEPS.toLocaleString('en')} random steps`, t => {
      const random = seededRandom(t)
      // Two references to one map, so that what one of them cached is changed behind its back.
      refuseForeignMemoryForTest(name.includes('refuses'))
      const maps = [1, 2].map(() => TypedMap.open(`model ${name} ${random.seed}`, options))
      try {
        new Sequence(random, maps, options).run(STEPS)
      } finally {
        for (const map of maps) map.close()
        refuseForeignMemoryForTest(false)
      }
    })
  }
})
