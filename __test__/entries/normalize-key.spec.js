'use strict'

// A function of the user that makes a key of what is given as one.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { contentOf, throwsTyped } = require('../support/errors.js')
const { inWorker, startWorker } = require('../support/workers.js')

require('../support/sound.js')

const lower = key => (typeof key === 'string' ? key.trim().toLowerCase() : key)

describe('normalizeKey', () => {
  it('is called once for each key that is given, whatever its type, and without this', () => {
    const calls = []
    const map = new TypedMap({
      normalizeKey(...given) {
        assert.equal(this, undefined)
        calls.push(given)
        return given[0]
      }
    })
    const keys = ['a', 1, -0, 1n, true, null, undefined, Uint8Array.of(1)]
    for (const key of keys) map.set(key, { n: 1 })
    assert.deepEqual(
      calls.splice(0),
      keys.map(key => [key])
    )
    // Natively, near, and in a batch.
    for (const key of ['a', 'a', 'a']) map.get(key)
    map.getMany(['a', 'b', 1])
    assert.deepEqual(calls.splice(0), [['a'], ['a'], ['a'], ['a'], ['b'], [1]])
    map.getOrInsertComputed('new', () => 1)
    map.update('new', n => n + 1)
    map.increment('new')
    assert.deepEqual(calls.splice(0), [['new'], ['new'], ['new']])
    const handle = map.getHandle('new')
    assert.deepEqual(calls.splice(0), [['new']])
    // A handle is no key.
    map.get(handle)
    map.set(handle, 1)
    map.getMany([handle])
    map.deleteMany([handle])
    assert.deepEqual([...map.keys()], ['a', 1, 0, 1n, true, null, undefined, Uint8Array.of(1)])
    assert.deepEqual(calls, [], 'what the map gives was normalised when it came')
    map.close()
  })

  it('is asked before the near cache is', () => {
    const map = new TypedMap({ normalizeKey: lower })
    map.set(' A ', { n: 1 })
    const value = map.get('a')
    for (const key of ['A', ' a', 'a\n']) assert.equal(map.get(key), value, 'the same object')
    assert.equal(map.getStats().nearCache.entries, 1)
    assert.equal(map.getStats().nearCache.hits, 3)
    map.set('A\t', { n: 2 })
    assert.deepEqual(map.get(' a'), { n: 2 })
    map.delete(' a ')
    assert.equal(map.get('a'), undefined)
  })

  it('its result is what callbacks are called with and what the map gives', () => {
    const map = new TypedMap([[' X ', 0]], { normalizeKey: lower })
    map.getOrInsertComputed(' Y ', key => {
      assert.equal(key, 'y')
      return 1
    })
    assert.deepEqual(
      [...map],
      [
        ['x', 0],
        ['y', 1]
      ]
    )
  })

  it('what it throws is handed on, and nothing has changed', async () => {
    const failure = new RangeError('no such key')
    const map = new TypedMap({
      normalizeKey: key => {
        if (key === 'bad') throw failure
        return key
      }
    })
    map.setMany([
      ['a', 1],
      ['b', 2]
    ])
    const before = contentOf(map)
    for (const act of [
      () => map.get('bad'),
      () => map.get('bad', { copy: true }),
      () => map.has('bad'),
      () => map.set('bad', 1),
      () => map.delete('bad'),
      () => map.remove('bad'),
      () => map.increment('bad'),
      () => map.update('bad', () => assert.fail('no key')),
      () => map.getOrInsert('bad', 1),
      () => map.getOrInsertComputed('bad', () => assert.fail('no key')),
      () => map.insertWithHandle('bad', 1),
      () => map.getHandle('bad'),
      () => map.getMany(['a', 'bad']),
      () =>
        map.setMany([
          ['a', 5],
          ['bad', 5]
        ]),
      () =>
        map.updateMany([
          ['a', 5],
          ['bad', 5]
        ]),
      () => map.hasMany(['a', 'bad']),
      () => map.deleteMany(['a', 'bad']),
      () => map.peek('bad'),
      () => map.ttlOf('bad'),
      () => map.touch('bad', { ttl: 5 }),
      () => map.memoryUsage('bad'),
      () => map.scan('0', { match: 'bad' }),
      () => map.scanIterator({ match: 'bad' })
    ]) {
      assert.throws(act, error => error === failure, String(act))
      assert.deepEqual(contentOf(map), before, String(act))
    }
    await assert.rejects(
      map.getOrLoad('bad', () => 1),
      error => error === failure
    )
    // What was set up for a write that did not come to pass is not used by the next one.
    assert.throws(() => map.set('bad', 1, { ttl: 1_000 }))
    map.set('c', 1)
    assert.equal(map.ttlOf('c'), Number.POSITIVE_INFINITY)
  })

  it('must return a key', () => {
    const other = new TypedMap()
    const returned = {
      symbol: Symbol('key'),
      function: () => {},
      object: {},
      array: [],
      promise: Promise.resolve('key'),
      'handle of this map': undefined,
      'handle of another map': other.insert(1),
      nothing: undefined
    }
    for (const [what, result] of Object.entries(returned)) {
      const map = new TypedMap({ normalizeKey: () => (what === 'handle of this map' ? own : result) })
      const own = map.insert(1)
      for (const act of [() => map.set('a', 1), () => map.get('a'), () => map.getMany(['a']), () => map.delete('a')]) {
        throwsTyped(act, 'ERR_KEY_TYPE', { kind: TypeError, says: [/normalizeKey returned/] })
      }
      assert.equal(map.size, 1, what)
    }
    // One that was given may stay.
    const map = new TypedMap({ normalizeKey: key => key })
    assert.equal(map.set(undefined, 5).get(undefined), 5)
  })

  it('may use the map, and other maps', () => {
    const aliases = new TypedMap([['colour', 'color']])
    const seen = []
    const map = new TypedMap({
      normalizeKey: key => {
        if (typeof key === 'string' && !key.startsWith('seen')) {
          map.increment(`seen ${key}`)
          seen.push(key)
        }
        return aliases.get(key) ?? key
      }
    })
    map.setMany([
      ['colour', { n: 1 }, { ttl: 60_000 }],
      ['b', [1, 2]]
    ])
    assert.deepEqual(map.get('color'), { n: 1 })
    assert.equal(map.increment('n', 5), 5)
    assert.deepEqual(seen, ['colour', 'b', 'color', 'n'])
    assert.equal(map.peek('seen colour'), 1)
    assert.ok(map.ttlOf('colour') <= 60_000)
    assert.equal(map.ttlOf('seen colour'), Number.POSITIVE_INFINITY)
  })

  it('globs go through it as keys do', () => {
    const map = new TypedMap({ normalizeKey: lower })
    map.set('User:1', 1).set('other', 2)
    assert.deepEqual(map.scan('0', { match: ' USER:* ' }).entries, [['user:1', 1]])
    const numbers = new TypedMap({ normalizeKey: key => Number.parseInt(key, 10) })
    throwsTyped(() => numbers.scan('0', { match: '1*' }), 'ERR_INVALID_OPTION', { says: [/match/, /normalizeKey/] })
  })

  it('a derived class passes its keys through it, too', () => {
    class Trimmed extends TypedMap {
      get(key) {
        return super.get(`${key}!`)
      }
    }
    const map = new Trimmed([['A!', 1]], { normalizeKey: lower })
    assert.equal(map.get('a'), 1)
  })

  it('a map that is closed says so', () => {
    const map = new TypedMap({ normalizeKey: lower }).set('a', 1)
    map.get('a')
    map.close()
    throwsTyped(() => map.get('A'), 'ERR_CLOSED')
    throwsTyped(() => map.set('A', 1), 'ERR_CLOSED')
  })

  it('reads as many keys as do not fit into one part of the near cache', () => {
    const map = new TypedMap({ normalizeKey: lower, nearCache: { maxEntries: 5 } })
    for (let n = 0; n < 100; n++) map.set(`Key ${n}`, { n })
    for (let round = 0; round < 30; round++) {
      for (let n = 0; n < 100; n++) assert.deepEqual(map.get(`KEY ${n}`), { n })
    }
  })
})

