'use strict'

// onChange: reports each change of an entry, whichever method and whichever thread makes it, in the order of its key.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { Handle, TypedMap } = require('../..')
const { binding } = require('../../lib/native/attach.js')
const { stillMap } = require('../support/clock.js')
const { throwsTyped } = require('../support/errors.js')
const { runNode } = require('../support/processes.js')
const { someTurns, until } = require('../support/turns.js')
const { inWorker, nextMessage, startWorker } = require('../support/workers.js')

require('../support/sound.js')

let names = 0
const freshName = () => `changes ${process.pid} ${++names}`

const ALL = ['created', 'updated', 'explicit', 'replaced', 'evicted', 'expired', 'cleared']

/** One change in words: `created a 1`, `removed a 1 expired`. */
const inWords = ({ change, key, value, cause, count }) =>
  change === 'dropped'
    ? `dropped ${count}`
    : [
        change,
        key instanceof Handle ? 'keyless' : String(key),
        typeof value === 'bigint' ? `${value}n` : JSON.stringify(value),
        cause
      ]
        .join(' ')
        .trim()

/** The reported changes, in order, and in words. */
function listen(map, options) {
  const heard = []
  const end = map.onChange(change => heard.push(change), options)
  return { heard, end, words: () => heard.map(inWords) }
}

/** What a listener hears of `act`, in words. */
async function heardOf(map, act, options) {
  const { heard, end, words } = listen(map, options)
  await act(map)
  // What is written last arrives last: each shard has changes of its own, so it is one of the key that was touched.
  map.set('the end', 1)
  await until(() => heard.some(({ key }) => key === 'the end'))
  await someTurns()
  end()
  map.delete('the end')
  return words().filter(word => !word.includes('the end'))
}

/** Each way of writing: what it does to a map with `a` and `b`, and the changes that it makes. */
const WAYS = {
  set: [map => map.set('c', 1).set('c', 2), ['created c 1', 'updated c 2']],
  'set of the same value': [map => map.set('a', 1), ['updated a 1']],
  'set with a ttl': [map => map.set('c', 1, { ttl: 1e6 }), ['created c 1']],
  'a deadline alone': [map => map.touch('a', { ttl: 1e6 }), []],
  'a refused write': [map => assert.throws(() => map.set('a', () => {})), []],
  insert: [map => void map.insert({ x: 1 }), ['created keyless {"x":1}']],
  insertWithHandle: [map => void map.insertWithHandle('c', 'text'), ['created c "text"']],
  replace: [map => map.replace(map.getHandle('a'), [1]), ['updated a [1]']],
  update: [map => map.update('a', value => value + 1), ['updated a 2']],
  compareAndSet: [map => map.compareAndSet('a', 1, 5) && map.compareAndSet('a', 1, 6), ['updated a 5']],
  increment: [map => map.increment('a', 4) + map.increment('n'), ['updated a 5', 'created n 1']],
  'increment of a bigint': [map => map.set('n', 1n).increment('n', 1n), ['created n 1n', 'updated n 2n']],
  'increment at': [
    map => map.set('o', { n: 1 }).increment('o', 2, { at: '/n' }),
    ['created o {"n":1}', 'updated o {"n":3}']
  ],
  getOrInsert: [map => map.getOrInsert('a', 9) + map.getOrInsert('c', 3), ['created c 3']],
  getOrInsertComputed: [map => map.getOrInsertComputed('c', () => 3), ['created c 3']],
  getOrLoad: [map => map.getOrLoad('c', async () => 7), ['created c 7']],
  getManyOrLoad: [map => map.getManyOrLoad(['a', 'c'], async keys => keys.map(() => 7)), ['created c 7']],
  setMany: [
    map =>
      map.setMany([
        ['a', 5],
        ['c', 6]
      ]),
    ['updated a 5', 'created c 6']
  ],
  insertMany: [
    map => void map.insertMany([{ x: 1 }, { x: 2 }]),
    ['created keyless {"x":1}', 'created keyless {"x":2}']
  ],
  updateMany: [
    map =>
      map.updateMany([
        ['a', 5],
        ['b', 6]
      ]),
    ['updated a 5', 'updated b 6']
  ],
  'a typed view': [map => void map.ofType('T').insert({ x: 1 }), ['created keyless {"x":1}']],
  'a transaction': [
    map =>
      map.transaction(tx => {
        tx.set('a', 5)
        tx.set('c', 6)
        tx.set('c', 7)
        tx.delete('b')
        tx.increment('n', 2)
        tx.insert({ x: 1 })
      }),
    ['updated a 5', 'created c 7', 'removed b 2 explicit', 'created n 2', 'created keyless {"x":1}']
  ],
  'a transaction that ends without a commit': [
    map =>
      assert.rejects(async () =>
        map.transaction(tx => {
          tx.set('a', 5)
          throw new Error('no')
        })
      ),
    []
  ],
  delete: [map => map.delete('a'), ['removed a 1 explicit']],
  remove: [map => map.remove('a'), ['removed a 1 explicit']],
  deleteMany: [map => map.deleteMany(['a', 'b', 'none']), ['removed a 1 explicit', 'removed b 2 explicit']],
  deleteWhere: [map => map.deleteWhere({ key: 'a' }), ['removed a 1 explicit']],
  deletePrefix: [map => map.deletePrefix('a'), ['removed a 1 explicit']],
  clear: [map => map.clear(), ['removed a 1 cleared', 'removed b 2 cleared']],
  evict: [map => map.evict(2), ['removed a 1 evicted', 'removed b 2 evicted']],
  'setLimits, and the writes that make room': [
    map => {
      map.setLimits({ maxEntries: 2 })
      map.set('c', 3)
    },
    ['removed a 1 evicted', 'created c 3']
  ]
}

