'use strict'

// `getStats().errors` counts what JavaScript refuses, once, for the map whose method it was: each method with an
// argument that is wrong.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap, TypedMapError } = require('../..')
const { throwsTyped } = require('../support/errors.js')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

let names = 0
const newName = () => `refusals ${process.pid} ${++names}`
const WRONG = { wrong: true }
const cyclic = () => {
  const value = {}
  value.value = value
  return value
}
const failing = () => assert.fail('it is called')

/** Refused calls of each method. @type {Record<string, ((map: any, handle: any) => any)[]>} */
const CALLS = {
  close: [],
  clear: [],
  destroy: [],
  entries: [],
  values: [],
  keys: [],
  randomKey: [],
  randomEntry: [],
  purgeExpired: [],
  shrinkToFit: [],
  resetStats: [],
  begin: [],
  advise: [],
  predictOptimalShardCount: [],
  validate: [],
  recover: [],
  peek: [],
  has: [],
  delete: [],
  remove: [],
  getHandle: [],
  ttlOf: [],
  memoryUsage: [],
  metrics: [],
  explain: [],
  get: [map => map.get('a', WRONG), map => map.get('a', { at: 1 }), (map, handle) => map.get(handle, 1)],
  getByHandle: [map => map.getByHandle('a'), (map, handle) => map.getByHandle(handle, WRONG)],
  set: [map => map.set('a', cyclic()), map => map.set('a', Symbol('no')), map => map.set('a', 1, { ttl: -1 })],
  getOrInsert: [map => map.getOrInsert('b', cyclic()), map => map.getOrInsert('b', 1, WRONG)],
  getOrInsertComputed: [map => map.getOrInsertComputed('b', 1), map => map.getOrInsertComputed('b', cyclic)],
  forEach: [map => map.forEach(1)],
  insert: [map => map.insert(cyclic()), map => map.insert(1, { type: 1 })],
  insertWithHandle: [map => map.insertWithHandle('a', cyclic()), map => map.insertWithHandle('a', 1, WRONG)],
  replace: [(map, handle) => map.replace(handle, cyclic()), map => map.replace('a', 1)],
  touch: [map => map.touch('a', WRONG)],
  increment: [map => map.increment('n', 'x'), map => map.increment('n', 1, WRONG)],
  compareAndSet: [map => map.compareAndSet('a', 1, cyclic()), map => map.compareAndSet('a', 1, 2, WRONG)],
  update: [map => map.update('a', 1), map => map.update('a', cyclic), map => map.update('a', failing, WRONG)],
  handle: [map => map.handle(1), map => map.handle({ map: 0, shard: 0, slot: 0, generation: 0 })],
  getMany: [map => map.getMany(1)],
  hasMany: [map => map.hasMany(1)],
  setMany: [map => map.setMany(1), map => map.setMany([['a', cyclic()]]), map => map.setMany([], WRONG)],
  updateMany: [map => map.updateMany([['a', cyclic()]]), map => map.updateMany([], WRONG)],
  insertMany: [map => map.insertMany([cyclic()]), map => map.insertMany([], WRONG)],
  deleteMany: [map => map.deleteMany(1), map => map.deleteMany([], WRONG)],
  evict: [map => map.evict(-1)],
  setLimits: [map => map.setLimits(WRONG)],
  reserve: [map => map.reserve('x')],
  rehash: [map => map.rehash(0)],
  autoResize: [
    map => {
      map.autoResize = 1
    }
  ],
  transaction: [
    map => map.transaction(1),
    map => map.transaction(failing, WRONG),
    map => map.transaction(async () => {}),
    map => map.transaction(transaction => transaction.set('a', cyclic())),
    map => map.transaction(transaction => transaction.increment('n', 'x')),
    map => map.transaction(() => map.transaction(failing))
  ],
  ofType: [map => map.ofType(1), map => map.ofType('T').get('a', WRONG), map => map.ofType('T').set('a', cyclic())],
  getOrLoad: [map => map.getOrLoad('b', 1), map => map.getOrLoad('b', failing, WRONG)],
  getManyOrLoad: [map => map.getManyOrLoad(1, failing), map => map.getManyOrLoad([], failing, WRONG)],
  find: [map => map.find(1), map => map.find({}, WRONG), map => map.ofType('T').find({}, WRONG)],
  count: [map => map.count(WRONG)],
  deleteWhere: [map => map.deleteWhere(WRONG)],
  deletePrefix: [map => map.deletePrefix(1)],
  filter: [map => map.filter(1), map => map.filter(() => Promise.resolve())],
  scan: [map => map.scan(1), map => map.scan('0', WRONG), map => map.ofType('T').scan('0', WRONG)],
  scanIterator: [map => map.scanIterator(WRONG)],
  getStats: [map => map.getStats(WRONG)],
  getHotKeys: [map => map.getHotKeys(-1)],
  getMemoryDistribution: [map => map.getMemoryDistribution(WRONG)],
  dump: [map => map.dump(-1), map => map.dump(0, WRONG)],
  onError: [map => map.onError(1)],
  onLog: [map => map.onLog(1), map => map.onLog(failing, WRONG)],
  onEvict: [map => map.onEvict(1), map => map.onEvict(failing, WRONG)],
  onChange: [map => map.onChange(1), map => map.onChange(failing, WRONG)],
  onPressure: [map => map.onPressure(1), map => map.onPressure(failing, WRONG)]
}

