'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { Handle, TypedMap } = require('../..')
const { throwsTyped } = require('../support/errors.js')
const { seededRandom } = require('../support/random.js')
const { scanFor } = require('../support/scan-program.js')
const { inWorker, startWorker } = require('../support/workers.js')

require('../support/sound.js')

const SECONDS = Number(process.env.SCAN_SECONDS ?? 2)

/** All entries that a scan gives, in the order of their keys. */
function scanned(map, options) {
  const entries = []
  let cursor = '0'
  do {
    const page = map.scan(cursor, options)
    entries.push(...page.entries)
    cursor = page.cursor
  } while (cursor !== '0')
  return entries
}

const keysOf = entries => entries.map(([key]) => key).sort()
const fill = (map, count) => map.setMany(Array.from({ length: count }, (_, n) => [`key ${n}`, { n }]))

describe('scan', () => {
  it('an entry that is there all the while is given exactly once', t => {
    const sums = scanFor(seededRandom(t), SECONDS)
    t.diagnostic(JSON.stringify(sums))
  })

  it('also while another thread inserts, deletes, grows and shrinks', async t => {
    const random = seededRandom(t)
    const name = 'scan beside a worker'
    const own = TypedMap.open(name, { shards: 4 })
    const stop = new Int32Array(new SharedArrayBuffer(4))
    const worker = startWorker(
      ({ TypedMap: Api, data }) => {
        const map = Api.open(data.name)
        for (let round = 0; Atomics.load(data.stop, 0) === 0; round++) {
          const keys = Array.from({ length: 1_000 + (round % 7) * 1_000 }, (_, n) => `of the worker ${round} ${n}`)
          map.setMany(keys.map(key => [key, { round }]))
          if (round % 3 === 0) map.shrinkToFit()
          map.deleteMany(keys)
        }
        map.close()
      },
      { name, stop }
    )
    try {
      scanFor(random, SECONDS, name)
    } finally {
      Atomics.store(stop, 0, 1)
      await worker.result
      own.close()
    }
  })

  it('gives every kind of key and value, and a handle where there is no key', () => {
    const map = new TypedMap({ shards: 2 })
    const values = [1, 0.5, 'text', 'é', '\ud800', 1n, true, null, undefined, { a: [1] }, [1, 2], Uint8Array.of(1)]
    const keys = ['a', 'é', 'a\ud800', 1, 0.5, 2n, true, false, null, undefined, 'x'.repeat(2_000), Number.NaN]
    keys.forEach((key, at) => {
      map.set(key, values[at])
    })
    const handle = map.insert({ b: 1 })
    const entries = scanned(map)
    assert.equal(entries.length, keys.length + 1)
    const found = new Map(entries.map(([key, value]) => [key instanceof Handle ? key.id : key, value]))
    keys.forEach((key, at) => {
      assert.ok(found.has(key))
      assert.deepEqual(found.get(key), values[at])
    })
    assert.deepEqual(found.get(handle.id), { b: 1 })
    assert.ok(Object.isFrozen(found.get('x'.repeat(2_000)) ?? {}) && Object.isFrozen(found.get(handle.id)))
  })

  it('begins and ends with 0, takes count as a hint, and bounds a page in bytes', () => {
    const map = new TypedMap()
    assert.deepEqual(map.scan('0'), { cursor: '0', entries: [] })
    fill(map, 5_000)
    for (const count of [1, 10, 1_000, 4_096, 2 ** 32]) {
      const page = map.scan('0', { count })
      assert.ok(page.entries.length <= Math.min(count, 4_096))
      assert.notEqual(page.cursor, '0')
    }
    assert.ok(map.scan('0').entries.length <= 100)
    assert.equal(new Set(keysOf(scanned(map, { count: 4_096 }))).size, 5_000)
    const large = new TypedMap()
    for (let n = 0; n < 10; n++) large.set(n, 'x'.repeat(100_000))
    assert.ok(large.scan('0').entries.length <= 3)
    assert.equal(scanned(large).length, 10)
  })

  it('takes a glob over keys, and the name of a type', () => {
    const map = new TypedMap()
    for (const key of ['user:1', 'user:2', 'user:10', 'page:1', 'é:1', 'a*b', 'axb', '[x]', 7]) map.set(key, key)
    const handle = map.insert({ host: 'h' }, { type: 'Config' })
    map.insert(1, { type: 'Other' })
    const matching = match => keysOf(scanned(map, { match }))
    assert.deepEqual(matching('user:*'), ['user:1', 'user:10', 'user:2'])
    assert.deepEqual(matching('user:?'), ['user:1', 'user:2'])
    assert.deepEqual(matching('?:1'), ['é:1'])
    assert.deepEqual(matching('[a-u]*:1'), ['page:1', 'user:1'])
    assert.deepEqual(matching('[^u]*:1'), ['page:1', 'é:1'])
    assert.deepEqual(matching('a\\*b'), ['a*b'])
    assert.deepEqual(matching('\\[x\\]'), ['[x]'])
    assert.deepEqual(matching('*').length, 8, 'keys that are no strings match nothing')
    assert.deepEqual(matching('nothing*'), [])
    assert.deepEqual(scanned(map, { type: 'Config' }), [[handle, { host: 'h' }]])
    assert.deepEqual(scanned(map, { type: 'unknown' }), [])
    assert.deepEqual(scanned(map, { type: 'Config', match: '*' }), [])
  })

  it('is gone on with by any thread that has the map open', async () => {
    const name = 'scan of two threads'
    const map = TypedMap.open(name)
    fill(map, 1_000)
    const { cursor, entries } = map.scan('0', { count: 400 })
    const rest = await inWorker(
      ({ TypedMap: Api, data }) => {
        const own = Api.open(data.name)
        const keys = []
        let at = data.cursor
        do {
          const page = own.scan(at)
          keys.push(...page.entries.map(([key]) => key))
          at = page.cursor
        } while (at !== '0')
        return keys
      },
      { name, cursor }
    )
    assert.equal(new Set([...keysOf(entries), ...rest]).size, 1_000)
    assert.equal(entries.length + rest.length, 1_000)
    map.close()
  })

  it('refuses a cursor that is none, or of another map', () => {
    const map = new TypedMap()
    fill(map, 1_000)
    const { cursor } = map.scan('0')
    const [instance, shard, slot] = cursor.split('-')
    const other = new TypedMap()
    const options = { kind: RangeError, says: [/cursor/, /'0' to begin/] }
    throwsTyped(() => other.scan(cursor), 'ERR_INVALID_OPTION', options)
    const forged = ['', '00', '1', '0-0-0', `${instance}-4096-0`, `${instance}-${shard}-4294967296`]
    forged.push(
      `${instance}-${shard}`,
      `${cursor}-0`,
      ` ${cursor}`,
      `${instance}-0x1-0`,
      `${instance}-${shard}--1`,
      `+${cursor}`
    )
    for (const given of forged) throwsTyped(() => map.scan(given), 'ERR_INVALID_OPTION', options)
    for (const given of [0, undefined, null, {}, 1n]) {
      throwsTyped(() => map.scan(given), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/cursor/] })
    }
    // A place that the map does not have is the end of its shard.
    assert.ok(Array.isArray(map.scan(`${instance}-${shard}-4294967295`).entries), slot)
  })

  it('refuses other options, and counts and globs that are none', () => {
    const map = new TypedMap()
    for (const options of [{ count: 0 }, { count: 1.5 }, { match: 'x'.repeat(1_025) }, { type: '' }]) {
      throwsTyped(() => map.scan('0', options), 'ERR_INVALID_OPTION', { kind: RangeError })
      throwsTyped(() => map.scanIterator(options), 'ERR_INVALID_OPTION', { kind: RangeError })
    }
    for (const options of [null, 'x', [], { count: '1' }, { match: /x/ }, { type: 1 }, { cursor: '0' }]) {
      throwsTyped(() => map.scan('0', options), 'ERR_INVALID_OPTION', { kind: TypeError })
    }
    throwsTyped(() => map.scan('0', { match: '€'.repeat(1_025) }), 'ERR_INVALID_OPTION')
    assert.deepEqual(map.scan('0', { match: '€'.repeat(1_024) }).entries, [])
    map.close()
    throwsTyped(() => map.scan('0'), 'ERR_CLOSED')
    throwsTyped(() => map.scanIterator(), 'ERR_CLOSED')
  })

  it('counts as no read and keeps no copies', () => {
    const map = new TypedMap()
    fill(map, 100)
    scanned(map)
    const { hits, misses, nearCache } = map.getStats()
    assert.deepEqual([hits, misses, nearCache.entries], [0, 0, 0])
  })
})

