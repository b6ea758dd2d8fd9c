'use strict'

// Every method of the class has a row here: the channels of `node:diagnostics_channel` that a call of it publishes to,
// and whether it is a line of `typedmap.operations`.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const diagnostics = require('node:diagnostics_channel')
const { TypedMap } = require('../..')
const { OPERATION_NAMES } = require('../../lib/observe/operations.js')

require('../support/sound.js')

const CHANNELS = ['get', 'set', 'remove']
const TRACED = ['getOrLoad', 'getManyOrLoad', 'transaction']
const loader = async () => 1

/**
 * A call, in a map that has `a`, `n` and the entry of `handle`, and the messages without `map` and `operation`, by
 * channel.
 *
 * @type {Record<string, [(map: any, handle: any) => any, Record<string, (handle: any, result: any) => object>?]>}
 */
const ROWS = {
  // Reads of entries.
  get: [map => map.get('a'), { get: () => ({ key: 'a', hit: true }) }],
  getByHandle: [(map, handle) => map.getByHandle(handle), { get: handle => ({ key: handle, hit: true }) }],
  getMany: [map => map.getMany(new Set(['a', 'none'])), { get: () => ({ keys: ['a', 'none'], hits: 1 }) }],
  // Reads or writes.
  getOrInsert: [
    map => map.getOrInsert('new', 1),
    { get: () => ({ key: 'new', hit: false }), set: () => ({ key: 'new' }) }
  ],
  getOrInsertComputed: [
    map => map.getOrInsertComputed('new', () => 1),
    { get: () => ({ key: 'new', hit: false }), set: () => ({ key: 'new' }) }
  ],
  getOrLoad: [map => map.getOrLoad('new', loader), { 'tracing getOrLoad': () => ({ key: 'new' }) }],
  getManyOrLoad: [map => map.getManyOrLoad(['new'], async () => [1]), { 'tracing getManyOrLoad': () => ({}) }],
  transaction: [map => map.transaction(inner => inner.set('a', 2)), { 'tracing transaction': () => ({}) }],
  // Writes.
  set: [map => map.set('a', 2), { set: () => ({ key: 'a' }) }],
  insert: [map => map.insert(2), { set: (_, result) => ({ key: result }) }],
  insertWithHandle: [map => map.insertWithHandle('b', 2), { set: () => ({ key: 'b' }) }],
  replace: [(map, handle) => map.replace(handle, 2), { set: handle => ({ key: handle }) }],
  increment: [map => map.increment('n'), { set: () => ({ key: 'n' }) }],
  update: [map => map.update('n', n => n + 1), { set: () => ({ key: 'n' }) }],
  compareAndSet: [map => map.compareAndSet('n', 1, 2), { set: () => ({ key: 'n' }) }],
  setMany: [
    map =>
      map.setMany(
        new Map([
          ['a', 2],
          ['b', 2]
        ])
      ),
    { set: () => ({ keys: ['a', 'b'] }) }
  ],
  updateMany: [(map, handle) => map.updateMany([[handle, 2]]), { set: handle => ({ keys: [handle] }) }],
  insertMany: [map => map.insertMany([1, 2]), { set: (_, result) => ({ keys: result }) }],
  // Removals.
  delete: [map => map.delete('a'), { remove: () => ({ key: 'a', cause: 'explicit' }) }],
  remove: [(map, handle) => map.remove(handle), { remove: handle => ({ key: handle, cause: 'explicit' }) }],
  deleteMany: [
    map => map.deleteMany(['a', 'none']),
    { remove: () => ({ keys: ['a', 'none'], hits: 1, cause: 'explicit' }) }
  ],
  deleteWhere: [map => map.deleteWhere({ key: 'a' }), { remove: () => ({ count: 1, cause: 'explicit' }) }],
  deletePrefix: [map => map.deletePrefix('a'), { remove: () => ({ count: 1, cause: 'explicit' }) }],
  clear: [map => map.clear(), { remove: () => ({ cause: 'cleared' }) }],
  // Their entries are those of the channels evict and expire, which are published later.
  evict: [map => map.evict()],
  purgeExpired: [map => map.purgeExpired()],
  // Looks, which count as no reads.
  peek: [map => map.peek('a')],
  has: [map => map.has('a')],
  hasMany: [map => map.hasMany(['a'])],
  getHandle: [map => map.getHandle('a')],
  ttlOf: [map => map.ttlOf('a')],
  touch: [map => map.touch('a')],
  // Walks and queries.
  keys: [map => [...map.keys()]],
  values: [map => [...map.values()]],
  entries: [map => [...map.entries()]],
  forEach: [map => map.forEach(() => {})],
  scan: [map => map.scan('0')],
  randomKey: [map => map.randomKey()],
  randomEntry: [map => map.randomEntry()],
  find: [map => map.find({ key: 'a' })],
  count: [map => map.count({ key: 'a' })],
  filter: [map => map.filter(() => true)]
}

/** Methods that are about no entry, or by way of which others are called that are in a row above. */
const QUIET = [
  ...['close', 'destroy', 'handle', 'begin', 'memoryUsage', 'setLimits', 'reserve', 'shrinkToFit', 'rehash'],
  ...['getStats', 'resetStats', 'validate', 'recover', 'explain', 'getMemoryDistribution', 'getHotKeys', 'advise'],
  ...['predictOptimalShardCount', 'dump', 'metrics', 'onError', 'onLog', 'onEvict', 'onChange', 'onPressure'],
  ...['ofType', 'scanIterator']
]

