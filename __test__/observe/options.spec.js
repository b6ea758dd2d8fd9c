'use strict'

// `map.options`: what a map was made with.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { inWorker } = require('../support/workers.js')
const { OPTIONS } = require('../../lib/options/map-options.js')

require('../support/sound.js')

const DEFAULTS = {
  autoRecovery: false,
  caseInsensitiveKeys: false,
  codec: 'json',
  enableSIMD: true,
  hash: 'ahash',
  hotKeys: false,
  ghostCache: false,
  latency: false,
  logLevel: 'info',
  logTargets: ['typedmap.operations', 'typedmap.performance', 'typedmap.memory', 'typedmap.lifecycle'],
  maxLoadFactor: 0.8,
  nearCache: { maxEntries: 10_000 },
  oomStrategy: 'evict',
  shards: 2,
  sliding: false,
  strictTtl: false,
  ttlOnUpdate: 'renew'
}

/** Options, and what is shown that is no default. */
const GIVEN = [
  [{}, {}],
  [{ memoryLimitMb: 2 }, { memoryLimit: 2_097_152, evictionStrategy: 'w-tinylfu' }],
  [
    { memoryLimit: '1gb', evictionStrategy: 'LRU' },
    { memoryLimit: 1_073_741_824, evictionStrategy: 'lru' }
  ],
  [
    { maxEntries: 9, maxValueBytes: 8 },
    { maxEntries: 9, maxValueBytes: 8, evictionStrategy: 'w-tinylfu' }
  ],
  [{ maxEntries: Number.POSITIVE_INFINITY, ttl: Number.POSITIVE_INFINITY }, {}],
  [
    { ttlSeconds: 2, ttlOnUpdate: 'keep', sliding: true },
    { ttl: 2_000, ttlOnUpdate: 'keep', sliding: true }
  ],
  [
    { maxEntries: 9, oomStrategy: 'REJECT' },
    { maxEntries: 9, oomStrategy: 'reject' }
  ],
  [
    { maxEntries: 9, oomStrategy: () => {} },
    { maxEntries: 9, oomStrategy: 'function', evictionStrategy: 'w-tinylfu' }
  ],
  [
    { maxEntries: 9, evictionStrategy: () => {} },
    { maxEntries: 9, evictionStrategy: 'function' }
  ],
  [
    { maxEntries: 9, oomStrategy: { evictIdle: 5 } },
    { maxEntries: 9, oomStrategy: { evictIdle: 5 } }
  ],
  [
    { normalizeKey: String, caseInsensitiveKeys: true },
    { normalizeKey: 'function', caseInsensitiveKeys: true }
  ],
  [{ seed: 12345678901234567890n, hash: 'siphash' }, { hash: 'siphash' }],
  [
    { codec: 'v8', strictTtl: true },
    { codec: 'v8', strictTtl: true }
  ],
  [{ codec: { contentType: 'a/b', encode: v => v, decode: v => v } }, { codec: 'a/b' }],
  [{ autoRecovery: { attempts: 2 } }, { autoRecovery: { attempts: 2, timeout: 30_000 } }],
  [
    { timeTargets: { get: 0.5 }, latency: true, hotKeys: true, ghostCache: true },
    { timeTargets: { get: 0.5 }, latency: true, hotKeys: true, ghostCache: true }
  ],
  [
    { initialCapacity: 99, maxLoadFactor: 0.5 },
    { initialCapacity: 99, maxLoadFactor: 0.5 }
  ],
  [{ simdEnabled: false }, { enableSIMD: false }],
  [{ nearCache: false }, { nearCache: false }],
  [{ nearCache: { maxEntries: 5, maxBytes: '1mb' } }, { nearCache: { maxEntries: 5, maxBytes: 1_048_576 } }],
  [
    { logLevel: 'warn', logTargets: ['typedmap.memory'] },
    { logLevel: 'warn', logTargets: ['typedmap.memory'] }
  ]
]

describe('options of a map', () => {
  for (const [number, [given, shown]] of GIVEN.entries()) {
    it(`are shown under one name each: ${Object.keys(given).join(', ') || 'none'} (${number})`, () => {
      const name = `options ${process.pid} ${number}`
      const map = TypedMap.open(name, { shards: 2, ...given })
      const { options } = map
      const expected = { ...DEFAULTS, ...shown }
      assert.deepEqual(options, expected)
      assert.equal(map.options, options)
      const hasFunction = Object.values(given).some(value => typeof value === 'function' || value?.encode !== undefined)
      if (!hasFunction) {
        const again = TypedMap.open(name, options)
        assert.deepEqual(again.options, expected)
        again.close()
      }
      assert.ok(!JSON.stringify(options).includes('1234567890'))
      map.close()
      assert.equal(map.options, options)
    })
  }

  it('are tried here, each of them', () => {
    const tried = new Set(['shards', 'memoryLimitGb', 'memoryLimit', 'enableSIMD', 'ttl'])
    for (const [given] of GIVEN) for (const name of Object.keys(given)) tried.add(name)
    assert.deepEqual([...tried].sort(), Object.keys(OPTIONS).sort())
  })

  it('cannot be changed, however deep', () => {
    const map = new TypedMap({ maxEntries: 5, oomStrategy: { evictIdle: 5 }, timeTargets: { get: 1 } })
    const { options } = map
    for (const part of [options, options.oomStrategy, options.timeTargets, options.nearCache, options.logTargets]) {
      assert.ok(Object.isFrozen(part))
    }
    assert.equal(Object.getPrototypeOf(options), Object.prototype)
    map.setLimits({ maxEntries: 7 })
    assert.equal(map.options.maxEntries, 5, 'what it was made with')
    assert.throws(() => Object.assign(map, { options: {} }), TypeError)
    map.close()
  })

  it('are those of the map in any thread, and those of an object in its own', async () => {
    const name = `options of threads ${process.pid}`
    const map = TypedMap.open(name, { maxEntries: 50, latency: true, nearCache: false })
    const there = await inWorker(({ TypedMap, data }) => TypedMap.open(data, { logLevel: 'error' }).options, name)
    assert.deepEqual(there, { ...map.options, nearCache: { maxEntries: 10_000 }, logLevel: 'error' })
    map.close()
  })
})