describe('scanIterator', () => {
  it('gives what scan gives, for for and for await', async () => {
    const map = new TypedMap()
    fill(map, 1_000)
    const expected = keysOf(scanned(map))
    assert.deepEqual(keysOf([...map.scanIterator()]), expected)
    assert.deepEqual(keysOf([...map.scanIterator({ count: 7 })]), expected)
    const awaited = []
    for await (const entry of map.scanIterator({ count: 300, match: 'key 1*' })) awaited.push(entry)
    assert.deepEqual(
      keysOf(awaited),
      expected.filter(key => key.startsWith('key 1'))
    )
    const iterator = map.scanIterator()
    assert.equal(iterator[Symbol.iterator](), iterator)
    assert.equal(Object.prototype.toString.call(iterator), '[object Scan Iterator]')
  })

  it('lets the event loop have turns between pages of for await', async () => {
    const map = new TypedMap()
    fill(map, 1_000)
    let turns = 0
    const timer = setInterval(() => turns++)
    let given = 0
    for await (const _ of map.scanIterator({ count: 1 })) given++
    clearInterval(timer)
    assert.equal(given, 1_000)
    assert.ok(turns > 0)
  })

  it('ends with break, and with its map', async () => {
    const map = new TypedMap()
    fill(map, 1_000)
    const iterator = map.scanIterator({ count: 10 })
    for (const _ of iterator) break
    assert.deepEqual(iterator.next(), { value: undefined, done: true })
    for await (const _ of iterator) assert.fail('it has ended')
    const other = map.scanIterator({ count: 1 })
    other.next()
    map.close()
    throwsTyped(() => other.next(), 'ERR_CLOSED')
  })
})
