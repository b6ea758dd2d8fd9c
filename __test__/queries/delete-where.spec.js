'use strict'

// Entries that a query or a prefix asks for are deleted. How queries are asked, and what ends them, is in find.spec.js.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { rejectsTyped, throwsTyped } = require('../support/errors.js')
const { until } = require('../support/turns.js')
const { nextMessage, startWorker } = require('../support/workers.js')

require('../support/sound.js')

const filled = count => {
  const map = new TypedMap()
  map.setMany(Array.from({ length: count }, (_, n) => [`key ${n}`, { n, parity: n % 2 === 0 ? 'even' : 'odd' }]))
  return map
}

describe('deleteWhere', () => {
  it('deletes the entries that a query asks for, and says how many', async () => {
    const map = filled(1_000)
    const handle = map.getHandle('key 7')
    // A copy of each is at hand.
    for (const key of map.keys()) map.get(key)
    assert.equal(await map.deleteWhere({ where: { '/parity': 'odd', '/n': { lt: 500 } } }), 250)
    assert.equal(map.size, 750)
    for (let n = 0; n < 1_000; n++) {
      const isGone = n % 2 === 1 && n < 500
      assert.equal(map.get(`key ${n}`)?.n, isGone ? undefined : n)
    }
    assert.equal(map.has(handle), false)
    throwsTyped(() => map.replace(handle, 1), ['ERR_HANDLE_NOT_FOUND', 'ERR_GENERATION_MISMATCH'])
    assert.equal(map.getStats().deletes, 250)
    assert.equal(await map.deleteWhere({ where: { '/parity': 'odd', '/n': { lt: 500 } } }), 0)
    assert.equal(await map.deleteWhere({}), 750)
    assert.equal(map.size, 0)
  })

  it('deletes those of a type, with and without a key', async () => {
    const map = filled(10)
    const handles = map.insertMany([{ n: 1 }, { n: 2 }], { type: 'T' })
    map.ofType('T').set('typed', { n: 3 })
    assert.equal(await map.deleteWhere({ where: { '/n': { gt: 1 } } }, { type: 'T' }), 2)
    assert.deepEqual(
      handles.map(handle => map.has(handle)),
      [true, false]
    )
    assert.equal(map.size, 11)
    assert.equal(await map.deleteWhere({}, { type: 'none' }), 0)
  })

  it('tells listeners', async () => {
    const map = filled(100)
    const removed = []
    map.onEvict(({ key, cause }) => removed.push([key, cause]), { causes: ['explicit'] })
    await map.deleteWhere({ where: { '/n': { in: [3, 5] } } })
    await until(() => removed.length === 2)
    assert.deepEqual(removed.sort(), [
      ['key 3', 'explicit'],
      ['key 5', 'explicit']
    ])
  })

  it('leaves the rest once it is aborted', async () => {
    const map = filled(100_000)
    const controller = new AbortController()
    const deleted = map.deleteWhere({}, { signal: controller.signal })
    controller.abort()
    await assert.rejects(deleted, { name: 'AbortError' })
    // What was deleted by then is, and the job ends within the slice that is under way.
    await map.count({})
    const { size } = map
    await map.count({})
    assert.equal(map.size, size)
  })

  it('deletes an entry only as it was when it matched, beside threads that write', async () => {
    const name = `deleted beside writers ${process.pid}`
    const map = TypedMap.open(name, { shards: 2 })
    const write = ({ TypedMap, data, port }) => {
      const map = TypedMap.open(data.name)
      let [n, isOver] = [data.seed, false]
      port.once('message', () => {
        isOver = true
      })
      port.postMessage('begun')
      return new Promise(resolve => {
        const turn = () => {
          for (let step = 0; step < 1_000; step++) {
            n = (Math.imul(n, 1_103_515_245) + 12_345) >>> 0
            const status = n & 0x1_0000 ? 'drop' : 'keep'
            map.set(`key ${(n >>> 8) % 64}`, { status, text: 'x'.repeat(n % 50) })
          }
          if (isOver) resolve()
          else setImmediate(turn)
        }
        turn()
      })
    }
    let removed = 0
    const wrong = []
    map.onEvict(
      ({ value }) => {
        removed++
        if (value.status !== 'drop') wrong.push(value)
      },
      { causes: ['explicit'] }
    )
    const workers = [1, 2].map(seed => startWorker(write, { name, seed }))
    await Promise.all(workers.map(nextMessage))
    let deleted = 0
    for (let round = 0; round < 400 || deleted < 1_000; round++) {
      deleted += await map.deleteWhere({ where: { '/status': 'drop' } })
    }
    for (const worker of workers) worker.postMessage('enough')
    await Promise.all(workers.map(({ result }) => result))
    await until(() => removed === deleted)
    assert.deepEqual(wrong, [])
    await map.deleteWhere({ where: { '/status': 'drop' } })
    for (const { status } of map.values()) assert.equal(status, 'keep')
    map.destroy()
  })

  it('keeps loads that began before from storing what they bring, as a delete does', async () => {
    const deletions = [
      map => map.deleteWhere({ key: 'user:*' }),
      map => map.deleteWhere({ key: 'user:*', where: { '/name': 'Ada' } }),
      map => map.deleteWhere({}),
      map => map.deletePrefix('user:')
    ]
    for (const remove of deletions) {
      const map = new TypedMap()
      const loads = ['user:1', 'page:1'].map(key => {
        let finish
        const value = map.getOrLoad(key, () => new Promise(resolve => (finish = resolve)))
        return { key, value, finish: () => finish({ name: 'Ada' }) }
      })
      assert.equal(await remove(map), 0)
      for (const { finish } of loads) finish()
      for (const { value } of loads) assert.deepEqual(await value, { name: 'Ada' })
      assert.equal(map.has('user:1'), false)
      assert.equal(map.has('page:1'), remove !== deletions[2])
    }
  })
})