describe('onChange: every way of writing', { timeout: 300_000 }, () => {
  for (const [way, [act, expected]] of Object.entries(WAYS)) {
    it(`${way}: causes its changes, each once`, async () => {
      // In one shard, so that all are in one order.
      const map = new TypedMap(
        [
          ['a', 1],
          ['b', 2]
        ],
        { shards: 1, evictionStrategy: 'fifo', maxEntries: 100 }
      )
      const heard = await heardOf(map, act).catch(error => assert.fail(error))
      if (way.startsWith('setLimits')) assert.deepEqual(heard.slice(0, 2), expected)
      else assert.deepEqual(heard.toSorted(), expected.toSorted())
      map.close()
    })
  }

  it('expiry, whether a write, purgeExpired or no call at all finds it', async () => {
    const { map, advance, close } = stillMap({ shards: 1 })
    const { heard, words } = listen(map)
    map.set('a', 1, { ttl: 10 }).set('b', 2, { ttl: 10 })
    advance(10)
    map.set('a', 3)
    map.purgeExpired()
    await until(() => heard.length === 5)
    assert.deepEqual(
      words().filter(word => word.includes(' a ')),
      ['created a 1', 'removed a 1 expired', 'created a 3']
    )
    assert.deepEqual(
      words().filter(word => word.includes(' b ')),
      ['created b 2', 'removed b 2 expired']
    )
    map.set('c', 1, { ttl: 10 })
    advance(10)
    await until(() => heard.length === 7)
    assert.deepEqual(words().slice(5), ['created c 1', 'removed c 1 expired'])
    close()
  })

  it('evictions for lack of room, of entries and of memory', async () => {
    const map = new TypedMap({ maxEntries: 2, evictionStrategy: 'fifo', shards: 1 })
    const heard = await heardOf(map, map => map.set('a', 1).set('b', 2).set('c', 3))
    assert.deepEqual(heard.slice(0, 4), ['created a 1', 'created b 2', 'removed a 1 evicted', 'created c 3'])
    map.close()
    const full = new TypedMap({ memoryLimit: '1mb', evictionStrategy: 'lru' })
    const { heard: all } = listen(full, { causes: ['created', 'evicted'] })
    for (let n = 0; n < 60; n++) full.set(n, 'x'.repeat(30_000))
    const count = cause => all.filter(change => (change.cause ?? change.change) === cause).length
    await until(() => count('created') === 60 && count('evicted') === 60 - full.size)
    full.close()
  })

  it('destroy, for those that listen through another reference', async () => {
    const name = freshName()
    const [map, other] = [TypedMap.open(name), TypedMap.open(name)]
    map.set('a', 1)
    const { heard } = listen(map)
    other.destroy()
    await someTurns()
    assert.deepEqual(heard.map(inWords), ['removed a 1 cleared'])
    throwsTyped(() => map.onChange(() => {}), 'ERR_CLOSED')
  })

  it('recovery: how many entries were lost, and at least one, since a write was under way', async () => {
    const name = freshName()
    const map = TypedMap.open(name)
    map.set('a', 1)
    const { heard } = listen(map)
    const { id } = binding.open(name, '{}')
    throwsTyped(() => binding.panicForTest(id), 'ERR_BROKEN')
    binding.close(id)
    await map.recover()
    map.set('a', 2)
    await until(() => heard.some(({ change }) => change === 'updated'))
    assert.deepEqual(heard.map(inWords), ['dropped 1', 'updated a 2'])
    map.close()
  })
})

