'use strict'

// Probes see calls of a map (`lib/observe/probes.js`), and without one the class has the very functions that it was
// defined with.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { OPERATIONS, OPERATION_NAMES } = require('../../lib/observe/operations.js')
const { probe, probeAll } = require('../../lib/observe/probes.js')
const { openOf } = require('../support/opens.js')

require('../support/sound.js')

const prototype = TypedMap.prototype
const METHODS = Object.freeze(Object.getOwnPropertyDescriptors(prototype))

/** Fails unless the class is as it was defined. */
function isPlain() {
  for (const [name, { value, enumerable, writable, configurable }] of Object.entries(METHODS)) {
    const now = Object.getOwnPropertyDescriptor(prototype, name)
    assert.equal(now.value, value, name)
    assert.deepEqual([now.enumerable, now.writable, now.configurable], [enumerable, writable, configurable], name)
  }
}

/** Calls that are seen, each without its duration. */
function watch(map, operations = OPERATION_NAMES) {
  const calls = []
  const end = probe(openOf(map), operations, call => calls.push(call))
  const take = () =>
    calls.splice(0).map(({ operation, key, hit, isNear }) => [operation, key, hit, ...(isNear ? ['near'] : [])])
  return { calls, take, end }
}

describe('probes', () => {
  it('switch the methods of what they see, while they see it, and leave the class as it was', () => {
    const map = new TypedMap()
    isPlain()
    const first = probe(openOf(map), ['get', 'set'], () => {})
    const second = probe(openOf(map), ['get'], () => {})
    assert.notEqual(prototype.get, METHODS.get.value)
    assert.notEqual(prototype.set, METHODS.set.value)
    assert.equal(prototype.has, METHODS.has.value)
    for (const name of ['get', 'set']) {
      assert.equal(prototype[name].name, name)
      assert.equal(prototype[name].length, METHODS[name].value.length)
      assert.equal(Object.hasOwn(prototype[name], 'prototype'), false)
      assert.equal(Object.getOwnPropertyDescriptor(prototype, name).enumerable, false)
    }
    first()
    first()
    assert.equal(prototype.set, METHODS.set.value)
    assert.notEqual(prototype.get, METHODS.get.value)
    second()
    isPlain()
    map.close()
  })

  it('see each operation, with its key and whether the entry was there', async () => {
    const map = new TypedMap()
    const { take, end } = watch(map)
    assert.equal(map.set('a', { a: 1 }), map)
    assert.equal(map.get('b'), undefined)
    map.get('a')
    map.get('a')
    map.has('a')
    map.has('b')
    map.delete('b')
    assert.deepEqual(take(), [
      ['set', 'a', undefined],
      ['get', 'b', false],
      ['get', 'a', true],
      ['get', 'a', true, 'near'],
      ['has', 'a', true],
      ['has', 'b', false],
      ['delete', 'b', false]
    ])
    const handle = map.insert('text')
    map.get(handle)
    map.getByHandle(handle)
    handle.get()
    assert.deepEqual(take(), [
      ['insert', handle, undefined],
      ['get', handle, true],
      ['getByHandle', handle, true, 'near'],
      ['handle.get', handle, true, 'near']
    ])
    map.remove(handle)
    handle.get()
    map.get(handle)
    assert.deepEqual(take(), [
      ['remove', handle, true],
      ['handle.get', handle, false],
      ['get', handle, false]
    ])
    await map.getOrLoad('c', async () => 1)
    assert.deepEqual(take(), [['getOrLoad', 'c', undefined]])
    end()
    map.close()
  })

  it('tell a value that is undefined from none, near and natively', () => {
    const map = new TypedMap([['u', undefined]])
    const { take, end } = watch(map, ['get'])
    const foreign = new TypedMap().insert(1)
    for (const key of ['u', 'u', 'none', foreign]) assert.equal(map.get(key), undefined)
    assert.deepEqual(
      take().map(([, , hit]) => hit),
      [true, true, false, false]
    )
    end()
    map.close()
  })

  it('see a method that another one calls for its work once', async () => {
    const map = new TypedMap()
    const handle = map.insert(1)
    const { take, end } = watch(map)
    map.set(handle, 2)
    map.insertWithHandle(handle, 3)
    map.getHandle(handle)
    map.getOrInsert(handle, 4)
    map.getOrInsertComputed(handle, () => 4)
    assert.deepEqual(take(), [
      ['set', handle, undefined],
      ['insertWithHandle', handle, undefined],
      ['getHandle', handle, true],
      ['getOrInsert', handle, true],
      ['getOrInsertComputed', handle, true]
    ])
    map.set(handle, 5)
    await map.getOrLoad(handle, () => 6)
    await map.getManyOrLoad([handle], () => [])
    map.set(handle, undefined)
    await map.getOrLoad(handle, () => 6)
    await map.getManyOrLoad([handle], () => [])
    assert.deepEqual(
      take().map(([operation]) => operation),
      ['set', 'getOrLoad', 'getManyOrLoad', 'set', 'getOrLoad', 'getManyOrLoad']
    )
    end()
    map.close()
  })

  it('see what code of the user does within a call', () => {
    const map = new TypedMap([['a', 1]])
    const { take, end } = watch(map)
    map.update('a', value => value + map.get('a'))
    assert.deepEqual(take(), [
      ['get', 'a', true],
      ['update', 'a', true]
    ])
    assert.equal(map.get('a'), 2)
    assert.deepEqual(take(), [['get', 'a', true, 'near']])
    map.getOrInsertComputed('b', () => map.get('a'))
    assert.deepEqual(take(), [
      ['get', 'a', true, 'near'],
      ['getOrInsertComputed', 'b', false]
    ])
    end()
    map.close()
  })

  it('see what functions of the user do that a call runs: of keys, of values, of room, of a codec', () => {
    const other = new TypedMap([['a', 'b']])
    const seen = []
    const operations = ['get', 'set', 'setMany', 'remove', 'replace', 'peek', 'ttlOf', 'getHandle']
    const end = probeAll(operations, ({ map, operation, hit }) => seen.push([map === other, operation, hit]))
    const take = () => seen.splice(0).map(([isOther, ...rest]) => [isOther ? 'other' : 'map', ...rest])
    const read = () => other.get('a')
    const ofOther = ['other', 'get', true]

    const missed = ['other', 'get', false]
    const normalizing = new TypedMap({ normalizeKey: key => `${other.get('none')} ${key}` })
    normalizing.set('k', undefined)
    assert.deepEqual(take(), [missed, ['map', 'set', undefined]])
    // The second read is answered by the near cache.
    for (let reads = 0; reads < 2; reads++) {
      assert.equal(normalizing.get('k'), undefined)
      assert.deepEqual(take(), [missed, ['map', 'get', true]])
    }

    const plain = new TypedMap()
    const handle = plain.insert(1)
    take()
    const withJson = toJSON => ({ toJSON })
    plain.set('k', withJson(read))
    plain.set(
      handle,
      withJson(() => plain.replace(handle, 2).size)
    )
    const entries = function* () {
      yield ['k', read()]
    }
    plain.setMany(entries())
    const wrote = operation => ['map', operation, undefined]
    assert.deepEqual(take(), [
      ...[ofOther, wrote('set')],
      ...[wrote('replace'), wrote('set')],
      ...[ofOther, wrote('setMany')]
    ])

    const codec = { contentType: 'text/plain', encode: () => `${read()}`, decode: () => other.get('none') }
    const coded = new TypedMap({ codec })
    coded.set('k', 1)
    assert.equal(coded.get('k'), undefined)
    assert.deepEqual(take(), [ofOther, wrote('set'), missed, ['map', 'get', true]])

    const freeing = new TypedMap({ maxEntries: 1, oomStrategy: map => map.remove('a') })
    freeing.set('a', 1).set('b', 1)
    assert.deepEqual(take(), [wrote('set'), ['map', 'remove', true], wrote('set')])

    // What a candidate says of itself is no call.
    const choose = ([first]) => (read() === 'b' && first.value === 1 && first.ttl > 0 ? first.key : undefined)
    const choosing = new TypedMap({ maxEntries: 1, evictionStrategy: choose })
    choosing.set('a', 1).set('b', 1)
    assert.deepEqual(take(), [wrote('set'), ofOther, wrote('set')])
    end()
    for (const map of [other, normalizing, plain, coded, freeing, choosing]) map.close()
  })

  it('keep nothing of those that have ended', () => {
    const map = new TypedMap()
    const open = openOf(map)
    const endings = new Set()
    const atEnd = open.atEnd.bind(open)
    open.atEnd = ending => {
      endings.add(ending)
      atEnd(ending)
    }
    for (let times = 0; times < 3; times++) probe(open, ['get'], () => {})()
    assert.equal(endings.size, 1)
    map.close()
  })

  it('see calls that fail, and the caller gets the same error', async () => {
    const map = new TypedMap([['a', 1]], { maxEntries: 1, oomStrategy: 'reject' })
    const { calls, end } = watch(map)
    assert.throws(() => map.set('b', 1), { code: 'ERR_MEMORY_LIMIT' })
    const failure = Object.assign(new Error('loader failed'), { code: 'OF_THE_USER' })
    await assert.rejects(
      map.getOrLoad('c', () => Promise.reject(failure)),
      error => error === failure
    )
    assert.deepEqual(
      calls.map(({ operation, hasFailed, error }) => [operation, hasFailed, error.code]),
      [
        ['set', true, 'ERR_MEMORY_LIMIT'],
        ['getOrLoad', true, 'OF_THE_USER']
      ]
    )
    // A call that failed does not count as under way.
    map.get('a')
    assert.equal(calls.length, 3)
    end()
    assert.throws(() => prototype.get.call({}, 'a'), TypeError)
    map.close()
  })

  it('of one map see no other, which answers the same', () => {
    const [map, other] = [new TypedMap([['a', 1]]), new TypedMap([['a', 2]])]
    const { take, end } = watch(map)
    assert.equal(other.get('a'), 2)
    assert.equal(other.getHandle('a').get(), 2)
    assert.deepEqual(take(), [])
    end()
    map.close()
    other.close()
  })

  it('of all maps see those that are open, those that are opened later, and their handles', () => {
    const before = new TypedMap([['a', 1]])
    const calls = []
    const end = probeAll(['get', 'handle.get'], ({ map, operation }) => calls.push([map, operation]))
    const after = new TypedMap([['a', 1]])
    const [mine, theirs] = [before.getHandle('a'), after.getHandle('a')]
    before.get('a')
    mine.get()
    after.get('a')
    theirs.get()
    assert.deepEqual(
      calls.map(([map, operation]) => [map === before ? 'before' : map === after && 'after', operation]),
      [
        ['before', 'get'],
        ['before', 'handle.get'],
        ['after', 'get'],
        ['after', 'handle.get']
      ]
    )
    end()
    mine.get()
    before.get('a')
    theirs.get()
    assert.equal(calls.length, 4)
    isPlain()
    before.close()
    after.close()
  })

  it('count the hits of handles as they are counted without one', () => {
    const map = new TypedMap([['a', { a: 1 }]])
    const handle = map.getHandle('a')
    const read = times => {
      for (let time = 0; time < times; time++) handle.get()
    }
    read(10)
    const { end } = watch(map, ['handle.get'])
    read(10)
    end()
    read(10)
    assert.equal(map.getStats().hits, 30)
    // They answer for themselves again: no method of the map is asked.
    const { origin } = openOf(map)
    const before = origin.left
    handle.get()
    assert.equal(origin.left, before - 1)
    map.close()
  })

  it('end with their map', () => {
    const map = new TypedMap([['a', 1]])
    const handle = map.getHandle('a')
    const { calls } = watch(map)
    map.close()
    isPlain()
    assert.throws(() => handle.get(), { code: 'ERR_CLOSED' })
    assert.equal(calls.length, 0)
  })

  it('leave a method in place that a program has put around an observed one', () => {
    const map = new TypedMap([['a', 1]])
    const first = watch(map, ['get'])
    const switched = prototype.get
    let calls = 0
    prototype.get = function get(...args) {
      calls++
      return Reflect.apply(switched, this, args)
    }
    const around = prototype.get
    first.end()
    assert.equal(prototype.get, around)
    const second = watch(map, ['get'])
    assert.equal(map.get('a'), 1)
    assert.deepEqual([calls, second.take().length], [1, 1])
    prototype.get = switched
    second.end()
    isPlain()
    map.close()
  })

  it('know every operation by a method of the class', () => {
    for (const operation of Object.keys(OPERATIONS)) {
      if (operation !== 'handle.get') assert.equal(typeof prototype[operation], 'function', operation)
    }
  })
})
