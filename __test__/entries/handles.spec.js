'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { MessageChannel, receiveMessageOnPort } = require('node:worker_threads')
const { Handle, TypedMap } = require('../..')
const { contentOf, refusesUnchanged, throwsTyped } = require('../support/errors.js')
const { seededRandom } = require('../support/random.js')

require('../support/sound.js')

const DEAD = ['ERR_HANDLE_NOT_FOUND', 'ERR_HANDLE_INVALIDATED', 'ERR_GENERATION_MISMATCH', 'ERR_INVALID_SHARD_INDEX']

/** Asks every method that takes a handle, of one that has no entry in `map`, and checks that nothing changes. */
function isDead(map, handle, codes = DEAD) {
  const before = contentOf(map)
  assert.equal(map.get(handle), undefined)
  assert.equal(map.getByHandle(handle), undefined)
  assert.equal(map.has(handle), false)
  assert.equal(map.delete(handle), false)
  assert.equal(map.remove(handle), undefined)
  assert.deepEqual(map.getMany([handle]), [undefined])
  assert.equal(map.deleteMany([handle, handle]), 0)
  assert.equal(map.updateMany([[handle, 'written through a dead handle']]), 0)
  throwsTyped(() => map.replace(handle, 'written through a dead handle'), codes)
  assert.deepEqual(contentOf(map), before)
}

describe('handles: what they are', () => {
  it('a handle has four numbers of its own and nothing else to see', () => {
    const map = new TypedMap()
    const handle = map.insert('a')
    assert.ok(handle instanceof Handle)
    assert.deepEqual(Object.keys(handle), ['map', 'shard', 'slot', 'generation'])
    for (const field of Object.values(handle)) assert.ok(Number.isInteger(field) && field >= 0)
    map.get(handle)
    assert.deepEqual(Object.keys(handle), ['map', 'shard', 'slot', 'generation'], 'reading adds nothing')
    assert.equal(JSON.parse(JSON.stringify(handle)).slot, handle.slot)
  })

  it('its id is equal for equal references, and different for different ones', () => {
    const map = new TypedMap()
    const handle = map.insertWithHandle('key', 1)
    assert.equal(typeof handle.id, 'string')
    assert.equal(map.getHandle('key').id, handle.id)
    assert.equal(map.handle({ ...handle }).id, handle.id)
    const ids = new Set([handle.id])
    for (let n = 0; n < 1_000; n++) ids.add(map.insert(n).id)
    for (let n = 0; n < 10; n++) ids.add(new TypedMap().insert(n).id)
    assert.equal(ids.size, 1_011)
    map.delete('key')
    assert.equal(ids.has(map.insertWithHandle('key', 1).id), false)
  })

  it('maps of a process have different numbers', () => {
    const numbers = Array.from({ length: 20 }, () => new TypedMap().insert(1).map)
    assert.equal(new Set(numbers).size, 20)
  })

  it('cannot be made by hand', () => {
    assert.throws(() => Handle({ map: 1, shard: 0, slot: 0, generation: 0 }), TypeError)
  })
})

