'use strict'

// onEvict: reports every removal, of every cause, in order, once, in the thread that registered.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { Handle, TypedMap } = require('../..')
const { stillMap } = require('../support/clock.js')
const { throwsTyped } = require('../support/errors.js')
const { runNode } = require('../support/processes.js')
const { someTurns, until } = require('../support/turns.js')
const { inWorker, nextMessage, startWorker } = require('../support/workers.js')

require('../support/sound.js')

let names = 0
const freshName = () => `removals ${process.pid} ${++names}`

const ALL = ['explicit', 'replaced', 'evicted', 'expired', 'cleared']

/** The reported removals, in order; `causes` lists the keys with the cause of each. */
function listen(map, options) {
  const heard = []
  const end = map.onEvict(removal => heard.push(removal), options)
  return { heard, end, causes: () => heard.map(({ key, cause }) => `${String(key)} ${cause}`) }
}

describe('onEvict: causes', { timeout: 300_000 }, () => {
  it('evicted: key, handle and value of the evicted entry', async () => {
    const map = new TypedMap({ evictionStrategy: 'fifo', maxEntries: 2, shards: 1 })
    const { heard } = listen(map)
    const handle = map.insertWithHandle('a', { b: [1] })
    map.set('c', 2).set('d', 3)
    assert.equal(heard.length, 0, 'never inside the call')
    await until(() => heard.length > 0)
    assert.deepEqual(heard, [{ key: 'a', handle, value: { b: [1] }, cause: 'evicted' }])
    assert.ok(heard[0].handle instanceof Handle)
    assert.equal(heard[0].handle.id, handle.id)
    assert.ok(Object.isFrozen(heard[0].value.b))
    assert.equal(map.get(heard[0].handle), undefined)
    map.close()
  })

  it('evicted: by evict and by a user', async () => {
    const map = new TypedMap([['a', 1]])
    const { causes } = listen(map)
    map.evict()
    await until(() => causes().length > 0)
    assert.deepEqual(causes(), ['a evicted'])
    map.close()
  })

  it('expired: an entry after its deadline, even if no call looks at it', async () => {
    const { map, advance, close } = stillMap({})
    const { heard } = listen(map)
    map.set('a', { b: 1 }, { ttl: 10 })
    map.set('stays', 1)
    advance(10)
    await until(() => heard.length > 0)
    assert.equal(heard.length, 1)
    assert.deepEqual([heard[0].key, heard[0].value, heard[0].cause], ['a', { b: 1 }, 'expired'])
    close()
  })

  it('explicit: entries deleted by any method', async () => {
    const map = new TypedMap()
    const { causes } = listen(map, { causes: ['explicit'] })
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) map.set(key, key)
    map.delete('a')
    map.remove('b')
    map.delete(map.getHandle('c'))
    map.remove(map.getHandle('d'))
    map.deleteMany(['e', 'missing', 'f'])
    map.delete('missing')
    await until(() => causes().length === 6)
    assert.deepEqual(
      causes(),
      ['a', 'b', 'c', 'd', 'e', 'f'].map(key => `${key} explicit`)
    )
    map.close()
  })

  it('replaced: the value of before, under a handle that goes on', async () => {
    const map = new TypedMap()
    const { heard } = listen(map, { causes: ['replaced'] })
    const handle = map.insertWithHandle('a', 1)
    map.set('a', 2)
    map.replace(handle, { three: 3 })
    map.updateMany([[handle, 4]])
    map.setMany([['a', 5]])
    map.getOrInsert('a', 6)
    await until(() => heard.length === 4)
    assert.deepEqual(
      heard.map(({ value }) => value),
      [1, 2, { three: 3 }, 4]
    )
    for (const { key, cause, handle: told } of heard)
      assert.deepEqual([key, cause, told.id], ['a', 'replaced', handle.id])
    assert.equal(map.get(heard[0].handle), 5)
    map.close()
  })

  it('cleared: all at once', async () => {
    const map = new TypedMap([
      ['a', 1],
      ['b', 2]
    ])
    const { causes } = listen(map, { causes: ['cleared'] })
    map.clear()
    await until(() => causes().length === 2)
    assert.deepEqual(causes().sort(), ['a cleared', 'b cleared'])
    map.close()
  })

  it('only those that were asked for, and evicted and expired unless asked', async () => {
    const { map, advance, close } = stillMap({ evictionStrategy: 'fifo', maxEntries: 2, shards: 1 })
    const heard = Object.fromEntries(ALL.map(cause => [cause, listen(map, { causes: [cause] })]))
    const plain = listen(map)
    const every = listen(map, { causes: ALL })
    map.set('a', 1).set('b', 2).set('c', 3)
    map.set('b', 4)
    map.delete('b')
    map.set('d', 5, { ttl: 10 })
    advance(10)
    await until(() => map.size === 1)
    map.clear()
    await until(() => every.heard.length === 5)
    await someTurns()
    assert.deepEqual(every.causes(), ['a evicted', 'b replaced', 'b explicit', 'd expired', 'c cleared'])
    assert.deepEqual(plain.causes(), ['a evicted', 'd expired'])
    for (const cause of ALL)
      assert.deepEqual(
        heard[cause].causes(),
        every.causes().filter(text => text.endsWith(cause))
      )
    close()
  })

  it('what is no list of causes is refused', () => {
    const map = new TypedMap()
    for (const causes of ['evicted', 5, null, {}]) {
      throwsTyped(() => map.onEvict(() => {}, { causes }), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/causes/] })
    }
    for (const causes of [[], ['gone'], ['EVICTED'], [1]]) {
      throwsTyped(() => map.onEvict(() => {}, { causes }), 'ERR_INVALID_OPTION', {
        kind: RangeError,
        says: [/'evicted'/]
      })
    }
    throwsTyped(() => map.onEvict(() => {}, { cause: [] }), 'ERR_INVALID_OPTION', { says: [/cause/] })
    for (const listener of [undefined, 'f', {}]) {
      throwsTyped(() => map.onEvict(listener), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/listener/] })
    }
    map.close()
    throwsTyped(() => map.onEvict(() => {}), 'ERR_CLOSED')
  })
})