describe('onChange: what is reported', { timeout: 300_000 }, () => {
  it('key, handle, value, and the type if the entry has one', async () => {
    const map = new TypedMap()
    const { heard } = listen(map, { causes: ALL })
    const handle = map.insertWithHandle('a', { b: [1] })
    assert.equal(heard.length, 0, 'never inside the call')
    map.ofType('Config').set('a', { b: [2] })
    map.delete('a')
    await until(() => heard.length === 4)
    const [one, two] = [{ b: [1] }, { b: [2] }]
    assert.deepEqual(heard, [
      { change: 'created', key: 'a', handle, value: one },
      { change: 'removed', key: 'a', handle, value: one, cause: 'replaced' },
      { change: 'updated', key: 'a', handle, value: two, type: 'Config' },
      { change: 'removed', key: 'a', handle, value: two, cause: 'explicit', type: 'Config' }
    ])
    assert.ok(heard[0].handle instanceof Handle && Object.isFrozen(heard[0].value.b))
    map.close()
  })

  it('every kind of key and value comes as it was', async () => {
    const map = new TypedMap()
    const entries = [
      ['text', 'text'],
      ['€ \ud800', '€ \ud800'],
      [-5, Number.NaN],
      [0.5, -0],
      [10n ** 30n, -(10n ** 30n)],
      [true, false],
      [null, null],
      [undefined, undefined],
      [Uint8Array.of(1, 2), Uint8Array.of(3, 4)],
      ['floats', Float64Array.of(1.5)],
      ['buffer', Buffer.from('bytes')],
      ['object', { nested: [{ deep: 1 }] }],
      ['document', { lines: Array.from({ length: 500 }, (_, n) => ({ n })) }]
    ]
    const { heard } = listen(map)
    for (const [key, value] of entries) map.set(key, value)
    await until(() => heard.length === entries.length)
    for (const [index, [key, value]] of entries.entries()) {
      assert.deepEqual([heard[index].key, heard[index].value], [key, value])
    }
    map.close()
  })

  it('the value of that moment, whatever has become of the entry since', async () => {
    const map = new TypedMap()
    const { heard } = listen(map)
    const texts = Array.from({ length: 20 }, (_, n) => String(n).repeat(10_000))
    for (const text of texts) map.set('a', text)
    map.clear()
    for (let n = 0; n < 100; n++) map.set(`other ${n}`, 'y'.repeat(10_000))
    await until(() => heard.length === 121)
    const ofA = heard.filter(({ key }) => key === 'a')
    assert.deepEqual(
      ofA.map(({ value }) => value),
      [...texts, texts[19]]
    )
    map.close()
  })

  it('a value of more than 1 MB is not carried: its change has how large it is', async () => {
    const map = new TypedMap()
    const { heard } = listen(map)
    map
      .set('fits', 'x'.repeat(2 ** 20))
      .set('large', 'x'.repeat(2 ** 20 + 1))
      .delete('large')
    await until(() => heard.length === 3)
    assert.equal(heard[0].value.length, 2 ** 20)
    assert.deepEqual(
      heard.slice(1).map(({ handle, ...rest }) => rest),
      [
        { change: 'created', key: 'large', value: undefined, omittedBytes: 2 ** 20 + 1 },
        { change: 'removed', key: 'large', value: undefined, cause: 'explicit', omittedBytes: 2 ** 20 + 1 }
      ]
    )
    map.close()
  })

  it('a value of a codec is decoded when it is asked for', async () => {
    const codec = {
      name: 'hex',
      contentType: 'text/plain',
      encode: value => `hex ${value.toString(16)}`,
      decode: text => Number.parseInt(text.slice(4), 16)
    }
    const map = new TypedMap({ codec })
    const { heard } = listen(map)
    map.set('a', 255)
    await until(() => heard.length === 1)
    assert.equal(heard[0].value, 255)
    map.close()
  })
})

