'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { isDeepStrictEqual } = require('node:util')
const { TypedMap } = require('../..')
const { stillMap } = require('../support/clock.js')
const { throwsTyped } = require('../support/errors.js')
const { RandomValues } = require('../support/random-values.js')
const { seededRandom } = require('../support/random.js')
const { until } = require('../support/turns.js')
const { startWorker } = require('../support/workers.js')

require('../support/sound.js')

const THREADS = 4
const ROUNDS = Number(process.env.COMPARE_ROUNDS ?? 1_500)

/** A value of JSON with the members of its objects in another order. */
function shuffled(value, random) {
  if (Array.isArray(value)) return value.map(element => shuffled(element, random))
  if (typeof value !== 'object' || value === null) return value
  const names = Object.keys(value)
  for (let at = names.length - 1; at > 0; at--) {
    const other = random.below(at + 1)
    ;[names[at], names[other]] = [names[other], names[at]]
  }
  return Object.fromEntries(names.map(name => [name, shuffled(value[name], random)]))
}

const CHANGED = [null, true, 0, 1, 'x', '\ud800', [], {}, [0], { a: 1 }]

/** A value of JSON with something else in one place, or without it. */
function changed(value, random) {
  const isContainer = typeof value === 'object' && value !== null
  if (!isContainer || random.oneIn(4)) {
    return typeof value === 'number' && random.oneIn(2) ? value + 1 : random.pick(CHANGED)
  }
  const names = Object.keys(value)
  const copy = Array.isArray(value) ? [...value] : Object.fromEntries(Object.entries(value))
  if (names.length === 0) return Array.isArray(copy) ? [null] : { more: null }
  const name = random.pick(names)
  const set = (where, member) =>
    Object.defineProperty(copy, where, { value: member, enumerable: true, configurable: true, writable: true })
  if (random.oneIn(4)) {
    if (Array.isArray(copy)) return copy.slice(1)
    delete copy[name]
    return copy
  }
  if (random.oneIn(6)) return Array.isArray(copy) ? [...copy, null] : set('one more', null)
  return set(name, changed(value[name], random))
}

