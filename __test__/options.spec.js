'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('..')
const { isTyped, throwsTyped } = require('./support/errors.js')

let names = 0

/** Refused in the same way by the constructor, with and without entries, and by open. */
function isRefused(options, { kind, says = [] } = {}) {
  const before = TypedMap.names()
  for (const make of [
    () => new TypedMap(options),
    () => new TypedMap([], options),
    () => new TypedMap(null, options),
    () => TypedMap.open(`options ${process.pid} ${++names}`, options)
  ]) {
    const error = throwsTyped(make, 'ERR_INVALID_OPTION', { says })
    assert.ok(error instanceof TypeError || error instanceof RangeError, 'a wrong argument')
    if (kind) assert.ok(error instanceof kind, `${error.message} should be a ${kind.name}`)
  }
  assert.deepEqual(TypedMap.names(), before, 'nothing was opened')
}

describe('options: accepted', () => {
  const ACCEPTED = [
    {},
    { shards: 1 },
    { shards: 16 },
    { initialCapacity: 0 },
    { initialCapacity: 100_000 },
    { maxLoadFactor: 0.5 },
    { seed: 0 },
    { seed: 12_345 },
    { enableSIMD: true },
    { enableSIMD: false },
    { simdEnabled: true },
    { memoryLimit: 64 * 1024 * 1024 },
    { memoryLimit: '64mb' },
    { memoryLimit: '1gb' },
    { memoryLimit: '65536kb' },
    { memoryLimitMb: 100 },
    { memoryLimitGb: 4 },
    { memoryLimitMb: 0.5 + 10 },
    { maxEntries: 1_000_000 },
    { nearCache: false },
    { nearCache: { maxEntries: 1 } },
    { logLevel: 'warn' },
    { logLevel: 'off' },
    { memoryLimitMb: 100, enableSIMD: true, logLevel: 'warn' }
  ]
  for (const options of ACCEPTED) {
    it(JSON.stringify(options), () => {
      for (const map of [
        new TypedMap(options),
        new TypedMap([['a', 1]], options),
        TypedMap.open(`options ${process.pid} ${++names}`, options)
      ]) {
        map.set('a', { b: 1 })
        assert.deepEqual(map.get('a'), { b: 1 })
        assert.equal(map.size, 1)
        map.close()
      }
    })
  }

  it('an option that is undefined is not given', () => {
    const map = new TypedMap({ shards: undefined, memoryLimit: undefined, nearCache: undefined, maxEntries: undefined })
    assert.equal(map.set('a', 1).size, 1)
  })

  it('shards are what was asked for', () => {
    assert.equal(new TypedMap({ shards: 8 }).getStats().shards, 8)
  })

  it('a map of few entries does not spread them over many shards', () => {
    assert.equal(new TypedMap({ maxEntries: 100 }).getStats().shards, 1)
    assert.ok(new TypedMap({ maxEntries: 4_096 }).getStats().shards <= 4)
  })

  it('a capacity that is reserved is not taken for entries', () => {
    const map = new TypedMap({ initialCapacity: 50_000 })
    assert.equal(map.size, 0)
    for (let n = 0; n < 60_000; n++) map.set(n, n)
    assert.equal(map.size, 60_000)
  })
})

