'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { PRIMITIVES, SUBJECTS } = require('../support/subjects.js')

require('../support/sound.js')

for (const M of SUBJECTS) {
  describe(`${M.name}: forEach`, () => {
    it('calls with value, key and map, in insertion order', () => {
      const map = new M([
        ['a', 1],
        ['b', 2]
      ])
      const calls = []
      const result = map.forEach((...args) => {
        calls.push(args)
      })
      assert.equal(result, undefined)
      assert.equal(calls.length, 2)
      assert.deepEqual(
        calls.map(args => args.slice(0, 2)),
        [
          [1, 'a'],
          [2, 'b']
        ]
      )
      for (const args of calls) {
        assert.equal(args.length, 3)
        assert.equal(args[2], map)
      }
    })

    it('passes thisArg to the callback as this', () => {
      const map = new M([['a', 1]])
      const context = {}
      map.forEach(function () {
        assert.equal(this, context)
      }, context)
      map.forEach(function () {
        assert.equal(this, undefined)
      })
      const sloppy = new Function('seen', 'return function () { seen.push(this) }')
      const seen = []
      map.forEach(sloppy(seen))
      map.forEach(sloppy(seen), 'text')
      assert.equal(seen[0], globalThis)
      assert.equal(typeof seen[1], 'object')
    })

    it('refuses what cannot be called, even on an empty map', () => {
      for (const callback of [...PRIMITIVES, {}, []]) {
        assert.throws(() => new M().forEach(callback), { constructor: TypeError })
      }
    })

    it('ends at the first throw of the callback', () => {
      const map = new M([
        ['a', 1],
        ['b', 2]
      ])
      const failure = new Error('enough')
      let calls = 0
      assert.throws(
        () =>
          map.forEach(() => {
            calls++
            throw failure
          }),
        error => error === failure
      )
      assert.equal(calls, 1)
    })

    it('visits what is added, skips what is deleted, and visits again what is deleted and added', () => {
      const map = new M([
        ['a', 1],
        ['b', 2],
        ['c', 3]
      ])
      const visited = []
      map.forEach((value, key) => {
        visited.push([key, value])
        if (visited.length === 1) {
          map.delete('b')
          map.set('d', 4)
          map.set('c', 30)
        }
        if (key === 'c') {
          map.delete('a')
          map.set('a', 10)
        }
      })
      assert.deepEqual(visited, [
        ['a', 1],
        ['c', 30],
        ['d', 4],
        ['a', 10]
      ])
    })

    it('ends when the map is cleared, unless something is added', () => {
      const map = new M([
        ['a', 1],
        ['b', 2]
      ])
      const visited = []
      map.forEach((_, key) => {
        visited.push(key)
        if (key === 'a') {
          map.clear()
          map.set('z', 1)
        }
      })
      assert.deepEqual(visited, ['a', 'z'])
    })
  })
}
