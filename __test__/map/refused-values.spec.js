'use strict'

// What JSON would empty without a word is refused, at the top and inside.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const vm = require('node:vm')
const { TypedMap } = require('../..')
const { contentOf, refusesUnchanged, throwsTyped } = require('../support/errors.js')

require('../support/sound.js')

const CODE = 'ERR_VALUE_NOT_SERIALIZABLE'

class Failed extends Error {
  details = { reason: 'a field of its own' }
}
class Tagged extends Map {
  name = 'a field of its own'
}
class Later {
  query = 'select 1'
  // biome-ignore lint/suspicious/noThenProperty: this is what is refused
  then(resolve) {
    resolve(1)
  }
}
function OldError(message) {
  this.message = message
}
OldError.prototype = Object.create(Error.prototype)

const systemError = Object.assign(new Error('ENOENT: no such file'), { errno: -2, code: 'ENOENT', syscall: 'open' })

/** Each with what the message says of it. */
const REFUSED = {
  'a promise': [Promise.resolve(1), /promise.*await/],
  'what an async function gives': [(async () => 5)(), /promise.*await/],
  // biome-ignore lint/suspicious/noThenProperty: this is what is refused
  'a thenable': [{ id: 1, then() {} }, /thenable.*await/],
  'a thenable by its class': [new Later(), /thenable.*await/],
  'a Map': [new Map([['a', 1]]), /Map.*entries/],
  'an empty Map': [new Map(), /Map/],
  'a class of Map with fields': [new Tagged(), /Map/],
  'a Set': [new Set([1]), /Set/],
  'a WeakMap': [new WeakMap(), /WeakMap/],
  'a WeakSet': [new WeakSet(), /WeakSet/],
  'a WeakRef': [new WeakRef({}), /WeakRef/],
  'an Error': [new Error('x'), /Error.*toJSON/],
  'an Error with fields': [new Failed('x'), /Error/],
  'an Error of the system': [systemError, /Error/],
  'an AggregateError': [new AggregateError([new Error('x')]), /Error/],
  'an Error by its prototype': [new OldError('x'), /Error/],
  'a DOMException': [new DOMException('x'), /Error/],
  'a RegExp': [/x/g, /RegExp.*source/],
  'an ArrayBuffer': [new ArrayBuffer(2), /ArrayBuffer.*Uint8Array/],
  'a SharedArrayBuffer': [new SharedArrayBuffer(2), /SharedArrayBuffer/],
  'a DataView': [new DataView(new ArrayBuffer(2)), /DataView/],
  'an iterator': [new Map([['a', 1]]).entries(), /Map Iterator/],
  'a generator': [
    (function* () {
      yield 1
    })(),
    /Generator/
  ],
  URLSearchParams: [new URLSearchParams('a=1'), /URLSearchParams/],
  Headers: [new Headers({ a: '1' }), /Headers/],
  'a Map of another realm': [vm.runInNewContext('new Map([[1, 2]])'), /Map/],
  'a promise of another realm': [vm.runInNewContext('Promise.resolve(1)'), /promise.*await/],
  'an Error of another realm': [vm.runInNewContext('Object.assign(new Error("x"), { code: 1 })'), /Error/],
  'a Map that a toJSON gives': [{ toJSON: () => new Map([['a', 1]]) }, /Map/],
  'a promise that a toJSON gives': [{ toJSON: async () => 1 }, /promise.*await/]
}

