'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { Handle, TypedMap } = require('../..')
const { stillMap } = require('../support/clock.js')
const { throwsTyped } = require('../support/errors.js')
const { until } = require('../support/turns.js')
const { startWorker } = require('../support/workers.js')

require('../support/sound.js')

/** Runs `fn`, which must throw this code, with these details among others. */
function refuses(fn, code, details = {}) {
  const error = throwsTyped(fn, code)
  for (const [name, value] of Object.entries(details)) assert.deepEqual(error.details[name], value)
  return error
}

describe('transaction', () => {
  it('returns what the callback returns, whose writes are seen at once afterwards', () => {
    const map = new TypedMap([
      ['a', 1],
      ['b', { n: 2 }]
    ])
    const result = map.transaction(tx => {
      assert.equal(tx.set('a', 10).set('c', { n: 3 }), tx)
      assert.equal(tx.delete('b'), true)
      assert.equal(tx.delete('b'), false)
      assert.deepEqual([tx.get('a'), tx.get('b'), tx.get('c')], [10, undefined, { n: 3 }])
      assert.deepEqual([tx.has('a'), tx.has('b'), tx.has('c')], [true, false, true])
      assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [1, { n: 2 }, undefined])
      return 'done'
    })
    assert.equal(result, 'done')
    assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [10, undefined, { n: 3 }])
    assert.deepEqual([...map.keys()], ['a', 'c'])
  })

  it('reads many of one moment, its own writes among them', () => {
    const map = new TypedMap([
      ['a', { n: 1 }],
      ['b', 2],
      ['c', 3]
    ])
    const c = map.getHandle('c')
    map.transaction(tx => {
      tx.set('b', 20).delete(c)
      const own = tx.insert('new')
      assert.deepEqual(tx.getMany(['a', 'b', 'c', c, own, 'none']), [
        { n: 1 },
        20,
        undefined,
        undefined,
        'new',
        undefined
      ])
      assert.deepEqual(tx.getMany(new Set(['a', 'b'])), [{ n: 1 }, 20])
      assert.deepEqual(tx.getMany([]), [])
      refuses(() => tx.getMany(5), 'ERR_INVALID_OPTION')
    })
    const open = map.begin()
    assert.equal(open.get('a').n, 1)
    map.set('a', { n: 2 })
    refuses(() => open.getMany(['b']), 'ERR_TRANSACTION_CONFLICT', { keys: ['a'] })
    refuses(() => open.getMany([]), 'ERR_TRANSACTION_CLOSED')
  })

  for (const options of [{}, { codec: 'v8' }, { normalizeKey: key => (typeof key === 'string' ? `${key}!` : key) }]) {
    it(`updates what it has read and written itself: ${Object.keys(options)}`, () => {
      const map = new TypedMap([['a', { n: 1 }]], options)
      const keyless = map.insert({ n: 5 })
      const dead = map.insert(1)
      map.delete(dead)
      const add = value => {
        if (value === undefined) return { n: 100 }
        value.n++
        return value
      }
      map.transaction(tx => {
        const before = tx.get('a')
        const written = tx.update('a', add)
        assert.deepEqual([before, written, tx.get('a')], [{ n: 1 }, { n: 2 }, { n: 2 }])
        assert.equal(Object.isFrozen(written), options.codec === undefined)
        assert.deepEqual(tx.update('a', add), { n: 3 })
        assert.deepEqual([tx.update('new', add), tx.update(keyless, add)], [{ n: 100 }, { n: 6 }])
        const own = tx.insert({ n: 0 })
        assert.deepEqual(tx.update(own, add), { n: 1 })
        assert.equal(
          tx.update('new', () => undefined),
          undefined
        )
        assert.equal(tx.has('new'), false)
        refuses(() => tx.update(dead, add), 'ERR_HANDLE_NOT_FOUND')
        refuses(() => tx.update('a', 5), 'ERR_INVALID_OPTION')
        if (options.codec === undefined) {
          throwsTyped(() => tx.update('a', async () => 1), 'ERR_VALUE_NOT_SERIALIZABLE', { kind: TypeError })
        }
        assert.throws(
          () =>
            tx.update('a', () => {
              throw new RangeError('no')
            }),
          RangeError
        )
        assert.deepEqual(tx.get('a'), { n: 3 })
        assert.deepEqual(map.get('a'), { n: 1 })
      })
      assert.deepEqual([map.get('a'), map.get(keyless), map.has('new')], [{ n: 3 }, { n: 6 }, false])
    })
  }

  it('is not written to by a callback of an update that has ended it', () => {
    const map = new TypedMap([['a', 1]])
    const open = map.begin()
    const end = () => {
      open.rollback()
      return 2
    }
    refuses(() => open.update('a', end), 'ERR_TRANSACTION_CLOSED', { state: 'rolledBack' })
    assert.equal(map.get('a'), 1)
  })

  it('works by key and by handle, which are the same entry', () => {
    const map = new TypedMap([['a', 1]])
    const a = map.getHandle('a')
    const keyless = map.insert({ n: 1 }, { type: 'Thing' })
    map.transaction(tx => {
      tx.set(a, 2)
      assert.equal(tx.get('a'), 2)
      tx.set('a', 3)
      assert.equal(tx.get(a), 3)
      tx.set(keyless, { n: 2 })
      assert.deepEqual(tx.get(keyless), { n: 2 })
      assert.equal(tx.increment(a), 4)
    })
    assert.equal(map.get(a), 4)
    assert.deepEqual(map.get(keyless, { type: 'Thing' }), { n: 2 })
    map.transaction(tx => tx.delete(a))
    assert.equal(map.has('a'), false)
    map.transaction(tx => {
      assert.equal(tx.get(a), undefined)
      assert.equal(tx.has(a), false)
      assert.equal(tx.delete(a), false)
      refuses(() => tx.set(a, 1), 'ERR_HANDLE_NOT_FOUND')
      refuses(() => tx.increment(a), 'ERR_HANDLE_NOT_FOUND')
    })
  })

  it('values of every kind, as they are when they are set', () => {
    const map = new TypedMap()
    const values = [0, -0, 1.5, 2n ** 70n, '', 'é\ud800', null, true, undefined, [1, 2], { a: { b: [{ c: 1 }] } }]
    for (const value of [...values, new Uint8Array([1, 2]), Buffer.from('ab'), new Float64Array([0.5])]) {
      map.transaction(tx => {
        tx.set('a', value)
        assert.deepEqual(tx.get('a'), value)
      })
      assert.deepEqual(map.get('a'), value)
      assert.deepEqual(
        map.transaction(tx => tx.get('a')),
        value
      )
    }
    const object = { n: 1 }
    map.transaction(tx => {
      tx.set('b', object)
      object.n = 2
    })
    assert.deepEqual(map.get('b'), { n: 1 })
  })

  it('many objects of one shape, of which each is read again', () => {
    const map = new TypedMap()
    map.transaction(tx => {
      for (let n = 0; n < 100; n++) tx.set(n, { host: `h${n}`, port: n })
      for (let n = 0; n < 100; n++) assert.deepEqual(tx.get(n), { host: `h${n}`, port: n })
    })
    for (let n = 0; n < 100; n++) assert.deepEqual(map.get(n), { host: `h${n}`, port: n })
    map.transaction(tx => {
      for (let n = 0; n < 100; n++) tx.set(n, { ...tx.get(n), port: n + 1 })
    })
    for (let n = 0; n < 100; n++) assert.deepEqual(map.get(n), { host: `h${n}`, port: n + 1 })
  })

  it('an exception rolls back and is thrown on', () => {
    const map = new TypedMap([['a', 1]])
    const error = new Error('no')
    let calls = 0
    assert.throws(
      () =>
        map.transaction(tx => {
          calls++
          tx.set('a', tx.get('a') + 1)
          throw error
        }),
      thrown => thrown === error
    )
    assert.deepEqual([calls, map.get('a')], [1, 1])
  })

  it('is tried again when others changed what it has read, whatever it threw then', () => {
    const map = new TypedMap([['a', 1]])
    let calls = 0
    const attempt = ending => {
      calls = 0
      map.set('a', 1)
      return map.transaction(tx => {
        const before = tx.get('a')
        if (++calls < 3) {
          // Outside of the transaction, as another thread would.
          map.set('a', before + 10)
          ending(tx)
        }
        tx.set('a', before + 1)
        return before
      })
    }
    const endings = [
      () => {},
      () => {
        throw new Error('of two moments')
      },
      tx => tx.get('b'),
      tx => {
        try {
          tx.get('b')
        } catch {
          // It is doomed all the same.
        }
      }
    ]
    for (const ending of endings) {
      assert.equal(attempt(ending), 21)
      assert.deepEqual([calls, map.get('a')], [3, 22])
    }
  })

  it('never acts on two moments: a read that would is refused', () => {
    const map = new TypedMap([
      ['a', 1],
      ['b', 1]
    ])
    const tx = map.begin()
    assert.equal(tx.get('a'), 1)
    map.setMany([
      ['a', 2],
      ['b', 2]
    ])
    refuses(() => tx.get('b'), 'ERR_TRANSACTION_CONFLICT', { keys: ['a'] })
    refuses(() => tx.get('b'), 'ERR_TRANSACTION_CLOSED')
  })

  it('a key that was absent is looked up again', () => {
    const map = new TypedMap()
    for (const read of [tx => tx.get('a'), tx => tx.has('a'), tx => tx.delete('a')]) {
      map.clear()
      const tx = map.begin()
      assert.ok(!read(tx))
      tx.set('b', 1)
      map.set('a', 1)
      refuses(() => tx.commit(), 'ERR_TRANSACTION_CONFLICT', { keys: ['a'] })
      assert.equal(map.has('b'), false)
    }
  })

  it('gives up after its retries, and says which keys others have changed', () => {
    const map = new TypedMap([
      ['a', 0],
      [7, 0]
    ])
    const handle = map.insert(0)
    let calls = 0
    const change = keys =>
      refuses(
        () =>
          map.transaction(
            tx => {
              for (const key of keys) tx.get(key)
              calls++
              for (const key of keys) map.increment(key)
              tx.set('written', 1)
            },
            { retries: 3 }
          ),
        'ERR_TRANSACTION_CONFLICT'
      ).details
    assert.deepEqual(change(['a', 7]), { retries: 3, keys: ['a', 7] })
    assert.equal(calls, 4)
    const { map: number, shard, slot, generation } = handle
    assert.deepEqual(change([handle]).keys, [{ map: number, shard, slot, generation }])
    assert.equal(map.has('written'), false)
    const message = refuses(
      () =>
        map.transaction(
          tx => {
            tx.get('a')
            map.increment('a')
            tx.set('b', 1)
          },
          { retries: 0 }
        ),
      'ERR_TRANSACTION_CONFLICT'
    ).message
    assert.match(message, /'a'.*1 attempt;.*nothing was written/)
  })

  it('increments numbers and bigints', () => {
    const map = new TypedMap([['a', 1]])
    map.transaction(tx => {
      assert.equal(tx.increment('a', 2), 3)
      assert.equal(tx.increment('a'), 4)
      assert.equal(tx.increment('new', 1, { initial: 10 }), 11)
      assert.equal(tx.increment('big', 2n), 2n)
      assert.equal(tx.increment('big', 2n ** 70n), 2n ** 70n + 2n)
      refuses(() => tx.increment('a', 1, { max: 4 }), 'ERR_OUT_OF_RANGE')
      refuses(() => tx.increment('a', 1n), 'ERR_WRONG_TYPE')
      assert.throws(() => tx.increment('a', 1, { withTtl: true }), { code: 'ERR_INVALID_OPTION' })
      assert.throws(() => tx.increment('a', 1, { at: '/n' }), { code: 'ERR_INVALID_OPTION' })
      assert.equal(tx.get('a'), 4)
    })
    assert.deepEqual([map.get('a'), map.get('new'), map.get('big')], [4, 11, 2n ** 70n + 2n])
  })

  it('insert gives a handle that is filled in at the commit', () => {
    const map = new TypedMap()
    let pending
    const [first, second] = map.transaction(tx => {
      pending = tx.insert({ n: 1 }, { type: 'Thing' })
      const other = tx.insert({ n: 2 })
      assert.ok(pending instanceof Handle)
      assert.deepEqual([tx.get(pending), tx.has(other)], [{ n: 1 }, true])
      tx.set(other, { n: 3 })
      refuses(() => pending.get(), 'ERR_HANDLE_NOT_FOUND', { pending: true })
      refuses(() => map.replace(pending, 1), 'ERR_HANDLE_NOT_FOUND', { pending: true })
      assert.deepEqual([map.get(pending), map.has(pending), map.delete(pending)], [undefined, false, false])
      const gone = tx.insert(3)
      assert.equal(tx.delete(gone), true)
      assert.equal(tx.get(gone), undefined)
      return [pending, other]
    })
    assert.equal(first, pending)
    assert.deepEqual([map.get(first, { type: 'Thing' }), first.get(), map.get(second)], [{ n: 1 }, { n: 1 }, { n: 3 }])
    assert.equal(map.size, 2)
    assert.ok(Object.isFrozen(first))
    assert.equal(map.get(map.handle({ ...first })).n, 1)
    assert.deepEqual([...map.keys()].length, 2)
    let lost
    assert.throws(() =>
      map.transaction(tx => {
        lost = tx.insert(1)
        throw new Error('no')
      })
    )
    assert.equal(map.get(lost), undefined)
    refuses(() => lost.get(), 'ERR_HANDLE_NOT_FOUND', { pending: true })
  })

  it('refuses a promise, and writes nothing', () => {
    const map = new TypedMap()
    assert.throws(
      () =>
        map.transaction(tx => {
          tx.set('a', 1)
          return Promise.resolve()
        }),
      { name: 'TypeError', code: 'ERR_INVALID_OPTION' }
    )
    assert.equal(map.size, 0)
  })

  it('refuses bad input', () => {
    const map = new TypedMap()
    for (const callback of [undefined, null, 1, {}]) {
      assert.throws(() => map.transaction(callback), { name: 'TypeError' })
    }
    for (const retries of [-1, 1.5, '1', Number.NaN]) {
      assert.throws(() => map.transaction(() => {}, { retries }), { code: 'ERR_INVALID_OPTION' })
    }
    assert.throws(() => map.transaction(() => {}, { other: 1 }), { code: 'ERR_INVALID_OPTION' })
    map.transaction(tx => {
      assert.throws(() => tx.set(Symbol('a'), 1), { code: 'ERR_KEY_TYPE' })
      assert.throws(() => tx.get({}), { code: 'ERR_KEY_TYPE' })
      assert.throws(() => tx.set('a', () => {}), { code: 'ERR_VALUE_NOT_SERIALIZABLE' })
      assert.throws(() => tx.set('a', Promise.resolve()), { code: 'ERR_VALUE_NOT_SERIALIZABLE' })
      assert.throws(() => tx.set('a', 1, { ttl: -1 }), { code: 'ERR_INVALID_OPTION' })
      refuses(() => tx.set(new TypedMap([['a', 1]]).getHandle('a'), 1), 'ERR_HANDLE_INVALIDATED')
      assert.equal(tx.get(new TypedMap([['a', 1]]).getHandle('a')), undefined)
    })
    assert.equal(map.size, 0)
  })

  it('a nested one is refused, and one of another map is not', () => {
    const [map, other] = [new TypedMap(), new TypedMap()]
    map.transaction(tx => {
      refuses(() => map.transaction(() => {}), 'ERR_TRANSACTION_CLOSED', { state: 'nested' })
      other.transaction(inner => inner.set('a', 1))
      for (const end of [() => tx.commit(), () => tx.rollback()]) {
        refuses(end, 'ERR_TRANSACTION_CLOSED', { state: 'running' })
      }
      const beside = map.begin()
      beside.set('b', 1)
      beside.commit()
    })
    assert.deepEqual([map.get('b'), other.get('a')], [1, 1])
    map.transaction(() => {})
  })

  it('a plain set inside is outside', () => {
    const map = new TypedMap()
    assert.throws(() =>
      map.transaction(tx => {
        tx.set('inside', 1)
        map.set('outside', 1)
        throw new Error('no')
      })
    )
    assert.deepEqual([...map.keys()], ['outside'])
  })

  it('is over when its callback has returned', () => {
    const map = new TypedMap()
    let kept
    map.transaction(tx => {
      kept = tx
    })
    for (const use of [() => kept.get('a'), () => kept.set('a', 1), () => kept.commit(), () => kept.rollback()]) {
      refuses(use, 'ERR_TRANSACTION_CLOSED', { state: 'committed' })
    }
  })

  it('has at most 1,024 keys and 16 MB', () => {
    const map = new TypedMap()
    map.transaction(tx => {
      for (let n = 0; n < 1_024; n++) tx.set(n, n)
      refuses(() => tx.set('more', 1), 'ERR_TRANSACTION_TOO_LARGE', { keys: 1_025, limitKeys: 1_024 })
      refuses(() => tx.get('more'), 'ERR_TRANSACTION_TOO_LARGE')
      tx.set(5, 'again')
    })
    assert.deepEqual([map.size, map.get(5)], [1_024, 'again'])
    map.transaction(tx => {
      const bytes = new Uint8Array(8 * 1024 * 1024)
      tx.set('a', bytes)
      refuses(() => tx.set('b', bytes), 'ERR_TRANSACTION_TOO_LARGE', { limitBytes: 16 * 1024 * 1024 })
    })
    assert.equal(map.has('b'), false)
  })

  it('a map that is closed or destroyed inside', () => {
    for (const end of ['close', 'destroy']) {
      const map = new TypedMap([['a', 1]])
      const inside = tx => {
        assert.equal(tx.get('a'), 1)
        map[end]()
        tx.get('a')
      }
      refuses(() => map.transaction(inside), 'ERR_CLOSED')
      refuses(() => map.transaction(() => {}), 'ERR_CLOSED')
      refuses(() => map.begin(), 'ERR_CLOSED')
    }
  })
})