describe('deletePrefix', () => {
  it('deletes entries whose keys are strings that begin so', async () => {
    const map = new TypedMap()
    const keys = [
      'user:1',
      'user:17',
      'user',
      'User:1',
      'us*r:1',
      'us*',
      'é:1',
      'é:2',
      '😀:1',
      '',
      'user\u0000',
      17,
      17n,
      true
    ]
    const fill = () => map.setMany(keys.map(key => [key, 1]))
    const cases = {
      'user:1': ['user:1', 'user:17'],
      user: ['user:1', 'user:17', 'user', 'user\u0000'],
      'us*': ['us*r:1', 'us*'],
      'é:': ['é:1', 'é:2'],
      // Half of a character, as `startsWith` has it.
      '\ud83d': ['😀:1'],
      17: [],
      [`user:1${'x'.repeat(5_000)}`]: [],
      '': keys.filter(key => typeof key === 'string')
    }
    for (const [prefix, expected] of Object.entries(cases)) {
      fill()
      assert.equal(await map.deletePrefix(prefix), expected.length, prefix)
      assert.deepEqual(
        keys.filter(key => !map.has(key)),
        keys.filter(key => expected.includes(key))
      )
    }
  })

  it('compares as the map does where keys have several spellings', async () => {
    const keys = ['User:1', 'USER:2', 'page:1']
    const folded = new TypedMap({ caseInsensitiveKeys: true })
    folded.setMany(keys.map(key => [key, 1]))
    assert.equal(await folded.deletePrefix('uSER:'), 2)
    assert.deepEqual([...folded.keys()], ['page:1'])
    const normalized = new TypedMap({ normalizeKey: key => (key === 'none' ? 1 : key.toLowerCase()) })
    normalized.setMany(keys.map(key => [key, 1]))
    assert.equal(await normalized.deletePrefix('USER:'), 2)
    assert.equal(await normalized.deleteWhere({ key: 'PAGE:*' }), 1)
    await rejectsTyped(normalized.deletePrefix('none'), 'ERR_INVALID_OPTION', { says: [/normalizeKey/] })
  })

  it('refuses what is no string, and other options', async () => {
    const map = filled(10)
    for (const prefix of [undefined, null, 1, /a/, ['a']]) {
      await rejectsTyped(map.deletePrefix(prefix), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/prefix/] })
    }
    for (const given of [{ type: 'T' }, { limit: 1 }, { signal: 1 }, null]) {
      await rejectsTyped(map.deletePrefix('key', given), 'ERR_INVALID_OPTION')
    }
    assert.equal(map.size, 10)
    const reason = new Error('enough')
    const aborted = map.deletePrefix('key', { signal: AbortSignal.abort(reason) })
    await assert.rejects(aborted, error => error === reason)
    assert.equal(map.size, 10)
    map.close()
    await rejectsTyped(map.deletePrefix('key'), 'ERR_CLOSED')
  })
})