describe('compareAndSet', () => {
  const values = [
    undefined,
    null,
    true,
    false,
    0,
    1,
    -1,
    1.5,
    2 ** 40,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1n,
    -1n,
    2n ** 70n,
    '',
    '1',
    'é',
    '日',
    '\ud800',
    '\ud801',
    [],
    [1],
    [1.5],
    ['1'],
    [null],
    [[1]],
    {},
    { a: 1 },
    { a: '1' },
    { a: null },
    { a: [] },
    { a: {} },
    { a: { b: 1 } },
    { a: 1, b: 2 },
    { '\ud800': 1 },
    { a: [{ b: 1 }, { b: 2 }] },
    { a: [{ b: 2 }, { b: 1 }] },
    { a: 'ü\ud800' },
    new Uint8Array([1, 2]),
    new Uint8Array([2, 1]),
    Buffer.from([1, 2]),
    new Uint16Array([513]),
    new Float64Array([Number.NaN]),
    new Uint8Array()
  ]

  it('sets the next value if the present one equals the expected one, and says what is there', () => {
    for (const options of [{}, { nearCache: false }]) {
      const map = new TypedMap(options)
      // Twice, because the first objects of a shape are stored as text.
      for (let round = 0; round < 2; round++) {
        for (const [at, stored] of values.entries()) {
          for (const [place, expected] of values.entries()) {
            const target = (at + place) % 2 === 0 ? map.insert(stored) : 'a'
            map.set(target, stored)
            const answer = map.compareAndSet(target, expected, { next: place })
            const after = at === place ? { next: place } : stored
            assert.deepEqual(answer, { swapped: at === place, value: after }, `${at} ${place}`)
            assert.deepEqual(map.get(target), after)
          }
        }
      }
    }
  })

  it('values of every kind become the next one, as a read returns it', () => {
    const map = new TypedMap([['a', 'first']])
    let before = 'first'
    for (const next of values) {
      for (const target of ['a', map.getHandle('a')]) {
        const answer = map.compareAndSet(target, before, next)
        assert.deepEqual(answer, { swapped: true, value: next })
        assert.deepEqual(map.get(target), next)
        assert.ok(ArrayBuffer.isView(next) || Object.isFrozen(answer.value))
        before = next
      }
    }
    assert.deepEqual([map.size, map.has('a')], [1, true])
  })

  it('-0 is 0, NaN is NaN, and a number is no bigint', () => {
    const map = new TypedMap([['a', -0]])
    assert.ok(map.compareAndSet('a', 0, 0).swapped)
    assert.ok(Object.is(map.compareAndSet('a', -0, -0).value, -0))
    assert.ok(map.compareAndSet('a', 0, Number.NaN).swapped)
    assert.ok(map.compareAndSet('a', Number.NaN, 1).swapped)
    assert.deepEqual(map.compareAndSet('a', 1n, 2), { swapped: false, value: 1 })
  })

  it('what is compared is what JSON makes of a value', () => {
    const map = new TypedMap()
    for (const [stored, expected] of [
      [{ at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
      [new Date(0), '1970-01-01T00:00:00.000Z'],
      ['1970-01-01T00:00:00.000Z', new Date(0)],
      [
        { a: undefined, b: Number.NaN, c: -0 },
        { c: 0, b: null }
      ],
      [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
      [{ toJSON: () => 5 }, 5],
      [[undefined], [null]]
    ]) {
      map.set('a', stored)
      assert.equal(map.compareAndSet('a', expected, 1).swapped, true, JSON.stringify(stored))
    }
  })

  it('a missing key has no value: not even undefined, which can be stored', () => {
    const map = new TypedMap()
    assert.deepEqual(map.compareAndSet('a', undefined, 1), { swapped: false, value: undefined })
    assert.equal(map.has('a'), false)
    map.set('a', undefined)
    assert.deepEqual(map.compareAndSet('a', null, 1), { swapped: false, value: undefined })
    assert.deepEqual(map.compareAndSet('a', undefined, undefined), { swapped: true, value: undefined })
    assert.deepEqual(map.compareAndSet('a', undefined, 1), { swapped: true, value: 1 })
    assert.deepEqual(map.compareAndSet('a', 1, undefined), { swapped: true, value: undefined })
    assert.equal(map.has('a'), true)
  })

  it('random values equal themselves in any order of names, and nothing else', t => {
    const random = seededRandom(t)
    const map = new TypedMap()
    const made = new RandomValues(random)
    let [compared, differences] = [0, 0]
    for (let round = 0; round < ROUNDS; round++) {
      const make = made.next()
      const text = JSON.stringify(make().value)
      if (text === undefined) continue
      const plain = JSON.parse(text)
      const target = round % 2 === 0 ? 'a' : map.insert(0)
      // Made anew, because code of a value may show another one when it runs again.
      map.set(target, make().value)
      compared++
      const other = changed(shuffled(plain, random), random)
      const isSame = isDeepStrictEqual(JSON.parse(JSON.stringify(other)), plain)
      const told = `${text} ${JSON.stringify(other)}`
      const unequal = map.compareAndSet(target, other, plain)
      assert.equal(unequal.swapped, isSame, told)
      if (!isSame) differences++
      assert.deepEqual(unequal.value, plain)
      assert.deepEqual(map.compareAndSet(target, shuffled(plain, random), round), { swapped: true, value: round }, text)
      map.delete(target)
    }
    assert.ok(compared > ROUNDS / 2 && differences > ROUNDS / 3, `${compared} compared, ${differences} differences`)
    const { shapes } = map.getStats()
    assert.ok(shapes.count > 5, `${shapes.count} shapes`)
  })

  it('objects with many names, and deep ones, take no longer than their length', () => {
    const map = new TypedMap()
    const wide = Array.from({ length: 50_000 }, (_, at) => [`name ${at}`, at])
    map.set('wide', Object.fromEntries(wide))
    assert.ok(map.compareAndSet('wide', Object.fromEntries(wide.toReversed()), 1).swapped)
    let [one, other] = [{}, {}]
    for (let depth = 0; depth < 1_000; depth++) {
      one = { a: one, b: [depth] }
      other = { b: [depth], a: other }
    }
    map.set('deep', one)
    assert.ok(map.compareAndSet('deep', other, 1).swapped)
  })

  it('an object that is returned is the one that reads return, and its copy is used again', () => {
    const map = new TypedMap([['a', { n: 1 }]])
    const { value } = map.compareAndSet('a', { n: 2 }, { n: 3 })
    assert.equal(value, map.get('a'))
    const after = map.compareAndSet('a', { n: 1 }, { n: 3 }).value
    assert.equal(after, map.get('a'))
    assert.deepEqual(after, { n: 3 })
    const handle = map.getHandle('a')
    assert.deepEqual(handle.get(), { n: 3 })
    map.compareAndSet('a', { n: 3 }, { n: 4 })
    assert.deepEqual(handle.get(), { n: 4 })
  })

  it('code of the values may write to the map, which is seen', () => {
    const map = new TypedMap([['a', 1]])
    const expected = {
      toJSON() {
        map.set('a', 2)
        return 2
      }
    }
    assert.deepEqual(map.compareAndSet('a', expected, 3), { swapped: true, value: 3 })
    const next = {
      toJSON() {
        map.set('b', { shaped: 1 })
        map.set('a', { n: 1 })
        return { of: 'next' }
      }
    }
    assert.deepEqual(map.compareAndSet('a', { n: 1 }, next), { swapped: true, value: { of: 'next' } })
  })

  it('a dead handle, and wrong arguments, are errors', () => {
    const map = new TypedMap({ shards: 1 })
    const handle = map.insert(1)
    map.delete(handle)
    throwsTyped(() => map.compareAndSet(handle, 1, 2), 'ERR_HANDLE_NOT_FOUND')
    throwsTyped(() => map.compareAndSet(new TypedMap().insert(1), 1, 2), 'ERR_HANDLE_INVALIDATED')
    throwsTyped(() => map.compareAndSet({}, 1, 2), 'ERR_KEY_TYPE', { kind: TypeError })
    map.set('a', 1)
    const circle = {}
    circle.self = circle
    for (const wrong of [() => {}, Symbol('s'), Promise.resolve(1), new Map(), circle, [1n]]) {
      throwsTyped(() => map.compareAndSet('a', wrong, 2), 'ERR_VALUE_NOT_SERIALIZABLE', { kind: TypeError })
      throwsTyped(() => map.compareAndSet('a', 1, wrong), 'ERR_VALUE_NOT_SERIALIZABLE', { kind: TypeError })
    }
    const nothing = { toJSON: () => undefined }
    throwsTyped(() => map.compareAndSet('a', nothing, 2), 'ERR_VALUE_NOT_SERIALIZABLE', { kind: TypeError })
    for (const options of [5, { ttl: 0 }, { more: 1 }]) {
      throwsTyped(() => map.compareAndSet('a', 1, 2, options), 'ERR_INVALID_OPTION')
    }
    assert.equal(map.get('a'), 1)
    map.close()
    throwsTyped(() => map.compareAndSet('a', 1, 2), 'ERR_CLOSED')
  })

  it('deadlines are what they are for set, and a value that stays keeps its own', () => {
    const { map, advance, close } = stillMap()
    map.set('a', 1, { ttl: 100 })
    advance(60)
    assert.equal(map.compareAndSet('a', 5, 2, { ttl: 500 }).swapped, false)
    assert.equal(map.ttlOf('a'), 40)
    map.compareAndSet('a', 1, 2, { ttl: 70 })
    assert.equal(map.ttlOf('a'), 70)
    advance(70)
    assert.deepEqual(map.compareAndSet('a', 2, 3), { swapped: false, value: undefined })
    map.set('a', 1, { ttl: 100 })
    map.compareAndSet('a', 1, 2)
    assert.equal(map.ttlOf('a'), Number.POSITIVE_INFINITY)
    close()
  })

  it('limits and listeners see it as they see set', async () => {
    const map = new TypedMap({ maxEntries: 1, oomStrategy: 'reject', maxValueBytes: 100 })
    const heard = []
    map.onEvict(removal => heard.push(removal), { causes: ['replaced'] })
    map.set('a', 1)
    throwsTyped(() => map.compareAndSet('a', 1, 'x'.repeat(200)), 'ERR_VALUE_TOO_LARGE')
    map.compareAndSet('a', 2, 'x'.repeat(200))
    map.compareAndSet('a', 1, 2)
    await until(() => heard.length > 0)
    assert.deepEqual(
      heard.map(({ key, value, cause }) => [key, value, cause]),
      [['a', 1, 'replaced']]
    )
    const { inserts, updates } = map.getStats()
    assert.deepEqual([inserts, updates], [1, 1])
    map.close()
  })

  it('room is made for it by functions of the user', () => {
    let asked = 0
    const free = map => {
      asked++
      map.delete('b')
    }
    const map = new TypedMap({ memoryLimitMb: 1, oomStrategy: free })
    map.set('a', { id: 1 })
    map.set('b', 'x'.repeat(600_000))
    const next = { text: 'y'.repeat(500_000) }
    assert.equal(map.compareAndSet('a', { id: 1 }, next).swapped, true)
    assert.equal(asked, 1)
    assert.deepEqual(map.get('a'), next)
  })

  it('an entry keeps its type and its place in the order', () => {
    const map = new TypedMap([['first', 1]])
    const handle = map.insert({ n: 1 }, { type: 'thing' })
    map.set('last', 1)
    map.compareAndSet(handle, { n: 1 }, { n: 2 })
    assert.deepEqual(map.get(handle, { type: 'thing' }), { n: 2 })
    assert.deepEqual([...map.values()], [1, { n: 2 }, 1])
  })

  it('four threads that count by it lose nothing, whatever the value is', async () => {
    const name = `compareAndSet ${process.pid}`
    const map = TypedMap.open(name)
    map.set('number', 0)
    map.set('object', { of: { count: 0 }, list: ['x'] })
    map.set('text', 'count 0')
    const workers = Array.from({ length: THREADS }, () =>
      startWorker(
        ({ TypedMap, data, assert }) => {
          const map = TypedMap.open(data.name)
          const count = (key, next) => {
            for (let value = map.get(key); ; ) {
              const expected = value
              const answer = map.compareAndSet(key, expected, next(expected))
              value = answer.value
              if (answer.swapped) return
              assert.notDeepEqual(value, expected)
            }
          }
          for (let n = 0; n < data.steps; n++) {
            count('number', number => number + 1)
            count('object', ({ of, list }) => ({ list, of: { count: of.count + 1 } }))
            count('text', text => `count ${Number(text.slice(6)) + 1}`)
          }
          map.close()
        },
        { name, steps: 2_000 }
      )
    )
    await Promise.all(workers.map(worker => worker.result))
    const all = THREADS * 2_000
    assert.equal(map.get('number'), all)
    assert.deepEqual(map.get('object'), { of: { count: all }, list: ['x'] })
    assert.equal(map.get('text'), `count ${all}`)
    map.destroy()
  })

  it('a lock of it has one owner at a time', async () => {
    const name = `compareAndSet lock ${process.pid}`
    const map = TypedMap.open(name)
    map.set('lock', { owner: null })
    map.set('guarded', 0)
    const workers = Array.from({ length: THREADS }, (_, thread) =>
      startWorker(
        ({ TypedMap, data }) => {
          const map = TypedMap.open(data.name)
          const [free, mine] = [{ owner: null }, { owner: data.thread }]
          for (let n = 0; n < data.rounds; n++) {
            while (!map.compareAndSet('lock', free, mine).swapped);
            map.set('guarded', map.get('guarded') + 1)
            if (!map.compareAndSet('lock', mine, free).swapped) throw new Error('another thread has the lock')
          }
          map.close()
        },
        { name, thread, rounds: 1_000 }
      )
    )
    await Promise.all(workers.map(worker => worker.result))
    assert.equal(map.get('guarded'), THREADS * 1_000)
    map.destroy()
  })
})