describe('keys of a transaction', () => {
  it('go through normalizeKey', () => {
    const map = new TypedMap({ normalizeKey: key => (typeof key === 'string' ? key.trim() : key) })
    map.set('a', 1)
    map.transaction(tx => {
      assert.deepEqual([tx.get(' a '), tx.has('a '), tx.increment(' a')], [1, true, 2])
      tx.set(' b ', 1)
      assert.equal(tx.get('b'), 1)
      assert.equal(tx.delete('a  '), true)
    })
    assert.deepEqual([...map], [['b', 1]])
  })

  it('that differ in case are one where they are one to the map, which keeps the first spelling', () => {
    const map = new TypedMap({ caseInsensitiveKeys: true })
    const large = 'x'.repeat(5_000)
    map.set('Key', 1)
    map.transaction(tx => {
      tx.set('NEW', 1)
      assert.deepEqual([tx.get('KEY'), tx.get('new')], [1, 1])
      tx.set('new', large)
      tx.set('key', large)
      assert.equal(tx.get('Key'), large)
    })
    assert.deepEqual([...map.keys()], ['Key', 'NEW'])
    assert.deepEqual([map.get('kEY'), map.get('nEW')], [large, large])
    map.transaction(tx => tx.set('KEY', 2).set('New', 2))
    assert.deepEqual(
      [...map],
      [
        ['Key', 2],
        ['NEW', 2]
      ]
    )
  })
})