describe('onChange: what waits', { timeout: 300_000 }, () => {
  it('is bounded, counted, and what found no room is announced in its place', async () => {
    const map = new TypedMap()
    const { heard } = listen(map)
    const text = 'x'.repeat(1_000)
    const count = 50_000
    for (let n = 0; n < count; n++) map.set(n, text)
    const { changes } = map.getStats()
    assert.equal(changes.listeners, 1)
    assert.ok(changes.waitingBytes > 2 ** 21 && changes.waitingBytes <= 2 ** 22, `${changes.waitingBytes} bytes wait`)
    assert.equal(changes.waiting + changes.dropped, count)
    const sum = () => heard.reduce((total, { change, count }) => total + (change === 'dropped' ? count : 1), 0)
    await until(() => sum() >= count)
    assert.equal(sum(), count)
    const drops = heard.filter(({ change }) => change === 'dropped')
    assert.deepEqual(drops, [{ change: 'dropped', count: changes.dropped }])
    assert.equal(heard.at(-1), drops[0], 'what came first was kept')
    map.set('more', 1)
    await until(() => heard.at(-1).key === 'more')
    assert.deepEqual(map.getStats().changes, { listeners: 1, waiting: 0, waitingBytes: 0, dropped: changes.dropped })
    map.resetStats()
    assert.equal(map.getStats().changes.dropped, 0)
    map.close()
  })

  it('takes memory beside that of the map, which goes with the listener', async () => {
    const map = new TypedMap({ memoryLimit: '8mb', evictionStrategy: 'lru' })
    const { end } = listen(map)
    for (let n = 0; n < 100; n++) map.set('a', 'x'.repeat(100_000))
    const stats = map.getStats()
    assert.ok(stats.changes.waitingBytes > 3_000_000)
    assert.equal(stats.evictions, 0)
    end()
    assert.deepEqual(map.getStats().changes, {
      listeners: 0,
      waiting: 0,
      waitingBytes: 0,
      dropped: stats.changes.dropped
    })
    map.close()
  })

  it('a clear of many entries is told by the first of them and a count', async () => {
    const map = new TypedMap({ initialCapacity: 200_000 })
    map.setMany(Array.from({ length: 200_000 }, (_, n) => [n, n]))
    const { heard } = listen(map)
    map.clear()
    await until(() => heard.at(-1)?.change === 'dropped')
    map.set('after', 1)
    await until(() => heard.at(-1).key === 'after')
    const drops = heard.filter(({ change }) => change === 'dropped')
    const removed = heard.filter(({ cause }) => cause === 'cleared')
    assert.ok(removed.length <= 16_384 && drops.length >= 1)
    assert.equal(removed.length + drops.reduce((sum, { count }) => sum + count, 0), 200_000)
    map.close()
  })

  it('does not hold up the event loop', async () => {
    const map = new TypedMap()
    let [told, most, inThisTurn] = [0, 0, 0]
    map.onChange(() => {
      told++
      most = Math.max(most, ++inThisTurn)
      for (const until = performance.now() + 0.5; performance.now() < until; );
    })
    for (let n = 0; n < 200; n++) map.set(n, n)
    while (told < 200) {
      await new Promise(resolve => setImmediate(resolve))
      inThisTurn = 0
    }
    assert.ok(most <= 5, `${most} were delivered in one turn, which has two milliseconds for it`)
    map.close()
  })
})

