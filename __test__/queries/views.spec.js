'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { refusesUnchanged, throwsTyped } = require('../support/errors.js')

require('../support/sound.js')

const CONFIG = { host: 'localhost', port: 8080 }

/** A map with an entry of each kind, and views of two of its types. */
function filled(options) {
  const map = new TypedMap(options)
  const [configs, users] = [map.ofType('Config'), map.ofType('User')]
  configs.set('config', CONFIG)
  users.set('user', { name: 'Ada' })
  map.set('plain', 1)
  return { map, configs, users }
}

for (const options of [undefined, { nearCache: false }, { memoryLimit: '64mb', evictionStrategy: 'lru' }]) {
  describe(`a view of one type, ${JSON.stringify(options) ?? 'plain'}`, () => {
    it('reads, has and deletes entries of its type; others are not there', () => {
      const { map, configs, users } = filled(options)
      for (const [key, isOwn] of [
        ['config', true],
        ['user', false],
        ['plain', false],
        ['none', false]
      ]) {
        const handle = map.getHandle(key)
        // Twice: the second read may find a copy.
        for (const target of [key, key, ...(handle ? [handle, handle] : [])]) {
          assert.deepEqual(configs.get(target), isOwn ? CONFIG : undefined)
          assert.equal(configs.has(target), isOwn)
          if (!isOwn) assert.equal(configs.delete(target), false)
        }
      }
      assert.equal(map.size, 3)
      assert.equal(configs.delete('config'), true)
      assert.equal(configs.has('config'), false)
      assert.equal(configs.get('config'), undefined)
      assert.equal(users.delete(map.getHandle('user')), true)
      assert.deepEqual([...map.keys()], ['plain'])
      map.close()
    })

    it('gives the object that the map gives, and not that of an entry that has lost its type', () => {
      const { map, configs } = filled(options)
      const handle = map.getHandle('config')
      const object = configs.get('config')
      assert.ok(Object.isFrozen(object))
      assert.deepEqual([configs.get('config'), map.get('config')], [object, object])
      if (options?.nearCache !== false) {
        assert.equal(configs.get('config'), object)
        assert.equal(map.get('config'), object)
        const own = map.get(handle)
        assert.equal(configs.get(handle), own)
        assert.equal(configs.get(handle), own)
      }
      // The same content, without the type.
      map.set('config', CONFIG)
      assert.deepEqual(map.get('config'), CONFIG)
      assert.equal(configs.get('config'), undefined)
      assert.equal(configs.get(handle), undefined)
      assert.equal(configs.has(handle), false)
      // A copy that the map has read is not one that the view has.
      assert.deepEqual(map.get('user'), { name: 'Ada' })
      assert.equal(configs.get('user'), undefined)
      map.close()
    })

    it('a private copy is not frozen', () => {
      const { map, configs } = filled(options)
      for (const target of ['config', map.getHandle('config')]) {
        const copy = configs.get(target, { copy: true })
        copy.port = 1
        assert.deepEqual(configs.get(target, { copy: false }), CONFIG)
        assert.equal(configs.get('user', { copy: true }), undefined)
      }
      map.close()
    })

    it('a write gives an entry the type, and refuses one of another type', () => {
      const { map, configs, users } = filled(options)
      const wrong = [/type 'User'/, /type 'Config'/]
      for (const target of ['config', map.getHandle('config')]) {
        const error = refusesUnchanged(map, () => users.set(target, {}), 'ERR_WRONG_TYPE', { says: wrong })
        assert.deepEqual(error.details, { expected: 'User', found: 'Config' })
      }
      assert.deepEqual(configs.get('config'), CONFIG)
      // One without a type may get it, and its place in the order stays.
      assert.equal(users.set('plain', { name: 'Bob' }), users)
      assert.deepEqual(users.get('plain'), { name: 'Bob' })
      assert.equal(map.get(map.getHandle('plain'), 'User').name, 'Bob')
      const handle = map.insert({ port: 1 })
      configs.set(handle, { port: 2 })
      assert.deepEqual(configs.get(handle), { port: 2 })
      assert.deepEqual([...map.keys()].map(String), ['config', 'user', 'plain', String(handle)])
      map.close()
    })
  })
}

