'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { inspect } = require('node:util')
const { TypedMap } = require('../..')
const { MANUAL_CLOCK } = require('../../lib/options/map-options.js')
const { isTyped, throwsTyped } = require('../support/errors.js')

require('../support/sound.js')

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
    { seed: Number.MAX_SAFE_INTEGER },
    { hash: 'ahash' },
    { hash: 'siphash', seed: 1 },
    { hash: 'xxh3' },
    { hash: 'fnv1a', shards: 4 },
    { caseInsensitiveKeys: true },
    { caseInsensitiveKeys: false },
    { latency: true },
    { latency: false },
    { timeTargets: { get: 0.5 } },
    { timeTargets: { get: 1, set: 2, insert: undefined, delete: 4, load: 1_000 } },
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
    { memoryLimit: 'auto' },
    { maxEntries: 1_000_000 },
    { maxValueBytes: 1_000 },
    { evictionStrategy: 'lru' },
    { evictionStrategy: 'TTL', ttlSeconds: 3_600, memoryLimitGb: 4, simdEnabled: true },
    { evictionStrategy: 'S3_FIFO', maxEntries: 10 },
    { evictionStrategy: 'W-TinyLFU' },
    { oomStrategy: 'reject' },
    { oomStrategy: 'EVICT_EXPIRED', memoryLimit: '1mb' },
    { oomStrategy: { evictIdle: 1_000 }, maxEntries: 10 },
    { ttl: 60_000.5 },
    { ttl: 60_000, ttlSeconds: 60 },
    { ttl: 1_000, ttlOnUpdate: 'keep', sliding: true, strictTtl: true },
    { nearCache: false },
    { nearCache: { maxEntries: 1 } },
    { nearCache: { maxBytes: 1 } },
    { nearCache: { maxEntries: 10, maxBytes: '2mb' } },
    { logLevel: 'warn' },
    { logLevel: 'off' },
    { logTargets: ['typedmap.memory', 'typedmap.lifecycle'] },
    { logTargets: [] },
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

  const LIMITS = ['memoryLimit', 'memoryLimitMb', 'memoryLimitGb', 'maxEntries', 'maxValueBytes', 'ttl', 'ttlSeconds']
  for (const option of LIMITS) {
    it(`${option}: Infinity means no limit`, () => {
      const options = { [option]: Number.POSITIVE_INFINITY }
      const name = `options ${process.pid} ${++names}`
      for (const map of [new TypedMap(options), new TypedMap([['a', 1]], options), TypedMap.open(name, options)]) {
        map.set('a', 1)
        assert.deepEqual(map.getStats().limits, { memoryLimit: null, maxEntries: null, maxValueBytes: null })
        assert.equal(map.ttlOf('a'), Number.POSITIVE_INFINITY)
        TypedMap.open(name, options).close()
      }
      TypedMap.open(name, options).destroy()
    })

    it(`${option} that is Infinity differs from a limit`, () => {
      const name = `options ${process.pid} ${++names}`
      const map = TypedMap.open(name, { [option]: option === 'memoryLimit' ? '64mb' : 64 })
      throwsTyped(() => TypedMap.open(name, { [option]: Number.POSITIVE_INFINITY }), 'ERR_INVALID_OPTION', {
        kind: TypeError,
        says: [/none/, /made with/]
      })
      map.close()
    })
  }

  it('the longest ttl is kept to the millisecond', () => {
    const map = new TypedMap({ ttl: 2 ** 47, [MANUAL_CLOCK]: true })
    map.set('a', 1).set('b', 1, { ttl: 2 ** 47 - 1 })
    assert.equal(map.ttlOf('a'), 2 ** 47)
    assert.equal(map.ttlOf('b'), 2 ** 47 - 1)
  })

  it('an undefined option counts as missing', () => {
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

  it('those that other caches call differently, with what does the same here', () => {
    const ours = {
      maxEntries: ['max', 'maxSize', 'maxKeys', 'maxItems', 'capacity', 'size', 'limit'],
      memoryLimit: ['maxSize', 'maxBytes', 'maxMemory', 'sizeCalculation'],
      maxValueBytes: ['maxEntrySize', 'maxValueSize'],
      ttl: ['maxAge', 'expires', 'checkperiod', 'ttlAutopurge', 'deleteOnExpire'],
      ttlSeconds: ['stdTTL'],
      ttlOnUpdate: ['noUpdateTTL'],
      sliding: ['updateAgeOnGet', 'updateAgeOnHas'],
      onEvict: ['dispose', 'disposeAfter', 'onEviction'],
      evictionStrategy: ['policy', 'strategy', 'eviction', 'algorithm'],
      getOrInsertComputed: ['fetchMethod'],
      copy: ['useClones'],
      'map.autoResize': ['autoResize']
    }
    for (const [name, theirs] of Object.entries(ours)) {
      for (const option of theirs)
        isRefused({ [option]: 100 }, { kind: TypeError, says: [new RegExp(`\\b${name}\\b`)] })
    }
  })

  const NUMBERS = {
    shards: [0, -1, 1.5, 3, 8_192, 65_536, 2 ** 20, Number.NaN, Number.POSITIVE_INFINITY],
    initialCapacity: [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY],
    maxLoadFactor: [0, -1, 1.5, Number.NaN],
    maxEntries: [0, -1, 1.5, Number.NaN, 2 ** 60],
    maxValueBytes: [0, -1, 1.5, Number.NaN, 2 ** 60],
    ttl: [0, -1, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 47 + 1, Number.MAX_SAFE_INTEGER, 2 ** 60],
    ttlSeconds: [0, -1, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 40],
    memoryLimit: [0, -1, Number.NaN, Number.NEGATIVE_INFINITY],
    memoryLimitMb: [0, -1, Number.NaN],
    memoryLimitGb: [0, -1, Number.NaN]
  }
  for (const [name, values] of Object.entries(NUMBERS)) {
    it(`${name} out of its range`, () => {
      for (const value of values) isRefused({ [name]: value }, { says: [new RegExp(name)] })
    })

    it(`${name} of a wrong type or value`, () => {
      for (const value of [true, {}, [], null, Symbol('s'), () => {}, 'x']) {
        isRefused({ [name]: value }, { says: [new RegExp(name)] })
      }
    })
  }

  it('an invalid memoryLimit', () => {
    for (const value of ['', 'mb', '10', '10 apples', '-1mb', '1e400gb', '0mb', 'NaNmb', '1mb2']) {
      isRefused({ memoryLimit: value }, { says: [/memoryLimit/] })
    }
  })

  it('two memory limits at once that disagree', () => {
    isRefused({ memoryLimitMb: 100, memoryLimitGb: 4 }, { says: [/memoryLimit/] })
    isRefused({ memoryLimit: '10mb', memoryLimitMb: 11 }, { says: [/memoryLimit/] })
  })

  it('two spellings of a ttl that disagree', () => {
    isRefused({ ttl: 1_000, ttlSeconds: 2 }, { says: [/ttlSeconds/, /option ttl/] })
  })

  it('an unknown strategy, with a list of the known ones', () => {
    for (const value of ['', 'mru', 'LR U', 1, true, null, {}, ['lru']]) {
      isRefused({ evictionStrategy: value }, { says: [/evictionStrategy/, /'w-tinylfu'/, /function/] })
    }
    for (const value of ['', 'panic', 1, true, null, [], {}, { evictIdle: 0 }, { evictIdle: '5' }, { idle: 5 }]) {
      isRefused({ oomStrategy: value }, { says: [/oomStrategy/] })
    }
    for (const value of ['', 'RENEW', 'reset', 1, null])
      isRefused({ ttlOnUpdate: value }, { says: [/'renew', 'keep'/] })
  })

  it('a function that would never be asked', () => {
    const choose = () => []
    for (const oomStrategy of ['reject', 'evict-expired', { evictIdle: 5 }, () => {}]) {
      isRefused({ evictionStrategy: choose, oomStrategy }, { says: [/oomStrategy/, /evictionStrategy/] })
    }
    new TypedMap({ evictionStrategy: choose, oomStrategy: 'evict' }).close()
    new TypedMap({ evictionStrategy: 'lru', oomStrategy: () => {} }).close()
  })

  it('an invalid near cache', () => {
    for (const nearCache of [
      1,
      'on',
      [],
      { maxEntries: 0 },
      { maxEntries: -1 },
      { maxEntries: 1.5 },
      { maxEntries: '5' },
      { maxBytes: 0 },
      { maxBytes: -1 },
      { maxBytes: Number.NaN },
      { maxBytes: Number.POSITIVE_INFINITY },
      { maxBytes: 'auto' },
      { maxBytes: 'much' },
      { maxBytes: null },
      { maxEntries: 5, maxbytes: 5 }
    ]) {
      isRefused({ nearCache }, { says: [/nearCache/] })
    }
  })

  it('an unknown log level', () => {
    for (const logLevel of ['loud', 1, '', {}, null]) isRefused({ logLevel }, { says: [/logLevel/, /warn/] })
    for (const logTargets of ['typedmap.memory', ['memory'], [1], {}, null]) {
      isRefused({ logTargets }, { says: [/logTargets/, /'typedmap.memory'/] })
    }
  })

  it('switches that are no booleans', () => {
    for (const value of [1, 'yes', {}, null]) {
      isRefused({ enableSIMD: value }, { says: [/enableSIMD/] })
      isRefused({ simdEnabled: value }, { says: [/simdEnabled/] })
      isRefused({ sliding: value }, { says: [/sliding/] })
      isRefused({ strictTtl: value }, { says: [/strictTtl/] })
      isRefused({ latency: value }, { says: [/latency/, /true or false/] })
      isRefused({ caseInsensitiveKeys: value }, { says: [/caseInsensitiveKeys/, /true or false/] })
    }
  })

  it('targets of time that are none', () => {
    for (const timeTargets of [1, null, [], 'fast', {}, { get: undefined }]) {
      isRefused({ timeTargets }, { says: [/option timeTargets/, /'get', 'set', 'insert', 'delete', 'load'/] })
    }
    isRefused({ timeTargets: { has: 1 } }, { says: [/timeTargets.has/, /does not exist/] })
    for (const get of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1', null]) {
      isRefused({ timeTargets: { get } }, { says: [/timeTargets.get/, /above 0/] })
    }
  })

  it('an unknown hash function, with a list of the known ones', () => {
    for (const value of ['', 'XXH3', 'md5', 'sip', 1, true, null, {}, ['ahash']]) {
      isRefused({ hash: value }, { says: [/option hash/, /'ahash', 'siphash', 'xxh3', 'fnv1a'/] })
    }
  })

  it('a normalizeKey that is no function', () => {
    for (const value of ['function', 'lower', true, null, {}, Symbol('s')]) {
      isRefused({ normalizeKey: value }, { kind: TypeError, says: [/normalizeKey/, /a function/] })
    }
  })

  it('a seed that is none, and no error shows it', () => {
    for (const value of [-1, -1n, 2 ** 53, 2n ** 64n, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null, true, {}]) {
      isRefused({ seed: value }, { kind: TypeError, says: [/seed/, /integer or bigint from 0 to 2\^64 - 1/] })
    }
    for (const value of ['77001', 77_001.5, -77_001, 2n ** 64n + 77_001n]) {
      const error = throwsTyped(() => new TypedMap({ seed: value }), 'ERR_INVALID_OPTION')
      assert.doesNotMatch(`${error.stack}${JSON.stringify(error.details)}`.replaceAll(/\.js:\d+:\d+/g, ''), /7001/)
    }
  })

  it('the error names the option, the actual value and the allowed ones', () => {
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

  it('a name of the prototype is not an option, and no option is read from the prototype', () => {
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

describe('options: of a write', () => {
  const handle = map => map.getHandle('a')
  const WRITES = {
    set: (map, options) => map.set('a', 1, options),
    'set by handle': (map, options) => map.set(handle(map), 1, options),
    replace: (map, options) => map.replace(handle(map), 1, options),
    insert: (map, options) => map.insert(1, options),
    insertWithHandle: (map, options) => map.insertWithHandle('b', 1, options),
    getOrInsert: (map, options) => map.getOrInsert('b', 1, options),
    getOrInsertComputed: (map, options) => map.getOrInsertComputed('b', () => 1, options),
    setMany: (map, options) => map.setMany([['b', 1]], options),
    insertMany: (map, options) => map.insertMany([1], options),
    updateMany: (map, options) => map.updateMany([['a', 1]], options),
    touch: (map, options) => map.touch('a', options)
  }
  for (const [name, write] of Object.entries(WRITES)) {
    it(`${name} takes { ttl }, and nothing else for it than a time`, () => {
      const map = new TypedMap([['a', 0]])
      for (const ttl of [0, -1, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 47 + 1, Number.MAX_SAFE_INTEGER, 2 ** 60]) {
        const error = throwsTyped(() => write(map, { ttl }), 'ERR_INVALID_OPTION', { kind: RangeError, says: [/ttl/] })
        assert.match(error.message, /milliseconds.*Infinity/)
      }
      for (const ttl of ['5', true, null, {}, 5n]) {
        throwsTyped(() => write(map, { ttl }), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/ttl/] })
      }
      for (const options of [5, 'ttl', true, null, []]) {
        throwsTyped(() => write(map, options), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/options/] })
      }
      throwsTyped(() => write(map, { tll: 5 }), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/tll/, /ttl/] })
      assert.deepEqual([...map], [['a', 0]], 'nothing was written')
      assert.equal(map.ttlOf('a'), Number.POSITIVE_INFINITY)
      for (const options of [undefined, {}, { ttl: undefined }, { ttl: Number.POSITIVE_INFINITY }, { ttl: 1_000 }]) {
        write(map, options)
      }
    })
  }

  it('a ttl holds for its own write alone', () => {
    const map = new TypedMap()
    assert.throws(() => map.set(Symbol('no key'), 1, { ttl: 1_000 }), { code: 'ERR_KEY_TYPE' })
    map.set('after', 1)
    assert.equal(map.ttlOf('after'), Number.POSITIVE_INFINITY)
    const value = {
      toJSON() {
        map.set('inner', 1)
        return 'outer'
      }
    }
    map.set('outer', value, { ttl: 1_000 })
    assert.equal(map.ttlOf('inner'), Number.POSITIVE_INFINITY)
    assert.ok(map.ttlOf('outer') <= 1_000)
    map.setMany([['many', 1]], { ttl: 1_000 }).set('single', 1)
    assert.ok(map.ttlOf('many') <= 1_000)
    assert.equal(map.ttlOf('single'), Number.POSITIVE_INFINITY)
  })
})