describe('onEvict: what is reported', { timeout: 300_000 }, () => {
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
      ['object', { nested: [{ deep: 1 }] }]
    ]
    map.setMany(entries)
    const { heard } = listen(map, { causes: ['explicit'] })
    for (const [key] of entries) map.delete(key)
    await until(() => heard.length === entries.length)
    for (const [index, [key, value]] of entries.entries()) {
      assert.deepEqual([heard[index].key, heard[index].value], [key, value])
    }
    map.close()
  })

  it('an entry without a key has its handle in its place, and its type if it has one', async () => {
    const map = new TypedMap()
    const handle = map.insert({ port: 1 }, { type: 'Config' })
    const { heard } = listen(map, { causes: ['explicit'] })
    map.delete(handle)
    await until(() => heard.length > 0)
    assert.deepEqual(heard, [{ key: handle, handle, value: { port: 1 }, cause: 'explicit', type: 'Config' }])
    map.close()
  })

  it('everything once and in order, however much it is', async () => {
    const map = new TypedMap({ evictionStrategy: 'fifo', maxEntries: 100, shards: 1 })
    const { heard } = listen(map)
    for (let n = 0; n < 5_000; n++) map.set(n, n)
    await until(() => heard.length >= 4_900)
    await someTurns()
    assert.deepEqual(
      heard.map(({ key, value }) => [key, value]),
      Array.from({ length: 4_900 }, (_, n) => [n, n])
    )
    map.close()
  })

  it('what a thread does not take in is dropped beyond a bound, and announced once', async () => {
    const map = new TypedMap({ evictionStrategy: 'fifo', maxEntries: 10, shards: 1 })
    const { heard } = listen(map)
    const text = 'x'.repeat(1_000)
    const count = 50_000
    for (let n = 0; n < count; n++) map.set(n, text)
    map.set('last', 1)
    const sum = () => heard.reduce((total, { dropped }) => total + (dropped ?? 1), 0)
    await until(() => sum() >= count - 9)
    assert.equal(sum(), count - 9)
    const drops = heard.filter(removal => 'dropped' in removal)
    assert.equal(drops.length, 1)
    assert.deepEqual(Object.keys(drops[0]), ['dropped'])
    assert.ok(drops[0].dropped > count / 2, 'a few megabytes wait, not all of it')
    const keys = heard.filter(removal => 'key' in removal).map(({ key }) => key)
    assert.deepEqual(
      keys,
      Array.from(keys, (_, n) => n),
      'what was kept is what came first'
    )
    map.set('more', 1)
    await until(() => heard.at(-1).key !== undefined && !('dropped' in heard.at(-1)))
    map.close()
  })

  it('a value of more than 1 MB is not carried: its removal says how large it was', async () => {
    const map = new TypedMap()
    const { heard } = listen(map, { causes: ['explicit', 'evicted', 'cleared'] })
    map.set('fits', 'x'.repeat(2 ** 20))
    map.set('large text', 'x'.repeat(2 ** 20 + 1))
    const large = { text: 'x'.repeat(2 ** 20) }
    map.set('large object', large)
    map.delete('fits')
    map.delete('large text')
    map.evict(1)
    await until(() => heard.length === 3)
    const omitted = (key, cause, omittedBytes) => ({ key, value: undefined, cause, omittedBytes })
    assert.deepEqual(
      heard.map(({ handle, ...rest }) => rest),
      [
        { key: 'fits', value: 'x'.repeat(2 ** 20), cause: 'explicit' },
        omitted('large text', 'explicit', 2 ** 20 + 1),
        omitted('large object', 'evicted', JSON.stringify(large).length)
      ]
    )
    map.close()
  })

  it('does not block the event loop', async () => {
    const map = new TypedMap({ evictionStrategy: 'fifo', maxEntries: 10, shards: 1 })
    let [told, most, inThisTurn] = [0, 0, 0]
    map.onEvict(() => {
      told++
      most = Math.max(most, ++inThisTurn)
      // A listener that takes half a millisecond.
      for (const until = performance.now() + 0.5; performance.now() < until; );
    })
    for (let n = 0; n < 210; n++) map.set(n, n)
    while (told < 200) {
      await new Promise(resolve => setImmediate(resolve))
      inThisTurn = 0
    }
    assert.ok(most <= 5, `${most} were delivered in one turn, which has two milliseconds for it`)
    map.close()
  })

  it('a document is decoded when it is asked for, also long after and by several', async () => {
    const map = new TypedMap()
    const document = { lines: Array.from({ length: 500 }, (_, n) => ({ n })) }
    const { heard } = listen(map, { causes: ['explicit'] })
    map.set('large', document).set('small', { n: 1 })
    map.deleteMany(['large', 'small'])
    await until(() => heard.length === 2)
    map.close()
    const [large, small] = heard
    assert.deepEqual(Object.keys(large), ['key', 'handle', 'value', 'cause'])
    assert.equal(typeof Object.getOwnPropertyDescriptor(large, 'value').get, 'function', 'nothing was decoded yet')
    assert.deepEqual(large.value, document)
    assert.equal(large.value, large.value)
    assert.ok(Object.isFrozen(large.value.lines[499]))
    assert.deepEqual({ ...large }.value, document)
    assert.deepEqual(Object.getOwnPropertyDescriptor(small, 'value').value, { n: 1 })
    assert.deepEqual(JSON.parse(JSON.stringify(heard[0])).value, document)
    large.value = 1
    assert.equal(large.value, 1)
  })

  it('what is taken out of native memory at once is bounded in bytes, and one is always taken', async () => {
    const { binding, scratch } = require('../../lib/native/attach.js')
    const { REMOVAL_ROW, SCRATCH } = require('../../lib/native/layout.js')
    const { id } = binding.open(null, '{}')
    binding.listenRemovals(id, 1 << 1)
    const { KIND } = require('../../lib/native/layout.js')
    for (let n = 0; n < 8; n++) binding.set(id, n, 'x'.repeat(n === 0 ? 100_000 : 10_000), KIND.String)
    for (let n = 0; n < 8; n++) binding.delete(id, n)
    const states = new Uint32Array(64 * REMOVAL_ROW)
    const counts = []
    for (;;) {
      const cells = binding.takeRemovals(id, 64, states, 25_000)
      if (scratch[SCRATCH.COUNT] === 0) break
      counts.push(scratch[SCRATCH.COUNT])
      assert.equal(cells.length, 2 * scratch[SCRATCH.COUNT])
    }
    assert.deepEqual(counts, [1, 3, 3, 1])
    binding.close(id)
  })
})

