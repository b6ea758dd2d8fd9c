'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { TypedMap } = require('../..')

require('../support/sound.js')

/** The least limit that a refusal names. */
function leastOf(options) {
  try {
    new TypedMap({ ...options, memoryLimit: 1 })
  } catch (error) {
    assert.ok(error instanceof RangeError)
    assert.equal(error.code, 'ERR_INVALID_OPTION')
    assert.equal(error.details.option, 'memoryLimit')
    assert.equal(error.details.given, '1')
    const [least] = /\d+/.exec(error.details.allowed)
    assert.match(error.message, new RegExp(`option memoryLimit is 1; allowed: at least ${least} bytes`))
    return Number(least)
  }
  throw new Error('a byte was enough')
}

test('a memoryLimit that is taken is one that the map can live with', () => {
  for (const options of [
    {},
    { evictionStrategy: 'lru' },
    { evictionStrategy: 's3-fifo', shards: 4 },
    { ttl: 60_000, sliding: true },
    { shards: 16 }
  ]) {
    const least = leastOf(options)
    assert.throws(() => new TypedMap({ ...options, memoryLimit: least - 1 }), { code: 'ERR_INVALID_OPTION' })
    const map = new TypedMap({ ...options, memoryLimit: least })
    for (let n = 0; n < 3_000; n++) {
      map.set(n, n)
      assert.equal(map.get(n), n)
    }
    assert.ok(map.size > 0 && map.memoryUsage() <= least)
    map.close()
  }
})

test('setLimits goes no lower either', () => {
  const least = leastOf({ shards: 2 })
  const map = new TypedMap({ memoryLimit: '1mb', shards: 2 })
  assert.throws(() => map.setLimits({ memoryLimit: least - 1 }), { code: 'ERR_INVALID_OPTION', name: 'RangeError' })
  assert.equal(map.getStats().limits.memoryLimit, 1024 ** 2)
  map.setLimits({ memoryLimit: least })
  for (let n = 0; n < 3_000; n++) map.set(n, n)
  assert.ok(map.size > 0 && map.memoryUsage() <= least)
  map.close()
})
