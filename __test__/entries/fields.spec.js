'use strict'

require('../support/sound.js')

// Fields without their values: what `at` leads to is what `get` and a walk lead to, however the value is stored and
// wherever it is read from.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../../index.js')
const { throwsTyped } = require('../support/errors.js')
const { RandomValues } = require('../support/random-values.js')
const { seededRandom } = require('../support/random.js')
const { attachRaw } = require('../support/raw-binding.js')
const { KIND } = require('../../lib/native/layout.js')

const VALUES = 1_500
/** Pointers that are tried of one value. */
const POINTERS = 12

const escaped = name => name.replaceAll('~', '~0').replaceAll('/', '~1')
const unescaped = token => token.replaceAll('~1', '/').replaceAll('~0', '~')

/** What a pointer leads to, as RFC 6901 says it. */
function follow(value, pointer) {
  let at = value
  for (const token of pointer.split('/').slice(1)) {
    if (Array.isArray(at)) at = /^(0|[1-9]\d*)$/.test(token) ? at[Number(token)] : undefined
    else if (at !== null && typeof at === 'object') {
      const found = Object.entries(at).find(([name]) => name === unescaped(token))
      at = found?.[1]
    } else return undefined
  }
  return at
}

/** All pointers that lead somewhere. */
function pointersOf(value, before = '', found = ['']) {
  if (typeof value !== 'object' || value === null) return found
  for (const [name, member] of Object.entries(value)) {
    const pointer = `${before}/${escaped(name)}`
    found.push(pointer)
    pointersOf(member, pointer, found)
  }
  return found
}

const WRONG = ['/-', '/0', '/00', '/1', '/length', '/toString', '/__proto__', '/', '/nope', '/~0', '/~1', '/4294967295']

/** Some of both kinds, and beginnings that lead on in another way. */
function somePointers(value, random) {
  const all = pointersOf(value)
  return Array.from({ length: POINTERS }, () => {
    const pointer = random.pick(all)
    if (random.oneIn(3)) return pointer + random.pick(WRONG)
    return random.oneIn(12) ? pointer.slice(0, -1).replace(/~$/, '') : pointer
  }).filter(pointer => pointer === '' || pointer.startsWith('/'))
}

const isNumbers = value => Array.isArray(value) && value.every(number => typeof number === 'number')

/** Everything about one field of one entry. */
function compareField(map, target, value, at) {
  const where = `${at} of ${JSON.stringify(value).slice(0, 1_000)}`
  const expected = follow(value, at)
  const found = map.get(target, { at })
  assert.deepStrictEqual(found, expected, where)
  assert.equal(JSON.stringify(found), JSON.stringify(expected), where)
  const own = map.get(target, { at, copy: true })
  assert.deepStrictEqual(own, expected, where)
  if (typeof found === 'object' && found !== null) {
    assert.ok(Object.isFrozen(found), where)
    assert.ok(!Object.isFrozen(own) || Object.keys(own).length === 0, where)
    assert.notEqual(map.get(target, { at, copy: true }), own, where)
  }
  for (const as of ['f32', 'f64']) {
    if (expected !== undefined && !isNumbers(expected)) {
      throwsTyped(() => map.get(target, { at, as }), 'ERR_WRONG_TYPE')
      continue
    }
    const numbers = map.get(target, { at, as })
    const View = as === 'f32' ? Float32Array : Float64Array
    assert.deepStrictEqual(numbers, expected && new View(expected), where)
  }
}

