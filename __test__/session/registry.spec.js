'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { refusesUnchanged, throwsTyped } = require('../support/errors.js')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

let names = 0
const freshName = () => `registry ${process.pid} ${++names}`

describe('registry: open', () => {
  it('returns the same map for the same name, as a reference of its own', () => {
    const name = freshName()
    const one = TypedMap.open(name)
    const other = TypedMap.open(name)
    assert.notEqual(one, other)
    assert.ok(one instanceof TypedMap)
    one.set('a', { b: 1 })
    assert.deepEqual(other.get('a'), { b: 1 })
    const handle = other.insert('keyless')
    assert.equal(one.get(handle), 'keyless')
    assert.equal(one.size, 2)
    other.clear()
    assert.equal(one.size, 0)
    one.close()
    other.close()
  })

  it('returns different maps for different names, and new makes a private one', () => {
    const [a, b] = [freshName(), freshName()].map(name => TypedMap.open(name))
    const c = new TypedMap()
    a.set('k', 'a')
    b.set('k', 'b')
    c.set('k', 'c')
    assert.deepEqual([a.get('k'), b.get('k'), c.get('k')], ['a', 'b', 'c'])
    for (const map of [a, b, c]) map.close()
  })

  it('distinguishes names by every character', () => {
    const list = ['x', 'X', 'x ', ' x', 'x\0', '€', '😀', 'é', 'e\u0301', 'x'.repeat(10_000)].map(
      name => `${freshName()}${name}`
    )
    const same = freshName()
    list.push(same, `${same}\0`)
    const maps = list.map(name => TypedMap.open(name))
    for (const [at, map] of maps.entries()) map.set('at', at)
    for (const [at, map] of maps.entries()) assert.equal(map.get('at'), at)
    const known = TypedMap.names()
    for (const name of list) assert.ok(known.includes(name))
    for (const map of maps) map.close()
  })

  it('refuses invalid names', () => {
    const before = TypedMap.names()
    for (const name of [undefined, null, 1, {}, [], true, Symbol('s'), () => {}, 1n]) {
      throwsTyped(() => TypedMap.open(name), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/name/] })
    }
    assert.deepEqual(TypedMap.names(), before)
  })

  it('of a subclass runs its constructor', () => {
    class Sessions extends TypedMap {
      #secret = 1
      visible = 2
      get secret() {
        return this.#secret
      }
    }
    const name = freshName()
    const map = Sessions.open(name, { maxEntries: 10 })
    assert.ok(map instanceof Sessions)
    assert.deepEqual([map.secret, map.visible, map.getStats().limits.maxEntries], [1, 2, 10])
    const other = TypedMap.open(name)
    map.set('a', 1)
    assert.equal(other.get('a'), 1)
    map.close()
    other.close()
  })

  it('of a subclass hands its constructor the options, and takes those that it hands on', () => {
    class Short extends TypedMap {
      constructor(options) {
        // Another map before its own, which is not the one that was asked for.
        const helper = new TypedMap({ maxEntries: 3 })
        super({ ttl: 1_000, ...options })
        this.helper = helper
      }
    }
    class Silent extends TypedMap {
      constructor() {
        super()
        this.made = true
      }
    }
    const names = [freshName(), freshName()]
    const [short, silent] = [Short.open(names[0], { maxEntries: 5 }), Silent.open(names[1], { maxEntries: 6 })]
    assert.ok(TypedMap.names().includes(names[0]) && TypedMap.names().includes(names[1]))
    short.set('a', 1)
    assert.ok(short.ttlOf('a') <= 1_000)
    assert.deepEqual(
      [short, short.helper, silent].map(map => map.getStats().limits.maxEntries),
      [5, 3, 6]
    )
    for (const map of [short, short.helper, silent]) map.close()
    assert.equal(new Silent().getStats().limits.maxEntries, null, 'and the next one has no name and none of this')
  })

  it('of a subclass opens nothing if its constructor throws', () => {
    class Broken extends TypedMap {
      constructor(options) {
        super(options)
        throw new Error('constructor')
      }
    }
    class Early extends TypedMap {
      constructor() {
        throw new Error('constructor')
      }
    }
    const name = freshName()
    for (const type of [Broken, Early]) assert.throws(() => type.open(name), /^Error: constructor$/)
    assert.equal(TypedMap.names().includes(name), false)
    const map = new TypedMap([['a', 1]])
    assert.equal(TypedMap.names().includes(name), false)
    map.close()
  })

  it('refuses what are no options, and does not take them for entries', () => {
    const name = freshName()
    for (const options of [5, 'x', [['a', 1]], null, true]) {
      throwsTyped(() => TypedMap.open(name, options), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/options/] })
    }
    assert.equal(TypedMap.names().includes(name), false)
  })
})