/** Subscribes to all channels; `end` returns the messages by channel. */
function listen() {
  const heard = {}
  const ends = []
  const subscribe = (channel, name) => {
    const hear = message => {
      heard[name] = [...(heard[name] ?? []), { ...message }]
    }
    diagnostics.subscribe(channel, hear)
    ends.push(() => diagnostics.unsubscribe(channel, hear))
  }
  for (const name of CHANNELS) subscribe(`typed-superdashmap:${name}`, name)
  for (const name of TRACED) subscribe(`tracing:typed-superdashmap:${name}:start`, `tracing ${name}`)
  return () => {
    for (const end of ends) end()
    return heard
  }
}

/** A map, and a handle of one of its entries. */
function newMap() {
  const map = new TypedMap([
    ['a', 1],
    ['n', 1]
  ])
  return { map, handle: map.insert(1) }
}

/** Names of the methods of the class. */
const METHODS = Object.entries(Object.getOwnPropertyDescriptors(TypedMap.prototype))
  .filter(([name, { value }]) => typeof value === 'function' && name !== 'constructor')
  .map(([name]) => name)

describe('each method of the class', () => {
  it('has a row, or is about no entry', () => {
    assert.deepEqual(
      METHODS.filter(name => !(name in ROWS) && !QUIET.includes(name)),
      []
    )
    assert.deepEqual(
      Object.keys(ROWS).filter(name => !METHODS.includes(name)),
      []
    )
  })

  for (const [name, [call, messages = {}]] of Object.entries(ROWS)) {
    it(`${name}: what its call publishes`, async () => {
      const { map, handle } = newMap()
      const end = listen()
      const result = await call(map, handle)
      const heard = end()
      const expected = {}
      for (const [channel, messageOf] of Object.entries(messages)) {
        expected[channel] = [{ map, operation: name, ...messageOf(handle, result) }]
      }
      assert.deepEqual(heard, expected)
      map.close()
    })

    it(`${name}: its call is a line`, async () => {
      assert.ok(OPERATION_NAMES.includes(name))
      const { map, handle } = newMap()
      const lines = []
      const end = map.onLog(({ details }) => lines.push(details), { level: 'debug', targets: ['typedmap.operations'] })
      await call(map, handle)
      const alive = setInterval(() => {}, 1_000)
      while (lines.length === 0) await new Promise(resolve => setTimeout(resolve, 1))
      clearInterval(alive)
      assert.deepEqual([lines.length, lines[0].operation], [1, name])
      assert.equal(lines[0].error, undefined)
      end()
      map.close()
    })
  }
})

describe('what was not done', () => {
  const TABLE = {
    'a present value is read by getOrInsert': [map => map.getOrInsert('a', 2), 'get', { key: 'a', hit: true }],
    'a present value is read by getOrInsertComputed': [
      map => map.getOrInsertComputed('a', () => 2),
      'get',
      { key: 'a', hit: true }
    ],
    'a read that ends with the state': [
      map => map.getOrInsertComputed('a', () => 2, { withState: true }),
      'get',
      { key: 'a', hit: true }
    ],
    'an update that removes the entry': [
      map => map.update('a', () => undefined),
      'remove',
      { key: 'a', cause: 'explicit' }
    ],
    'an update that removes an entry whose value is undefined': [
      map => map.update('u', () => undefined),
      'remove',
      { key: 'u', cause: 'explicit' }
    ],
    'an update that finds nothing to remove': [map => map.update('none', () => undefined)],
    'a swap that finds another value': [map => map.compareAndSet('a', 7, 8)],
    'a batch that deletes nothing': [map => map.deleteMany(['none'])],
    'a batch that sets nothing': [map => map.setMany([])],
    'a batch that inserts nothing': [map => map.insertMany([])],
    'a batch that updates nothing': [map => map.updateMany([['none', 1]])],
    'a batch of no updates': [map => map.updateMany([])],
    'a query that deletes nothing': [map => map.deletePrefix('none')],
    'each of a batch': [
      map => map.deleteMany(['a', 'none', 'n'], { each: true }),
      'remove',
      { keys: ['a', 'none', 'n'], hits: 2, cause: 'explicit' }
    ]
  }
  for (const [what, [call, channel, message]] of Object.entries(TABLE)) {
    it(what, async () => {
      const { map } = newMap()
      map.set('u', undefined)
      const end = listen()
      await call(map)
      const heard = end()
      assert.deepEqual(Object.keys(heard), channel === undefined ? [] : [channel])
      if (channel !== undefined) {
        const [{ map: of, operation: _, ...rest }] = heard[channel]
        assert.equal(of, map)
        assert.deepEqual(rest, message)
      }
      map.close()
    })
  }

  it('a batch that is refused is not published, and an iterable of it is gone through once', () => {
    const map = new TypedMap({ maxEntries: 1, oomStrategy: 'reject' })
    const end = listen()
    let runs = 0
    const entries = function* () {
      runs++
      yield ['a', 1]
      yield ['b', 1]
    }
    assert.throws(() => map.setMany(entries()), { code: 'ERR_MEMORY_LIMIT' })
    assert.throws(() => map.getMany(1), { code: 'ERR_INVALID_OPTION' })
    assert.equal(runs, 1)
    assert.deepEqual(end(), {})
    map.close()
  })
})