describe('fields', () => {
  for (const nearCache of [false, undefined]) {
    it(`random fields are what the whole value has, nearCache: ${nearCache}`, t => {
      const random = seededRandom(t)
      const map = new TypedMap({ nearCache })
      const values = new RandomValues(random)
      for (let n = 0; n < VALUES; n++) {
        const make = values.next()
        const text = JSON.stringify(make().value)
        const { value } = make()
        if (text === undefined || typeof value !== 'object') continue
        const isKey = random.oneIn(2)
        const target = isKey ? n % 10 : map.insert(value)
        if (isKey) map.set(target, value)
        // In half of the cases there is a copy.
        if (random.oneIn(2)) map.get(target)
        const plain = JSON.parse(text)
        for (const at of somePointers(plain, random)) compareField(map, target, plain, at)
        if (!isKey) map.delete(target)
      }
      const { shapes } = map.getStats()
      assert.ok(shapes.count > 5, `${shapes.count} shapes`)
      map.close()
    })
  }

  const session = { id: 7, user: { name: 'ada', tags: ['a', 'b'] }, 'a/b': { '~': 1 }, steps: [{ x: 1 }, { x: 2.5 }] }
  /** As text at first, and as a record once it comes back. */
  const stored = nearCache => {
    const map = new TypedMap({ nearCache })
    for (const key of ['text', 'second', 'record']) map.set(key, session)
    return map
  }

  it('gives one field of a record and of a text', () => {
    const map = stored(false)
    for (const key of ['text', 'record']) {
      assert.equal(map.get(key, { at: '/user/name' }), 'ada')
      assert.equal(map.get(key, { at: '/steps/1/x' }), 2.5)
      assert.equal(map.get(key, { at: '/a~1b/~0' }), 1)
      assert.deepEqual(map.get(key, { at: '/steps' }), session.steps)
      assert.deepEqual(map.get(key, { at: '' }), session)
      assert.equal(map.getByHandle(map.getHandle(key), { at: '/user/tags/1' }), 'b')
      for (const at of [
        '/steps/2',
        '/steps/01',
        '/steps/-',
        '/steps/length',
        '/user/name/0',
        '/toString',
        '/a/b',
        '/'
      ]) {
        assert.equal(map.get(key, { at }), undefined, at)
      }
    }
    assert.equal(map.get('none', { at: '/id' }), undefined)
    map.close()
  })

  it('of what is no object there is nothing but the whole', () => {
    const map = new TypedMap()
    const bytes = new Uint8Array([1, 2])
    for (const value of ['text', '\ud800', 5, 0.5, 5n, true, null, undefined, bytes, new Float32Array(2)]) {
      map.set('key', value)
      for (const at of ['/0', '/length', '/']) assert.equal(map.get('key', { at }), undefined)
      assert.deepEqual(map.get('key', { at: '' }), value)
    }
    map.close()
  })

  it('names of any kind lead to their members', () => {
    const names = [
      '__proto__',
      'constructor',
      '',
      ' ',
      '"',
      '\\',
      '\n',
      'é',
      '日',
      '😀',
      '\ud800',
      '~',
      '/',
      '~1',
      '\0'
    ]
    const make = () => {
      const object = {}
      for (const [index, name] of names.entries()) {
        Object.defineProperty(object, name, { value: { index }, enumerable: true })
      }
      return object
    }
    const map = new TypedMap({ nearCache: false })
    // Records do not have the first of them, so what has it is text.
    for (const key of [1, 2, 3]) map.set(key, make())
    for (const [index, name] of names.entries()) {
      assert.equal(map.get(3, { at: `/${escaped(name)}/index` }), index, name)
    }
    assert.equal(map.get(3, { at: '/\ufffd' }), undefined)
    map.close()
  })

  it('a pointer may be longer than native code follows', () => {
    const map = new TypedMap({ nearCache: false })
    let value = [1]
    for (let depth = 0; depth < 300; depth++) value = { a: value }
    map.set('deep', value)
    for (const depth of [63, 64, 65, 299, 300]) {
      assert.equal(
        JSON.stringify(map.get('deep', { at: '/a'.repeat(depth) })).length,
        3 + 6 * (300 - depth),
        String(depth)
      )
    }
    assert.equal(map.get('deep', { at: `${'/a'.repeat(300)}/0` }), 1)
    assert.equal(map.get('deep', { at: '/a'.repeat(301) }), undefined)
    assert.equal(map.get('deep', { at: `/${'x'.repeat(100_000)}` }), undefined)
    map.close()
  })

  it('a field of a copy at hand is a hit, and one that is read natively is not kept', () => {
    const map = stored(undefined)
    map.get('record')
    const { entries, hits } = map.getStats().nearCache
    const user = map.get('record', { at: '/user' })
    assert.equal(user, map.get('record').user)
    assert.equal(map.getStats().nearCache.hits, hits + 2)
    map.get('text', { at: '/user' })
    assert.equal(map.getStats().nearCache.entries, entries)
    map.set('record', { ...session, id: 8 })
    assert.equal(map.get('record', { at: '/id' }), 8)
    map.close()
  })

  it('a private copy is unfrozen and the map does not notice', () => {
    for (const map of [stored(false), stored(undefined)]) {
      for (const key of ['text', 'record']) {
        map.get(key)
        const own = map.get(key, { at: '/user', copy: true })
        own.tags.push('c')
        own.name = 'eve'
        assert.deepEqual(map.get(key, { at: '/user' }), session.user)
      }
      map.close()
    }
  })

  it('the type is checked first', () => {
    const map = new TypedMap()
    const handle = map.insert({ a: 1 }, { type: 'A' })
    map.get(handle)
    assert.equal(map.get(handle, { at: '/a', type: 'A' }), 1)
    for (const options of [{ at: '/a' }, { at: '/b' }, { at: '' }, { at: '/a', as: 'f32' }]) {
      const { details } = throwsTyped(() => map.get(handle, { ...options, type: 'B' }), 'ERR_WRONG_TYPE')
      assert.deepEqual(details, { expected: 'B', found: 'A' })
    }
    map.delete(handle)
    assert.equal(map.get(handle, { at: '/a', type: 'B' }), undefined)
    map.close()
  })

  describe('typed arrays', () => {
    const embedding = Array.from({ length: 1_536 }, (_, index) => Math.sin(index))
    const lists = {
      doubles: embedding,
      floats: embedding.map(Math.fround),
      bytes: embedding.map((_, index) => (index % 256) - 128),
      shorts: embedding.map((_, index) => index * 20 - 15_000),
      integers: embedding.map((_, index) => index * 1_000_003 - 2 ** 29),
      far: [1e300, -1e300, 5e-324, 2 ** 53, 16_777_217, 1e-45, 3.5e38],
      empty: []
    }
    for (const nearCache of [false, undefined]) {
      for (const [name, list] of Object.entries(lists)) {
        it(`${name}, nearCache: ${nearCache}`, () => {
          const map = new TypedMap({ nearCache })
          for (const key of ['text', 'second', 'record']) map.set(key, { before: 'text', list, after: [{ list }] })
          map.set('bare', list)
          const ways = ['text', 'record'].flatMap(key => [`${key}:/list`, `${key}:/after/0/list`])
          for (const way of [...ways, 'bare:']) {
            const [key, at] = way.split(':')
            for (const round of [1, 2]) {
              const f32 = map.get(key, { at, as: 'f32' })
              assert.deepStrictEqual(f32, Float32Array.from(list), `${way} ${round}`)
              assert.deepStrictEqual(map.get(key, { at, as: 'f64' }), Float64Array.from(list), `${way} ${round}`)
              // Each is the caller's.
              f32.fill(7)
              assert.equal(f32.byteLength, f32.buffer.byteLength)
              map.get(key)
            }
          }
          map.close()
        })
      }
    }

    it('of anything else are refused, saying what was found', () => {
      for (const nearCache of [false, undefined]) {
        const map = new TypedMap({ nearCache })
        const value = {
          text: 'a',
          number: 5,
          yes: true,
          none: null,
          object: {},
          mixed: [1, 'x'],
          nulls: [1, null],
          in: [[1]]
        }
        for (const key of ['first', 'second', 'third']) map.set(key, value)
        map.set('bytes', new Float32Array(3))
        map.set('big', 5n)
        map.set('undefined', undefined)
        map.get('third')
        const found = {
          'third:/text': 'a string',
          'third:/number': 'the number 5',
          'third:/yes': 'true',
          'third:/none': 'null',
          'third:/object': 'an object',
          'third:': 'an object',
          'third:/mixed': 'an array with a string in it',
          'third:/mixed/0': 'the number 1',
          'third:/nulls': 'an array with null in it',
          'third:/in': 'an array with an array in it',
          'bytes:': 'a typed array',
          'big:': 'a bigint'
        }
        for (const [way, noun] of Object.entries(found)) {
          const [key, at] = way.split(':')
          const error = throwsTyped(() => map.get(key, { at, as: 'f64' }), 'ERR_WRONG_TYPE')
          assert.deepEqual(error.details, { at, expected: 'an array of numbers', found: noun })
          assert.equal(error.message, `expected an array of numbers at '${at}', found ${noun}`)
        }
        for (const [key, at] of [
          ['third', '/nope'],
          ['bytes', '/0'],
          ['undefined', ''],
          ['missing', '']
        ]) {
          assert.equal(map.get(key, { at, as: 'f32' }), undefined)
        }
        map.close()
      }
    })
  })

  it('wrong arguments are refused by name', () => {
    const map = stored(undefined)
    for (const at of ['id', 'a/b', ' /id', '#/id', '/~', '/~2', '/a~', '/~~0', 5, null, ['id'], {}]) {
      const { details } = throwsTyped(() => map.get('text', { at }), 'ERR_INVALID_OPTION')
      assert.equal(details.option, 'at')
      assert.match(details.allowed, /JSON pointer/)
    }
    for (const as of ['f16', '', 'F32', 32, null, Float32Array]) {
      const { details } = throwsTyped(() => map.get('text', { at: '/id', as }), 'ERR_INVALID_OPTION')
      assert.deepEqual([details.option, details.allowed], ['as', "'f32', 'f64'"])
    }
    assert.equal(throwsTyped(() => map.get('text', { as: 'f32' }), 'ERR_INVALID_OPTION').details.option, 'as')
    assert.equal(map.get('text', { at: undefined, as: undefined }).id, 7)
    throwsTyped(() => map.get({}, { at: '/id' }), 'ERR_KEY_TYPE')
    throwsTyped(() => map.getByHandle('text', { at: '/id' }), 'ERR_KEY_TYPE')
    const handle = map.getHandle('text')
    const other = new TypedMap()
    assert.equal(other.get(handle, { at: '/id' }), undefined)
    map.close()
    throwsTyped(() => map.get('text', { at: '/id' }), 'ERR_CLOSED')
    other.close()
  })

  it('what is stored malformed is an error', () => {
    const raw = attachRaw()
    const { id } = raw.opened(null)
    for (const text of ['{"a":1', '{"a"', '[1', '{"a":1}}', '']) {
      raw.set(id, 'text', text, KIND.Json)
      assert.throws(() => raw.field(id, '/a/b', 0, 'text'), { number: 1020 }, text)
    }
    raw.set(id, 'text', '{"a":{"b":1},"a":{"c":[2]}}', KIND.Json)
    assert.equal(raw.field(id, '/a/b', 0, 'text'), undefined)
    assert.equal(raw.field(id, '/a/c', 0, 'text'), '[2]')
    for (const at of ['a', 5, undefined, '/a'.repeat(65)]) {
      assert.throws(() => raw.field(id, at, 0, 'text'), { code: 'ERR_INTERNAL' }, String(at))
    }
    raw.close(id)
  })
})
