'use strict'

// What TypedMap shares with Map is asked of both: a test that Map itself does not pass asks for the wrong thing.

const assert = require('node:assert/strict')
const { TypedMap } = require('../..')

const SUBJECTS = [Map, TypedMap]
const PRIMITIVES = [undefined, null, true, 0, 1n, '', Symbol('not a map')]

/** Methods that came to Map later than this version of Node are asked of TypedMap alone. */
const has = (M, name) => M === TypedMap || typeof M.prototype[name] === 'function' || typeof M[name] === 'function'

/** Options of a test that needs the method `name`. */
const only = (M, name) => (has(M, name) ? {} : { skip: `${M.name} has no ${name} on this version of Node` })

const own = (object, name) => Object.getOwnPropertyDescriptor(object, name)

function isNotConstructor(fn) {
  // `Reflect.construct` asks whether its third argument is a constructor and never calls it.
  assert.throws(() => Reflect.construct(Object, [], fn), TypeError)
}

/** An iterable of `items` that can be walked once and reports when it is closed. */
function iterable(items, onReturn = () => {}) {
  let at = 0
  return {
    [Symbol.iterator]: () => ({
      next: () => (at < items.length ? { value: items[at++], done: false } : { value: undefined, done: true }),
      return() {
        onReturn()
        return {}
      }
    })
  }
}

module.exports = { PRIMITIVES, SUBJECTS, has, isNotConstructor, iterable, only, own }
