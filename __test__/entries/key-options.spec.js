'use strict'

// Every method that takes keys, in maps that know a key in several spellings. The types say which methods these are, so
// one that is added is missed here until it has a row.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { keyedMethods } = require('../support/keyed.js')

require('../support/sound.js')

const entries = map => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

/** A view in which the key is. */
function viewOf(map, given) {
  map.delete(given)
  return map.ofType('T').set(given, { n: 1 })
}

/**
 * What each method does with `key`, another spelling of the one key of a map, whose value is 1. The key was `given` and
 * is `first` in the map.
 *
 * @type {Record<string, (map: TypedMap, key: string, given: string, first: string) => unknown>}
 */
const ROWS = {
  'TypedMap.constructor'(map, key, _, first) {
    // Its items went through the options as well.
    assert.deepEqual(entries(map), [[first, 1]])
    assert.equal(map.get(key), 1)
  },
  'TypedMap.get'(map, key) {
    assert.equal(map.get(key), 1)
    assert.equal(map.get(key), 1, 'near')
    assert.equal(map.get(key, { copy: true }), 1)
    assert.equal(map.get(key, { at: '' }), 1)
  },
  'TypedMap.has'(map, key) {
    assert.equal(map.has(key), true)
  },
  'TypedMap.set'(map, key, given, first) {
    map.get(given)
    map.set(key, 2)
    assert.deepEqual(entries(map), [[first, 2]])
    assert.equal(map.get(given), 2)
  },
  'TypedMap.delete'(map, key, given) {
    map.get(given)
    assert.equal(map.delete(key), true)
    assert.equal(map.get(given), undefined)
    assert.equal(map.size, 0)
  },
  'TypedMap.remove'(map, key) {
    assert.equal(map.remove(key), 1)
    assert.equal(map.size, 0)
  },
  'TypedMap.increment'(map, key, _, first) {
    assert.equal(map.increment(key), 2)
    assert.equal(map.increment(key, 5, { withTtl: true }).value, 7)
    assert.deepEqual(entries(map), [[first, 7]])
  },
  'TypedMap.update'(map, key, _, first) {
    assert.equal(
      map.update(key, before => before + 1),
      2
    )
    assert.deepEqual(entries(map), [[first, 2]])
  },
  'TypedMap.getOrInsert'(map, key, _, first) {
    assert.equal(map.getOrInsert(key, 2), 1)
    assert.deepEqual(map.getOrInsert(key, 2, { withState: true }), { value: 1, inserted: false })
    assert.deepEqual(entries(map), [[first, 1]])
  },
  'TypedMap.getOrInsertComputed'(map, key, _, first) {
    assert.equal(
      map.getOrInsertComputed(key, () => assert.fail('it is there')),
      1
    )
    assert.deepEqual(entries(map), [[first, 1]])
  },
  'TypedMap.insertWithHandle'(map, key, given, first) {
    const handle = map.insertWithHandle(key, 2)
    assert.equal(map.getHandle(given).id, handle.id)
    assert.deepEqual(entries(map), [[first, 2]])
  },
  'TypedMap.getHandle'(map, key, given) {
    assert.equal(map.getHandle(key).id, map.getHandle(given).id)
    assert.equal(map.getHandle(map.getHandle(key)).get(), 1)
  },
  async 'TypedMap.getOrLoad'(map, key, given, first) {
    const fail = () => assert.fail('it is there')
    assert.equal(await map.getOrLoad(key, fail), 1)
    assert.equal(await map.getOrLoad(given, fail), 1)
    map.delete(key)
    // One loader for both, and its key is the first of them.
    const load = async () => {
      await assert.rejects(map.getOrLoad(key, fail), { code: 'ERR_INVALID_OPTION' }, 'it would wait for itself')
      return 2
    }
    assert.deepEqual(await Promise.all([map.getOrLoad(given, load), map.getOrLoad(key, fail)]), [2, 2])
    assert.deepEqual(entries(map), [[first, 2]])
    // Written meanwhile, so it is not stored.
    map.clear()
    const loaded = map.getOrLoad(given, async () => 3)
    map.delete(key)
    assert.equal(await loaded, 3)
    assert.equal(map.size, 0)
  },
  'TypedMap.compareAndSet'(map, key, _, first) {
    assert.deepEqual(map.compareAndSet(key, 2, 3), { swapped: false, value: 1 })
    assert.deepEqual(map.compareAndSet(key, 1, 3), { swapped: true, value: 3 })
    assert.deepEqual(entries(map), [[first, 3]])
  },
  async 'TypedMap.getManyOrLoad'(map, key, given, first) {
    const fail = () => assert.fail('it is there')
    assert.deepEqual(await map.getManyOrLoad([key, given], fail), [1, 1])
    map.delete(key)
    const load = async keys => {
      assert.equal(keys.length, 1, 'one of the spellings is loaded')
      await assert.rejects(map.getOrLoad(key, fail), { code: 'ERR_INVALID_OPTION' }, 'it would wait for itself')
      return [2]
    }
    assert.deepEqual(await map.getManyOrLoad([given, key], load), [2, 2])
    assert.deepEqual(entries(map), [[first, 2]])
  },
  'TypedMap.getMany'(map, key, given) {
    assert.deepEqual(map.getMany([key, given, 'none', key]), [1, 1, undefined, 1])
    assert.deepEqual(map.getMany([key, given, 'none', key]), [1, 1, undefined, 1], 'near')
  },
  'TypedMap.setMany'(map, key, given, first) {
    map.setMany([
      [key, 2],
      [given, 3],
      [key, 4]
    ])
    assert.deepEqual(entries(map), [[first, 4]])
  },
  'TypedMap.updateMany'(map, key, _, first) {
    assert.equal(
      map.updateMany([
        [key, 2],
        ['none', 3]
      ]),
      1
    )
    assert.deepEqual(entries(map), [[first, 2]])
  },
  'TypedMap.hasMany'(map, key, given) {
    assert.deepEqual(map.hasMany([key, given, 'none']), [true, true, false])
  },
  'TypedMap.deleteMany'(map, key, given) {
    map.get(given)
    assert.deepEqual(map.deleteMany([key, given], { each: true }), [true, false])
    assert.equal(map.get(given), undefined)
  },
  'TypedMap.peek'(map, key) {
    assert.equal(map.peek(key), 1)
  },
  'TypedMap.ttlOf'(map, key) {
    assert.equal(map.ttlOf(key), Number.POSITIVE_INFINITY)
  },
  'TypedMap.touch'(map, key, given) {
    assert.equal(map.touch(key, { ttl: 60_000 }), true)
    assert.ok(map.ttlOf(given) <= 60_000)
  },
  'TypedMap.memoryUsage'(map, key, given) {
    assert.equal(map.memoryUsage(key), map.memoryUsage(given))
    assert.ok(map.memoryUsage(key) > 0)
  },
  'TypedMap.explain'(map, key, given) {
    // Copies are kept by spelling.
    assert.deepEqual({ ...map.explain(key), isNear: true }, { ...map.explain(given), isNear: true })
    assert.equal(map.explain(key).valueBytes, 4)
  },
  'TypedMap.scan'(map, key, _, first) {
    map.set('other', 2)
    assert.deepEqual(map.scan('0', { match: `${key.slice(0, -1)}*` }).entries, [[first, 1]])
  },
  'TypedMap.scanIterator'(map, key, _, first) {
    map.set('other', 2)
    assert.deepEqual([...map.scanIterator({ match: `${key.slice(0, -1)}?` })], [[first, 1]])
  },
  async 'TypedMap.find'(map, key) {
    map.set('other', 2)
    const found = await map.find({ key: `${key.slice(0, -1)}*`, where: { '': 1 } })
    assert.deepEqual(
      found.map(handle => handle.get()),
      [1]
    )
  },
  async 'TypedMap.count'(map, key) {
    map.set('other', 1)
    assert.equal(await map.count({ key: `${key.slice(0, -1)}?` }), 1)
  },
  async 'TypedMap.deleteWhere'(map, key) {
    map.set('other', 1)
    assert.equal(await map.deleteWhere({ key: `${key.slice(0, -1)}?` }), 1)
    assert.equal(map.size, 1)
  },
  async 'TypedMap.deletePrefix'(map, key) {
    map.set('other', 1)
    assert.equal(await map.deletePrefix(key.slice(0, 2)), 1)
    assert.equal(map.size, 1)
  },
  async 'TypedView.find'(map, key, given) {
    const view = viewOf(map, given).set('other', { n: 2 })
    const found = await view.find({ key: `${key.slice(0, -1)}*` })
    assert.deepEqual(
      found.map(handle => handle.get()),
      [{ n: 1 }]
    )
  },
  'Transaction.get'(map, key, given) {
    map.transaction(tx => {
      assert.equal(tx.get(key), 1)
      tx.set(given, 2)
      assert.equal(tx.get(key), 2, 'its own write')
      tx.set(given, 1)
    })
    assert.equal(map.get(given), 1)
  },
  'Transaction.has'(map, key, given) {
    map.transaction(tx => {
      assert.equal(tx.has(key), true)
      tx.delete(given)
      assert.equal(tx.has(key), false)
    })
    assert.equal(map.size, 0)
  },
  'Transaction.set'(map, key, given, first) {
    for (const value of [2, 'x'.repeat(5_000), 3]) {
      map.transaction(tx => {
        tx.set(key, 0)
        tx.set(given, 1)
        tx.set(key, value)
      })
      assert.deepEqual(entries(map), [[first, value]])
      assert.equal(map.get(given), value)
    }
    // Without a read, and the entry is another one by the time of the commit.
    const tx = map.begin()
    tx.set(key, 'y'.repeat(5_000))
    map.delete(given)
    map.set(given, 1)
    tx.commit()
    assert.deepEqual(entries(map), [[first, 'y'.repeat(5_000)]])
  },
  'Transaction.delete'(map, key, given) {
    map.get(given)
    assert.equal(
      map.transaction(tx => tx.delete(key)),
      true
    )
    assert.equal(map.get(given), undefined)
    assert.equal(map.size, 0)
  },
  'Transaction.increment'(map, key, given, first) {
    map.transaction(tx => {
      assert.equal(tx.increment(key), 2)
      assert.equal(tx.increment(given), 3)
      assert.equal(tx.increment(key), 4)
    })
    assert.deepEqual(entries(map), [[first, 4]])
  },
  'Transaction.getMany'(map, key, given) {
    map.transaction(tx => {
      assert.deepEqual(tx.getMany([key, given, 'none']), [1, 1, undefined])
      tx.set(given, 2)
      assert.deepEqual(tx.getMany([key, given]), [2, 2], 'its own write')
    })
  },
  'Transaction.update'(map, key, given, first) {
    map.transaction(tx => {
      assert.equal(
        tx.update(key, before => before + 1),
        2
      )
      assert.equal(
        tx.update(given, before => before + 1),
        3
      )
    })
    assert.deepEqual(entries(map), [[first, 3]])
  },
  'TypedView.get'(map, key, given) {
    const view = viewOf(map, given)
    assert.deepEqual(view.get(key), { n: 1 })
    assert.deepEqual(view.get(key), { n: 1 }, 'near')
    assert.deepEqual(view.get(key, { copy: true }), { n: 1 })
  },
  'TypedView.has'(map, key, given) {
    assert.equal(viewOf(map, given).has(key), true)
  },
  'TypedView.set'(map, key, given, first) {
    viewOf(map, given).set(key, 'x'.repeat(5_000))
    assert.deepEqual(entries(map), [[first, 'x'.repeat(5_000)]])
    assert.equal(map.get(given, { type: 'T' }), 'x'.repeat(5_000))
  },
  'TypedView.delete'(map, key, given) {
    const view = viewOf(map, given)
    view.get(given)
    assert.equal(view.delete(key), true)
    assert.equal(view.get(given), undefined)
  },
  'TypedView.scan'(map, key, given, first) {
    map.ofType('T').set('other', { n: 2 })
    assert.deepEqual(viewOf(map, given).scan('0', { match: `${key.slice(0, -1)}*` }).entries, [[first, { n: 1 }]])
  }
}

