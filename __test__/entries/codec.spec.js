'use strict'

// Maps with a codec. `codec-methods.spec.js` goes through all methods, `codec-values.spec.js` through random values.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { inspect } = require('node:util')
const { Handle, TypedMap } = require('../..')
const { BytesCodec, CODECS } = require('../support/codecs.js')
const { contentOf, throwsTyped } = require('../support/errors.js')
const { until } = require('../support/turns.js')
const { nextMessage, startWorker } = require('../support/workers.js')

require('../support/sound.js')

let names = 0
const freshName = () => `codec ${process.pid} ${++names}`

/** A codec of JSON text, with some of its functions replaced. */
const codecOf = functions => ({
  contentType: 'text/x-json',
  encode: value => JSON.stringify([value]),
  decode: text => JSON.parse(text)[0],
  ...functions
})

/** A map whose codec can be made to fail. */
function failing(options) {
  const failure = new Error('from the codec')
  const fails = { encode: false, decode: false }
  const functions = codecOf()
  const check = (name, given) => {
    if (fails[name]) throw failure
    return functions[name](given)
  }
  const codec = codecOf({ encode: value => check('encode', value), decode: text => check('decode', text) })
  return { map: new TypedMap({ codec, ...options }), fails, failure }
}

const throwsSame = (call, error) => assert.throws(call, thrown => thrown === error)