describe('types in a transaction', () => {
  it('an entry that is inserted has its type, a set by key takes it away, one by handle does not', () => {
    const map = new TypedMap()
    const things = map.ofType('Thing')
    const [kept, removed] = map.transaction(tx => [
      tx.insert({ n: 1 }, { type: 'Thing' }),
      tx.insert({ n: 2 }, { type: 'Thing' })
    ])
    things.set('a', { n: 3 })
    assert.equal(things.size, 3)
    map.transaction(tx => {
      tx.set(kept, { n: 4 })
      tx.delete(removed)
      tx.set('a', { n: 5 })
    })
    assert.equal(things.size, 1)
    assert.deepEqual([...things.values()], [{ n: 4 }])
    assert.deepEqual(map.get('a'), { n: 5 })
    const handle = map.getHandle('a')
    things.set('b', { n: 6 })
    map.transaction(tx => {
      tx.increment('count')
      tx.set(map.getHandle('b'), { n: 7 })
      tx.set(handle, { n: 8 })
    })
    assert.deepEqual([...things.values()], [{ n: 4 }, { n: 7 }])
  })
})

describe('begin', () => {
  it('commits or rolls back, once', () => {
    const map = new TypedMap([['a', 1]])
    const tx = map.begin()
    tx.set('a', 2)
    assert.equal(map.get('a'), 1)
    assert.equal(tx.commit(), undefined)
    assert.equal(map.get('a'), 2)
    const uses = [tx => tx.get('a'), tx => tx.set('a', 1), tx => tx.insert(1), tx => tx.commit(), tx => tx.rollback()]
    for (const use of uses) refuses(() => use(tx), 'ERR_TRANSACTION_CLOSED', { state: 'committed' })
    const other = map.begin()
    other.set('a', 3)
    other.rollback()
    assert.equal(map.get('a'), 2)
    for (const use of uses) refuses(() => use(other), 'ERR_TRANSACTION_CLOSED', { state: 'rolledBack' })
  })

  it('several at once: the first to commit wins', () => {
    const map = new TypedMap([['a', 1]])
    const [first, second, third] = [map.begin(), map.begin(), map.begin()]
    for (const tx of [first, second]) tx.set('a', tx.get('a') + 1)
    third.set('b', 1)
    first.commit()
    refuses(() => second.commit(), 'ERR_TRANSACTION_CONFLICT', { keys: ['a'] })
    third.commit()
    assert.deepEqual([map.get('a'), map.get('b')], [2, 1])
  })

  it('a resource that is disposed of is rolled back', () => {
    const map = new TypedMap()
    const dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose')
    const tx = map.begin()
    tx.set('a', 1)
    tx[dispose]()
    tx[dispose]()
    refuses(() => tx.commit(), 'ERR_TRANSACTION_CLOSED')
    const other = map.begin()
    other.set('b', 1)
    other.commit()
    other[dispose]()
    assert.deepEqual([...map.keys()], ['b'])
  })

  it('one that is refused by a limit can be committed once there is room', () => {
    const map = new TypedMap({ maxEntries: 10, oomStrategy: 'reject' })
    for (let n = 0; n < 10; n++) map.set(n, n)
    const tx = map.begin()
    tx.set(0, 'new')
    tx.set('a', 1)
    refuses(() => tx.commit(), 'ERR_MEMORY_LIMIT')
    assert.deepEqual([map.get(0), map.size], [0, 10])
    map.delete(9)
    tx.commit()
    assert.deepEqual([map.get(0), map.get('a'), map.size], ['new', 1, 10])
  })
})