describe('registry: names', () => {
  it('lists open maps with a name, each once, in an array of the caller', () => {
    const name = freshName()
    assert.equal(TypedMap.names().includes(name), false)
    const maps = [TypedMap.open(name), TypedMap.open(name), new TypedMap()]
    assert.equal(TypedMap.names().filter(given => given === name).length, 1)
    TypedMap.names().push('mine')
    assert.equal(TypedMap.names().includes('mine'), false)
    maps[0].close()
    assert.ok(TypedMap.names().includes(name))
    maps[1].close()
    assert.equal(TypedMap.names().includes(name), false)
    maps[2].close()
  })

  it('sees what other threads have open', async () => {
    const name = freshName()
    const map = TypedMap.open(name)
    const seen = await inWorker(({ TypedMap }) => TypedMap.names())
    assert.ok(seen.includes(name))
    map.close()
  })
})

describe('registry: close', () => {
  const uses = map => [
    () => map.size,
    () => map.get('a'),
    () => map.has('a'),
    () => map.set('a', 1),
    () => map.delete('a'),
    () => map.remove('a'),
    () => map.clear(),
    () => map.keys(),
    () => map.values(),
    () => map.entries(),
    () => [...map],
    () => map.forEach(() => {}),
    () => map.insert(1),
    () => map.insertWithHandle('a', 1),
    () => map.getHandle('a'),
    () => map.getOrInsert('a', 1),
    () => map.getOrInsertComputed('a', () => 1),
    () => map.getMany(['a']),
    () => map.setMany([['a', 1]]),
    () => map.insertMany([1]),
    () => map.deleteMany(['a']),
    () => map.updateMany([['a', 1]]),
    () => map.getMany([]),
    () => map.setMany([]),
    () => map.insertMany([]),
    () => map.deleteMany([]),
    () => map.updateMany([]),
    () => map.getStats()
  ]

  it('ends this reference and no other', () => {
    const name = freshName()
    const one = TypedMap.open(name)
    const other = TypedMap.open(name)
    one.set('a', { b: 1 })
    one.get('a')
    assert.equal(one.close(), undefined)
    for (const use of uses(one)) throwsTyped(use, 'ERR_CLOSED')
    assert.deepEqual(other.get('a'), { b: 1 })
    other.close()
  })

  it('can be repeated', () => {
    const map = new TypedMap()
    map.close()
    map.close()
    map.destroy()
    map[Symbol.dispose]?.()
    throwsTyped(() => map.get('a'), 'ERR_CLOSED')
  })

  it('of the last reference ends the map', () => {
    const name = freshName()
    const one = TypedMap.open(name)
    const other = TypedMap.open(name)
    one.set('a', 1)
    one.close()
    other.close()
    const next = TypedMap.open(name)
    assert.equal(next.size, 0)
    next.close()
  })

  it('is what Symbol.dispose does', { skip: Symbol.dispose === undefined && 'no Symbol.dispose here' }, () => {
    const name = freshName()
    const map = TypedMap.open(name)
    assert.equal(typeof map[Symbol.dispose], 'function')
    map[Symbol.dispose]()
    assert.equal(TypedMap.names().includes(name), false)
    throwsTyped(() => map.size, 'ERR_CLOSED')
  })

  it('of a collected map needs no call to close', async () => {
    const count = TypedMap.names().length
    for (let round = 0; round < 200; round++) new TypedMap().set('a', 'x'.repeat(10_000))
    assert.equal(TypedMap.names().length, count)
  })
})

