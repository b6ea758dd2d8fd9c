'use strict'

// What a view counts and walks over, against a plain model; and that it costs what the type has.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { Handle, TypedMap } = require('../..')
const { seededRandom } = require('../support/random.js')

require('../support/sound.js')

const TYPES = ['A', 'B', 'C']

/** All entries that a scan of a view gives, by key. */
function scanned(view) {
  const entries = []
  let cursor = '0'
  do {
    const page = view.scan(cursor, { count: 7 })
    entries.push(...page.entries)
    cursor = page.cursor
  } while (cursor !== '0')
  return entries
}

const idOf = key => (key instanceof Handle ? key.id : key)
const byId = ([a], [b]) => (idOf(a) < idOf(b) ? -1 : 1)
const plain = entries => [...entries].map(([key, value]) => [idOf(key), value])

describe('walks of a view', () => {
  it('visit its entries in insertion order, live', () => {
    const map = new TypedMap({ shards: 4 })
    const [a, b] = [map.ofType('A'), map.ofType('B')]
    assert.deepEqual([[...a], [...a.keys()], [...a.values()], a.size], [[], [], [], 0])
    for (let n = 0; n < 10; n++) {
      a.set(`a${n}`, { n })
      b.set(`b${n}`, n)
      map.set(`plain ${n}`, n)
    }
    const handle = a.insert('last')
    assert.deepEqual([...a.keys()], [...Array.from({ length: 10 }, (_, n) => `a${n}`), handle])
    assert.deepEqual([...b.values()], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert.deepEqual([...a].at(-1), [handle, 'last'])
    assert.deepEqual([a.size, b.size, map.size], [11, 10, 31])

    const seen = []
    for (const [key, value] of a) {
      seen.push([key, value])
      if (key === 'a2') {
        // Deleted, changed, without its type, of another one: each before its turn; and one that comes at the end.
        a.delete('a3')
        a.set('a4', 'changed')
        map.set('a5', 5)
        map.set('a6', 6)
        b.set('a6', 6)
        a.set('new', 'new')
        // One before and one behind get the type that they lacked.
        a.set('plain 0', 'before')
        a.set('plain 7', 'behind')
      }
    }
    assert.deepEqual(
      seen.map(([key]) => key),
      ['a0', 'a1', 'a2', 'a4', 'a7', 'plain 7', 'a8', 'a9', handle, 'new']
    )
    assert.equal(seen[3][1], 'changed')
    assert.deepEqual([...a.keys()], ['a0', 'plain 0', 'a1', 'a2', 'a4', 'a7', 'plain 7', 'a8', 'a9', handle, 'new'])
    assert.deepEqual([...b.keys()], ['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'a6', 'b6', 'b7', 'b8', 'b9'])
    const iterator = a.keys()
    assert.equal(Object.prototype.toString.call(iterator), '[object Map Iterator]')
    assert.equal(iterator[Symbol.iterator](), iterator)
    map.clear()
    assert.deepEqual([[...a], a.size, iterator.next().done], [[], 0, true])
    map.close()
  })

  it('a value that changes under a busy writer is seen with the type', () => {
    const map = new TypedMap({ nearCache: false })
    const a = map.ofType('A')
    for (let n = 0; n < 2_000; n++) a.set(n, n)
    let visited = 0
    for (const [key, value] of a) {
      assert.equal(value, key)
      visited++
      if (key + 1 < 2_000) map.set(key + 1, 'not this type')
      if (key + 2 < 2_000) a.set(key + 2, key + 2)
    }
    assert.equal(visited, 1_000)
    map.close()
  })

  it('scan gives its entries, as scan of the map with its type', () => {
    const map = new TypedMap({ shards: 2 })
    const a = map.ofType('A')
    for (let n = 0; n < 300; n++) (n % 3 === 0 ? a : map).set(`key ${n}`, { n })
    const entries = scanned(a)
    assert.equal(entries.length, 100)
    assert.ok(entries.every(([key, { n }]) => key === `key ${n}` && n % 3 === 0))
    assert.deepEqual(
      a
        .scan('0', { count: 4_096, match: 'key 1?' })
        .entries.sort(byId)
        .map(([key]) => key),
      ['key 12', 'key 15', 'key 18']
    )
    assert.throws(() => a.scan('0', { type: 'B' }), { code: 'ERR_INVALID_OPTION' })
    assert.throws(() => a.scan('x'), { code: 'ERR_INVALID_OPTION' })
    map.close()
  })

  it('find gives handles of its type only, as find of the map with its type', async () => {
    const map = new TypedMap({ shards: 2 })
    const [a, b] = [map.ofType('A'), map.ofType('B')]
    for (let n = 0; n < 300; n++) [a, b, map][n % 3].set(`key ${n}`, { n })
    const keyless = a.insert({ n: 1_000 })
    const query = { where: { '/n': { gte: 150 } } }
    const handles = await a.find(query)
    assert.deepEqual(
      handles.map(handle => a.get(handle).n).sort((x, y) => x - y),
      [...Array.from({ length: 50 }, (_, n) => 150 + 3 * n), 1_000]
    )
    assert.ok(handles.some(({ id }) => id === keyless.id))
    assert.equal((await a.find(query, { limit: 7 })).length, 7)
    assert.deepEqual(await map.ofType('None').find({}), [])
    const aborted = AbortSignal.abort(new Error('over'))
    await assert.rejects(a.find({}, { signal: aborted }), /over/)
    await assert.rejects(a.find({ where: 1 }), { code: 'ERR_INVALID_QUERY' })
    await assert.rejects(a.find({}, { type: 'B' }), { code: 'ERR_INVALID_OPTION' })
    map.close()
    await assert.rejects(a.find({}), { code: 'ERR_CLOSED' })
  })

  it('agree with a plain model, whatever is done', t => {
    const random = seededRandom(t)
    for (let round = 0; round < 6; round++) run(random)
  })

  it('and with what evicts and expires', t => {
    const random = seededRandom(t)
    for (const options of [
      { maxEntries: 200, evictionStrategy: 'sieve' },
      { memoryLimit: 400_000, evictionStrategy: 'lru' },
      { memoryLimit: 300_000, evictionStrategy: 'fifo', ttl: 5, shards: 2 }
    ]) {
      const map = new TypedMap(options)
      const views = TYPES.map(name => map.ofType(name))
      for (let step = 0; step < 20_000; step++) {
        const key = `key ${random.below(2_000)}`
        const view = random.pick(views)
        const value = 'x'.repeat(random.below(random.oneIn(50) ? 5_000 : 60))
        try {
          if (random.oneIn(3)) view.insert(value)
          else if (random.oneIn(4)) map.set(key, value)
          else view.set(key, value)
        } catch (error) {
          assert.equal(error.code, 'ERR_WRONG_TYPE')
        }
      }
      const all = [...map].map(([key]) => key)
      map.purgeExpired()
      let typed = 0
      for (const view of views) {
        const keys = [...view.keys()]
        typed += keys.length
        // What expires meanwhile is not there any more.
        if (options.ttl === undefined) assert.equal(keys.length, view.size)
        for (const key of keys) assert.ok(options.ttl !== undefined || view.has(key))
      }
      assert.ok(typed <= all.length)
      map.close()
    }
  })
})

/** Random operations through views and through the map, each compared with what a model says. */
function run(random) {
  const map = new TypedMap({ shards: random.pick([1, 2, 8]) })
  const views = TYPES.map(name => map.ofType(name))
  /** Entries in insertion order: `[key or handle, { type, value }]`. */
  let model = []
  const find = id => model.find(([key]) => idOf(key) === id)?.[1]
  const steps = 4_000
  for (let step = 0; step < steps; step++) {
    const type = random.below(TYPES.length)
    const view = views[type]
    const known = model.length > 0 && random.oneIn(2) ? random.pick(model)[0] : `key ${random.below(150)}`
    const id = idOf(known)
    const entry = find(id)
    const value = random.oneIn(2) ? { step } : random.oneIn(40) ? 'x'.repeat(2_000 + random.below(3_000)) : step
    const isOwn = entry?.type === type
    switch (random.below(12)) {
      case 0: {
        const handle = view.insert(value)
        model.push([handle, { type, value }])
        break
      }
      case 1:
      case 2:
      case 3:
        if (entry !== undefined && entry.type !== undefined && !isOwn) {
          assert.throws(() => view.set(known, value), { code: 'ERR_WRONG_TYPE' })
        } else {
          view.set(known, value)
          if (entry === undefined) model.push([known, { type, value }])
          else Object.assign(entry, { type, value })
        }
        break
      case 4:
        assert.deepEqual(view.get(known), isOwn ? entry.value : undefined)
        assert.deepEqual(map.get(known), entry?.value)
        assert.deepEqual(view.get(known), isOwn ? entry.value : undefined)
        break
      case 5:
        assert.equal(view.has(known), isOwn)
        break
      case 6:
      case 7:
        assert.equal(view.delete(known), isOwn)
        if (isOwn) model = model.filter(([key]) => idOf(key) !== id)
        break
      case 8:
        map.set(known, value)
        // By handle the type stays.
        if (entry === undefined) model.push([known, { type: undefined, value }])
        else Object.assign(entry, { type: known instanceof Handle ? entry.type : undefined, value })
        break
      case 9:
        map.updateMany([[known, value]])
        if (entry !== undefined) entry.value = value
        break
      case 10:
        if (random.oneIn(4)) {
          map.delete(known)
          model = model.filter(([key]) => idOf(key) !== id)
        }
        break
      default:
        if (random.oneIn(500)) {
          map.clear()
          model = []
        }
    }
    if (step % 50 !== 0) continue
    for (const [index, own] of views.entries()) {
      const expected = model.filter(([, { type: has }]) => has === index).map(([key, { value: v }]) => [idOf(key), v])
      assert.equal(own.size, expected.length, `step ${step}`)
      assert.deepEqual(plain(own), expected, `step ${step}`)
      assert.deepEqual(
        [...own.keys()].map(idOf),
        expected.map(([key]) => key)
      )
      assert.deepEqual(plain(scanned(own)).sort(byId), expected.sort(byId))
    }
  }
  map.close()
}
