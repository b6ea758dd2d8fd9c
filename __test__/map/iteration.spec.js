'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { Handle, TypedMap } = require('../..')
const { KIND, SCRATCH, STEP_ROW, WANT } = require('../../lib/native/layout.js')
const { binding, scratch } = require('../../lib/native/attach.js')
const { refuseForeignMemoryForTest } = require('../../lib/addon/load.js')
const { stillMap } = require('../support/clock.js')
const { throwsTyped } = require('../support/errors.js')
const { runNode } = require('../support/processes.js')
const { seededRandom } = require('../support/random.js')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

describe('iteration: order', () => {
  it('is that of insertion, over all shards and kinds of keys', () => {
    const keys = [3, 'b', 1, undefined, 'a', 2n, null, true, 0.5, '', Number.NaN, -7, Uint8Array.of(1)]
    for (const shards of [1, 4, 256]) {
      const map = new TypedMap(
        keys.map((key, at) => [key, at]),
        { shards }
      )
      assert.deepEqual([...map.keys()], keys)
      assert.deepEqual([...map.values()], [...keys.keys()])
    }
  })

  it('stays when values are written, also larger and smaller ones', () => {
    const map = new TypedMap()
    for (let key = 0; key < 1_000; key++) map.set(key, key)
    for (let key = 999; key >= 0; key -= 7) map.set(key, 'x'.repeat(key))
    for (let key = 0; key < 1_000; key += 13) map.set(key, null)
    assert.deepEqual(
      [...map.keys()],
      Array.from({ length: 1_000 }, (_, key) => key)
    )
  })

  it('has keyless entries in their place, with the handle for a key', () => {
    const map = new TypedMap()
    map.set('first', 1)
    const handle = map.insert(2)
    map.set('last', 3)
    const keys = [...map.keys()]
    assert.equal(keys[0], 'first')
    assert.ok(keys[1] instanceof Handle)
    assert.equal(keys[1].id, handle.id)
    assert.equal(keys[2], 'last')
    assert.deepEqual([...map.values()], [1, 2, 3])
    const seen = []
    map.forEach((value, key) => {
      seen.push([key instanceof Handle ? key.id : key, value])
    })
    assert.deepEqual(seen, [
      ['first', 1],
      [handle.id, 2],
      ['last', 3]
    ])
    // A keyless entry is found again by what iteration gave for it.
    for (const [key, value] of map) assert.equal(map.get(key), value)
  })

  it('a million entries come once each and in order', () => {
    const map = new TypedMap()
    const count = 1_000_000
    for (let start = 0; start < count; start += 10_000) {
      map.setMany(Array.from({ length: 10_000 }, (_, at) => [start + at, at]))
    }
    assert.equal(map.size, count)
    let next = 0
    for (const key of map.keys()) {
      if (key !== next) assert.fail(`${key} came in the place of ${next}`)
      next++
    }
    assert.equal(next, count)
    let sum = 0
    for (const value of map.values()) sum += value
    assert.equal(sum, (count / 10_000) * ((10_000 * 9_999) / 2))
  })
})

