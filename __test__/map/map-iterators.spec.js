'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { PRIMITIVES, SUBJECTS, isNotConstructor, own } = require('../support/subjects.js')

require('../support/sound.js')

const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))

for (const M of SUBJECTS) {
  describe(`${M.name}: iterators`, () => {
    const prototypeOf = map => Object.getPrototypeOf(map[Symbol.iterator]())

    it('share one prototype, under that of all iterators', () => {
      const map = new M()
      const prototype = prototypeOf(map)
      for (const name of ['keys', 'values', 'entries']) {
        assert.equal(Object.getPrototypeOf(map[name]()), prototype)
        assert.equal(Object.getPrototypeOf(new M()[name]()), prototype)
      }
      assert.equal(Object.getPrototypeOf(prototype), IteratorPrototype)
    })

    it('have a next that is writable, configurable, not enumerable and no constructor', () => {
      const { value, ...rest } = own(prototypeOf(new M()), 'next')
      assert.deepEqual(rest, { writable: true, enumerable: false, configurable: true })
      assert.equal(value.name, 'next')
      assert.equal(value.length, 0)
      isNotConstructor(value)
    })

    it('are tagged as Map iterators', () => {
      const tag = own(prototypeOf(new M()), Symbol.toStringTag)
      assert.deepEqual(tag, { value: 'Map Iterator', writable: false, enumerable: false, configurable: true })
    })

    it('have no return and no throw, so that a loop that breaks keeps their position', () => {
      const map = new M([
        ['a', 1],
        ['b', 2]
      ])
      const iterator = map.keys()
      assert.equal(iterator.return, undefined)
      assert.equal(iterator.throw, undefined)
      for (const key of iterator) if (key === 'a') break
      assert.deepEqual([...iterator], ['b'])
    })

    it('return themselves as their iterator, and have no own properties', () => {
      const iterator = new M([['a', 1]]).keys()
      assert.equal(iterator[Symbol.iterator](), iterator)
      assert.deepEqual(Reflect.ownKeys(iterator), [])
    })

    it('refuse receivers that are not of their kind', () => {
      const map = new M([['a', 1]])
      for (const name of ['keys', 'values', 'entries']) {
        const { next } = map[name]()
        for (const stranger of [...PRIMITIVES, {}, map, [].values(), new Set().values()]) {
          assert.throws(() => next.call(stranger), { constructor: TypeError })
        }
        assert.deepEqual(next.call(map.keys()), { value: 'a', done: false })
      }
    })

    it('return results of their own, with value and done', () => {
      const iterator = new M([['a', 1]]).entries()
      const first = iterator.next()
      assert.deepEqual(Object.getOwnPropertyDescriptors(first), {
        value: { value: ['a', 1], writable: true, enumerable: true, configurable: true },
        done: { value: false, writable: true, enumerable: true, configurable: true }
      })
      const last = iterator.next()
      assert.deepEqual(last, { value: undefined, done: true })
      assert.notEqual(iterator.next(), last)
    })

    it('return each entry as a new array that belongs to the caller', () => {
      const map = new M([['a', 1]])
      const [entry] = map
      entry[1] = 2
      entry.push(3)
      assert.deepEqual([...map], [['a', 1]])
    })

    it('stay at their end, even if something is added after', () => {
      const map = new M()
      const iterator = map.keys()
      assert.equal(iterator.next().done, true)
      map.set('a', 1)
      assert.equal(iterator.next().done, true)
    })

    it('see what is added, deleted and changed before they come to it', () => {
      const map = new M([
        ['a', 1],
        ['b', 2],
        ['c', 3]
      ])
      const iterator = map.entries()
      assert.deepEqual(iterator.next().value, ['a', 1])
      map.delete('b')
      map.set('c', 30)
      map.set('d', 4)
      assert.deepEqual(iterator.next().value, ['c', 30])
      map.set('d', 40)
      map.delete('a')
      assert.deepEqual(iterator.next().value, ['d', 40])
      map.set('a', 5)
      assert.deepEqual(iterator.next().value, ['a', 5])
      assert.equal(iterator.next().done, true)
    })

    it('go on after a clear with what is added then', () => {
      const map = new M([
        ['a', 1],
        ['b', 2]
      ])
      const iterator = map.keys()
      iterator.next()
      map.clear()
      map.set('c', 3)
      assert.deepEqual([...iterator], ['c'])
    })

    it('do not disturb each other', () => {
      const map = new M([
        ['a', 1],
        ['b', 2]
      ])
      const pairs = []
      for (const x of map.keys()) for (const y of map.values()) pairs.push([x, y])
      assert.deepEqual(pairs, [
        ['a', 1],
        ['a', 2],
        ['b', 1],
        ['b', 2]
      ])
    })

    it('end although each step adds, if something stops adding', () => {
      const map = new M([[0, 0]])
      let steps = 0
      for (const key of map.keys()) {
        steps++
        if (key < 5_000) map.set(key + 1, 0)
      }
      assert.equal(steps, 5_001)
    })
  })
}