describe('handles: what they do', () => {
  it('insert makes an entry with its handle as key', () => {
    const map = new TypedMap()
    const handle = map.insert({ a: 1 })
    assert.equal(map.size, 1)
    assert.deepEqual(map.get(handle), { a: 1 })
    assert.equal(map.has(handle), true)
    const [[key, value]] = map
    assert.ok(key instanceof Handle)
    assert.equal(key.id, handle.id)
    assert.deepEqual(value, { a: 1 })
    assert.deepEqual(map.get(key), { a: 1 })
    assert.equal(map.delete(key), true)
    assert.equal(map.size, 0)
  })

  it('insert of equal values makes different entries', () => {
    const map = new TypedMap()
    const handles = [map.insert('same'), map.insert('same'), map.insert('same')]
    assert.equal(map.size, 3)
    assert.equal(new Set(handles.map(({ id }) => id)).size, 3)
    map.delete(handles[1])
    assert.deepEqual(map.getMany(handles), ['same', undefined, 'same'])
  })

  it('insertWithHandle sets the key and returns the handle of its entry', () => {
    const map = new TypedMap([['key', 1]])
    const handle = map.insertWithHandle('key', 2)
    assert.equal(map.size, 1)
    assert.equal(map.get('key'), 2)
    assert.equal(map.get(handle), 2)
    map.set('key', 3)
    assert.equal(map.get(handle), 3)
    map.replace(handle, 4)
    assert.equal(map.get('key'), 4)
    assert.equal(map.remove(handle), 4)
    assert.equal(map.has('key'), false)
  })

  it('getHandle returns the handle of a present key, and undefined otherwise', () => {
    const map = new TypedMap([['key', undefined]])
    assert.equal(map.getHandle('other'), undefined)
    const handle = map.getHandle('key')
    assert.ok(handle instanceof Handle)
    assert.equal(map.has(handle), true)
    assert.equal(map.get(handle), undefined)
    map.set('key', 'new')
    assert.equal(map.get(handle), 'new')
  })

  it('remove returns the value and deletes the entry', () => {
    const map = new TypedMap([['key', [1]]])
    const handle = map.insert([2])
    assert.deepEqual(map.remove('key'), [1])
    assert.deepEqual(map.remove(handle), [2])
    assert.equal(map.remove('key'), undefined)
    assert.equal(map.remove(handle), undefined)
    assert.equal(map.size, 0)
  })

  it('replace keeps the place and the handle of the entry', () => {
    const map = new TypedMap()
    const first = map.insert(1)
    map.set('last', 2)
    for (const value of ['text', { a: 1 }, Uint8Array.of(1), 'x'.repeat(100_000), undefined, 5]) {
      map.replace(first, value)
      assert.deepEqual(map.get(first), value)
    }
    assert.deepEqual([...map.values()], [5, 2])
  })

  it('any number of handles of one entry see the same', () => {
    const map = new TypedMap([['key', 1]])
    const handles = Array.from({ length: 5 }, () => map.getHandle('key'))
    map.replace(handles[0], { a: 1 })
    for (const handle of handles) assert.deepEqual(map.get(handle), { a: 1 })
    map.delete(handles[4])
    for (const handle of handles) isDead(map, handle)
  })
})

describe('handles: in the place of a key', () => {
  it('set writes, getOrInsert reads, insertWithHandle writes and getHandle finds the entry of a handle', () => {
    const map = new TypedMap()
    const handle = map.insert(1)
    assert.equal(map.set(handle, { two: 2 }), map)
    assert.deepEqual(map.get(handle), { two: 2 })
    assert.deepEqual(map.getOrInsert(handle, 3), { two: 2 })
    assert.deepEqual(
      map.getOrInsertComputed(handle, () => assert.fail('called')),
      { two: 2 }
    )
    assert.equal(map.insertWithHandle(handle, 4).id, handle.id)
    assert.equal(map.get(handle), 4)
    assert.equal(map.getHandle(handle).id, handle.id)
    assert.equal(map.size, 1)
  })

  it('of a dead handle, they throw the reason or find nothing, and never make an entry', () => {
    const map = new TypedMap()
    const handle = map.insert(1)
    map.delete(handle)
    for (const call of [
      () => map.set(handle, 2),
      () => map.getOrInsert(handle, 2),
      () => map.getOrInsertComputed(handle, () => 2),
      () => map.insertWithHandle(handle, 2)
    ]) {
      refusesUnchanged(map, call, DEAD)
    }
    assert.equal(map.getHandle(handle), undefined)
    assert.equal(map.size, 0)
  })
})

