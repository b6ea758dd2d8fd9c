'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { type } = require('arktype')
const v = require('valibot')
const { z } = require('zod')
const { TypedMap, TypedMapError } = require('../..')
const { refusesUnchanged, throwsTyped } = require('../support/errors.js')

require('../support/sound.js')

/** The same schema in each of the libraries: a name without blanks around it, and a number that may come as text. */
const SCHEMAS = {
  zod: z.object({ name: z.string().trim(), age: z.coerce.number().min(0) }),
  valibot: v.object({
    name: v.pipe(v.string(), v.trim()),
    age: v.pipe(v.unknown(), v.transform(Number), v.number(), v.minValue(0))
  }),
  // A function with the interface.
  arktype: type({ name: 'string.trim', age: 'number >= 0 | string.numeric.parse' })
}

/** A schema of one's own. */
const schemaOf = validate => ({ '~standard': { version: 1, vendor: 'test', validate } })

for (const [library, schema] of Object.entries(SCHEMAS)) {
  describe(`a schema of ${library}`, () => {
    it('what it makes of a value is stored', () => {
      const map = new TypedMap()
      const users = map.ofType('User', schema)
      const given = { name: ' Ada ', age: '36' }
      users.set('ada', given)
      const handle = users.insert(given, { ttl: 60_000 })
      for (const target of ['ada', handle]) assert.deepEqual(users.get(target), { name: 'Ada', age: 36 })
      users.set(handle, { name: 'Bob', age: 1 })
      assert.deepEqual(users.get(handle), { name: 'Bob', age: 1 })
      assert.deepEqual(given, { name: ' Ada ', age: '36' })
      map.close()
    })

    it('what it refuses is not written, and its issues are in the error', () => {
      const map = new TypedMap()
      const users = map.ofType('User', schema)
      users.set('ada', { name: 'Ada', age: 36 })
      const handle = map.getHandle('ada')
      for (const write of [
        value => users.set('ada', value),
        value => users.set(handle, value),
        value => users.set('new', value),
        value => users.insert(value)
      ]) {
        const error = refusesUnchanged(map, () => write({ name: 1, age: 1 }), 'ERR_VALIDATION', {
          says: [/'User'/, /name/]
        })
        assert.equal(error.details.type, 'User')
        assert.deepEqual(
          error.details.issues.map(({ path }) => path),
          [['name']]
        )
        for (const { message } of error.details.issues) assert.ok(typeof message === 'string' && message !== '')
        refusesUnchanged(map, () => write(undefined), 'ERR_VALIDATION')
        refusesUnchanged(map, () => write({ name: 'Ada', age: -1 }), 'ERR_VALIDATION', { says: [/age/] })
      }
      map.close()
    })
  })
}