describe('onEvict: listeners', { timeout: 300_000 }, () => {
  it('end with the function that registering gave, and only they', async () => {
    const map = new TypedMap()
    const [one, other] = [1, 2].map(() => listen(map, { causes: ['explicit'] }))
    map.set('a', 1).delete('a')
    await until(() => one.heard.length + other.heard.length === 2)
    one.end()
    one.end()
    map.set('b', 1).delete('b')
    await until(() => other.heard.length === 2)
    await someTurns()
    assert.deepEqual(one.causes(), ['a explicit'])
    other.end()
    map.set('c', 1).delete('c')
    await someTurns()
    assert.deepEqual(other.causes(), ['a explicit', 'b explicit'])
    map.close()
  })

  it('get no removals from before their registration', async () => {
    const map = new TypedMap([
      ['a', 1],
      ['b', 2],
      ['c', 3]
    ])
    const first = listen(map, { causes: ['explicit'] })
    map.delete('a')
    const second = listen(map, { causes: ['explicit'] })
    map.delete('b')
    first.end()
    const third = listen(map, { causes: ['explicit'] })
    map.delete('c')
    await until(() => third.heard.length === 1 && second.heard.length === 2)
    await someTurns()
    assert.deepEqual(second.causes(), ['b explicit', 'c explicit'])
    assert.deepEqual(third.causes(), ['c explicit'])
    assert.deepEqual(first.causes(), [], 'it had ended before any removal could be reported')
    map.close()
  })

  it('may use the map, register others and end themselves', async () => {
    const map = new TypedMap({ evictionStrategy: 'fifo', maxEntries: 2, shards: 1 })
    const log = []
    const end = map.onEvict(({ key, value }) => {
      log.push(key)
      map.set(`again ${key}`, value)
      if (log.length < 3) return
      end()
      map.onEvict(({ key }) => log.push(`new ${key}`))
      map.set('z', 1)
    })
    map.set('a', 1).set('b', 2).set('c', 3)
    await until(() => log.length >= 4)
    assert.deepEqual(log.slice(0, 3), ['a', 'b', 'c'])
    assert.match(log[3], /^new again/)
    map.close()
  })

  it('are called no more once the map is closed, not even of what had happened', async () => {
    const map = new TypedMap()
    const { heard, end } = listen(map, { causes: ALL })
    map.setMany(Array.from({ length: 1_000 }, (_, n) => [n, n]))
    map.onEvict(() => map.close(), { causes: ['explicit'] })
    map.deleteMany(Array.from({ length: 1_000 }, (_, n) => n))
    await until(() => heard.length > 0)
    await someTurns()
    assert.equal(heard.length, 1)
    end()
  })

  it('that throw are uncaught exceptions, and the others are called all the same', async () => {
    const { status, stdout, stderr } = await runNode(`
      let lines = 0
      const say = (...words) => { console.log(...words); if (++lines === 4) clearInterval(alive) }
      const alive = setInterval(() => {}, 10)
      process.on('uncaughtException', error => say('uncaught', error.message))
      const map = new TypedMap([['a', 1], ['b', 1]])
      map.onEvict(({ key }) => { throw new Error('about ' + key) }, { causes: ['explicit'] })
      map.onEvict(({ key }) => say('told', key), { causes: ['explicit'] })
      map.deleteMany(['a', 'b'])
    `)
    assert.equal(stderr, '')
    assert.deepEqual(stdout.trim().split('\n').sort(), ['told a', 'told b', 'uncaught about a', 'uncaught about b'])
    assert.equal(status, 0)
  })

  it('keep a map open that has no other reference', async () => {
    const { stdout } = await runNode(
      `
      const told = []
      ;(() => {
        const map = new TypedMap({ ttl: 1 })
        // First, for a busy machine is slow enough for a millisecond to pass between two lines.
        map.onEvict(({ key }) => told.push(key))
        map.set('a', 1)
      })()
      const timer = setInterval(() => {
        gc()
        if (told.length === 0) return
        console.log(told.join())
        clearInterval(timer)
      }, 5)
      `,
      { flags: ['--expose-gc'] }
    )
    assert.equal(stdout, 'a\n')
  })
})

