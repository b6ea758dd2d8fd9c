'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { PRIMITIVES, SUBJECTS, has, isNotConstructor, own } = require('../support/subjects.js')

require('../support/sound.js')

const METHODS = {
  clear: 0,
  delete: 1,
  entries: 0,
  forEach: 1,
  get: 1,
  getOrInsert: 2,
  getOrInsertComputed: 2,
  has: 1,
  keys: 0,
  set: 2,
  values: 0
}

for (const M of SUBJECTS) {
  describe(`${M.name}: prototype`, () => {
    it('has methods that are writable, configurable and not enumerable', () => {
      for (const [name, length] of Object.entries(METHODS)) {
        if (!has(M, name)) continue
        const { value, ...rest } = own(M.prototype, name)
        assert.deepEqual(rest, { writable: true, enumerable: false, configurable: true }, name)
        assert.deepEqual(own(value, 'name'), { value: name, writable: false, enumerable: false, configurable: true })
        assert.deepEqual(own(value, 'length'), {
          value: length,
          writable: false,
          enumerable: false,
          configurable: true
        })
      }
    })

    it('has methods that are no constructors', () => {
      for (const name of Object.keys(METHODS)) if (has(M, name)) isNotConstructor(M.prototype[name])
      isNotConstructor(M.prototype[Symbol.iterator])
    })

    it('has size as a getter without a setter', () => {
      const size = own(M.prototype, 'size')
      assert.equal(size.set, undefined)
      assert.equal(size.enumerable, false)
      assert.equal(size.configurable, true)
      assert.equal(size.get.name, 'get size')
      assert.equal(size.get.length, 0)
      isNotConstructor(size.get)
      assert.equal(own(new M(), 'size'), undefined)
    })

    it('iterates by its entries, the same function under both names', () => {
      assert.equal(M.prototype[Symbol.iterator], M.prototype.entries)
      const { value, ...rest } = own(M.prototype, Symbol.iterator)
      assert.equal(value, M.prototype.entries)
      assert.deepEqual(rest, { writable: true, enumerable: false, configurable: true })
    })

    it('names its constructor', () => {
      assert.deepEqual(own(M.prototype, 'constructor'), {
        value: M,
        writable: true,
        enumerable: false,
        configurable: true
      })
    })

    it('has a toStringTag that cannot be written and can be configured', () => {
      const { value, ...rest } = own(M.prototype, Symbol.toStringTag)
      assert.equal(typeof value, 'string')
      assert.deepEqual(rest, { writable: false, enumerable: false, configurable: true })
      assert.equal(String(new M()), `[object ${value}]`)
    })

    it('is itself no map', () => {
      assert.throws(() => M.prototype.size, TypeError)
      assert.throws(() => M.prototype.get('a'), TypeError)
    })

    it('has no enumerable property that a loop over a map would find', () => {
      const found = []
      for (const name in new M([['a', 1]])) found.push(name)
      assert.deepEqual(found, [])
      assert.deepEqual(Object.keys(new M()), [])
    })

    it('refuses every receiver that is not one of its maps', () => {
      const args = ['a', () => 1]
      const strangers = [...PRIMITIVES, {}, [], () => {}, new Set(), new WeakMap(), M.prototype]
      strangers.push(M === Map ? new TypedMap() : new Map())
      for (const name of Object.keys(METHODS)) {
        if (!has(M, name)) continue
        const method = M.prototype[name]
        // A plain TypeError of the language, as for Map, for code that catches by constructor.
        for (const stranger of strangers) {
          assert.throws(() => method.apply(stranger, name === 'forEach' ? [() => {}] : args), {
            constructor: TypeError
          })
        }
      }
      const size = own(M.prototype, 'size').get
      for (const stranger of strangers) assert.throws(() => size.call(stranger), { constructor: TypeError })
    })
  })

  describe(`${M.name}: set, get, has, delete, clear`, () => {
    it('set returns the map', () => {
      const map = new M()
      assert.equal(map.set('a', 1), map)
      assert.equal(map.set('a', 2), map)
      assert.equal(map.set('b', 1).set('c', 1), map)
    })

    it('set without a value stores undefined, and without a key uses undefined', () => {
      const map = new M()
      map.set('a')
      assert.ok(map.has('a'))
      assert.equal(map.get('a'), undefined)
      map.set()
      assert.ok(map.has(undefined))
      assert.ok(map.has())
      assert.equal(map.size, 2)
    })

    it('get of a missing key is undefined, and has distinguishes it from a stored undefined', () => {
      const map = new M([['a', undefined]])
      assert.equal(map.get('a'), undefined)
      assert.equal(map.get('b'), undefined)
      assert.equal(map.has('a'), true)
      assert.equal(map.has('b'), false)
    })

    it('set of a present key keeps its place', () => {
      const map = new M([
        ['a', 1],
        ['b', 2]
      ])
      map.set('a', 3)
      assert.deepEqual([...map.keys()], ['a', 'b'])
    })

    it('a deleted and added key moves to the end', () => {
      const map = new M([
        ['a', 1],
        ['b', 2]
      ])
      map.delete('a')
      map.set('a', 3)
      assert.deepEqual([...map.keys()], ['b', 'a'])
    })

    it('delete says whether there was something to delete', () => {
      const map = new M([['a', undefined]])
      assert.equal(map.delete('a'), true)
      assert.equal(map.delete('a'), false)
      assert.equal(map.delete('b'), false)
      assert.equal(map.size, 0)
    })

    it('clear returns undefined, and the map can be used after it', () => {
      const map = new M([
        ['a', 1],
        ['b', 2]
      ])
      assert.equal(map.clear(), undefined)
      assert.equal(map.size, 0)
      assert.equal(map.has('a'), false)
      assert.deepEqual([...map], [])
      assert.equal(map.clear(), undefined)
      assert.deepEqual([...map.set('c', 3)], [['c', 3]])
    })

    it('size counts the entries present', () => {
      const map = new M([
        ['a', 1],
        ['b', 2]
      ])
      assert.equal(map.size, 2)
      map.set('c', 3)
      assert.equal(map.size, 3)
      map.set('c', 4)
      assert.equal(map.size, 3)
      map.delete('a')
      assert.equal(map.size, 2)
      map.clear()
      assert.equal(map.size, 0)
    })

    it('size cannot be assigned', () => {
      const map = new M()
      assert.throws(() => {
        map.size = 3
      }, TypeError)
      assert.equal(map.size, 0)
    })
  })
}

describe('TypedMap: both -0 and 0', () => {
  it('are one key, which is 0', () => {
    const map = new TypedMap()
    map.set(-0, 'minus')
    assert.ok(Object.is([...map.keys()][0], 0))
    assert.equal(map.set(0, 'plus').size, 1)
    assert.equal(map.get(-0), 'plus')
    for (const key of map.keys()) assert.ok(Object.is(key, 0))
  })
})