describe('options: of a named map', () => {
  const MADE_WITH = [
    [{ maxValueBytes: 100 }, { maxValueBytes: 101 }],
    [{ hash: 'siphash' }, { hash: 'xxh3' }],
    [{}, { hash: 'fnv1a' }, 'hash'],
    [{ hash: 'fnv1a' }, { hash: 'ahash' }],
    [{ seed: 5 }, { seed: 6 }],
    [{}, { seed: 6 }],
    [{ caseInsensitiveKeys: true }, { caseInsensitiveKeys: false }],
    [{}, { caseInsensitiveKeys: true }],
    [{}, { normalizeKey: key => key }],
    [{ evictionStrategy: 'lru' }, { evictionStrategy: 'sieve' }],
    [{ evictionStrategy: 'lru' }, { evictionStrategy: () => [] }],
    [{ evictionStrategy: () => [] }, { evictionStrategy: 'lru' }],
    [{ oomStrategy: 'reject' }, { oomStrategy: 'evict' }],
    [{ oomStrategy: { evictIdle: 1 } }, { oomStrategy: { evictIdle: 2 } }],
    [{ oomStrategy: () => {} }, { oomStrategy: 'reject' }],
    [{ oomStrategy: 'reject' }, { oomStrategy: () => {} }],
    [{}, { oomStrategy: () => {} }],
    [{ ttl: 1_000 }, { ttl: 2_000 }],
    [{}, { ttl: 1_000 }, 'ttl'],
    [{ ttlOnUpdate: 'keep' }, { ttlOnUpdate: 'renew' }],
    [{ sliding: true }, { sliding: false }],
    [{ strictTtl: true }, { strictTtl: false }],
    [{ latency: true }, { latency: false }],
    [{ timeTargets: { get: 1 } }, { timeTargets: { get: 1, set: 1 } }],
    [{}, { timeTargets: { get: 1 } }, 'timeTargets'],
    [{}, { latency: true }]
  ]
  for (const [made, other] of MADE_WITH) {
    const [name] = Object.keys(other)
    it(`${name} that differs is named`, () => {
      const title = `options ${process.pid} ${++names}`
      const map = TypedMap.open(title, { maxEntries: 10, ...made })
      const error = throwsTyped(() => TypedMap.open(title, other), 'ERR_INVALID_OPTION', {
        kind: TypeError,
        says: [new RegExp(name)]
      })
      assert.equal(error.details.option, name)
      for (const same of [made, {}]) TypedMap.open(title, same).close()
      map.close()
    })
  }

  it('a seed that differs is not shown, nor is the one that is there', () => {
    const title = `options ${process.pid} ${++names}`
    const map = TypedMap.open(title, { seed: 77_001n })
    const error = throwsTyped(() => TypedMap.open(title, { seed: 77_002 }), 'ERR_INVALID_OPTION', { says: [/seed/] })
    const shown = [error.message, JSON.stringify(error.details), inspect(map), inspect(map, { showHidden: true })]
    shown.push(JSON.stringify(map.getStats()), inspect(new TypedMap({ seed: 77_001 }), { depth: 9 }))
    for (const text of shown) assert.doesNotMatch(text, /7700/)
    for (const same of [{ seed: 77_001 }, { seed: 77_001n }]) TypedMap.open(title, same).close()
    map.close()
  })

  it('the same in other words is the same', () => {
    const title = `options ${process.pid} ${++names}`
    const map = TypedMap.open(title, { ttlSeconds: 2, evictionStrategy: 'S3_FIFO', memoryLimitMb: 1 })
    TypedMap.open(title, { ttl: 2_000, evictionStrategy: 's3-fifo', memoryLimit: '1024kb' }).close()
    map.close()
  })
})

describe('options: the table', () => {
  const { OPTIONS } = require('../../lib/options/map-options.js')
  const { binding } = require('../../lib/native/attach.js')
  const read = file => readFileSync(path.join(__dirname, '..', '..', file), 'utf8')

  it('has in Rust what it has in JavaScript', () => {
    const { id, config } = binding.open(null, '{}')
    binding.close(id)
    const inJavaScript = Object.entries(OPTIONS).flatMap(([name, { as = name, isOwn }]) => (isOwn ? [] : as))
    assert.deepEqual(Object.keys(JSON.parse(config)).sort(), [...new Set(inJavaScript)].sort())
  })

  it('is in the types and in the README', () => {
    const [, types] = /interface TypedMapOptions \{([\s\S]*?)\n\}/.exec(read('types/options.d.ts'))
    const [, page] = /\n## Options\n([\s\S]*?)\n## /.exec(read('README.md'))
    for (const name of Object.keys(OPTIONS)) {
      assert.match(types, new RegExp(`^  ${name}\\?:[ \\n]`, 'm'))
      assert.ok(page.includes(`\`${name}\``), name)
    }
  })
})
