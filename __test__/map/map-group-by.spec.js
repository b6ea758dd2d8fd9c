'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { SUBJECTS, isNotConstructor, iterable, only, own } = require('../support/subjects.js')

require('../support/sound.js')

for (const M of SUBJECTS) {
  describe(`${M.name}: groupBy`, only(M, 'groupBy'), () => {
    it('is a static method of two arguments', () => {
      const { value, ...rest } = own(M, 'groupBy')
      assert.deepEqual(rest, { writable: true, enumerable: false, configurable: true })
      assert.equal(value.name, 'groupBy')
      assert.equal(value.length, 2)
      isNotConstructor(value)
    })

    it('groups into arrays in order of first sight, by the key that the callback returns', () => {
      const args = []
      const map = M.groupBy([1, 2, 3], function (...given) {
        args.push(given)
        assert.equal(this, undefined)
        return given[0] % 2 === 0 ? 'even' : 'odd'
      })
      assert.ok(map instanceof M)
      assert.deepEqual(args, [
        [1, 0],
        [2, 1],
        [3, 2]
      ])
      assert.deepEqual(
        [...map],
        [
          ['odd', [1, 3]],
          ['even', [2]]
        ]
      )
    })

    it('keeps keys of different types apart, and takes -0 for 0', () => {
      const map = M.groupBy([-0, +0, 1, '1', NaN], item => item)
      assert.deepEqual([...map.keys()], [0, 1, '1', NaN])
      assert.ok([...map.keys()].every(key => !Object.is(key, -0)))
      assert.equal(map.get(0).length, 2)
    })

    it('takes any iterable, and strings by code points', () => {
      const groups = M.groupBy('🥰💩🙏😈', char => (char < '🙏' ? 'before' : 'after'))
      assert.deepEqual(
        [...groups],
        [
          ['after', ['🥰', '🙏']],
          ['before', ['💩', '😈']]
        ]
      )
      assert.equal(M.groupBy([], () => 1).size, 0)
    })

    it('refuses what is not iterable and what cannot be called', () => {
      for (const items of [undefined, null, {}, 1]) assert.throws(() => M.groupBy(items, x => x), TypeError)
      for (const callback of [undefined, null, {}, 'f']) assert.throws(() => M.groupBy([1], callback), TypeError)
      let touched = false
      const items = {
        get [Symbol.iterator]() {
          touched = true
          return undefined
        }
      }
      assert.throws(() => M.groupBy(items, null), TypeError)
      assert.equal(touched, false)
    })

    it('closes the iterator when the callback throws', () => {
      let closed = 0
      const failure = new Error('no group')
      const grouping = () =>
        M.groupBy(
          iterable([1, 2], () => closed++),
          () => {
            throw failure
          }
        )
      assert.throws(grouping, error => error === failure)
      assert.equal(closed, 1)
    })
  })
}