describe('codec: option', () => {
  const REFUSED = [
    ['msgpack', RangeError, [/codec is 'msgpack'/, /'json', 'v8', or \{ encode, decode, contentType \}/]],
    ['JSON', RangeError],
    ['', RangeError],
    [5, TypeError, [/codec is 5/]],
    [null, TypeError],
    [true, TypeError],
    [[], TypeError],
    [() => 1, TypeError],
    [{}, TypeError, [/codec\.encode is undefined/, /function/]],
    [codecOf({ encode: 'x' }), TypeError, [/codec\.encode is 'x'/]],
    [codecOf({ decode: undefined }), TypeError, [/codec\.decode is undefined/]],
    [codecOf({ contentType: undefined }), TypeError, [/codec\.contentType is undefined/, /media type/]],
    [codecOf({ contentType: 5 }), TypeError],
    [codecOf({ contentType: '' }), RangeError],
    [codecOf({ contentType: 'v8' }), RangeError, [/contentType is 'v8'/]],
    [codecOf({ contentType: 'json' }), RangeError],
    [codecOf({ contentType: 'function' }), RangeError],
    [codecOf({ contentType: `text/${'x'.repeat(255)}` }), RangeError, [/255/]],
    [codecOf({ contentType: 'text/\ud800' }), RangeError]
  ]
  for (const [codec, kind, says = []] of REFUSED) {
    it(`refuses ${inspect(codec, { breakLength: Infinity, maxStringLength: 20 })}`, () => {
      for (const make of [() => new TypedMap({ codec }), () => TypedMap.open(freshName(), { codec })]) {
        throwsTyped(make, 'ERR_INVALID_OPTION', { kind, says })
      }
    })
  }

  it('json is the default', () => {
    const map = new TypedMap({ codec: 'json' })
    map.set('a', { b: [1] })
    assert.equal(map.get('a'), map.get('a'), 'shared')
    assert.ok(Object.isFrozen(map.get('a').b))
    assert.equal(map.get('a', { at: '/b/0' }), 1)
    throwsTyped(() => map.set('a', new Map()), 'ERR_VALUE_NOT_SERIALIZABLE')
  })

  it('functions are methods of the object, taken once', () => {
    class Prefixed {
      #prefix = 'p:'
      contentType = `text/${'x'.repeat(250)}`
      encode(value) {
        return this.#prefix + value
      }
      decode(text) {
        assert.ok(text.startsWith(this.#prefix))
        return text.slice(this.#prefix.length)
      }
    }
    const codec = new Prefixed()
    const map = new TypedMap({ codec })
    codec.encode = () => assert.fail('replaced later')
    codec.contentType = 5
    assert.equal(map.set('a', 'text').get('a'), 'text')
  })
})

describe('codec: open', () => {
  const custom = codecOf()
  const other = codecOf({ contentType: 'text/x-other' })

  const DIFFERENT = [
    ['json', 'v8', /codec is v8, but .* made with json/],
    [undefined, 'v8', /codec is v8, but .* made with json/],
    ['v8', 'json', /codec is json, but .* made with v8/],
    ['v8', custom, /codec is text\/x-json, but .* made with v8/],
    [custom, 'v8', /codec is v8, but .* made with text\/x-json/],
    [custom, other, /codec is text\/x-other, but .* made with text\/x-json/],
    [custom, undefined, /codec is missing, but .* made with text\/x-json/]
  ]
  for (const [made, given, message] of DIFFERENT) {
    it(`says that ${message.source}`, () => {
      const name = freshName()
      const map = TypedMap.open(name, { codec: made })
      map.set('a', 1)
      const error = throwsTyped(() => TypedMap.open(name, { codec: given }), 'ERR_INVALID_OPTION', { says: [message] })
      assert.equal(error.details.option, 'codec')
      assert.equal(map.get('a'), 1)
      map.close()
      assert.ok(!TypedMap.names().includes(name), 'the refused one holds nothing')
    })
  }

  it('a thread that gives none reads and writes as the map does', () => {
    const name = freshName()
    const map = TypedMap.open(name, { codec: 'v8' })
    const same = TypedMap.open(name)
    same.set('a', new Date(5))
    assert.deepStrictEqual(map.get('a'), new Date(5))
    throwsTyped(() => same.increment('b'), 'ERR_WRONG_TYPE')
    same.close()
    map.destroy()
  })

  it('each open uses its own functions', () => {
    const name = freshName()
    const map = TypedMap.open(name, { codec: custom })
    const loud = TypedMap.open(name, { codec: codecOf({ decode: text => JSON.parse(text)[0].toUpperCase() }) })
    map.set('a', 'text')
    assert.deepEqual([map.get('a'), loud.get('a')], ['text', 'TEXT'])
    loud.close()
    map.destroy()
  })
})

describe('codec: values', () => {
  const SCALARS = [
    undefined,
    null,
    true,
    false,
    0,
    -0,
    5,
    0.5,
    Number.NaN,
    -Infinity,
    '',
    'text',
    '\ud800',
    7n,
    -(2n ** 70n)
  ]
  for (const [name, make] of Object.entries(CODECS)) {
    it(`${name}: scalars pass through it, too`, () => {
      const codec = make()
      const map = new TypedMap({ codec })
      for (const [key, value] of SCALARS.entries()) map.set(key, value)
      if (name !== 'v8') assert.equal(codec.calls.encode, SCALARS.length)
      for (const [key, value] of SCALARS.entries()) {
        assert.ok(map.has(key))
        assert.ok(Object.is(map.get(key), value))
        assert.ok(Object.is(map.getHandle(key).get(), value))
      }
      if (name !== 'v8') assert.equal(codec.calls.decode, SCALARS.length * 2)
      assert.deepStrictEqual([...map.values()], SCALARS)
      assert.deepStrictEqual(map.getMany(map.keys()), SCALARS)
    })
  }

  it('each read decodes anew, and what a reader does to its value concerns no other', () => {
    for (const make of Object.values(CODECS)) {
      const map = new TypedMap({ codec: make() })
      const given = new Map([['a', [1]]])
      const handle = map.insertWithHandle('key', given)
      given.get('a').push(2)
      for (const read of [() => map.get('key'), () => map.get(handle), () => handle.get(), () => map.peek('key')]) {
        assert.deepStrictEqual(read(), new Map([['a', [1]]]))
        read().set('b', 1)
        read().get('a').push(3)
      }
      assert.deepStrictEqual(map.get('key'), new Map([['a', [1]]]))
      const { entries, hits } = map.getStats().nearCache
      assert.deepEqual({ entries, hits }, { entries: 0, hits: 0 })
    }
  })

  it('bytes inside a value are its own', () => {
    const map = new TypedMap({ codec: 'v8' })
    map.set('a', { one: Buffer.from('abcd'), two: new Float64Array([1, 2]) })
    const [first, second] = map.getMany(['a', 'a'])
    first.one.fill(0)
    first.two.fill(0)
    for (const value of [second, map.get('a'), [...map.values()][0]]) {
      assert.deepStrictEqual(value, { one: Buffer.from('abcd'), two: new Float64Array([1, 2]) })
    }
  })

  it('a codec of bytes gets a Uint8Array, one of text a string, both of any size', () => {
    for (const size of [0, 1, 100, 5_000, 300_000, 2_000_000]) {
      const bytes = new TypedMap({
        codec: codecOf({
          encode: length => new Uint8Array(length).fill(7),
          decode: given => {
            assert.equal(Object.getPrototypeOf(given), Uint8Array.prototype)
            assert.equal(given.buffer.byteLength, given.length, 'alone in its buffer')
            assert.ok(given.every(byte => byte === 7))
            return given.length
          }
        })
      })
      const text = new TypedMap({ codec: codecOf({ encode: n => 'é\0'.repeat(n), decode: given => given.length / 2 }) })
      const other = new TypedMap({ codec: codecOf({ encode: n => Buffer.alloc(n, 7), decode: given => given.length }) })
      for (const map of [bytes, text, other]) {
        map.setMany([['a', size]])
        assert.deepEqual([map.get('a'), map.getMany(['a'])[0], [...map.values()][0]], [size, size, size])
      }
    }
  })

  it('memory that a codec uses again is not mixed up', () => {
    const codec = new BytesCodec()
    const map = new TypedMap({
      codec,
      maxEntries: 4,
      evictionStrategy: ([first]) => {
        map.set(first.key, 'in')
        return first
      }
    })
    map.setMany([
      ['k1', 'one'],
      ['k2', 'second'],
      ['k3', 'the third']
    ])
    assert.deepEqual(map.getMany(['k1', 'k2', 'k3']), ['one', 'second', 'the third'])
    assert.deepEqual(
      map.insertMany(['a']).map(handle => handle.get()),
      ['a']
    )
    // The function writes while this one waits for room.
    map.set('k5', 'what was written')
    assert.equal(map.get('k5'), 'what was written')
    const returned = map.getOrInsert('k6', Buffer.from('abc'))
    map.set('k7', Buffer.from('xyz'))
    assert.deepStrictEqual(returned, Buffer.from('abc'))
  })

  it('a full map whose function writes keeps what the batch was given', () => {
    const map = new TypedMap({
      codec: new BytesCodec(),
      maxEntries: 2,
      evictionStrategy: ([first]) => {
        map.set(first.key, 'other')
        return first
      }
    })
    const entries = Array.from({ length: 20 }, (_, key) => [key, `value ${key}`])
    map.setMany(entries)
    for (const [key, value] of map) assert.equal(value, `value ${key}`)
    assert.equal(map.size, 2)
  })

  it('limits count what the codec makes', () => {
    const codec = codecOf({ encode: length => 'x'.repeat(length), decode: text => text.length })
    const map = new TypedMap({ codec, maxValueBytes: 1_000 })
    map.set('a', 1_000)
    throwsTyped(() => map.set('a', 1_001), 'ERR_VALUE_TOO_LARGE')
    throwsTyped(() => map.getOrInsert('b', 1_001), 'ERR_VALUE_TOO_LARGE')
    assert.deepEqual([...map], [['a', 1_000]])
    const before = map.memoryUsage('a')
    map.set('a', 10)
    assert.ok(before - map.memoryUsage('a') >= 900)
  })

  it('getOrInsert encodes nothing for a key that is there', () => {
    const codec = new BytesCodec()
    const map = new TypedMap({ codec })
    map.set('a', 1)
    assert.equal(map.getOrInsert('a', 2), 1)
    assert.deepEqual(map.getOrInsert('a', 2, { withState: true }), { value: 1, inserted: false })
    assert.equal(map.getOrInsert(map.getHandle('a'), 2), 1)
    assert.equal(codec.calls.encode, 1)
  })
})

describe('codec: what looks into values', () => {
  const CALLS = {
    'get with at': map => map.get('key', { at: '/a' }),
    'get with at of the whole value': map => map.get('key', { at: '' }),
    'get with at of a missing key': map => map.get('missing', { at: '/a' }),
    'get with at and as': map => map.get('key', { at: '/a', as: 'f32' }),
    'get by handle with at': map => map.get(map.getHandle('key'), { at: '/a' }),
    'getByHandle with at': map => map.getByHandle(map.getHandle('key'), { at: '/a', copy: true }),
    increment: map => map.increment('key'),
    'increment in a transaction': map => map.transaction(tx => tx.set('missing', 1).increment('key')),
    'increment of a missing key': map => map.increment('missing', 5n, { withTtl: true }),
    'increment by handle': map => map.increment(map.insert(1)),
    compareAndSet: map => map.compareAndSet('key', 1, 2)
  }
  for (const [what, call] of Object.entries(CALLS)) {
    it(`${what} is refused`, () => {
      for (const make of Object.values(CODECS)) {
        const map = new TypedMap({ codec: make() })
        map.set('key', { a: [1] })
        const error = throwsTyped(() => call(map), 'ERR_WRONG_TYPE', { says: [/needs a map with codec 'json'/] })
        assert.equal(error.details.expected, 'json')
        assert.ok(!map.has('missing'))
        map.close()
        throwsTyped(() => map.get('key', { at: '/a' }), 'ERR_CLOSED')
      }
    })
  }

  it('queries of keys are answered', async () => {
    const map = new TypedMap({ codec: 'v8' })
    map.set('a:1', new Date(1)).set('a:2', new Date(2)).set('b', new Date(3))
    const found = await map.find({ key: 'a:*' })
    assert.deepEqual(found.map(handle => handle.get().getTime()).sort(), [1, 2])
    assert.equal(await map.count({}), 3)
    assert.equal(await map.deletePrefix('a:'), 2)
    await assert.rejects(map.find({ key: 'b', where: { '/x': 1 } }), { code: 'ERR_WRONG_TYPE' })
  })

  it('wrong arguments are named first', () => {
    const map = new TypedMap({ codec: 'v8' })
    throwsTyped(() => map.get('key', { at: 'no pointer' }), 'ERR_INVALID_OPTION')
    throwsTyped(() => map.get('key', { as: 'f32' }), 'ERR_INVALID_OPTION')
  })
})

describe('codec: an encode that fails', () => {
  /** Every way to write. */
  const WRITES = {
    set: map => map.set('key', 2),
    'set by handle': map => map.set(map.getHandle('key'), 2),
    'set of a new key': map => map.set('new', 2),
    setMany: map => map.setMany([['new', 2]]),
    updateMany: map => map.updateMany([['key', 2]]),
    insert: map => map.insert(2),
    insertMany: map => map.insertMany([2]),
    insertWithHandle: map => map.insertWithHandle('new', 2),
    replace: map => map.replace(map.getHandle('key'), 2),
    getOrInsert: map => map.getOrInsert('new', 2),
    getOrInsertComputed: map => map.getOrInsertComputed('new', () => 2),
    'getOrInsertComputed with its state': map => map.getOrInsertComputed('new', () => 2, { withState: true }),
    update: map => map.update('key', () => 2),
    'update of a new key': map => map.update('new', () => 2),
    transaction: map => map.transaction(tx => tx.delete('key') && tx.set('new', 2)),
    'insert of a transaction': map => map.transaction(tx => tx.delete('key') && tx.insert(2))
  }

  for (const [what, write] of Object.entries(WRITES)) {
    it(`${what}: its error passes unchanged, and so does the map`, () => {
      const { map, fails, failure } = failing()
      map.set('key', 1)
      const before = contentOf(map)
      fails.encode = true
      throwsSame(() => write(map), failure)
      assert.deepEqual(contentOf(map), before)
    })

    it(`${what}: a result that is neither bytes nor text is refused`, () => {
      const results = [undefined, null, 5, 7n, true, Symbol('s'), () => 1, {}, [1], new ArrayBuffer(4)]
      results.push(new Uint16Array(4), new DataView(new ArrayBuffer(4)), new String('x'), new SharedArrayBuffer(4))
      let result = '[1]'
      const map = new TypedMap({ codec: codecOf({ encode: () => result }) })
      map.set('key', 1)
      const before = contentOf(map)
      for (result of results) {
        throwsTyped(() => write(map), 'ERR_INVALID_OPTION', {
          kind: TypeError,
          says: [/^the result of codec\.encode is /, /allowed: a Uint8Array or a string$/]
        })
      }
      // biome-ignore lint/suspicious/noThenProperty: a thenable
      for (result of [Promise.resolve('x'), { then() {} }]) {
        throwsTyped(() => write(map), 'ERR_INVALID_OPTION', { says: [/no promise: encode is synchronous/] })
      }
      result = '[1]'
      assert.deepEqual(contentOf(map), before)
    })
  }

  it('a Uint8Array of another realm or in shared memory is one', () => {
    const { runInNewContext } = require('node:vm')
    const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(9)
    let result
    const map = new TypedMap({ codec: codecOf({ encode: () => result, decode: bytes => [...bytes] }) })
    for (result of [runInNewContext('new Uint8Array([9, 9])'), shared, Buffer.from([9, 9])]) {
      assert.deepEqual(map.set('a', 1).get('a'), [9, 9])
      assert.deepEqual(map.getOrInsert(result, 1), [9, 9])
      assert.deepEqual(map.insertMany([1])[0].get(), [9, 9])
    }
  })

  it('v8 says what cannot be cloned, and why', () => {
    const map = new TypedMap({ codec: 'v8' })
    const refused = [() => 1, Symbol('s'), Promise.resolve(), new WeakMap(), { deep: [() => 1] }, new Proxy({}, {})]
    for (const value of refused) {
      const error = throwsTyped(() => map.set('a', value), 'ERR_VALUE_NOT_SERIALIZABLE', { kind: TypeError })
      assert.ok(error.cause instanceof Error)
    }
    const missing = [/could not be cloned\. Is an await missing\?$/]
    throwsTyped(() => map.set('a', Promise.resolve(1)), 'ERR_VALUE_NOT_SERIALIZABLE', { says: missing })
    const cause = new Error('from a getter')
    const value = {
      get a() {
        throw cause
      }
    }
    const error = throwsTyped(() => map.set('a', value), 'ERR_VALUE_NOT_SERIALIZABLE', { says: [/from a getter/] })
    assert.equal(error.cause, cause)
    const json = new TypedMap()
    const ours = {
      get a() {
        return json.set('b', new Map())
      }
    }
    throwsTyped(() => map.set('a', ours), 'ERR_VALUE_NOT_SERIALIZABLE', { says: [/a Map/] })
    assert.equal(map.size, 0)
  })
})

describe('codec: a decode that throws', () => {
  const READS = {
    get: map => map.get('key'),
    'get with copy': map => map.get('key', { copy: true }),
    'get by handle': map => map.get(map.getHandle('key')),
    'handle.get': map => map.getHandle('key').get(),
    getByHandle: map => map.getByHandle(map.getHandle('key')),
    peek: map => map.peek('key'),
    getMany: map => map.getMany(['missing', 'key']),
    values: map => [...map.values()],
    entries: map => [...map],
    forEach: map => map.forEach(assert.fail),
    scan: map => map.scan('0'),
    scanIterator: map => [...map.scanIterator()],
    randomEntry: map => map.randomEntry(),
    getOrInsert: map => map.getOrInsert('key', 1),
    'getOrInsert of a new key': map => map.getOrInsert('new', 1),
    'getOrInsert of a new key with its state': map => map.getOrInsert('new', 1, { withState: true }),
    getOrInsertComputed: map => map.getOrInsertComputed('key', () => assert.fail()),
    'getOrInsertComputed of a new key': map => map.getOrInsertComputed('new', () => 1),
    'getOrInsertComputed of a new key with its state': map =>
      map.getOrInsertComputed('new', () => 1, { withState: true }),
    update: map => map.update('key', () => assert.fail()),
    'update of a new key': map => map.update('new', () => 1),
    transaction: map => map.transaction(tx => tx.set('new', 1).get('key')),
    'what a transaction has set': map => map.transaction(tx => tx.set('new', 1).get('new')),
    remove: map => map.remove('key'),
    'remove by handle': map => map.remove(map.getHandle('key'))
  }
  for (const [what, read] of Object.entries(READS)) {
    it(`${what}: its error passes unchanged, and the map is as it was`, () => {
      const { map, fails, failure } = failing()
      map.set('key', { a: 1 })
      const before = contentOf(map)
      fails.decode = true
      throwsSame(() => read(map), failure)
      throwsSame(() => read(map), failure)
      fails.decode = false
      assert.deepEqual(contentOf(map), before)
      assert.deepEqual([...map.keys()], ['key'])
    })
  }

  it('a value that is not decoded can be written over, deleted, and its keys walked', () => {
    const { map, fails, failure } = failing()
    map.set('a', 1).set('b', 2).set('c', 3)
    fails.decode = true
    assert.deepEqual([...map.keys()], ['a', 'b', 'c'])
    assert.ok(map.has('a'))
    assert.equal(map.delete('a'), true)
    map.set('b', 4)
    assert.equal(map.deleteMany(['c']), 1)
    throwsSame(() => map.get('b'), failure)
    fails.decode = false
    assert.equal(map.get('b'), 4)
  })

  it('an iterator goes on behind it', () => {
    let bad = 2
    const decode = text => {
      const [value] = JSON.parse(text)
      if (value === bad) throw new Error('bad')
      return value
    }
    const map = new TypedMap({ codec: codecOf({ decode }) })
    for (let key = 1; key <= 5; key++) map.set(key, key)
    const values = map.values()
    assert.equal(values.next().value, 1)
    assert.throws(() => values.next(), /bad/)
    assert.deepEqual([...values], [3, 4, 5])
    bad = 0
    assert.deepEqual([...map.values()], [1, 2, 3, 4, 5])
  })

  it('getOrLoad rejects, of a key that is there and of one that is loaded, which stays absent', async () => {
    const { map, fails, failure } = failing()
    map.set('key', 1)
    for (const name of ['decode', 'encode']) {
      fails[name] = true
      const load = () =>
        assert.rejects(
          map.getOrLoad('new', async () => 5),
          error => error === failure
        )
      await Promise.all([load(), load()])
      if (name === 'decode') await assert.rejects(map.getOrLoad('key', assert.fail), error => error === failure)
      fails[name] = false
      assert.ok(!map.has('new'))
    }
    assert.equal(await map.getOrLoad('new', async () => 5), 5)
  })

  it('filter rejects', async () => {
    const { map, fails, failure } = failing()
    map.set('key', 1)
    fails.decode = true
    await assert.rejects(
      map.filter(() => true),
      error => error === failure
    )
  })

  it('a listener gets the removal, and the error when it asks for the value', async () => {
    const { map, fails, failure } = failing()
    const removals = []
    map.onEvict(removal => removals.push(removal), { causes: ['explicit'] })
    map.set('a', 1).set('b', 2)
    fails.decode = true
    map.delete('a')
    map.delete('b')
    await until(() => removals.length === 2)
    assert.deepEqual(
      removals.map(({ key }) => key),
      ['a', 'b']
    )
    throwsSame(() => removals[0].value, failure)
    fails.decode = false
    assert.deepEqual([removals[0].value, removals[1].value], [1, 2])
  })

  it('inspect says so and shows the rest', () => {
    const { map, fails } = failing()
    map.set('key', 1)
    fails.decode = true
    assert.match(inspect(map), /^TypedMap\(1\) .*'key' => <not decoded: from the codec>/)
  })
})

describe('codec: the map is used inside', () => {
  for (const inside of ['encode', 'decode']) {
    it(`${inside} reads, writes and walks the map that it works for`, () => {
      let depth = 0
      const functions = codecOf()
      const busy = given => {
        if (depth < 2) {
          depth++
          const [one, two] = [`one ${depth}`, `two ${depth}`]
          map.set(one, depth)
          map.setMany([
            [one, depth],
            [two, -depth]
          ])
          assert.deepEqual([map.get(one), map.peek(two)], [depth, -depth])
          assert.deepEqual(map.getMany([one, two]), [depth, -depth])
          for (const handle of map.insertMany([5, 6])) map.remove(handle)
          if (depth === 2)
            assert.equal(
              map.update(one, value => value),
              depth
            )
          assert.ok([...map.values()].length >= 2)
          assert.ok(map.scan('0').entries.length >= 2)
          other.set('x', { depth })
          assert.deepEqual(other.get('x'), { depth })
          depth--
        }
        return functions[inside](given)
      }
      // One shard, so that each write would wait for the lock of any other.
      const map = new TypedMap({ shards: 1, codec: codecOf({ [inside]: busy }) })
      const other = new TypedMap()
      const handle = map.insertWithHandle('key', { a: 1 })
      const twice = [
        ['key', { a: 2 }],
        ['two', { b: { c: 3 } }]
      ]
      const batch = [...twice, [handle, { a: 2 }]]
      map.setMany(twice)
      assert.equal(map.updateMany(batch), 3)
      assert.deepEqual(map.getMany(['key', 'two', handle]), [{ a: 2 }, { b: { c: 3 } }, { a: 2 }])
      assert.deepEqual(map.getOrInsert('three', { d: 4 }), { d: 4 })
      assert.deepEqual(
        map.getOrInsertComputed('four', () => ({ e: 5 }), { withState: true }),
        {
          value: { e: 5 },
          inserted: true
        }
      )
      assert.deepEqual(
        map.update('four', ({ e }) => ({ e: e + 1 })),
        { e: 6 }
      )
      const all = new Map([...map])
      for (const [key, value] of [...twice, ['three', { d: 4 }], ['four', { e: 6 }]])
        assert.deepEqual(all.get(key), value)
      assert.deepEqual(map.remove('four'), { e: 6 })
      assert.ok(map.insert(1) instanceof Handle)
    })

    it(`${inside} clears, closes or destroys it`, () => {
      for (const end of ['clear', 'close', 'destroy']) {
        let isEnding = false
        const functions = codecOf()
        const ending = given => {
          if (isEnding) map[end]()
          isEnding = false
          return functions[inside](given)
        }
        const map = new TypedMap({ codec: codecOf({ [inside]: ending }) })
        map.set('a', 1).set('b', 2)
        isEnding = true
        if (inside === 'decode') {
          // What was fetched before is whole.
          assert.deepEqual(map.getMany(['a', 'b']), [1, 2])
        } else if (end === 'clear') {
          map.setMany([
            ['a', 3],
            ['c', 4]
          ])
          assert.deepEqual(
            [...map],
            [
              ['a', 3],
              ['c', 4]
            ]
          )
        } else throwsTyped(() => map.setMany([['a', 3]]), 'ERR_CLOSED')
        if (end !== 'clear') throwsTyped(() => map.get('a'), 'ERR_CLOSED')
        else assert.equal(map.size, inside === 'encode' ? 2 : 0)
      }
    })
  }

  it('decode changes the entry that update and remove are about', () => {
    let changes = 3
    const functions = codecOf()
    const decode = text => {
      if (changes-- > 0) map.set('key', changes)
      return functions.decode(text)
    }
    const map = new TypedMap({ codec: codecOf({ decode }) })
    map.set('key', 10)
    assert.equal(
      map.update('key', value => value + 1),
      1,
      'the value that was there last'
    )
    changes = 3
    assert.equal(map.remove('key'), 0)
    assert.ok(!map.has('key'))
    // However often it changes.
    changes = 1_000
    map.set('key', 10)
    assert.equal(typeof map.remove('key'), 'number')
    changes = 0
    assert.equal(map.size, 1, 'decode wrote it again')
  })
})

describe('codec: threads', () => {
  it('read what others wrote, with codecs of the package and with their own', async () => {
    const [byV8, byOwn] = [freshName(), freshName()]
    const maps = [TypedMap.open(byV8, { codec: 'v8' }), TypedMap.open(byOwn, { codec: new BytesCodec() })]
    for (const map of maps) map.set('main', new Map([['a', new Date(5)]]))
    const support = require.resolve('../support/codecs.js')
    const worker = startWorker(
      async ({ TypedMap, data, assert, port }) => {
        const { createRequire } = require('node:module')
        const { BytesCodec } = createRequire(data.support)(data.support)
        assert.throws(() => TypedMap.open(data.byOwn), { code: 'ERR_INVALID_OPTION' })
        assert.throws(() => TypedMap.open(data.byOwn, { codec: 'json' }), { code: 'ERR_INVALID_OPTION' })
        const maps = [TypedMap.open(data.byV8), TypedMap.open(data.byOwn, { codec: new BytesCodec() })]
        for (const map of maps) {
          assert.deepStrictEqual(map.get('main'), new Map([['a', new Date(5)]]))
          map.set('worker', new Set([1n, { a: /x/ }]))
        }
        port.postMessage('written')
        await new Promise(resolve => port.once('message', resolve))
      },
      { byV8, byOwn, support }
    )
    await nextMessage(worker)
    for (const map of maps) assert.deepStrictEqual(map.get('worker'), new Set([1n, { a: /x/ }]))
    worker.postMessage('end')
    await worker.result
    for (const map of maps) map.destroy()
  })

  it('each waiter of a load gets a value of its own, also of one in another thread', async () => {
    const title = freshName()
    const map = TypedMap.open(title, { codec: new BytesCodec() })
    const support = require.resolve('../support/codecs.js')
    const worker = startWorker(
      async ({ TypedMap, data, port }) => {
        const { createRequire } = require('node:module')
        const { BytesCodec } = createRequire(data.support)(data.support)
        const map = TypedMap.open(data.title, { codec: new BytesCodec() })
        const loaded = new Promise(resolve => port.once('message', resolve))
        const all = [map.getOrLoad('a', () => loaded), map.getOrLoad('a', () => loaded)]
        port.postMessage('loading')
        const values = await Promise.all(all)
        return [values, values[0] !== values[1]]
      },
      { title, support }
    )
    await nextMessage(worker)
    const waiters = [1, 2, 3].map(() => map.getOrLoad('a', assert.fail))
    const value = new Map([['a', new Set([1n])]])
    worker.postMessage(value)
    const values = await Promise.all(waiters)
    for (const one of values) assert.deepStrictEqual(one, value)
    assert.equal(new Set(values).size, 3)
    assert.deepStrictEqual(await worker.result, [[value, value], true])
    map.destroy()
  })

  it('update and remove lose nothing while all threads write', async () => {
    const title = freshName()
    const map = TypedMap.open(title, { codec: 'v8' })
    map.set('total', { count: 0n })
    const workers = Array.from({ length: 3 }, (_, worker) =>
      startWorker(
        ({ TypedMap, data: { title, worker } }) => {
          const map = TypedMap.open(title)
          const taken = []
          for (let step = 0; step < 2_000; step++) {
            map.update('total', ({ count }) => ({ count: count + 1n }), { retries: 1e6 })
            map.update('queue', (items = new Set()) => items.add(`${worker} ${step}`), { retries: 1e6 })
            taken.push(...(map.remove('queue') ?? []))
          }
          map.close()
          return taken
        },
        { title, worker }
      )
    )
    const taken = (await Promise.all(workers.map(worker => worker.result))).flat()
    assert.deepEqual(map.get('total'), { count: 6_000n })
    taken.push(...(map.get('queue') ?? []))
    assert.equal(taken.length, 6_000)
    assert.equal(new Set(taken).size, 6_000)
    map.destroy()
  })
})