describe('a commit', () => {
  it('begins and keeps deadlines as single writes do', () => {
    const { map, advance } = stillMap({ ttl: 1_000 })
    map.set('kept', 1)
    map.set('renewed', 1)
    const gone = map.insert(1)
    advance(600)
    map.transaction(tx => {
      tx.set('renewed', 2)
      tx.set('own', 1, { ttl: 100 })
      tx.set('for good', 1, { ttl: Infinity })
      tx.increment('kept')
      tx.increment('counter', 1, { ttl: 50 })
      tx.insert(1, { ttl: 70 })
      assert.equal(tx.get(gone), 1)
    })
    assert.deepEqual(
      ['kept', 'renewed', 'own', 'for good', 'counter'].map(key => map.ttlOf(key)),
      [400, 1_000, 100, Number.POSITIVE_INFINITY, 50]
    )
    advance(450)
    assert.deepEqual(
      [map.has('kept'), map.get('renewed'), map.has('own'), map.has('counter')],
      [false, 2, false, false]
    )
    map.purgeExpired()
    assert.deepEqual([...map.keys()], ['renewed', 'for good'])
  })

  it('what has expired meanwhile has changed', () => {
    const { map, advance } = stillMap()
    map.set('a', 1, { ttl: 100 })
    const tx = map.begin()
    assert.equal(tx.get('a'), 1)
    tx.set('b', 1)
    advance(100)
    refuses(() => tx.commit(), 'ERR_TRANSACTION_CONFLICT', { keys: ['a'] })
    // A value that was only written is inserted anew.
    map.set('a', 1, { ttl: 100 })
    const blind = map.begin()
    blind.set('a', 2)
    advance(100)
    blind.commit()
    assert.deepEqual([map.get('a'), map.ttlOf('a')], [2, Number.POSITIVE_INFINITY])
  })

  it('counts as single writes and reads do, and tells of the same removals', async () => {
    const map = new TypedMap([
      ['a', 1],
      ['b', 2],
      ['c', 3]
    ])
    const removed = []
    map.onEvict(({ key, cause, value }) => removed.push([key, cause, value]), { causes: ['replaced', 'explicit'] })
    const before = map.getStats()
    map.transaction(tx => {
      tx.get('a')
      tx.get('missing')
      tx.set('a', 10)
      tx.set('a', 11)
      tx.delete('b')
      tx.set('new', 1)
      tx.insert(1)
    })
    const after = map.getStats()
    const grown = name => after[name] - before[name]
    assert.deepEqual(['hits', 'misses', 'inserts', 'updates', 'deletes'].map(grown), [1, 1, 2, 1, 1])
    await until(() => removed.length === 2)
    assert.deepEqual(removed.sort(), [
      ['a', 'replaced', 1],
      ['b', 'explicit', 2]
    ])
  })

  it('asks the function of a full map for room', () => {
    const map = new TypedMap({
      maxEntries: 4,
      evictionStrategy: candidates => candidates.find(({ key }) => key !== 'kept')
    })
    for (const key of ['kept', 1, 2, 3]) map.set(key, key)
    map.transaction(tx => {
      assert.equal(tx.get('kept'), 'kept')
      tx.set('a', 1)
      tx.set('b', 1)
    })
    assert.deepEqual([map.size, map.get('kept'), map.get('a'), map.get('b')], [4, 'kept', 1, 1])
  })

  it('ends the copies of other threads', async () => {
    const name = `transaction ${process.pid}`
    const map = TypedMap.open(name)
    map.set('a', { n: 1 })
    const worker = startWorker(({ TypedMap, data, port }) => {
      const map = TypedMap.open(data)
      map.get('a')
      const known = map.get('a').n
      port.postMessage('ready')
      return new Promise(resolve => port.once('message', () => resolve([known, map.get('a').n])))
    }, name)
    await new Promise(resolve => worker.once('message', resolve))
    map.transaction(tx => tx.set('a', { n: tx.get('a').n + 1 }))
    worker.postMessage('go')
    assert.deepEqual(await worker.result, [1, 2])
    await worker.exit
    map.destroy()
  })
})