/** Maps, with two spellings of a key, and what the map has when the first is given. */
const MAPS = {
  'that ignores case': { options: { caseInsensitiveKeys: true }, given: 'Straße', other: 'STRAẞE', first: 'Straße' },
  'that normalises keys': {
    // Not idempotent: a key that went through it twice would be another one.
    options: { normalizeKey: key => `<${String(key).toLowerCase()}` },
    given: 'Key',
    other: 'kEY',
    first: '<key'
  },
  'that does both': {
    options: { caseInsensitiveKeys: true, normalizeKey: key => `<${String(key).replaceAll('_', '-')}` },
    given: 'Content-Type',
    other: 'CONTENT_TYPE',
    first: '<Content-Type'
  }
}

describe('every method that takes keys', () => {
  it('has a row', () => {
    assert.deepEqual(Object.keys(ROWS).sort(), keyedMethods())
  })

  for (const [what, { options, given, other, first }] of Object.entries(MAPS)) {
    describe(`of a map ${what} finds the entry by another spelling`, () => {
      for (const nearCache of [undefined, false]) {
        for (const [name, row] of Object.entries(ROWS)) {
          it(`${name}${nearCache === false ? ', without a near cache' : ''}`, async () => {
            const map = new TypedMap([[given, 1]], { ...options, nearCache })
            assert.equal(map.get(given), 1)
            await row(map, other, given, first)
            map.close()
          })
        }
      }
    })
  }
})