describe('values: what JSON would empty is refused', () => {
  for (const [name, [value, says]] of Object.entries(REFUSED)) {
    it(name, () => {
      const map = new TypedMap([
        ['a', 1],
        ['b', { two: 2 }]
      ])
      const handle = map.insert('keyless')
      const before = contentOf(map)
      const writes = [
        given => map.set('a', given),
        given => map.set('new', given),
        given => map.insert(given),
        given => map.insertWithHandle('new', given),
        given => map.getOrInsert('new', given),
        given => map.getOrInsertComputed('new', () => given),
        given => map.replace(handle, given),
        given => map.setMany([['new', given]]),
        given => map.insertMany([1, given]),
        given => map.updateMany([['b', given]])
      ]
      for (const write of writes) {
        refusesUnchanged(map, () => write(value), CODE, { kind: TypeError, says: [says] })
        for (const [inside, place] of [
          [{ user: value }, 'user'],
          [[1, [value]], '[1][0]'],
          [{ a: { 'b c': [value] } }, 'a["b c"][0]'],
          [{ kept: { toJSON: () => ({ deep: value }) } }, 'kept.deep']
        ]) {
          const error = refusesUnchanged(map, () => write(inside), CODE, { kind: TypeError, says: [says] })
          assert.equal(error.details.path, place)
          assert.ok(error.message.includes(place), error.message)
        }
      }
      assert.deepEqual(contentOf(map), before)
    })
  }

  it('with a toJSON of its own it is the result of that', () => {
    class Report extends Error {
      toJSON() {
        return { message: this.message }
      }
    }
    const list = Object.assign(new Map([['a', 1]]), {
      toJSON() {
        return [...this]
      }
    })
    // biome-ignore lint/suspicious/noThenProperty: it says what it is as JSON
    const later = { then() {}, toJSON: () => 'later' }
    const map = new TypedMap()
    map
      .set('a', new Report('x'))
      .set('b', { inner: new Report('y') })
      .set('c', [list, later])
    assert.deepEqual(map.get('a'), { message: 'x' })
    assert.deepEqual(map.get('b'), { inner: { message: 'y' } })
    assert.deepEqual(map.get('c'), [[['a', 1]], 'later'])
  })

  it('what only looks like it is not refused', () => {
    class Empty {}
    class Hidden {
      #hidden = 1
      read() {
        return this.#hidden
      }
    }
    const values = [
      JSON.parse('{"then":"and now"}'),
      JSON.parse('{"then":null,"catch":1}'),
      new Empty(),
      new Hidden(),
      {},
      Object.create(null),
      []
    ]
    const map = new TypedMap()
    for (const value of values) {
      map.set('a', value).set('b', { inner: value })
      assert.deepEqual(map.get('a'), JSON.parse(JSON.stringify(value)))
      assert.deepEqual(map.get('b'), JSON.parse(JSON.stringify({ inner: value })))
    }
  })

  it('a promise that is refused and fails later is still the caller’s', async () => {
    const failing = Promise.reject(new Error('later'))
    throwsTyped(() => new TypedMap().set('a', { user: failing }), CODE)
    await assert.rejects(failing, /later/)
  })
})

describe('values: code of a value runs once', () => {
  it('a getter', () => {
    let reads = 0
    const value = {
      get x() {
        return { n: ++reads }
      },
      list: [1, { two: 2 }]
    }
    const map = new TypedMap()
    map.set('a', value)
    assert.deepEqual(map.get('a'), { x: { n: 1 }, list: [1, { two: 2 }] })
    assert.equal(reads, 1)
  })

  it('a getter of a value that is refused', () => {
    let reads = 0
    const value = {
      get x() {
        return ++reads
      },
      y: [1n]
    }
    throwsTyped(() => new TypedMap().set('a', value), CODE, { says: [/y\[0\]/] })
    assert.equal(reads, 1)
  })

  it('each toJSON of a chain of writes that fails at its end', () => {
    const map = new TypedMap()
    let calls = 0
    const failure = new Error('the bottom')
    const make = depth => ({
      toJSON() {
        calls++
        if (depth === 0) throw failure
        map.set(`key ${depth}`, make(depth - 1))
        return 1
      }
    })
    const error = throwsTyped(() => map.set('top', make(12)), CODE, { kind: TypeError })
    assert.equal(calls, 13)
    assert.equal(error.cause, failure, 'the innermost error, not one wrapped in twelve others')
    assert.equal(map.size, 0)
  })

  it('an error of this package that it meets is handed on as it is', () => {
    const closed = new TypedMap()
    closed.close()
    const value = {
      toJSON() {
        closed.get('a')
      }
    }
    throwsTyped(() => new TypedMap().set('a', [value]), 'ERR_CLOSED')
  })
})