describe('iteration: a map that changes', () => {
  it('additions far beyond what was fetched ahead are visited', () => {
    const map = new TypedMap([[0, 0]])
    let visited = 0
    for (const [key] of map) {
      assert.equal(key, visited++)
      if (key < 20_000) map.set(key + 1, 0)
    }
    assert.equal(visited, 20_001)
  })

  it('deletions are skipped, also of entries already fetched', () => {
    const map = new TypedMap(Array.from({ length: 5_000 }, (_, key) => [key, { key }]))
    const visited = []
    for (const [key, value] of map) {
      assert.deepEqual(value, { key })
      visited.push(key)
      for (let ahead = 1; ahead < 5; ahead++) map.delete(key + ahead)
    }
    assert.deepEqual(
      visited,
      Array.from({ length: 1_000 }, (_, at) => at * 5)
    )
    assert.equal(map.size, 1_000)
  })

  it('values are those of the moment, also of entries already fetched', () => {
    const map = new TypedMap(Array.from({ length: 3_000 }, (_, key) => [key, { round: 0 }]))
    const one = map.values()
    const other = map.entries()
    for (let key = 0; key < 3_000; key++) {
      for (const ahead of [0, 1, 50]) if (key + ahead < 3_000) map.set(key + ahead, { round: key })
      assert.deepEqual(one.next().value, { round: key })
      assert.deepEqual(other.next().value, [key, { round: key }])
    }
    assert.equal(one.next().done, true)
    assert.equal(other.next().done, true)
  })

  it('an entry that is deleted and added again is visited at its new place', () => {
    const map = new TypedMap(Array.from({ length: 100 }, (_, key) => [key, 'old']))
    const visited = []
    for (const [key, value] of map) {
      visited.push(value === 'old' ? key : `${key} ${value}`)
      if (key === 10) {
        for (const again of [5, 11, 99]) {
          map.delete(again)
          map.set(again, 'new')
        }
      }
    }
    const straight = Array.from({ length: 99 }, (_, key) => key).filter(key => key !== 11)
    assert.deepEqual(visited, [...straight, '5 new', '11 new', '99 new'])
  })

  it('a map that is cleared while walked ends, or goes on with what is added', () => {
    const map = new TypedMap(Array.from({ length: 1_000 }, (_, key) => [key, key]))
    const iterator = map.keys()
    for (let step = 0; step < 10; step++) iterator.next()
    map.clear()
    map.set('after', 1)
    assert.deepEqual([...iterator], ['after'])
    const handle = map.insert('keyless')
    const ended = map.keys()
    ended.next()
    map.clear()
    assert.equal(ended.next().done, true)
    assert.equal(map.has(handle), false)
  })

  it('an iterator of a map that is closed or destroyed throws', () => {
    for (const end of ['close', 'destroy']) {
      const map = new TypedMap([
        ['a', 1],
        ['b', 2]
      ])
      const iterator = map.entries()
      iterator.next()
      map[end]()
      assert.throws(() => iterator.next(), { code: 'ERR_CLOSED' })
    }
  })

  it('an unfinished iterator costs nothing but itself', () => {
    const map = new TypedMap(Array.from({ length: 100 }, (_, key) => [key, key]))
    for (let round = 0; round < 10_000; round++) map.keys().next()
    assert.equal(map.size, 100)
    for (const name of ['keys', 'values', 'entries']) for (let round = 0; round < 100; round++) map[name]()
  })
})

describe('iteration: what is returned', () => {
  it('objects are frozen and bytes are copies, as from get', () => {
    const map = new TypedMap([
      ['object', { a: [1] }],
      ['bytes', Uint8Array.of(1)]
    ])
    const [[, object], [, bytes]] = map
    assert.ok(Object.isFrozen(object) && Object.isFrozen(object.a))
    bytes[0] = 9
    assert.deepEqual(map.get('bytes'), Uint8Array.of(1))
  })

  it('walking does not count as hits', () => {
    const map = new TypedMap(Array.from({ length: 10 }, (_, key) => [key, key]))
    const { hits, misses } = map.getStats()
    for (const _ of map);
    for (const _ of map.keys());
    const after = map.getStats()
    assert.equal(after.hits, hits)
    assert.equal(after.misses, misses)
  })
})

describe('iteration: at random', () => {
  it('agrees with Map when the callback changes the map in any way', t => {
    const random = seededRandom(t)
    for (let round = 0; round < 60; round++) {
      const map = new TypedMap({ shards: random.pick([1, 4, 16]) })
      const model = new Map()
      const both = change => [map, model].forEach(change)
      for (let n = random.below(400); n > 0; n--) {
        const key = random.below(300)
        both(one => {
          one.set(key, n)
        })
      }
      const real = map.entries()
      const expected = model.entries()
      for (let step = 0; step < 3_000; step++) {
        const next = real.next()
        assert.deepEqual({ value: next.value, done: next.done }, { ...expected.next() }, `round ${round}, step ${step}`)
        if (next.done) break
        const key = random.below(300)
        const change = random.below(8)
        both(one => {
          if (change < 3) one.delete(key)
          else if (change < 5 && step < 2_000) one.set(key, step)
          else if (change === 5 && step % 97 === 96) one.clear()
        })
      }
    }
  })
})

