'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { SUBJECTS, iterable, own } = require('../support/subjects.js')

require('../support/sound.js')

for (const M of SUBJECTS) {
  describe(`${M.name}: constructor`, () => {
    it('has length 0, and its prototype cannot be replaced', () => {
      assert.deepEqual(own(M, 'length'), { value: 0, writable: false, enumerable: false, configurable: true })
      assert.deepEqual(own(M, 'name'), { value: M.name, writable: false, enumerable: false, configurable: true })
      assert.deepEqual(own(M, 'prototype'), {
        value: M.prototype,
        writable: false,
        enumerable: false,
        configurable: false
      })
      assert.equal(Object.getPrototypeOf(M), Function.prototype)
      assert.equal(Object.getPrototypeOf(M.prototype), Object.prototype)
    })

    it('needs new', () => {
      assert.throws(() => M(), TypeError)
      assert.throws(() => M([]), TypeError)
      assert.throws(() => M.call(new M()), TypeError)
    })

    it('takes no iterable, undefined, null or any iterable of entries', () => {
      assert.equal(new M().size, 0)
      assert.equal(new M(undefined).size, 0)
      assert.equal(new M(null).size, 0)
      assert.equal(new M([]).size, 0)
      const entries = [
        ['a', 1],
        ['b', 2]
      ]
      for (const given of [entries, new Set(entries), new Map(entries), iterable(entries), new M(entries)]) {
        assert.deepEqual([...new M(given)], entries)
      }
    })

    it('keeps the last of several values for one key, in the place of the first', () => {
      const map = new M([
        ['a', 1],
        ['b', 2],
        ['a', 3]
      ])
      assert.deepEqual(
        [...map],
        [
          ['a', 3],
          ['b', 2]
        ]
      )
    })

    it('accepts any object as an entry, and reads its 0 and 1 only', () => {
      const read = []
      const entry = new Proxy(
        {},
        {
          get(_, name) {
            read.push(name)
            return name === '0' ? 'key' : 'value'
          }
        }
      )
      assert.deepEqual([...new M([entry])], [['key', 'value']])
      assert.deepEqual(read, ['0', '1'])
      assert.deepEqual([...new M([{}])], [[undefined, undefined]])
    })

    it('refuses what is not iterable', () => {
      assert.throws(() => new M({ [Symbol.iterator]: 1 }), TypeError)
      assert.throws(() => new M([['a', 1]].entries().next), TypeError)
    })

    it('refuses entries that are not objects, and closes the iterator', () => {
      for (const item of [undefined, null, 1, 'ab', true, 1n, Symbol('s')]) {
        let closed = 0
        assert.throws(() => new M(iterable([item], () => closed++)), TypeError)
        assert.equal(closed, 1)
      }
    })

    it('closes the iterator when reading an entry throws, and hands the error on', () => {
      for (const name of ['0', '1']) {
        let closed = 0
        const failure = new Error('unreadable')
        const entry = {
          get [name]() {
            throw failure
          }
        }
        assert.throws(
          () => new M(iterable([entry], () => closed++)),
          error => error === failure
        )
        assert.equal(closed, 1)
      }
    })

    it('does not close an iterator if its next throws', () => {
      let closed = 0
      const failure = new Error('no next')
      const given = {
        [Symbol.iterator]: () => ({
          next() {
            throw failure
          },
          return() {
            closed++
            return {}
          }
        })
      }
      assert.throws(
        () => new M(given),
        error => error === failure
      )
      assert.equal(closed, 0)
    })

    it('does not close an iterator if its result throws', () => {
      let closed = 0
      const failure = new Error('no value')
      const given = {
        [Symbol.iterator]: () => ({
          next: () => ({
            done: false,
            get value() {
              throw failure
            }
          }),
          return() {
            closed++
            return {}
          }
        })
      }
      assert.throws(
        () => new M(given),
        error => error === failure
      )
      assert.equal(closed, 0)
    })

    it('adds through the set of its prototype, read once, and called on the new map', () => {
      const original = own(M.prototype, 'set')
      const calls = []
      let reads = 0
      Object.defineProperty(M.prototype, 'set', {
        configurable: true,
        get() {
          reads++
          return function (...args) {
            calls.push([this instanceof M, ...args])
            return original.value.apply(this, args)
          }
        }
      })
      try {
        const map = new M([
          ['a', 1],
          ['b', 2]
        ])
        assert.equal(map.size, 2)
        assert.equal(reads, 1)
        assert.deepEqual(calls, [
          [true, 'a', 1],
          [true, 'b', 2]
        ])
        new M()
        new M(null)
        assert.equal(reads, 1)
      } finally {
        Object.defineProperty(M.prototype, 'set', original)
      }
    })

    it('does not call set for an empty iterable', () => {
      class Refusing extends M {
        set() {
          throw new Error('nothing to set')
        }
      }
      assert.equal(new Refusing([]).size, 0)
      assert.equal(new Refusing().size, 0)
    })

    it('refuses an iterable when its set is not callable, before it asks for an iterator', () => {
      class Unsettable extends M {}
      Unsettable.prototype.set = null
      let asked = false
      const given = {
        get [Symbol.iterator]() {
          asked = true
          return undefined
        }
      }
      assert.throws(() => new Unsettable(given), TypeError)
      assert.equal(asked, false)
      assert.equal(new Unsettable().size, 0)
    })

    it('hands on what the getter of set throws', () => {
      const failure = new Error('no set today')
      class Throwing extends M {
        get set() {
          throw failure
        }
      }
      assert.throws(
        () => new Throwing([]),
        error => error === failure
      )
    })

    it('closes the iterator when set throws, and hands on its error even if closing throws too', () => {
      const failure = new Error('refused')
      class Failing extends M {
        set() {
          throw failure
        }
      }
      let closed = 0
      assert.throws(
        () => new Failing(iterable([['a', 1]], () => closed++)),
        error => error === failure
      )
      assert.equal(closed, 1)
      const given = iterable([['a', 1]], () => {
        throw new Error('and cannot close')
      })
      assert.throws(
        () => new Failing(given),
        error => error === failure
      )
    })

    it('can be extended, and the new map has the prototype of its new.target', () => {
      class Derived extends M {
        twice(key) {
          return this.get(key) * 2
        }
      }
      const map = new Derived([['a', 21]])
      assert.ok(map instanceof Derived && map instanceof M)
      assert.equal(map.twice('a'), 42)
      function Other() {}
      assert.equal(Object.getPrototypeOf(Reflect.construct(M, [], Other)), Other.prototype)
    })

    it('returns itself as Symbol.species', () => {
      const species = own(M, Symbol.species)
      assert.equal(species.set, undefined)
      assert.equal(species.enumerable, false)
      assert.equal(species.configurable, true)
      assert.equal(species.get.name, 'get [Symbol.species]')
      assert.equal(species.get.length, 0)
      const receiver = {}
      assert.equal(species.get.call(receiver), receiver)
    })
  })
}
