'use strict'

// `getMemoryDistribution`: each figure, caused, and counted anew from the entries.

const assert = require('node:assert/strict')
const { describe, it } = require('node:test')
const { Handle, TypedMap } = require('../..')
const { startWorker } = require('../support/workers.js')

require('../support/sound.js')

const NONE = { entries: 0, bytes: 0, keyBytes: 0, valueBytes: 0, overheadBytes: 0 }

/** What entries come to, each as `explain` has it. */
function sumOf(map, keys) {
  const sum = { ...NONE }
  for (const key of keys) {
    const { keyBytes, valueBytes, weightBytes } = map.explain(key)
    sum.entries++
    sum.bytes += weightBytes
    sum.keyBytes += keyBytes
    sum.valueBytes += valueBytes
    sum.overheadBytes += weightBytes - keyBytes - valueBytes
  }
  return sum
}

const without = (name, rows) => rows.map(({ [name]: _, ...rest }) => rest)

describe('getMemoryDistribution', () => {
  it('counts sizes, kinds, types and prefixes of keys', async () => {
    const map = new TypedMap({ shards: 4 })
    const users = Array.from({ length: 300 }, (_, n) => `user:${n}`)
    const pages = Array.from({ length: 200 }, (_, n) => `page:${n}`)
    for (const [n, key] of users.entries()) map.set(key, n)
    for (const [n, key] of pages.entries()) map.set(key, 'x'.repeat(n * 10))
    const others = ['plain', 7, 8n, true, null, new Uint8Array(3)]
    for (const key of others) map.set(key, true)
    const typed = Array.from({ length: 50 }, (_, n) => map.insert(`value ${n}`, { type: 'Text' }))
    const all = [...users, ...pages, ...others, ...typed]

    const found = await map.getMemoryDistribution()
    const { sizes, kinds, types, prefixes, largest, errorBytes, totalBytes, ...sum } = found
    assert.deepEqual(sum, sumOf(map, all))
    assert.equal(totalBytes, map.memoryUsage())
    assert.equal(errorBytes, 0)

    const bySize = all.map(key => map.explain(key).weightBytes)
    for (const { upToBytes, entries } of sizes) {
      const expected = bySize.filter(bytes => bytes <= upToBytes && bytes > upToBytes / 2)
      assert.equal(entries, expected.length, `up to ${upToBytes}`)
    }
    assert.equal(
      sizes.reduce((count, { entries }) => count + entries, 0),
      all.length
    )
    assert.deepEqual(
      kinds.map(({ storedAs }) => storedAs),
      ['string', 'number', 'boolean']
    )
    assert.deepEqual(without('storedAs', kinds), [
      sumOf(map, [...pages, ...typed]),
      sumOf(map, users),
      sumOf(map, others)
    ])
    assert.deepEqual(types, [
      { type: null, ...sumOf(map, [...users, ...pages, ...others]) },
      { type: 'Text', ...sumOf(map, typed) }
    ])
    assert.deepEqual(
      prefixes.map(({ prefix }) => prefix),
      ['page:', 'user:', null]
    )
    assert.deepEqual(without('prefix', prefixes), [
      sumOf(map, pages),
      sumOf(map, users),
      sumOf(map, [...others, ...typed])
    ])
    assert.deepEqual(
      largest.map(({ bytes }) => bytes),
      bySize.toSorted((one, other) => other - one).slice(0, 10)
    )
    for (const { key, handle, storedAs, bytes } of largest) {
      assert.ok(handle instanceof Handle)
      assert.equal(map.get(handle), map.get(key))
      assert.deepEqual([storedAs, bytes], ['string', map.memoryUsage(key)])
    }
    assert.deepEqual(JSON.parse(JSON.stringify(found)), {
      ...found,
      largest: largest.map(entry => ({ ...entry, handle: { ...entry.handle } }))
    })
    map.close()
  })

  it('is empty for an empty map, and skips what has expired', async () => {
    const clock = TypedMap.setClock()
    const map = new TypedMap()
    const empty = { ...NONE, sizes: [], kinds: [], types: [], prefixes: [], errorBytes: 0, largest: [] }
    assert.deepEqual(await map.getMemoryDistribution(), { ...empty, totalBytes: map.memoryUsage() })
    map.set('a', 1, { ttl: 10 }).set('b', 1)
    assert.equal((await map.getMemoryDistribution()).entries, 2)
    clock.advance(10)
    const { entries, largest } = await map.getMemoryDistribution()
    assert.deepEqual([entries, largest.map(({ key }) => key)], [1, ['b']])
    map.close()
    clock.restore()
  })

  it('takes another separator, and as many rows as asked for', async () => {
    const map = new TypedMap()
    for (let n = 0; n < 40; n++) map.set(`${n % 8}::${n}`, 'x'.repeat(n % 8 === 3 ? 1_000 : 1)).set(`é/${n}`, n)
    const options = { separator: '::', prefixes: 3, largest: 2 }
    const { prefixes, largest } = await map.getMemoryDistribution(options)
    assert.deepEqual(
      prefixes.map(({ prefix }) => prefix),
      ['3::', null, prefixes[2].prefix]
    )
    assert.equal(largest.length, 2)
    const byCharacter = await map.getMemoryDistribution({ separator: '/' })
    assert.ok(byCharacter.prefixes.some(({ prefix, entries }) => prefix === 'é/' && entries === 40))
    const none = await map.getMemoryDistribution({ separator: '', prefixes: 0, largest: 0 })
    assert.deepEqual([none.prefixes, none.largest, none.types.length], [[], [], 0])
    const untold = await map.getMemoryDistribution({ separator: '' })
    assert.deepEqual(
      untold.prefixes.map(({ prefix, entries }) => [prefix, entries]),
      [[null, 80]]
    )
    // A separator that comes late ends no prefix.
    map.set(`${'x'.repeat(300)}::1`, 1)
    const late = await map.getMemoryDistribution({ separator: '::' })
    assert.equal(late.prefixes.find(({ prefix }) => prefix === null).entries, 41)
    map.close()
  })

  it('bounds the prefixes that it tells apart, and says how far it may be off', async () => {
    const map = new TypedMap()
    map.setMany(Array.from({ length: 20_000 }, (_, n) => [`p${n}:`, n]))
    map.setMany(Array.from({ length: 5_000 }, (_, n) => [`hot:${n}`, 'x'.repeat(40)]))
    const { prefixes, errorBytes, bytes } = await map.getMemoryDistribution({ prefixes: 5 })
    const hot = sumOf(
      map,
      Array.from({ length: 5_000 }, (_, n) => `hot:${n}`)
    )
    assert.equal(prefixes.length, 5)
    assert.equal(prefixes[0].prefix, 'hot:')
    assert.ok(errorBytes > 0 && errorBytes <= bytes / 1_000, `${errorBytes} of ${bytes}`)
    assert.ok(prefixes[0].bytes <= hot.bytes && hot.bytes <= prefixes[0].bytes + errorBytes)
    map.close()
  })

  it('counts what is there all the while, while another thread writes', { timeout: 60_000 }, async () => {
    const map = TypedMap.open('distribution')
    map.setMany(Array.from({ length: 20_000 }, (_, n) => [`stays:${n}`, n]))
    const worker = startWorker(async ({ TypedMap, port }) => {
      const map = TypedMap.open('distribution')
      let isOver = false
      port.on('message', () => {
        isOver = true
      })
      port.postMessage('started')
      for (let n = 0; !isOver; n++) {
        map.set(`comes:${n % 5_000}`, 'x'.repeat(n % 3_000))
        if (n % 3 === 0) map.delete(`comes:${(n * 7) % 5_000}`)
        if (n % 1_000 === 0) await new Promise(resolve => setImmediate(resolve))
      }
      port.unref()
      map.close()
    })
    await new Promise(resolve => worker.once('message', resolve))
    for (let n = 0; n < 10; n++) {
      const { prefixes } = await map.getMemoryDistribution({ largest: 100 })
      assert.equal(prefixes.find(({ prefix }) => prefix === 'stays:').entries, 20_000)
    }
    worker.postMessage('stop')
    await worker.result
    map.close()
  })

  it('refuses what it does not know, and ends with its signal and its map', async () => {
    const map = new TypedMap()
    map.set('a', 1)
    const refused = [
      [1, TypeError],
      [{ separator: 1 }, TypeError],
      [{ separator: 'x'.repeat(17) }, TypeError],
      [{ separator: '\ud800' }, TypeError],
      [{ prefixes: -1 }, RangeError],
      [{ prefixes: 501 }, RangeError],
      [{ largest: 1.5 }, RangeError],
      [{ largest: 101 }, RangeError],
      [{ signal: {} }, TypeError],
      [{ prefix: 1 }, TypeError]
    ]
    for (const [options, type] of refused) {
      await assert.rejects(map.getMemoryDistribution(options), error => {
        return error instanceof type && error.code === 'ERR_INVALID_OPTION'
      })
    }
    const reason = new Error('enough')
    await assert.rejects(map.getMemoryDistribution({ signal: AbortSignal.abort(reason) }), reason)
    const controller = new AbortController()
    const aborted = map.getMemoryDistribution({ signal: controller.signal })
    controller.abort(reason)
    await assert.rejects(aborted, reason)
    const ended = map.getMemoryDistribution()
    map.close()
    await assert.rejects(ended, { code: 'ERR_CLOSED' })
    await assert.rejects(map.getMemoryDistribution(), { code: 'ERR_CLOSED' })
  })
})
