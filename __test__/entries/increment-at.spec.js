'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { stillMap } = require('../support/clock.js')
const { throwsTyped } = require('../support/errors.js')
const { seededRandom } = require('../support/random.js')
const { startWorker } = require('../support/workers.js')

require('../support/sound.js')

const THREADS = 4

/** An object by key, and one by handle; each as text and as a record, which later objects of a shape are. */
const WAYS = {
  'by key': (map, value) => map.set('object', value) && 'object',
  'by handle': (map, value) => map.insert(value),
  'by key, as a record': (map, value) => {
    for (let n = 0; n < 3; n++) map.set('object', value)
    return 'object'
  },
  'by handle, as a record': (map, value) => {
    for (let n = 0; n < 3; n++) map.set('other', value)
    return map.insert(value)
  }
}

const mixed = () => ({
  visits: 1,
  name: 'é日',
  at: { x: 0.5, deep: { y: -3 } },
  rows: [
    { n: 1, text: 'a' },
    { n: 2, text: 'b' }
  ],
  list: [1, 2, 3],
  more: [1, [2], { z: 3 }],
  'a/b~c': 7,
  last: true
})

describe('increment with at', () => {
  for (const [way, make] of Object.entries(WAYS)) {
    it(`${way}: adds to the number and leaves everything else`, () => {
      const map = new TypedMap()
      const target = make(map, mixed())
      const expected = mixed()
      for (const [at, by, sum, set] of [
        ['/visits', undefined, 2, value => (value.visits = 2)],
        ['/visits', 1_000, 1_002, value => (value.visits = 1_002)],
        ['/visits', 2 ** 31, 2 ** 31 + 1_002, value => (value.visits = 2 ** 31 + 1_002)],
        ['/at/x', 0.25, 0.75, value => (value.at.x = 0.75)],
        ['/at/x', 0.1, 0.85, value => (value.at.x = 0.85)],
        ['/at/deep/y', 3, 0, value => (value.at.deep.y = 0)],
        ['/rows/1/n', 200, 202, value => (value.rows[1].n = 202)],
        ['/list/0', 126, 127, value => (value.list[0] = 127)],
        ['/list/2', 0.5, 3.5, value => (value.list[2] = 3.5)],
        ['/more/0', -2, -1, value => (value.more[0] = -1)],
        ['/more/1/0', 8, 10, value => (value.more[1][0] = 10)],
        ['/more/2/z', 1, 4, value => (value.more[2].z = 4)],
        ['/a~1b~0c', 1, 8, value => (value['a/b~c'] = 8)]
      ]) {
        assert.equal(map.increment(target, by, { at }), sum, at)
        set(expected)
        assert.deepEqual(map.get(target), expected, at)
        assert.deepEqual(map.get(target, { at }), sum)
      }
      assert.deepEqual(Object.keys(map.get(target)), Object.keys(expected))
    })

    it(`${way}: a field that is missing begins at initial, in an object that is there`, () => {
      const map = new TypedMap()
      const target = make(map, mixed())
      const expected = mixed()
      assert.equal(map.increment(target, 1, { at: '/new' }), 1)
      assert.equal(map.increment(target, 1, { at: '/new', initial: 50 }), 2)
      assert.equal(map.increment(target, -5, { at: '/at/deep/new', initial: 10 }), 5)
      assert.equal(map.increment(target, 1, { at: '/rows/0/__proto__' }), 1)
      assert.equal(map.increment(target, 1, { at: '/rows/0/__proto__' }), 2)
      assert.equal(map.increment(target, 1, { at: '/more/2/' }), 1)
      Object.assign(expected, { new: 2 })
      expected.at.deep.new = 5
      Object.defineProperty(expected.rows[0], '__proto__', { value: 2, enumerable: true, configurable: true })
      expected.more[2][''] = 1
      assert.equal(JSON.stringify(map.get(target)), JSON.stringify(expected))
    })

    it(`${way}: what is no number is an error, and stays`, () => {
      const map = new TypedMap()
      const target = make(map, mixed())
      for (const [at, found] of [
        ['/name', 'a string'],
        ['/last', 'a boolean'],
        ['/at', 'an object or array'],
        ['/list', 'an object or array'],
        ['/rows', 'an object or array'],
        ['/more/1', 'an object or array'],
        ['/list/3', 'nothing'],
        ['/list/length', 'nothing'],
        ['/rows/2/n', 'nothing'],
        ['/none/x', 'nothing'],
        ['/visits/x', 'nothing'],
        ['/more/9', 'nothing']
      ]) {
        const { details } = throwsTyped(() => map.increment(target, 1, { at }), 'ERR_WRONG_TYPE')
        assert.equal(details.found, found, at)
        assert.equal(details.expected, 'a number')
      }
      throwsTyped(() => map.increment(target, 2 ** 53, { at: '/visits' }), 'ERR_OUT_OF_RANGE')
      throwsTyped(() => map.increment(target, 1, { at: '/visits', max: 1 }), 'ERR_OUT_OF_RANGE')
      throwsTyped(() => map.increment(target, 1, { at: '/new', max: 0 }), 'ERR_OUT_OF_RANGE')
      assert.deepEqual(map.get(target), mixed())
    })

    it(`${way}: a bound is an answer with withTtl`, () => {
      const map = new TypedMap()
      const target = make(map, { n: 1 })
      const told = (by, options) => map.increment(target, by, { withTtl: true, ...options })
      const ttl = Number.POSITIVE_INFINITY
      assert.deepEqual(told(1, { at: '/n', max: 2 }), { value: 2, ttl, changed: true })
      assert.deepEqual(told(1, { at: '/n', max: 2 }), { value: 2, ttl, changed: false })
      assert.deepEqual(told(-3, { at: '/n', min: 0 }), { value: 2, ttl, changed: false })
      assert.deepEqual(told(1, { at: '/m', initial: 5, max: 5 }), { value: 5, ttl, changed: false })
      assert.deepEqual(told(1, { at: '/m', initial: 5, max: 6 }), { value: 6, ttl, changed: true })
      assert.deepEqual(map.get(target), { n: 2, m: 6 })
    })
  }

  it('a missing key gets an object with the field alone', () => {
    const map = new TypedMap()
    assert.equal(map.increment('a', 1, { at: '/visits', initial: 10 }), 11)
    assert.equal(map.increment('a', 1, { at: '/visits', initial: 10 }), 12)
    assert.deepEqual(map.get('a'), { visits: 12 })
    throwsTyped(() => map.increment('b', 1, { at: '/visits/today' }), 'ERR_WRONG_TYPE')
    throwsTyped(() => map.increment('b', 1, { at: '/visits', max: 0 }), 'ERR_OUT_OF_RANGE')
    const told = map.increment('b', 1, { at: '/visits', max: 0, withTtl: true })
    assert.deepEqual(told, { value: 0, ttl: Number.POSITIVE_INFINITY, changed: false })
    assert.equal(map.has('b'), false)
  })

  it('the empty pointer is the value itself', () => {
    const map = new TypedMap([['a', 1]])
    assert.equal(map.increment('a', 1, { at: '' }), 2)
    assert.equal(map.increment('b', 5n, { at: '' }), 5n)
  })

  it('other values have no fields', () => {
    const map = new TypedMap()
    for (const value of [undefined, null, true, 5, 5n, 'text', new Uint8Array([1]), Buffer.from('[1]')]) {
      map.set('a', value)
      throwsTyped(() => map.increment('a', 1, { at: '/0' }), 'ERR_WRONG_TYPE')
      assert.deepEqual(map.get('a'), value)
    }
    map.set('a', [1, 2])
    assert.equal(map.increment('a', 300, { at: '/1' }), 302)
    assert.deepEqual(map.get('a'), [1, 302])
    throwsTyped(() => map.increment('a', 1, { at: '/2' }), 'ERR_WRONG_TYPE')
  })

  it('a dead handle, and wrong arguments, are errors', () => {
    const map = new TypedMap({ shards: 1 })
    const handle = map.insert({ n: 1 })
    map.delete(handle)
    throwsTyped(() => map.increment(handle, 1, { at: '/n' }), 'ERR_HANDLE_NOT_FOUND')
    throwsTyped(() => map.increment(new TypedMap().insert({ n: 1 }), 1, { at: '/n' }), 'ERR_HANDLE_INVALIDATED')
    map.set('a', { n: 1 })
    for (const at of [5, 'n', '/n~2', '/\ud800', '/x'.repeat(65)]) {
      throwsTyped(() => map.increment('a', 1, { at }), 'ERR_INVALID_OPTION')
    }
    throwsTyped(() => map.increment('a', 1n, { at: '/n' }), 'ERR_INVALID_OPTION')
    throwsTyped(() => map.increment('a', 1, { at: '/n', min: 0n }), 'ERR_INVALID_OPTION')
    throwsTyped(() => map.increment({}, 1, { at: '/n' }), 'ERR_KEY_TYPE', { kind: TypeError })
    assert.deepEqual(map.get('a'), { n: 1 })
    throwsTyped(() => new TypedMap({ codec: 'v8' }).increment('a', 1, { at: '/n' }), 'ERR_WRONG_TYPE')
    map.close()
    throwsTyped(() => map.increment('a', 1, { at: '/n' }), 'ERR_CLOSED')
  })

  for (const options of [{}, { ttl: 50 }, { ttlOnUpdate: 'keep', ttl: 50 }, { sliding: true, ttl: 50 }]) {
    it(`a new entry gets the ttl, one that is there keeps its deadline: ${JSON.stringify(options)}`, () => {
      const { map, advance, close } = stillMap(options)
      const count = at => map.increment('a', 1, { at, ttl: 100, withTtl: true })
      assert.deepEqual(count('/n'), { value: 1, ttl: 100, changed: true })
      advance(60)
      assert.deepEqual(count('/n'), { value: 2, ttl: 40, changed: true })
      assert.deepEqual(count('/other'), { value: 1, ttl: 40, changed: true })
      assert.equal(map.ttlOf('a'), 40)
      const bound = map.increment('a', 1, { at: '/n', max: 2, withTtl: true })
      assert.deepEqual(bound, { value: 2, ttl: 40, changed: false })
      advance(40)
      assert.equal(map.has('a'), false)
      assert.deepEqual(count('/n'), { value: 1, ttl: 100, changed: true })
      close()
    })
  }

  it('copies of the object are not read afterwards, by key nor by handle', () => {
    const map = new TypedMap([['a', { n: 1 }]])
    const handle = map.getHandle('a')
    const before = map.get('a')
    handle.get()
    map.increment('a', 1, { at: '/n' })
    assert.deepEqual([map.get('a'), handle.get(), map.get('a', { at: '/n' })], [{ n: 2 }, { n: 2 }, 2])
    assert.deepEqual(before, { n: 1 })
    map.increment(handle, 1, { at: '/n' })
    assert.deepEqual([map.get('a'), handle.get(), map.get('a', { at: '/n' })], [{ n: 3 }, { n: 3 }, 3])
  })

  it('a record that would be too long is stored as text', () => {
    const map = new TypedMap()
    const long = () => ({ list: Array.from({ length: 30_000 }, (_, at) => at % 100), n: 1 })
    for (let n = 0; n < 3; n++) map.set('a', long())
    assert.equal(map.increment('a', 0.1, { at: '/list/5' }), 5.1)
    assert.equal(map.increment('a', 1, { at: '/n' }), 2)
    const expected = long()
    expected.list[5] = 5.1
    expected.n = 2
    assert.deepEqual(map.get('a'), expected)
  })

  it('limits hold', () => {
    const map = new TypedMap({ maxValueBytes: 40 })
    map.set('a', { n: 1, text: 'x'.repeat(20) })
    throwsTyped(() => map.increment('a', 1, { at: '/another-name-that-is-long' }), 'ERR_VALUE_TOO_LARGE')
    assert.equal(map.increment('a', 1, { at: '/n' }), 2)
    const full = new TypedMap({ maxEntries: 1, oomStrategy: 'reject' })
    full.set('a', { n: 1 })
    throwsTyped(() => full.increment('b', 1, { at: '/n' }), 'ERR_MEMORY_LIMIT')
    assert.equal(full.increment('a', 1, { at: '/n' }), 2)
  })

  it('random steps lead to what they lead to in an object', t => {
    const random = seededRandom(t)
    const map = new TypedMap()
    const names = ['a', 'b', 'é', '日', 'list', 'x']
    const model = new Map()
    for (let round = 0; round < 4_000; round++) {
      const key = random.below(6)
      if (!model.has(key) || random.oneIn(40)) {
        const value = { a: random.below(300), in: { b: 0, é: 1 }, list: [1, 2, 3], json: [{ 日: 1 }, 'text'] }
        if (random.oneIn(2)) value[random.pick(names)] = random.pick([1, 'text', null, [0.5], { a: 1 }])
        model.set(key, structuredClone(value))
        map.set(key, value)
      }
      const path = random.pick([
        ['a'],
        ['in', 'b'],
        ['in', random.pick(names)],
        ['list', '1'],
        ['json', '0', '日'],
        [random.pick(names)]
      ])
      const by = random.pick([1, -1, 100, 0.5, 2 ** 33, -40_000])
      let parent = model.get(key)
      for (const token of path.slice(0, -1)) parent = parent?.[token]
      const last = path.at(-1)
      const before = parent?.[last]
      const isMissing = before === undefined && typeof parent === 'object' && parent !== null && !Array.isArray(parent)
      const step = () => map.increment(key, by, { at: `/${path.join('/')}` })
      if (typeof before === 'number' || isMissing) {
        parent[last] = (before ?? 0) + by
        assert.equal(step(), parent[last])
      } else throwsTyped(step, 'ERR_WRONG_TYPE')
      assert.deepEqual(map.get(key), model.get(key))
    }
  })

  it('four threads lose no step of one object, whose fields come while they count', async () => {
    const name = `increment at ${process.pid}`
    const map = TypedMap.open(name)
    const workers = Array.from({ length: THREADS }, (_, thread) =>
      startWorker(
        ({ TypedMap, data }) => {
          const map = TypedMap.open(data.name)
          for (let n = 0; n < data.steps; n++) {
            map.increment('object', 1, { at: '/all' })
            map.increment('object', 1, { at: `/thread ${data.thread}` })
            if (n % 10 === 0) map.increment('object', 1, { at: `/step ${n}` })
          }
          map.close()
        },
        { name, thread, steps: 2_000 }
      )
    )
    await Promise.all(workers.map(worker => worker.result))
    const found = map.get('object')
    assert.equal(found.all, THREADS * 2_000)
    for (let thread = 0; thread < THREADS; thread++) assert.equal(found[`thread ${thread}`], 2_000)
    for (let n = 0; n < 2_000; n += 10) assert.equal(found[`step ${n}`], THREADS)
    map.destroy()
  })
})