let names = 0
const clearElsewhere = ({ name }) => inWorker(({ TypedMap, data }) => void TypedMap.open(data).clear(), name)
const destroyElsewhere = ({ name }) => inWorker(({ TypedMap, data }) => void TypedMap.open(data).destroy(), name)

describe('iteration: what was fetched ahead', () => {
  /** A map of 400 entries, and an iterator that has fetched well beyond the entry that it is at. */
  const begun = (what, options, value = n => ({ n })) => {
    const name = `iteration ahead ${process.pid} ${++names}`
    const map = TypedMap.open(name, options)
    for (let n = 0; n < 400; n++) map.set(n, value(n))
    const iterator = map[what]()
    for (let n = 0; n < 100; n++) iterator.next()
    return { name, map, iterator }
  }

  for (const shards of [1, 4, 128]) {
    it(`a change of any entry is seen when its turn comes, with ${shards} shards`, () => {
      const changes = {
        set: (map, key) => map.set(key, 'changed'),
        replace: (map, key) => map.replace(map.getHandle(key), 'changed'),
        setMany: (map, key) => map.setMany([[key, 'changed']]),
        'set of the entry after': (map, key) => map.set(key + 1, 'changed')
      }
      for (const [how, change] of Object.entries(changes)) {
        const { map, iterator } = begun('entries', { shards })
        for (let n = 100; n < 400; n++) {
          if (n % 3 === 0) change(map, n)
          const [key, value] = iterator.next().value
          assert.equal(key, n)
          assert.deepEqual(value, map.get(n), `${how}, entry ${n}`)
        }
        map.close()
      }
    })

    it(`a removed entry is not visited, with ${shards} shards`, () => {
      const removals = {
        delete: (map, key) => map.delete(key),
        remove: (map, key) => map.remove(key),
        deleteMany: (map, key) => map.deleteMany([key])
      }
      for (const remove of Object.values(removals)) {
        const { map, iterator } = begun('keys', { shards })
        for (let n = 100; n < 400; n += 2) {
          remove(map, n)
          assert.equal(iterator.next().value, n + 1)
        }
        assert.equal(iterator.next().done, true)
        map.close()
      }
    })
  }

  it('nothing of a map that was cleared, by this or another thread, is visited', async () => {
    for (const clear of [({ map }) => map.clear(), clearElsewhere, destroyElsewhere]) {
      const opened = begun('keys', {})
      await clear(opened)
      if (clear === destroyElsewhere) throwsTyped(() => opened.iterator.next(), 'ERR_CLOSED')
      else assert.equal(opened.iterator.next().done, true)
      opened.map.close()
    }
  })

  it('writes of another thread are seen as soon as this one knows of them', async () => {
    const { name, map, iterator } = begun('values', {}, () => 0)
    const shared = new Int32Array(new SharedArrayBuffer(4))
    const done = inWorker(
      ({ TypedMap, data: { name, shared } }) => {
        const map = TypedMap.open(name)
        for (let n = 0; n < 400; n++) {
          map.set(n, n + 1)
          Atomics.store(shared, 0, n + 1)
        }
        map.close()
      },
      { name, shared }
    )
    for (let n = 100; n < 400; n++) {
      while (Atomics.load(shared, 0) <= n) Atomics.wait(shared, 0, -1, 1)
      assert.equal(iterator.next().value, n + 1)
    }
    await done
    map.close()
  })

  it('an entry that a read found to be over is not visited', () => {
    const { map, advance, close } = stillMap({ ttl: 100, shards: 1 })
    for (let n = 0; n < 400; n++) map.set(n, n)
    const iterator = map.keys()
    for (let n = 0; n < 100; n++) iterator.next()
    advance(100)
    assert.equal(map.get(100), undefined)
    assert.equal(iterator.next().done, true)
    close()
  })

  it('where words are refused, every change is seen all the same', () => {
    refuseForeignMemoryForTest(true)
    try {
      const { map, iterator } = begun('values', {})
      for (let n = 100; n < 400; n++) {
        map.set(n, 'changed')
        assert.equal(iterator.next().value, 'changed')
      }
      map.close()
    } finally {
      refuseForeignMemoryForTest(false)
    }
  })

  it('keys and values of all kinds and lengths come out as they went in', () => {
    const strings = [
      '',
      'a',
      'short',
      'x'.repeat(12),
      'y'.repeat(13),
      'z'.repeat(256),
      'w'.repeat(257),
      'ü',
      '\ud800',
      '€'.repeat(300)
    ]
    const keys = [...strings, 0, 1.5, -1, 2 ** 40, Number.NaN, 1n, -(2n ** 80n), true, false, null, undefined]
    const values = [
      ...strings,
      { a: 1 },
      [],
      'x'.repeat(70_000),
      { b: 'ü' },
      -0,
      7,
      1.5,
      3n,
      true,
      false,
      null,
      undefined,
      Uint8Array.of(1)
    ]
    const map = new TypedMap()
    const expected = []
    for (let round = 0; round < 40; round++) {
      for (const [index, key] of keys.entries()) {
        const own = typeof key === 'string' ? `${key}${round}` : typeof key === 'number' ? key + round : key
        const value = values[(index * 7 + round) % values.length]
        if (!map.has(own)) expected.push(own)
        map.set(own, value)
      }
      map.insert(values[round % values.length])
      expected.push(undefined)
    }
    let at = 0
    for (const [key, value] of map) {
      if (expected[at] === undefined && key !== undefined) assert.ok(key instanceof Handle)
      else assert.ok(Object.is(key, expected[at]) || key === expected[at], `${String(key)} at ${at}`)
      assert.deepEqual(value, map.get(key))
      at++
    }
    assert.equal(at, map.size)
    assert.deepEqual(
      [...map.values()],
      [...map].map(([, value]) => value)
    )
    assert.deepEqual(
      [...map.keys()].map(key => key?.id ?? key),
      [...map].map(([key]) => key?.id ?? key)
    )
  })

  it('a key that is kept keeps no more than a KB of others alive', async () => {
    // Texts of a whole batch, with keys of up to 256 characters, would be 64 KB for each key that is kept.
    const { status, stdout, stderr } = await runNode(
      `const map = new TypedMap()
       for (let n = 0; n < 100_000; n++) map.set(String(n).padStart(200, '-'), 0)
       gc()
       const before = process.memoryUsage().heapUsed
       const kept = []
       let at = 0
       for (const key of map.keys()) if (at++ % 256 === 200) kept.push(key)
       gc()
       console.log(kept.length, process.memoryUsage().heapUsed - before)`,
      { flags: ['--expose-gc'] }
    )
    assert.equal(stderr, '')
    assert.equal(status, 0)
    const [kept, bytes] = stdout.split(' ').map(Number)
    assert.ok(bytes < kept * 2_500 + 1_000_000, `${bytes} bytes for ${kept} keys`)
  })
})

describe('iteration: batches', () => {
  /** How many entries one native walk returns. */
  const walked = (id, count, want) => {
    const cells = binding.walk(id, 0, count, want, new Uint32Array(count * STEP_ROW), 0)
    assert.ok(cells.length > 0)
    return scratch[SCRATCH.COUNT]
  }

  it('end once they hold 256 KiB, and hold one entry at least', () => {
    for (const [valueBytes, expected] of [
      [100, 256],
      [10_000, 27],
      [1_000_000, 1]
    ]) {
      const { id } = binding.open(null, '{}')
      for (let n = 0; n < 300; n++) binding.set(id, `key ${n}`, 'x'.repeat(valueBytes), KIND.String)
      assert.equal(walked(id, 256, WANT.ENTRIES), expected, `values of ${valueBytes} bytes`)
      assert.equal(walked(id, 256, WANT.KEYS), 256, 'values that are not wanted do not count')
      binding.close(id)
    }
  })
})