describe('handles: dead ones', () => {
  it('of a deleted entry read and change nothing', () => {
    const map = new TypedMap([['other', 1]])
    const handle = map.insert('gone')
    map.get(handle)
    map.delete(handle)
    isDead(map, handle)
  })

  it('of a deleted key do not come back with the key', () => {
    const map = new TypedMap()
    const handle = map.insertWithHandle('key', 1)
    map.delete('key')
    map.set('key', 2)
    isDead(map, handle)
    assert.equal(map.get('key'), 2)
  })

  it('never touch the next tenant of the slot', () => {
    const map = new TypedMap({ shards: 1 })
    const dead = []
    for (let round = 0; round < 500; round++) {
      const handle = map.insert(round)
      for (const old of dead.slice(-20)) {
        assert.equal(map.get(old), undefined)
        assert.equal(map.delete(old), false)
        throwsTyped(() => map.replace(old, 'x'), DEAD)
      }
      assert.equal(map.get(handle), round)
      map.delete(handle)
      dead.push(handle)
    }
    const slots = new Set(dead.map(({ slot }) => slot))
    assert.ok(slots.size < 500, 'slots are used again, or this test shows nothing')
    const alive = map.insert('alive')
    for (const old of dead) assert.equal(map.get(old), undefined)
    assert.equal(map.get(alive), 'alive')
  })

  it('say why they are dead', () => {
    const map = new TypedMap({ shards: 1 })
    const gone = map.insert(1)
    map.delete(gone)
    throwsTyped(() => map.replace(gone, 2), ['ERR_HANDLE_NOT_FOUND', 'ERR_GENERATION_MISMATCH'])
    let tenant = map.insert(1)
    for (let tries = 0; tenant.slot !== gone.slot && tries < 10_000; tries++) tenant = map.insert(1)
    assert.equal(tenant.slot, gone.slot, 'the slot is used again')
    const error = throwsTyped(() => map.replace(gone, 2), 'ERR_GENERATION_MISMATCH')
    assert.notEqual(error.message, '')
    assert.equal(map.get(tenant), 1)
  })

  it('of another map are invalid', () => {
    const map = new TypedMap([['a', 1]])
    const other = new TypedMap()
    const handle = other.insert('theirs')
    map.insert('ours')
    isDead(map, handle, 'ERR_HANDLE_INVALIDATED')
    throwsTyped(() => map.handle({ ...handle }), 'ERR_HANDLE_INVALIDATED')
    assert.equal(other.get(handle), 'theirs')
  })

  it('of before a clear are invalid, and stay so', () => {
    const map = new TypedMap({ shards: 2 })
    const handles = Array.from({ length: 100 }, (_, n) => map.insert(n))
    const keyed = map.insertWithHandle('key', 1)
    map.clear()
    for (const handle of [...handles, keyed]) isDead(map, handle)
    for (let n = 0; n < 300; n++) map.insert(`new ${n}`)
    map.set('key', 2)
    for (const handle of [...handles, keyed]) assert.equal(map.get(handle), undefined)
    isDead(map, keyed)
    assert.equal(map.size, 301)
  })

  it('of a destroyed or closed map throw ERR_CLOSED like any use of it', () => {
    for (const end of ['destroy', 'close']) {
      const map = new TypedMap()
      const handle = map.insert(1)
      map.get(handle)
      map[end]()
      for (const use of [
        () => map.get(handle),
        () => map.getByHandle(handle),
        () => map.has(handle),
        () => map.delete(handle),
        () => map.remove(handle),
        () => map.replace(handle, 2),
        () => map.getMany([handle]),
        () => map.deleteMany([handle]),
        () => map.updateMany([[handle, 2]])
      ]) {
        throwsTyped(use, 'ERR_CLOSED')
      }
    }
  })

  it('of a destroyed map are invalid in another map of the same name', () => {
    const map = TypedMap.open('handles destroyed')
    const handle = map.insert(1)
    map.destroy()
    const next = TypedMap.open('handles destroyed')
    next.insert(2)
    isDead(next, handle, 'ERR_HANDLE_INVALIDATED')
    next.close()
  })
})