describe('a schema', () => {
  it('that is asynchronous is an error of its own, and nothing is left unhandled', async t => {
    const map = new TypedMap()
    const unhandled = t.mock.fn()
    process.on('unhandledRejection', unhandled)
    const schemas = [
      z.object({ name: z.string().refine(async name => name !== '') }),
      v.objectAsync({
        name: v.pipeAsync(
          v.string(),
          v.checkAsync(async () => false)
        )
      }),
      schemaOf(async () => ({ value: 1 })),
      schemaOf(() => Promise.reject(new Error('later'))),
      // biome-ignore lint/suspicious/noThenProperty: that is what is tested
      schemaOf(() => ({ then: () => {} }))
    ]
    for (const schema of schemas) {
      const view = map.ofType('Later', schema)
      for (const write of [() => view.set('key', { name: 'Ada' }), () => view.insert({ name: 'Ada' })]) {
        refusesUnchanged(map, write, 'ERR_INVALID_OPTION', { kind: TypeError, says: [/asynchronous/, /promise/] })
      }
    }
    await new Promise(resolve => setTimeout(resolve, 10))
    process.off('unhandledRejection', unhandled)
    assert.equal(unhandled.mock.callCount(), 0)
    map.close()
  })

  it('that throws throws through', () => {
    const map = new TypedMap()
    const thrown = new Error('of the schema')
    const view = map.ofType(
      'Throwing',
      schemaOf(() => {
        throw thrown
      })
    )
    for (const write of [() => view.set('key', 1), () => view.insert(1)]) {
      assert.throws(write, error => error === thrown)
      assert.ok(!(thrown instanceof TypedMapError))
    }
    assert.equal(map.size, 0)
    map.close()
  })

  it('is called with its value and with nothing else, as a method, once for each write', () => {
    const map = new TypedMap()
    const calls = []
    const schema = schemaOf(function (...given) {
      calls.push([this, given])
      return { value: calls.length }
    })
    const view = map.ofType('Counted', schema)
    const value = { some: 'value' }
    view.set('key', value)
    view.insert(value)
    assert.deepEqual(
      calls.map(([self, given]) => [self === schema['~standard'], given]),
      [
        [true, [value]],
        [true, [value]]
      ]
    )
    assert.equal(calls[0][1][0], value)
    assert.deepEqual([...view.values()], [1, 2])
    // It is not asked for what is wrong anyway, nor by reads and by the map.
    assert.throws(() => view.set('key', value, { ttl: 0 }), { code: 'ERR_INVALID_OPTION' })
    view.get('key')
    map.replace(map.getHandle('key'), 9)
    assert.equal(calls.length, 2)
    map.close()
  })

  it('may use the map, and may close it', () => {
    const map = new TypedMap()
    const view = map.ofType(
      'Writing',
      schemaOf(value => {
        map.set('last', value)
        view.has('key')
        if (value === 'end') map.close()
        return { value }
      })
    )
    view.set('key', { n: 1 })
    assert.deepEqual([view.get('key'), map.get('last')], [{ n: 1 }, { n: 1 }])
    throwsTyped(() => view.set('key', 'end'), 'ERR_CLOSED')
  })

  it('whose answer is none, or whose issues are odd, does no harm', () => {
    const map = new TypedMap()
    for (const result of [undefined, null, 1, 'text']) {
      const view = map.ofType(
        'Odd',
        schemaOf(() => result)
      )
      refusesUnchanged(map, () => view.set('key', 1), 'ERR_INVALID_OPTION', {
        kind: TypeError,
        says: [/result of the schema/]
      })
    }
    const odd = [
      [[], /does not say why/, []],
      [[{}], /undefined/, [{ message: 'undefined', path: [] }]],
      [
        [{ message: 'no', path: [{ key: 'a' }, 0, Symbol('s'), { key: 2 }] }],
        /a\.0\.Symbol\(s\)\.2: no/,
        [{ message: 'no', path: ['a', 0, 'Symbol(s)', 2] }]
      ],
      [
        [{ message: 'one' }, { message: 'two' }],
        /one \(and 1 more\)/,
        [
          { message: 'one', path: [] },
          { message: 'two', path: [] }
        ]
      ]
    ]
    for (const [issues, says, expected] of odd) {
      const view = map.ofType(
        'Odd',
        schemaOf(() => ({ issues }))
      )
      const error = refusesUnchanged(map, () => view.insert(1), 'ERR_VALIDATION', { says: [says] })
      assert.deepEqual(error.details, { type: 'Odd', issues: expected })
    }
    const view = map.ofType(
      'Odd',
      schemaOf(() => ({ value: () => 1 }))
    )
    refusesUnchanged(map, () => view.insert(1), 'ERR_VALUE_NOT_SERIALIZABLE')
    const nothing = map.ofType(
      'Odd',
      schemaOf(() => ({ value: undefined }))
    )
    nothing.set('nothing', 1)
    assert.deepEqual([nothing.has('nothing'), nothing.get('nothing')], [true, undefined])
    map.close()
  })

  it('is refused where it has not the interface', () => {
    const map = new TypedMap()
    for (const schema of [
      null,
      1,
      'zod',
      {},
      () => {},
      { '~standard': 1 },
      { '~standard': {} },
      { '~standard': { validate: 1 } }
    ]) {
      throwsTyped(() => map.ofType('Config', schema), 'ERR_INVALID_OPTION', {
        kind: TypeError,
        says: [/schema/, /~standard/]
      })
    }
    map.close()
  })
})