describe('types of entries', () => {
  it('set takes the type away; what changes the value that is there leaves it', () => {
    const { map } = filled()
    const counters = map.ofType('Counter')
    const handle = counters.insert(1)
    counters.set('count', 1)
    map.increment('count')
    map.increment(handle)
    assert.deepEqual([counters.get('count'), counters.get(handle)], [2, 2])
    map.update('count', n => n + 1)
    map.update(handle, n => n + 1)
    map.updateMany([
      ['count', 4],
      [handle, 4]
    ])
    map.replace(handle, 5)
    map.set(handle, 6)
    assert.deepEqual([counters.get('count'), counters.get(handle), counters.size], [4, 6, 2])
    for (const write of [
      () => map.set('count', 7),
      () => map.setMany([['count', 7]]),
      () => map.insertWithHandle('count', 7)
    ]) {
      counters.set('count', 1)
      assert.equal(counters.has('count'), true)
      write()
      assert.equal(counters.has('count'), false)
      assert.deepEqual([map.get('count'), counters.size], [7, 1])
    }
    // What finds a value leaves it and its type.
    counters.set('count', 1)
    map.getOrInsert('count', 2)
    assert.equal(counters.get('count'), 1)
    map.close()
  })

  it('large values change their type as others do', () => {
    const map = new TypedMap()
    const texts = map.ofType('Text')
    for (const length of [2_030, 2_040, 2_048, 5_000, 3_000_000]) {
      for (let at = 0; at < 12; at++) {
        const text = 'x'.repeat(length + at)
        texts.set('key', text)
        map.updateMany([['key', `${text}1`]])
        assert.equal(texts.get('key'), `${text}1`)
        map.update('key', last => `${last}2`)
        assert.equal(texts.get('key'), `${text}12`)
        map.set('key', text)
        assert.equal(texts.get('key'), undefined)
        map.updateMany([['key', `${text}3`]])
        assert.equal(map.get('key'), `${text}3`)
        assert.equal(texts.has('key'), false)
      }
    }
    const handle = texts.insert('y'.repeat(9_000))
    map.replace(handle, 'z'.repeat(9_001))
    assert.equal(texts.get(handle).length, 9_001)
    map.close()
  })

  it('an expired entry has no type: its key can get any', () => {
    const clock = TypedMap.setClock()
    try {
      const { map, configs, users } = filled()
      configs.set('short', {}, { ttl: 10 })
      const handle = configs.insert({}, { ttl: 10 })
      assert.deepEqual([configs.size, map.ttlOf('short'), map.ttlOf(handle)], [3, 10, 10])
      clock.advance(10)
      assert.deepEqual([configs.size, configs.has('short'), configs.get(handle)], [1, false, undefined])
      users.set('short', { name: 'Bob' })
      assert.equal(users.size, 2)
      map.close()
    } finally {
      clock.restore()
    }
  })

  it('keep their names in what is reported, and across a clear', async () => {
    const { map, configs } = filled()
    const told = []
    map.onEvict(({ key, type, cause }) => told.push([key, type, cause]), {
      causes: ['replaced', 'explicit', 'cleared']
    })
    configs.set('config', {})
    map.set('config', 1)
    configs.set('config', 2)
    configs.delete('config')
    map.clear()
    while (told.length < 6) await new Promise(resolve => setTimeout(resolve, 1))
    assert.deepEqual(told.slice(0, 4), [
      ['config', 'Config', 'replaced'],
      ['config', 'Config', 'replaced'],
      ['config', undefined, 'replaced'],
      ['config', 'Config', 'explicit']
    ])
    assert.deepEqual([configs.size, configs.has('config')], [0, false])
    configs.set('config', CONFIG)
    assert.deepEqual([configs.size, configs.get('config')], [1, CONFIG])
    assert.equal(map.ofType('Config').get('config'), configs.get('config'))
    map.close()
  })
})