describe('handles: forged ones', () => {
  const INTEGERS = [0, 1, 2, 63, 64, 255, 65_535, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]
  const NOT_INTEGERS = [
    -1,
    -(2 ** 31),
    0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    '0',
    null,
    undefined,
    true,
    1n,
    {},
    [0],
    Symbol('s')
  ]
  const FIELDS = ['map', 'shard', 'slot', 'generation']

  it('fields that are no integers are a TypeError that names the field', () => {
    const map = new TypedMap([['a', 1]])
    const good = { ...map.insert(1) }
    for (const field of FIELDS) {
      for (const value of NOT_INTEGERS) {
        const error = refusesUnchanged(map, () => map.handle({ ...good, [field]: value }), [
          'ERR_HANDLE_NOT_FOUND',
          'ERR_HANDLE_INVALIDATED',
          'ERR_INVALID_SHARD_INDEX',
          'ERR_KEY_TYPE',
          'ERR_INVALID_OPTION'
        ])
        assert.ok(error instanceof TypeError || error instanceof RangeError, `${field}: ${String(value)}`)
        assert.match(error.message, new RegExp(field))
      }
      const { [field]: _, ...without } = good
      refusesUnchanged(map, () => map.handle(without), [
        'ERR_HANDLE_NOT_FOUND',
        'ERR_HANDLE_INVALIDATED',
        'ERR_INVALID_SHARD_INDEX',
        'ERR_KEY_TYPE',
        'ERR_INVALID_OPTION'
      ])
    }
  })

  it('data other than a plain object is a TypeError', () => {
    const map = new TypedMap()
    for (const data of [undefined, null, 1, 'text', true, 1n, Symbol('s'), () => {}, []]) {
      assert.throws(() => map.handle(data), TypeError)
    }
  })

  it('any integers in any field read and change nothing but the one they name', () => {
    const map = new TypedMap({ shards: 4 })
    map.set('a', 1)
    const handle = map.insert('the one')
    for (const shard of INTEGERS) {
      for (const slot of INTEGERS) {
        for (const generation of INTEGERS) {
          const data = { map: handle.map, shard, slot, generation }
          let forged
          try {
            forged = map.handle(data)
          } catch (error) {
            assert.ok([...DEAD, 'ERR_KEY_TYPE'].includes(error.code), error.message)
            continue
          }
          // A guess that is right is no forgery.
          if (map.has(forged)) continue
          assert.equal(map.get(forged), undefined)
          assert.equal(map.delete(forged), false)
          assert.equal(map.remove(forged), undefined)
          throwsTyped(() => map.replace(forged, 'forged'), DEAD)
        }
      }
    }
    assert.equal(map.get('a'), 1)
    assert.equal(map.get(handle), 'the one')
    assert.equal(map.size, 2)
  })

  it('a shard that the map does not have is reported as such', () => {
    const map = new TypedMap({ shards: 4 })
    const handle = map.insert(1)
    throwsTyped(() => map.handle({ ...handle, shard: 4 }), 'ERR_INVALID_SHARD_INDEX')
    throwsTyped(() => map.handle({ ...handle, shard: 2 ** 32 - 1 }), 'ERR_INVALID_SHARD_INDEX')
    throwsTyped(() => map.handle({ ...handle, map: handle.map + 1 }), 'ERR_HANDLE_INVALIDATED')
  })

  it('a real handle with numbers changed after a read counts as its new numbers', () => {
    const map = new TypedMap({ shards: 4 })
    for (const field of FIELDS) {
      for (const value of [...INTEGERS, ...NOT_INTEGERS]) {
        const handle = map.insert({ field })
        map.get(handle)
        try {
          handle[field] = value
        } catch (error) {
          assert.ok(error instanceof TypeError, 'a frozen handle is a fine answer')
        }
        // The result is an entry of this map or a clean error.
        try {
          const back = map.get(handle)
          assert.ok(back === undefined || typeof back.field === 'string')
          map.has(handle)
          map.delete(handle)
        } catch (error) {
          assert.ok(error instanceof TypeError || typeof error.code === 'string')
        }
      }
    }
    map.set('still', 'works')
    assert.equal(map.get('still'), 'works')
  })

  it('random numbers never crash and never find what is not theirs', t => {
    const random = seededRandom(t)
    const map = new TypedMap({ shards: 8 })
    const alive = new Map(Array.from({ length: 200 }, (_, n) => [map.insert(n).id, n]))
    const number = map.keys().next().value.map
    const pick = () => (random.oneIn(3) ? random.pick(INTEGERS) : random.below(40))
    for (let round = 0; round < 20_000; round++) {
      const data = { map: number, shard: pick(), slot: pick(), generation: pick() }
      let handle
      try {
        handle = map.handle(data)
      } catch (error) {
        assert.ok([...DEAD, 'ERR_KEY_TYPE'].includes(error.code), error.message)
        continue
      }
      assert.equal(map.get(handle), alive.get(handle.id))
    }
  })

  it('an object that only looks like a handle is not a key', () => {
    const map = new TypedMap()
    const handle = map.insert(1)
    for (const fake of [{ ...handle }, Object.create(Handle.prototype), Object.create(handle)]) {
      assert.throws(() => map.get(fake), TypeError)
      assert.throws(() => map.delete(fake), TypeError)
      assert.throws(() => map.set(fake, 1), TypeError)
    }
    assert.equal(map.get(handle), 1)
  })

  it('setMany adds entries, and a handle is no key to add one under', () => {
    const map = new TypedMap()
    const handle = map.insert(1)
    refusesUnchanged(map, () => map.setMany([[handle, 2]]), 'ERR_KEY_TYPE', { kind: TypeError })
  })
})