describe('onChange: options', { timeout: 300_000 }, () => {
  it('causes: only these are reported', async () => {
    for (const cause of ALL) {
      const { map, advance, close } = stillMap({ shards: 1, evictionStrategy: 'fifo', maxEntries: 100 })
      const { heard } = listen(map, { causes: [cause] })
      map.set('a', 1).set('a', 2).delete('a')
      map.set('b', 1, { ttl: 5 })
      advance(5)
      map.purgeExpired()
      map.set('c', 1)
      map.evict(1)
      map.set('d', 1)
      map.clear()
      await someTurns()
      await until(() => heard.length > 0)
      assert.deepEqual(new Set(heard.map(({ change, cause }) => cause ?? change)), new Set([cause]))
      assert.equal(heard.length, cause === 'created' ? 4 : 1)
      close()
    }
  })

  it('match: keys that a glob matches, and no others', async () => {
    const map = new TypedMap()
    const keys = ['config:a', 'config:b', 'other', 'aconfig:', '€:x', 'config:\ud800', 5, null, 7n]
    const globs = {
      'config:*': ['config:a', 'config:b', 'config:\ud800'],
      'config:?': ['config:a', 'config:b', 'config:\ud800'],
      '*:[a-b]': ['config:a', 'config:b'],
      'config:a': ['config:a'],
      '€*': ['€:x'],
      '*': keys.slice(0, 6),
      none: []
    }
    const listeners = Object.entries(globs).map(([match, expected]) => ({ match, expected, ...listen(map, { match }) }))
    const all = listen(map)
    for (const key of keys) map.set(key, 1)
    map.insert(1)
    await until(() => all.heard.length === keys.length + 1)
    await someTurns()
    for (const { match, expected, heard } of listeners)
      assert.deepEqual(
        heard.map(({ key }) => key),
        expected,
        match
      )
    map.close()
  })

  it('match: of keys as the map has them', async () => {
    const folding = new TypedMap({ caseInsensitiveKeys: true })
    const normal = new TypedMap({ normalizeKey: key => (typeof key === 'string' ? key.trim() : key) })
    const [one, two] = [listen(folding, { match: 'CONFIG:*' }), listen(normal, { match: ' a* ' })]
    folding.set('Config:A', 1)
    normal.set(' ab ', 1)
    await until(() => one.heard.length + two.heard.length === 2)
    assert.deepEqual([one.heard[0].key, two.heard[0].key], ['Config:A', 'ab'])
    folding.close()
    normal.close()
  })

  it('match: what begins otherwise takes no room', async () => {
    const map = new TypedMap()
    const { heard } = listen(map, { match: 'config:*' })
    for (let n = 0; n < 50_000; n++) map.set(`other ${n}`, n)
    map.set('config:a', 1)
    assert.equal(map.getStats().changes.waiting, 1)
    await until(() => heard.length > 0)
    assert.deepEqual(heard.map(inWords), ['created config:a 1'])
    map.close()
  })

  it('match: what has to be compared as a whole is, a bounded number at a time', async () => {
    const map = new TypedMap()
    const { heard } = listen(map, { match: '*:a' })
    for (let n = 0; n < 10_000; n++) map.set(`other ${n}`, n)
    map.set('config:a', 1)
    await until(() => heard.length > 0)
    assert.deepEqual(heard.map(inWords), ['created config:a 1'])
    map.set('none', 1)
    await someTurns()
    map.set('config:a', 2)
    await until(() => heard.length > 1)
    assert.equal(map.getStats().changes.waiting, 0)
    map.close()
  })

  it('match: a clear looks at a bounded number of other keys', async () => {
    const map = new TypedMap()
    map.setMany(Array.from({ length: 100_000 }, (_, n) => [`other ${n}`, n]))
    map.set('config:a', 1)
    const { heard } = listen(map, { match: 'config:*' })
    map.clear()
    await until(() => heard.some(({ change }) => change === 'dropped'))
    const few = new TypedMap([
      ['other', 1],
      ['config:a', 1]
    ])
    const fewer = listen(few, { match: 'config:*' })
    few.clear()
    await until(() => fewer.heard.length > 0)
    await someTurns()
    assert.deepEqual(fewer.words(), ['removed config:a 1 cleared'])
    map.close()
    few.close()
  })

  it('must be what they are', () => {
    const map = new TypedMap()
    for (const causes of ['created', 5, {}, null]) {
      throwsTyped(() => map.onChange(() => {}, { causes }), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/causes/] })
    }
    for (const causes of [[], ['gone'], ['created', 1]]) {
      throwsTyped(() => map.onChange(() => {}, { causes }), 'ERR_INVALID_OPTION', {
        kind: RangeError,
        says: [/'updated'/]
      })
    }
    throwsTyped(() => map.onChange(() => {}, { match: 5 }), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/match/] })
    throwsTyped(() => map.onChange(() => {}, { match: 'x'.repeat(1_025) }), 'ERR_INVALID_OPTION', { says: [/match/] })
    throwsTyped(() => map.onChange(() => {}, { glob: 'x' }), 'ERR_INVALID_OPTION', { says: [/glob/] })
    for (const listener of [undefined, 'f', {}]) {
      throwsTyped(() => map.onChange(listener), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/listener/] })
    }
    assert.equal(map.getStats().changes.listeners, 0)
    map.close()
    throwsTyped(() => map.onChange(() => {}), 'ERR_CLOSED')
  })
})

