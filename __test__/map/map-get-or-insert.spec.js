'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { PRIMITIVES, SUBJECTS, only } = require('../support/subjects.js')

require('../support/sound.js')

for (const M of SUBJECTS) {
  describe(`${M.name}: getOrInsert`, only(M, 'getOrInsert'), () => {
    it('returns the present value and keeps it', () => {
      const map = new M([['a', 1]])
      assert.equal(map.getOrInsert('a', 2), 1)
      assert.equal(map.get('a'), 1)
      assert.equal(map.size, 1)
    })

    it('stores and returns the given value where there is none, at the end', () => {
      const map = new M([['a', 1]])
      assert.equal(map.getOrInsert('b', 2), 2)
      assert.deepEqual([...map.keys()], ['a', 'b'])
      assert.equal(map.getOrInsert('c'), undefined)
      assert.ok(map.has('c'))
    })

    it('takes a stored undefined for present', () => {
      const map = new M([['a', undefined]])
      assert.equal(map.getOrInsert('a', 2), undefined)
      assert.equal(map.get('a'), undefined)
    })

    it('takes -0 for 0', () => {
      const map = new M()
      assert.equal(map.getOrInsert(-0, 'zero'), 'zero')
      assert.equal(map.get(0), 'zero')
      assert.ok(Object.is([...map.keys()][0], 0))
    })
  })

  describe(`${M.name}: getOrInsertComputed`, only(M, 'getOrInsertComputed'), () => {
    it('does not call for a present key', () => {
      const map = new M([['a', undefined]])
      const result = map.getOrInsertComputed('a', () => assert.fail('called'))
      assert.equal(result, undefined)
    })

    it('calls once, with the key alone and no this, and stores what comes back', () => {
      const map = new M()
      const calls = []
      const result = map.getOrInsertComputed('a', function (...args) {
        calls.push([this, ...args])
        return 3
      })
      assert.equal(result, 3)
      assert.equal(map.get('a'), 3)
      assert.deepEqual(calls, [[undefined, 'a']])
    })

    it('passes 0 to the callback for -0', () => {
      new M().getOrInsertComputed(-0, key => {
        assert.ok(Object.is(key, 0))
        return 1
      })
    })

    it('replaces what the callback itself stored under the key', () => {
      const map = new M([['z', 0]])
      const result = map.getOrInsertComputed('a', () => {
        map.set('a', 'from inside')
        return 'returned'
      })
      assert.equal(result, 'returned')
      assert.equal(map.get('a'), 'returned')
      assert.deepEqual(
        [...map],
        [
          ['z', 0],
          ['a', 'returned']
        ]
      )
    })

    it('stores nothing when the callback throws, and keeps what the callback did', () => {
      const map = new M([['a', 1]])
      const failure = new Error('not computed')
      const compute = () =>
        map.getOrInsertComputed('b', () => {
          map.set('c', 3)
          throw failure
        })
      assert.throws(compute, error => error === failure)
      assert.deepEqual([...map.keys()], ['a', 'c'])
    })

    it('refuses what cannot be called, even for a present key', () => {
      const map = new M([['a', 1]])
      for (const callback of [...PRIMITIVES, {}, []]) {
        assert.throws(() => map.getOrInsertComputed('a', callback), { constructor: TypeError })
        assert.throws(() => map.getOrInsertComputed('b', callback), { constructor: TypeError })
      }
      assert.equal(map.size, 1)
    })
  })
}