describe('normalizeKey: of several threads', () => {
  it('each brings its own, and one without it is refused', async () => {
    const name = `normalised ${process.pid}`
    const map = TypedMap.open(name, { normalizeKey: lower })
    map.set('A', { n: 1 })
    const seen = await inWorker(({ TypedMap: Api, data }) => {
      const refusals = []
      for (const options of [undefined, {}, { normalizeKey: undefined }, { nearCache: false }]) {
        try {
          Api.open(data, options)
        } catch (error) {
          refusals.push([error.code, error.details.option, error instanceof TypeError])
        }
      }
      const own = Api.open(data, { normalizeKey: key => String(key).trim().toLowerCase() })
      own.set(' B ', 2)
      const read = own.get('a ')
      own.close()
      return { refusals, read }
    }, name)
    assert.deepEqual(seen.read, { n: 1 })
    assert.deepEqual(seen.refusals, Array(4).fill(['ERR_INVALID_OPTION', 'normalizeKey', true]))
    assert.equal(map.get('B'), 2)
    map.close()
    const plain = TypedMap.open(name)
    throwsTyped(() => TypedMap.open(name, { normalizeKey: lower }), 'ERR_INVALID_OPTION', {
      kind: TypeError,
      says: [/normalizeKey/, /a function/, /none/]
    })
    plain.close()
  })

  it('copies at hand follow what other threads write under other spellings', async () => {
    const name = `normalised beside ${process.pid}`
    const map = TypedMap.open(name, { normalizeKey: lower })
    map.set('counter', 0)
    const steps = 20_000
    const workers = ['COUNTER', ' Counter', 'counter '].map(spelling =>
      startWorker(
        ({ TypedMap: Api, data }) => {
          const own = Api.open(data.name, { normalizeKey: key => String(key).trim().toLowerCase() })
          for (let n = 1; n <= data.steps; n++) {
            const stepped = own.increment(data.spelling)
            const seen = own.get(data.spelling.toUpperCase())
            if (seen < stepped) throw new Error(`${seen} was read after ${stepped} was written`)
          }
          own.close()
        },
        { name, spelling, steps }
      )
    )
    await Promise.all(workers.map(worker => worker.result))
    assert.equal(map.get('counter'), 3 * steps)
    assert.equal(map.size, 1)
    map.close()
  })
})