describe('onChange: listeners', { timeout: 300_000 }, () => {
  it('end with the function that registering gave, and only they', async () => {
    const map = new TypedMap()
    const [one, other] = [listen(map), listen(map)]
    map.set('a', 1)
    await until(() => one.heard.length + other.heard.length === 2)
    one.end()
    one.end()
    map.set('b', 1)
    await until(() => other.heard.length === 2)
    other.end()
    map.set('c', 1)
    await someTurns()
    assert.deepEqual([one.words(), other.words()], [['created a 1'], ['created a 1', 'created b 1']])
    map.close()
  })

  it('hear nothing from before their registration, and nothing after their end', async () => {
    const map = new TypedMap()
    const first = listen(map)
    map.set('a', 1)
    const second = listen(map)
    map.set('b', 1)
    first.end()
    map.set('c', 1)
    await until(() => second.heard.length === 2)
    await someTurns()
    assert.deepEqual([first.words(), second.words()], [[], ['created b 1', 'created c 1']])
    map.close()
  })

  it('may use the map, register others and end themselves', async () => {
    const map = new TypedMap()
    const log = []
    const end = map.onChange(({ key }) => {
      log.push(key)
      if (log.length < 3) return map.set(`again ${key}`, 1)
      end()
      map.onChange(({ key }) => log.push(`new ${key}`))
      map.set('z', 1)
    })
    map.set('a', 1)
    await until(() => log.length >= 4)
    assert.deepEqual(log, ['a', 'again a', 'again again a', 'new z'])
    map.close()
  })

  it('are called no more once the map is closed, not even of what had happened', async () => {
    const map = new TypedMap()
    const { heard, end } = listen(map)
    map.onChange(() => map.close())
    for (let n = 0; n < 1_000; n++) map.set(n, n)
    await until(() => heard.length > 0)
    await someTurns()
    assert.equal(heard.length, 1)
    end()
  })

  it('keep a map open that has no other reference, and no longer', async () => {
    const { stdout } = await runNode(
      `
      const told = []
      ;(() => {
        const map = new TypedMap()
        map.onChange(({ key, cause }) => {
          told.push(key)
          if (cause === 'expired') map.close()
        })
        map.set('a', 1, { ttl: 1 })
      })()
      const timer = setInterval(() => {
        gc()
        if (told.length < 2) return
        console.log(told.join())
        clearInterval(timer)
      }, 5)
      `,
      { flags: ['--expose-gc'] }
    )
    assert.equal(stdout, 'a,a\n')
  })
})