describe('what a view refuses', () => {
  it('arguments of ofType', () => {
    const map = new TypedMap()
    for (const name of [undefined, null, 1, {}, Symbol('t')]) {
      throwsTyped(() => map.ofType(name), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/^name is /] })
    }
    for (const name of ['', '\ud800', 't'.repeat(4_097), 'é'.repeat(2_049)]) {
      throwsTyped(() => map.ofType(name), 'ERR_INVALID_OPTION', { kind: RangeError })
    }
    assert.equal(map.ofType('é'.repeat(2_048)).size, 0)
    map.close()
  })

  it('more than 256 types', () => {
    const map = new TypedMap()
    const views = Array.from({ length: 256 }, (_, n) => map.ofType(`type ${n}`))
    throwsTyped(() => map.ofType('one more'), 'ERR_INVALID_OPTION', { kind: RangeError, says: [/256/] })
    for (const [n, view] of views.entries()) view.set(n, n)
    assert.equal(map.ofType('type 7').get(7), 7)
    // Entries may have other types.
    map.insert(1, { type: 'one more' })
    for (const view of views) assert.equal(view.size, 1)
    map.close()
  })

  it('keys, values and options that a map refuses', () => {
    const { map, configs } = filled()
    for (const key of [{}, Symbol('k'), () => 1, []]) {
      for (const use of [k => configs.get(k), k => configs.has(k), k => configs.set(k, 1), k => configs.delete(k)]) {
        refusesUnchanged(map, () => use(key), 'ERR_KEY_TYPE', { kind: TypeError })
      }
    }
    for (const value of [() => 1, Symbol('v'), Promise.resolve(1), new Map()]) {
      const says = { kind: TypeError }
      refusesUnchanged(map, () => configs.set('config', value), 'ERR_VALUE_NOT_SERIALIZABLE', says)
      refusesUnchanged(map, () => configs.insert(value), 'ERR_VALUE_NOT_SERIALIZABLE', says)
    }
    for (const options of [1, null, { type: 'User' }, { ttl: 0 }, { ttl: 'x' }, []]) {
      refusesUnchanged(map, () => configs.set('config', 1, options), 'ERR_INVALID_OPTION')
      refusesUnchanged(map, () => configs.insert(1, options), 'ERR_INVALID_OPTION')
    }
    for (const options of [1, null, 'Config', { at: '/port' }, { copy: 1 }]) {
      throwsTyped(() => configs.get('config', options), 'ERR_INVALID_OPTION', { kind: TypeError })
    }
    map.close()
  })

  it('handles: of a dead entry and of another map as the map does', () => {
    const { map, configs } = filled()
    const other = new TypedMap()
    const foreign = other.insert(1, { type: 'Config' })
    const dead = configs.insert(CONFIG)
    configs.get(dead)
    assert.equal(configs.delete(dead), true)
    for (const handle of [foreign, dead]) {
      assert.deepEqual([configs.get(handle), configs.has(handle), configs.delete(handle)], [undefined, false, false])
    }
    throwsTyped(() => configs.set(foreign, 1), 'ERR_HANDLE_INVALIDATED')
    throwsTyped(() => configs.set(dead, 1), ['ERR_HANDLE_NOT_FOUND', 'ERR_GENERATION_MISMATCH'])
    assert.equal(configs.get(map.getHandle('config'))?.port, 8080)
    other.close()
    map.close()
  })

  it('everything, once the map is closed or destroyed', () => {
    const named = () => TypedMap.open('views of an ended map')
    for (const end of [map => map.close(), map => map.destroy(), () => named().destroy()]) {
      const map = named()
      const configs = map.ofType('Config', { '~standard': { version: 1, vendor: 'x', validate: () => assert.fail() } })
      const plain = map.ofType('Config')
      plain.set('config', CONFIG)
      plain.get('config')
      const handle = plain.insert(CONFIG)
      plain.get(handle)
      end(map)
      for (const use of [
        () => plain.size,
        () => plain.get('config'),
        () => plain.get(handle),
        () => plain.get('config', { copy: true }),
        () => plain.has('config'),
        () => plain.has(handle),
        () => plain.set('config', 1),
        () => plain.set(handle, 1),
        () => plain.insert(1),
        () => plain.delete('config'),
        () => plain.delete(handle),
        () => plain.keys().next(),
        () => plain.values().next(),
        () => plain.entries().next(),
        () => [...plain],
        () => plain.scan('0'),
        () => map.ofType('Config'),
        () => map.ofType('Other')
      ]) {
        throwsTyped(use, 'ERR_CLOSED')
      }
      if (end.length > 0) throwsTyped(() => configs.set('config', CONFIG), 'ERR_CLOSED')
      assert.equal(plain.name, 'Config')
      map.close()
    }
  })

  it('nothing of other objects: its methods are its own', () => {
    const { map, configs } = filled()
    assert.equal(Object.prototype.toString.call(configs), '[object TypedView]')
    assert.equal('constructor' in Object.getPrototypeOf(configs) && configs.constructor, Object)
    assert.throws(() => Reflect.apply(configs.get, {}, ['config']), TypeError)
    assert.throws(() => Reflect.apply(map.ofType, {}, ['Config']), TypeError)
    map.close()
  })
})
