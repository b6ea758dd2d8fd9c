'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap, TypedMapError } = require('../..')
const { ERROR_NUMBERS } = require('../../lib/errors.js')
const { NUMBERS, isTyped, throwsTyped } = require('../support/errors.js')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

const cycle = {}
cycle.self = cycle

/** One way to each code that this version throws. */
const CAUSES = {
  ERR_HANDLE_NOT_FOUND(map) {
    const handle = map.insert(1)
    map.delete(handle)
    map.replace(handle, 2)
  },
  ERR_WRONG_TYPE: map => map.get(map.insert(1, { type: 'A' }), 'B'),
  ERR_HANDLE_INVALIDATED: map => map.replace(new TypedMap().insert(1), 2),
  ERR_INVALID_SHARD_INDEX: map => map.handle({ ...map.insert(1), shard: 99_999 }),
  ERR_MEMORY_LIMIT: () => new TypedMap([['a', 1]], { maxEntries: 1, oomStrategy: 'reject' }).set('b', 2),
  ERR_CLOSED(map) {
    map.close()
    map.get('a')
  },
  ERR_KEY_TYPE: map => map.set({}, 1),
  ERR_VALUE_NOT_SERIALIZABLE: map => map.set('a', () => {}),
  ERR_INVALID_OPTION: () => new TypedMap({ shards: -1 }),
  ERR_TRANSACTION_CONFLICT: map => map.update('a', () => map.set('a', 1) && 2),
  ERR_OUT_OF_RANGE: map => map.increment('a', 2, { max: 1 })
}

/** Codes of wrong arguments are those of the language's own classes as well. */
const ARGUMENTS = { ERR_KEY_TYPE: TypeError, ERR_VALUE_NOT_SERIALIZABLE: TypeError, ERR_INVALID_OPTION: RangeError }

describe('errors', () => {
  it('have the numbers of the table', () => {
    for (const [code, number] of Object.entries(ERROR_NUMBERS)) assert.equal(number, NUMBERS[code], code)
  })

  for (const [code, cause] of Object.entries(CAUSES)) {
    it(`${code}: class, name, code, number, details and a message that says something`, () => {
      const kind = ARGUMENTS[code] ?? TypedMapError
      const error = throwsTyped(() => cause(new TypedMap()), code, { kind })
      assert.ok(error.message.length > 10)
      assert.match(error.stack, /errors\.spec\.js/, 'the stack leads to the caller')
      assert.equal(typeof error.name, 'string')
      if (!(code in ARGUMENTS)) {
        assert.equal(error.name, 'TypedMapError')
        assert.equal(error.constructor, TypedMapError)
      }
    })
  }

  it('of wrong arguments are of the class that the language uses, and of ours', () => {
    const error = throwsTyped(() => new TypedMap().set(Symbol('s'), 1), 'ERR_KEY_TYPE', { kind: TypeError })
    assert.equal(error.constructor, TypeError)
    assert.ok(error instanceof TypedMapError)
    assert.equal(new TypeError('other') instanceof TypedMapError, false)
    for (const other of [undefined, null, 1, 'ERR_CLOSED', {}, { code: 'ERR_CLOSED' }, new Error('x')]) {
      assert.equal(other instanceof TypedMapError, false)
    }
  })

  it('a class derived from TypedMapError takes its own instances only', () => {
    class Mine extends TypedMapError {}
    const ours = throwsTyped(() => new TypedMap().set({}, 1), 'ERR_KEY_TYPE')
    assert.equal(ours instanceof Mine, false)
    assert.ok(new Mine('ERR_CLOSED', 'x') instanceof TypedMapError)
    assert.ok(new Mine('ERR_CLOSED', 'x') instanceof Mine)
  })

  it('of the limit say how much was asked for and how much there is', () => {
    const map = new TypedMap({ memoryLimit: 1024 * 1024, oomStrategy: 'reject' })
    let thrown
    try {
      for (let n = 0; ; n++) map.set(n, 'x'.repeat(1_000))
    } catch (error) {
      thrown = error
    }
    isTyped(thrown, 'ERR_MEMORY_LIMIT', { says: [/1,048,576/] })
    assert.equal(thrown.details.limitBytes, 1024 * 1024)
    assert.ok(thrown.details.requestedBytes > 0)
    assert.ok(thrown.details.usedBytes <= 1024 * 1024)
  })

  it('of a value say where in it the trouble lies', () => {
    const map = new TypedMap()
    const expected = {
      'a bigint': [{ a: { b: [1, 2n] } }, /a\.b\[1\]/],
      'a cycle': [cycle, /self/]
    }
    for (const [value, place] of Object.values(expected)) {
      throwsTyped(() => map.set('key', value), 'ERR_VALUE_NOT_SERIALIZABLE', { kind: TypeError, says: [place] })
    }
  })

  it('of a value keep the error that its own code threw', () => {
    const failure = new Error('from toJSON')
    const value = {
      toJSON() {
        throw failure
      }
    }
    const error = throwsTyped(() => new TypedMap().set('a', value), 'ERR_VALUE_NOT_SERIALIZABLE')
    assert.equal(error.cause, failure)
  })

  it('of a handle that came as plain data name what revives it', () => {
    const map = new TypedMap()
    const handle = map.insert({ a: 1 })
    for (const data of [structuredClone({ ...handle }), JSON.parse(JSON.stringify(handle))]) {
      for (const call of [
        () => map.get(data),
        () => map.has(data),
        () => map.getByHandle(data),
        () => map.set(data, 1),
        () => map.replace(data, 1),
        () => map.getMany([data]),
        () => map.delete(data)
      ]) {
        throwsTyped(call, 'ERR_KEY_TYPE', { kind: TypeError, says: [/object/, /map\.handle\(data\)/] })
      }
      assert.deepEqual(map.get(map.handle(data)), { a: 1 })
    }
  })

  it('never show what is stored', () => {
    const secret = 'correct horse battery staple'
    const map = new TypedMap([['a', secret]], { maxEntries: 1, oomStrategy: 'reject' })
    const error = throwsTyped(() => map.set('b', secret), 'ERR_MEMORY_LIMIT')
    assert.doesNotMatch(`${error.message}${JSON.stringify(error.details)}`, /horse/)
  })

  it('are the same in a worker', async () => {
    const seen = await inWorker(({ TypedMap, TypedMapError }) => {
      try {
        new TypedMap().set({}, 1)
      } catch (error) {
        return [error.code, error.number, error instanceof TypedMapError, error instanceof TypeError]
      }
    })
    assert.deepEqual(seen, ['ERR_KEY_TYPE', 1011, true, true])
  })
})