describe('onChange: threads', { timeout: 300_000 }, () => {
  it('hear of the writes of each other', async () => {
    const name = freshName()
    const map = TypedMap.open(name)
    const { heard } = listen(map)
    const worker = startWorker(({ TypedMap, data, port }) => {
      const map = TypedMap.open(data)
      return new Promise(resolve => {
        const alive = setInterval(() => {}, 1_000)
        map.onChange(
          ({ key, value }) => {
            clearInterval(alive)
            resolve([key, value])
          },
          { match: 'by the main*' }
        )
        map.set('by the worker', { n: 1 })
        port.postMessage('listening')
      })
    }, name)
    await nextMessage(worker)
    map.set('by the main thread', { n: 2 })
    assert.deepEqual(await worker.result, ['by the main thread', { n: 2 }])
    await until(() => heard.length === 2)
    assert.deepEqual(heard.map(inWords), ['created by the worker {"n":1}', 'created by the main thread {"n":2}'])
    map.close()
  })

  it('what several write to one key is reported in the order in which it happened', async () => {
    const name = freshName()
    const map = TypedMap.open(name, { shards: 2 })
    const { heard } = listen(map, { causes: ['created', 'updated'] })
    const [workers, steps, keys] = [3, 1_500, 4]
    await Promise.all(
      Array.from({ length: workers }, () =>
        inWorker(
          ({ TypedMap, data: { name, steps, keys } }) => {
            const map = TypedMap.open(name)
            for (let n = 0; n < steps; n++) map.increment(`key ${n % keys}`)
          },
          { name, steps, keys }
        )
      )
    )
    await until(() => heard.length >= workers * steps)
    for (let key = 0; key < keys; key++) {
      const values = heard.filter(change => change.key === `key ${key}`).map(({ value }) => value)
      assert.deepEqual(
        values,
        Array.from({ length: (workers * steps) / keys }, (_, n) => n + 1)
      )
    }
    map.close()
  })

  it('a copy that follows the changes ends as the map', async () => {
    const name = freshName()
    const map = TypedMap.open(name, { shards: 4, maxEntries: 40, evictionStrategy: 'fifo' })
    const copy = new Map()
    const wrong = []
    let last
    map.onChange(({ change, key, value, handle }) => {
      last = key
      if (change === 'dropped') wrong.push('dropped')
      if ((change === 'created') === copy.has(key)) wrong.push(`${change} ${key}`)
      if (change === 'removed') {
        if (copy.get(key)?.value !== value) wrong.push(`${key} was removed with another value`)
        copy.delete(key)
      } else {
        if (change === 'updated' && copy.get(key)?.id !== handle.id) wrong.push(`${key} has another handle`)
        copy.set(key, { value, id: handle.id })
      }
    })
    await Promise.all(
      Array.from({ length: 3 }, (_, worker) =>
        inWorker(
          ({ TypedMap, data: { name, worker } }) => {
            const map = TypedMap.open(name)
            for (let n = 0; n < 1_200; n++) {
              const key = `key ${(n * 7 + worker) % 50}`
              if (n % 5 === worker) map.delete(key)
              else if (n % 97 === 0) map.clear()
              else if (n % 11 === 0) map.transaction(tx => void tx.set(key, n).delete(`key ${n % 50}`))
              else map.set(key, `${worker} ${n}`)
            }
          },
          { name, worker }
        )
      )
    )
    map.set('the end', 1)
    await until(() => last === 'the end')
    await someTurns()
    assert.deepEqual(wrong, [])
    const sorted = entries => [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1))
    assert.deepEqual(sorted([...copy].map(([key, { value }]) => [key, value])), sorted(map.entries()))
    map.close()
  })

  it('that are terminated while they listen and much waits for them do no harm', async () => {
    const name = freshName()
    const map = TypedMap.open(name, { evictionStrategy: 'fifo', maxEntries: 100 })
    for (let round = 0; round < 20; round++) {
      const workers = [0, 1].map(() =>
        startWorker(({ TypedMap, data, port }) => {
          const map = TypedMap.open(data)
          map.onChange(({ key }) => map.has(key))
          map.onChange(({ key }) => map.has(key), { match: '*1' })
          port.postMessage('listening')
          for (let n = 0; ; n++) map.set(`${n % 1_000}`, 'x'.repeat(n % 5_000))
        }, name)
      )
      await Promise.all(workers.map(nextMessage))
      for (let n = 0; n < 500; n++) map.set(`main ${n}`, 'x'.repeat(3_000))
      await Promise.all(workers.map(worker => worker.terminate()))
    }
    assert.deepEqual(map.getStats().changes.listeners, 0)
    map.set('alive', 1)
    assert.equal(map.get('alive'), 1)
    map.close()
  })
})