describe('options: refused', () => {
  it('what is not an object of options', () => {
    for (const options of [1, 'text', true, 1n, Symbol('s'), () => {}]) {
      assert.throws(() => new TypedMap([], options), TypeError)
      assert.throws(() => TypedMap.open(`options ${++names}`, options), TypeError)
    }
  })

  it('unknown ones, with a guess at what was meant', () => {
    isRefused({ shard: 4 }, { says: [/shard/, /shards/] })
    isRefused({ maxEntrys: 4 }, { says: [/maxEntrys/, /maxEntries/] })
    isRefused({ memorylimit: 4 }, { says: [/memorylimit/, /memoryLimit/] })
    isRefused({ loglevel: 'warn' }, { says: [/loglevel/, /logLevel/] })
    isRefused({ somethingElse: 1 }, { says: [/somethingElse/] })
    isRefused({ nearCache: { maxEntrys: 3 } }, { says: [/maxEntrys/] })
  })

  it('those that this version does not have, by their name', () => {
    const LATER = {
      evictionStrategy: 'LRU',
      oomStrategy: 'reject',
      ttl: 1_000,
      ttlSeconds: 1,
      ttlOnUpdate: 'keep',
      sliding: true,
      strictTtl: true,
      maxValueBytes: 1_000
    }
    for (const [name, value] of Object.entries(LATER)) {
      isRefused({ [name]: value }, { says: [new RegExp(name), /not available|not supported|not yet/] })
    }
    const map = new TypedMap()
    throwsTyped(() => map.insert(1, { ttl: 1_000 }), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/ttl/] })
    assert.equal(map.size, 0)
  })

  const NUMBERS = {
    shards: [0, -1, 1.5, 3, 2 ** 20, Number.NaN, Number.POSITIVE_INFINITY],
    initialCapacity: [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY],
    maxLoadFactor: [0, -1, 1.5, Number.NaN],
    maxEntries: [0, -1, 1.5, Number.NaN, 2 ** 60],
    memoryLimit: [0, -1, Number.NaN],
    memoryLimitMb: [0, -1, Number.NaN],
    memoryLimitGb: [0, -1, Number.NaN]
  }
  for (const [name, values] of Object.entries(NUMBERS)) {
    it(`${name} out of its range`, () => {
      for (const value of values) isRefused({ [name]: value }, { says: [new RegExp(name)] })
    })

    it(`${name} that is no number`, () => {
      for (const value of [true, {}, [], null, Symbol('s'), () => {}, 'x']) {
        isRefused({ [name]: value }, { says: [new RegExp(name)] })
      }
    })
  }

  it('a memoryLimit that is no amount', () => {
    for (const value of ['', 'mb', '10', '10 apples', '-1mb', '1e400gb', '0mb', 'NaNmb', '1mb2']) {
      isRefused({ memoryLimit: value }, { says: [/memoryLimit/] })
    }
  })

  it('two memory limits at once that disagree', () => {
    isRefused({ memoryLimitMb: 100, memoryLimitGb: 4 }, { says: [/memoryLimit/] })
    isRefused({ memoryLimit: '10mb', memoryLimitMb: 11 }, { says: [/memoryLimit/] })
  })

  it('a near cache that is none', () => {
    for (const nearCache of [
      1,
      'on',
      [],
      { maxEntries: 0 },
      { maxEntries: -1 },
      { maxEntries: 1.5 },
      { maxEntries: '5' }
    ]) {
      isRefused({ nearCache }, { says: [/nearCache/] })
    }
  })

  it('a log level that is none', () => {
    for (const logLevel of ['loud', 1, '', {}, null]) isRefused({ logLevel }, { says: [/logLevel/, /warn/] })
  })

  it('switches that are no booleans', () => {
    for (const value of [1, 'yes', {}, null]) {
      isRefused({ enableSIMD: value }, { says: [/enableSIMD/] })
      isRefused({ simdEnabled: value }, { says: [/simdEnabled/] })
    }
  })

  it('the error names option, what was given and what is allowed', () => {
    const error = throwsTyped(() => new TypedMap({ shards: 3 }), 'ERR_INVALID_OPTION', {
      says: [/shards/, /3/, /power/]
    })
    isTyped(error, 'ERR_INVALID_OPTION')
  })

  it('a getter that throws is handed on', () => {
    const failure = new Error('no options')
    const options = {
      get shards() {
        throw failure
      }
    }
    assert.throws(
      () => new TypedMap(options),
      error => error === failure
    )
  })

  it('a name of the prototype is no option, and none is taken from it', () => {
    assert.equal(new TypedMap(Object.create({ shards: 3 })).set('a', 1).size, 1)
    isRefused({ constructor: 1 })
    isRefused({ toString: 1 })
  })

  it('of insert', () => {
    const map = new TypedMap()
    throwsTyped(() => map.insert(1, { typ: 'A' }), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/typ/] })
    for (const options of [1, 'A', true]) assert.throws(() => map.insert(1, options), TypeError)
    assert.equal(map.size, 0)
  })
})