/** What a call throws, or its promise is rejected with. */
async function refusalOf(call) {
  try {
    await call()
  } catch (error) {
    return error
  }
  return assert.fail(`${call} was not refused`)
}

describe('an error of JavaScript is counted once', () => {
  for (const name of Object.getOwnPropertyNames(TypedMap.prototype)) {
    const { value, set } = Object.getOwnPropertyDescriptor(TypedMap.prototype, name)
    if (name === 'constructor' || (typeof value !== 'function' && set === undefined)) continue

    it(name, async () => {
      const calls = CALLS[name]
      assert.ok(calls !== undefined, `${name} has no row: a call that is refused, or none if no argument can be wrong`)
      const map = new TypedMap()
      const other = new TypedMap()
      map.set('a', 1)
      map.set('n', 1)
      const handle = map.getHandle('a')
      const expected = {}
      for (const call of calls) {
        // By way of a function of another map's user, whose map has nothing to do with it.
        const error = await refusalOf(() => call(map, handle))
        assert.ok(error instanceof TypedMapError, `${error}`)
        expected[error.code] = (expected[error.code] ?? 0) + 1
        assert.deepEqual(map.getStats().errors.byCode, expected, `${call}`)
      }
      assert.equal(map.getStats().errors.total, calls.length)
      assert.equal(other.getStats().errors.total, 0)
      map.close()
      other.close()
    })
  }

  it('for the map whose method it was, although functions of another hand it on', () => {
    const [map, other] = [new TypedMap(), new TypedMap()]
    throwsTyped(() => other.update('a', () => map.set('a', cyclic())), 'ERR_VALUE_NOT_SERIALIZABLE')
    throwsTyped(() => other.transaction(() => map.insert(1, WRONG)), 'ERR_INVALID_OPTION')
    assert.deepEqual(
      [map, other].map(({ getStats }) => Reflect.apply(getStats, map, []).errors.total),
      [2, 2]
    )
    assert.equal(other.getStats().errors.total, 0)
    map.close()
    other.close()
  })

  it('a transaction that is over, and a call that waits too long', async () => {
    const map = new TypedMap()
    const transaction = map.begin()
    transaction.rollback()
    for (const call of ['commit', 'rollback']) throwsTyped(() => transaction[call](), 'ERR_TRANSACTION_CLOSED')
    throwsTyped(() => transaction.get('a'), 'ERR_TRANSACTION_CLOSED')
    const never = () => new Promise(() => {})
    await assert.rejects(map.getOrLoad('a', never, { timeout: 1 }), { code: 'ERR_TIMEOUT' })
    await assert.rejects(map.getManyOrLoad(['b', 'c'], never, { timeout: 1 }), { code: 'ERR_TIMEOUT' })
    await assert.rejects(
      map.getOrLoad('d', () => cyclic()),
      { code: 'ERR_VALUE_NOT_SERIALIZABLE' }
    )
    const { byCode } = map.getStats().errors
    assert.deepEqual(byCode, { ERR_VALUE_NOT_SERIALIZABLE: 1, ERR_TRANSACTION_CLOSED: 3, ERR_TIMEOUT: 2 })
    map.close()
  })

  it('a conflict is one when it is thrown, and not while the callback is called again', () => {
    const map = new TypedMap()
    let calls = 0
    map.transaction(transaction => {
      transaction.get('a')
      if (calls++ < 2) map.set('a', calls)
      transaction.set('b', 1)
    })
    assert.equal(map.getStats().errors.total, 0)
    const conflicting = transaction => {
      transaction.get('a')
      map.set('a', Math.random())
      transaction.set('b', 1)
    }
    throwsTyped(() => map.transaction(conflicting, { retries: 2 }), 'ERR_TRANSACTION_CONFLICT')
    const changing = () => {
      map.set('a', Math.random())
      return 1
    }
    throwsTyped(() => map.update('a', changing, { retries: 1 }), 'ERR_TRANSACTION_CONFLICT')
    const own = map.begin()
    own.get('a')
    map.set('a', 2)
    own.set('b', 1)
    throwsTyped(() => own.commit(), 'ERR_TRANSACTION_CONFLICT')
    assert.deepEqual(map.getStats().errors.byCode, { ERR_TRANSACTION_CONFLICT: 3 })
    map.close()
  })

  it('a write is refused only if a function of the user makes no room for it', () => {
    const keys = []
    const map = new TypedMap({ maxEntries: 2, evictionStrategy: ([first]) => (keys.length > 3 ? undefined : first) })
    for (let n = 0; n < 4; n++) keys.push(map.set(n, n))
    assert.equal(map.getStats().errors.total, 0)
    throwsTyped(() => map.set(9, 9), 'ERR_EVICTION_FAILED')
    assert.deepEqual(map.getStats().errors.byCode, { ERR_EVICTION_FAILED: 1 })
    map.close()
  })

  it('of all threads', async () => {
    const name = newName()
    const map = TypedMap.open(name)
    const refuse = ({ TypedMap, data }) => {
      const map = TypedMap.open(data)
      for (let n = 0; n < 10; n++) {
        try {
          map.set('a', () => {})
        } catch {}
      }
    }
    await Promise.all([inWorker(refuse, name), inWorker(refuse, name)])
    assert.deepEqual(map.getStats().errors.byCode, { ERR_VALUE_NOT_SERIALIZABLE: 20 })
    map.close()
  })

  it('calls of a map that was closed are those of the map, while something has it open', () => {
    const name = newName()
    const [map, closed] = [TypedMap.open(name), TypedMap.open(name)]
    const handle = closed.insert(1)
    closed.close()
    for (const call of [() => closed.get('a'), () => closed.get(handle), () => closed.set('a', 1), () => closed.size]) {
      throwsTyped(call, 'ERR_CLOSED')
    }
    assert.deepEqual(map.getStats().errors.byCode, { ERR_CLOSED: 4 })
    // Of the maps that were closed since, not too many are remembered.
    for (let n = 0; n < 100; n++) new TypedMap().close()
    throwsTyped(() => closed.get('a'), 'ERR_CLOSED')
    assert.deepEqual(map.getStats().errors.byCode, { ERR_CLOSED: 4 })
    map.close()
  })
})
