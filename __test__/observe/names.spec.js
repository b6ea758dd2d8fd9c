'use strict'

// `TypedMap.names({ details: true })`: what is said of each named map.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { binding } = require('../../lib/native/attach.js')
const { throwsTyped } = require('../support/errors.js')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

const of = name => TypedMap.names({ details: true }).find(map => map.name === name)

describe('names with details', () => {
  it('have figures of each map, as its statistics have them', () => {
    const map = TypedMap.open('names: 1', { memoryLimit: '8mb' })
    map.set('a', { n: 1 }).set('b', 2)
    for (let n = 0; n < 5; n++) map.get('a')
    map.get('missing')
    const { uptimeMs, ...figures } = of('names: 1')
    const { entries, memoryBytes, hits, misses, cacheHitRate, threads } = map.getStats()
    assert.deepEqual(figures, {
      name: 'names: 1',
      size: entries,
      memoryBytes,
      memoryLimit: 8_388_608,
      hits,
      misses,
      cacheHitRate,
      threads,
      isBroken: false
    })
    assert.deepEqual([entries, hits, misses, cacheHitRate, threads], [2, 5, 1, 83.33, 1])
    assert.ok(uptimeMs > 0 && uptimeMs <= map.getStats().uptimeMs)
    map.setLimits({ memoryLimit: null })
    assert.equal(of('names: 1').memoryLimit, null)
    map.close()
  })

  it('are in order, of all threads, and without details as they were', async () => {
    const maps = ['names: 2', 'names: 10'].map(name => TypedMap.open(name))
    const [names, details] = await inWorker(({ TypedMap }) => {
      const other = TypedMap.open('names: 2')
      const both = [TypedMap.names(), TypedMap.names({ details: true })]
      other.close()
      return both
    })
    assert.deepEqual(names, ['names: 10', 'names: 2'])
    assert.deepEqual(
      details.map(({ name, threads }) => [name, threads]),
      [
        ['names: 10', 1],
        ['names: 2', 2]
      ]
    )
    assert.deepEqual(TypedMap.names({ details: false }), names)
    assert.deepEqual(TypedMap.names({}), names)
    for (const map of maps) map.close()
    assert.deepEqual(TypedMap.names({ details: true }), [])
  })

  it('say which map is broken', () => {
    const map = TypedMap.open('names: broken')
    const { id } = binding.open('names: broken', '{}')
    throwsTyped(() => binding.panicForTest(id), 'ERR_BROKEN')
    binding.close(id)
    assert.equal(of('names: broken').isBroken, true)
    map.close()
  })

  it('refuse other options', () => {
    throwsTyped(() => TypedMap.names({ details: 1 }), 'ERR_INVALID_OPTION')
    throwsTyped(() => TypedMap.names({ detail: true }), 'ERR_INVALID_OPTION')
    throwsTyped(() => TypedMap.names(true), 'ERR_INVALID_OPTION')
  })
})