describe('handles: as data', () => {
  it('structuredClone and postMessage make them plain data of four numbers', () => {
    const map = new TypedMap()
    const handle = map.insert({ a: 1 })
    map.get(handle)
    const { port1, port2 } = new MessageChannel()
    port1.postMessage(handle)
    const { message } = receiveMessageOnPort(port2)
    port1.close()
    for (const data of [structuredClone(handle), message, JSON.parse(JSON.stringify(handle)), { ...handle }]) {
      assert.deepEqual(Object.keys(data), ['map', 'shard', 'slot', 'generation'])
      assert.equal(data instanceof Handle, false)
      const revived = map.handle(data)
      assert.ok(revived instanceof Handle)
      assert.equal(revived.id, handle.id)
      assert.deepEqual(map.get(revived), { a: 1 })
    }
  })

  it('a handle can be revived before its entry is asked for, and after it is gone', () => {
    const map = new TypedMap()
    const handle = map.insert(1)
    map.delete(handle)
    isDead(map, map.handle(structuredClone(handle)))
  })

  it('handle() of a handle is a handle', () => {
    const map = new TypedMap()
    const handle = map.insert(1)
    assert.equal(map.get(map.handle(handle)), 1)
  })
})

describe('handles: types', () => {
  it('get checks the type that an entry was inserted with', () => {
    const map = new TypedMap()
    const config = map.insert({ host: 'localhost' }, { type: 'Config' })
    const plain = map.insert({ host: 'localhost' })
    assert.deepEqual(map.get(config, 'Config'), { host: 'localhost' })
    assert.deepEqual(map.getByHandle(config, 'Config'), { host: 'localhost' })
    assert.deepEqual(map.get(config), { host: 'localhost' })
    const error = throwsTyped(() => map.get(config, 'User'), 'ERR_WRONG_TYPE')
    assert.equal(error.details.expected, 'User')
    assert.equal(error.details.found, 'Config')
    assert.match(error.message, /User/)
    assert.match(error.message, /Config/)
    throwsTyped(() => map.getByHandle(config, 'User'), 'ERR_WRONG_TYPE')
    throwsTyped(() => map.get(plain, 'Config'), 'ERR_WRONG_TYPE')
  })

  it('the check is made on a cached value too', () => {
    const map = new TypedMap()
    const handle = map.insert({ a: 1 }, { type: 'A' })
    assert.equal(map.get(handle, 'A'), map.get(handle, 'A'))
    throwsTyped(() => map.get(handle, 'B'), 'ERR_WRONG_TYPE')
    assert.equal(map.get(handle, 'A'), map.get(handle))
  })

  it('a dead handle has no type to be wrong', () => {
    const map = new TypedMap()
    const handle = map.insert(1, { type: 'A' })
    map.delete(handle)
    assert.equal(map.get(handle, 'B'), undefined)
    assert.equal(map.get(handle, 'A'), undefined)
  })

  it('the type stays when the value is replaced', () => {
    const map = new TypedMap()
    const handle = map.insert(1, { type: 'A' })
    map.replace(handle, 2)
    assert.equal(map.get(handle, 'A'), 2)
    throwsTyped(() => map.get(handle, 'B'), 'ERR_WRONG_TYPE')
  })

  it('insertMany sets the type of all its entries', () => {
    const map = new TypedMap()
    for (const handle of map.insertMany([1, 2], { type: 'Number' })) {
      assert.equal(typeof map.get(handle, 'Number'), 'number')
      throwsTyped(() => map.get(handle, 'Text'), 'ERR_WRONG_TYPE')
    }
  })

  it('any text is a type, and anything else is refused', () => {
    const map = new TypedMap()
    for (const type of ['A', 'a name with spaces', '€', '😀', 'x'.repeat(1_000)]) {
      assert.equal(map.get(map.insert(1, { type }), type), 1)
    }
    for (const type of [1, null, {}, Symbol('s'), () => {}]) {
      assert.throws(() => map.insert(1, { type }), TypeError)
    }
    assert.equal(map.size, 5)
  })

  it('a type is the same in another reference to the map', () => {
    const [mine, theirs] = [1, 2].map(() => TypedMap.open('handles types'))
    const handle = mine.insert(1, { type: 'A' })
    const revived = theirs.handle({ ...handle })
    assert.equal(theirs.get(revived, 'A'), 1)
    const error = throwsTyped(() => theirs.get(revived, 'B'), 'ERR_WRONG_TYPE')
    assert.equal(error.details.found, 'A')
    mine.close()
    theirs.close()
  })
})