describe('registry: destroy', () => {
  it('ends a map for all its references, in every thread', async () => {
    const name = freshName()
    const one = TypedMap.open(name)
    const other = TypedMap.open(name)
    one.set('a', { b: 1 })
    other.get('a')
    await inWorker(({ TypedMap, data }) => TypedMap.open(data).destroy(), name)
    for (const map of [one, other]) {
      for (const use of [
        () => map.get('a'),
        () => map.set('a', 1),
        () => map.size,
        () => [...map],
        () => map.clear()
      ]) {
        throwsTyped(use, 'ERR_CLOSED')
      }
    }
    one.close()
    other.close()
  })

  it('frees the name at once, for a new map with other options', () => {
    const name = freshName()
    const old = TypedMap.open(name, { shards: 2 })
    old.set('a', 1)
    old.destroy()
    assert.equal(TypedMap.names().includes(name), false)
    const next = TypedMap.open(name, { shards: 4 })
    assert.equal(next.size, 0)
    next.set('b', 2)
    old.close()
    assert.equal(next.get('b'), 2, 'closing the old one does not touch the new one')
    assert.ok(TypedMap.names().includes(name))
    next.close()
    assert.equal(TypedMap.names().includes(name), false)
  })
})

describe('registry: options of a map that is there', () => {
  it('are not needed, and the same ones are accepted, however they are spelled', () => {
    const name = freshName()
    const map = TypedMap.open(name, { shards: 4, memoryLimit: 64 * 1024 * 1024, maxEntries: 1_000 })
    const more = [
      TypedMap.open(name),
      TypedMap.open(name, {}),
      TypedMap.open(name, { shards: 4 }),
      TypedMap.open(name, { memoryLimit: '64mb' }),
      TypedMap.open(name, { memoryLimit: '65536kb' }),
      TypedMap.open(name, { memoryLimit: '67108864b' }),
      TypedMap.open(name, { memoryLimit: '0.0625GB' }),
      TypedMap.open(name, { memoryLimitMb: 64 }),
      TypedMap.open(name, { memoryLimitGb: 64 / 1024 }),
      TypedMap.open(name, { maxEntries: 1_000, shards: 4, memoryLimitMb: 64 })
    ]
    map.set('a', 1)
    for (const reference of more) {
      assert.equal(reference.get('a'), 1)
      reference.close()
    }
    map.close()
  })

  it('that differ are an error that names the option and both values', () => {
    const name = freshName()
    const map = TypedMap.open(name, { shards: 4, memoryLimitMb: 64, maxEntries: 1_000 })
    map.set('a', 1)
    const cases = [
      [{ shards: 8 }, /shards/, /8/, /4/],
      [{ memoryLimitMb: 65 }, /memoryLimit/],
      [{ memoryLimit: '1gb' }, /memoryLimit/],
      [{ maxEntries: 999 }, /maxEntries/, /999/, /1000|1,000/]
    ]
    for (const [options, ...says] of cases) {
      const error = refusesUnchanged(map, () => TypedMap.open(name, options), 'ERR_INVALID_OPTION', { says })
      assert.match(error.details.option, says[0])
    }
    map.close()
    assert.equal(TypedMap.names().includes(name), false, 'a refused open holds nothing')
  })

  it('that the map was made without are an error too', () => {
    const name = freshName()
    const map = TypedMap.open(name)
    throwsTyped(() => TypedMap.open(name, { maxEntries: 10 }), 'ERR_INVALID_OPTION', { says: [/maxEntries/] })
    throwsTyped(() => TypedMap.open(name, { memoryLimitMb: 10 }), 'ERR_INVALID_OPTION', { says: [/memoryLimit/] })
    map.close()
  })

  it('that belong to the thread are its own', async () => {
    const name = freshName()
    const map = TypedMap.open(name, { nearCache: { maxEntries: 10 }, logLevel: 'off' })
    const other = TypedMap.open(name, { nearCache: false, logLevel: 'warn' })
    map.set('a', { b: 1 })
    assert.equal(map.get('a'), map.get('a'))
    assert.notEqual(other.get('a'), other.get('a'))
    await inWorker(({ TypedMap, data }) => TypedMap.open(data, { nearCache: { maxEntries: 3 } }).close(), name)
    map.close()
    other.close()
  })
})