describe('onEvict: threads', { timeout: 300_000 }, () => {
  it('get removals that other threads caused, each in its own thread', async () => {
    const name = freshName()
    const map = TypedMap.open(name)
    const { heard } = listen(map, { causes: ALL })
    const worker = startWorker(({ TypedMap, data, port }) => {
      const map = TypedMap.open(data)
      return new Promise(resolve => {
        const alive = setInterval(() => {}, 1_000)
        const told = []
        map.onEvict(
          ({ key, cause }) => {
            told.push([key, cause])
            if (told.length < 2) return
            clearInterval(alive)
            resolve(told)
          },
          { causes: ['explicit'] }
        )
        map.set('by the worker', 1).delete('by the worker')
        port.postMessage('listening')
      })
    }, name)
    await nextMessage(worker)
    map.set('by the main thread', 2).delete('by the main thread')
    assert.deepEqual(await worker.result, [
      ['by the worker', 'explicit'],
      ['by the main thread', 'explicit']
    ])
    await until(() => heard.length === 2)
    assert.deepEqual(
      heard.map(({ key }) => key),
      ['by the worker', 'by the main thread']
    )
    map.close()
  })

  it('removals by many writing threads are reported in the order of each key', async () => {
    const name = freshName()
    const map = TypedMap.open(name, { shards: 4 })
    const { heard } = listen(map, { causes: ['replaced'] })
    await Promise.all(
      [0, 1].map(worker =>
        inWorker(
          ({ TypedMap, data }) => {
            const map = TypedMap.open(data.name)
            for (let n = 0; n <= 500; n++) map.set(`${data.worker} ${n % 5}`, n)
          },
          { name, worker }
        )
      )
    )
    await until(() => heard.length === 2 * (501 - 5))
    for (const key of new Set(heard.map(({ key }) => key))) {
      const values = heard.filter(removal => removal.key === key).map(({ value }) => value)
      assert.deepEqual(
        values,
        values.toSorted((a, b) => a - b),
        key
      )
      assert.equal(new Set(values).size, values.length)
    }
    map.close()
  })

  it('that are terminated while they listen and much waits for them do no harm', async () => {
    const name = freshName()
    const map = TypedMap.open(name, { evictionStrategy: 'fifo', maxEntries: 100, ttl: 5 })
    for (let round = 0; round < 20; round++) {
      const workers = [0, 1].map(() =>
        startWorker(({ TypedMap, data, port }) => {
          const map = TypedMap.open(data)
          map.onEvict(({ key }) => map.has(key), { causes: ['evicted', 'expired', 'replaced', 'explicit', 'cleared'] })
          map.onPressure(() => true)
          port.postMessage('listening')
          for (let n = 0; ; n++) map.set(n % 1_000, 'x'.repeat(n % 500))
        }, name)
      )
      await Promise.all(workers.map(nextMessage))
      for (let n = 0; n < 500; n++) map.set(`main ${n}`, n)
      await Promise.all(workers.map(worker => worker.terminate()))
    }
    // Without a deadline: on a busy machine, one of milliseconds is over before the next line.
    map.set('alive', 1, { ttl: Number.POSITIVE_INFINITY })
    assert.equal(map.get('alive'), 1)
    map.close()
  })

  it('the process ends cleanly while workers listen and entries expire', async () => {
    for (let round = 0; round < 5; round++) {
      const { status, signal, stderr } = await runNode(`
        const { Worker } = require('node:worker_threads')
        const map = TypedMap.open('ending', { ttl: 2, maxEntries: 1_000 })
        map.onEvict(() => {})
        const source = \`
          const { TypedMap } = require(\${JSON.stringify(require('node:path').resolve('.'))})
          const map = TypedMap.open('ending')
          map.onEvict(() => {})
          for (let n = 0; ; n++) map.set(n, n)\`
        for (let n = 0; n < 2; n++) new Worker(source, { eval: true })
        setTimeout(() => process.exit(0), 60)
      `)
      assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' })
    }
  })
})
