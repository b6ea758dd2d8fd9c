'use strict'

// `TypedMap.setClock()`: tests move the time of the maps of their thread.

const { afterEach, describe, it, mock } = require('node:test')
const assert = require('node:assert/strict')
const { setTimeout: sleep } = require('node:timers/promises')
const { TypedMap, TypedMapError } = require('../..')
const { throwsTyped } = require('../support/errors.js')
const { evaluateAgain, evaluateInRealm } = require('../support/evaluations.js')
const { runNode } = require('../support/processes.js')
const { until } = require('../support/turns.js')
const { inWorker, nextMessage, startWorker } = require('../support/workers.js')

require('../support/sound.js')

const HOUR = 3_600_000

let names = 0
const freshName = () => `test clock ${process.pid} ${++names}`

const open = []
const clocks = []

function newMap(...given) {
  const map = new TypedMap(...given)
  open.push(map)
  return map
}

function openMap(name, options) {
  const map = TypedMap.open(name, options)
  open.push(map)
  return map
}

function setClock(...given) {
  const clock = TypedMap.setClock(...given)
  clocks.push(clock)
  return clock
}

afterEach(() => {
  for (const clock of clocks.splice(0)) clock.restore()
  for (const map of open.splice(0)) map.close()
})

describe('a clock that is set', { timeout: 300_000 }, () => {
  it('stands still, and moves by what it is told', async () => {
    const map = newMap({ ttl: 10 })
    map.set('before', 1, { ttl: 2 * HOUR })
    const clock = setClock()
    const left = map.ttlOf('before')
    map.set('after', 1).set('long', 1, { ttl: HOUR })
    await sleep(30)
    assert.equal(map.ttlOf('before'), left)
    assert.equal(map.ttlOf('after'), 10)
    clock.advance(9)
    assert.equal(map.ttlOf('before'), left - 9)
    assert.equal(map.ttlOf('after'), 1)
    clock.advance(1)
    assert.deepEqual([...map.keys()], ['before', 'long'])
    assert.equal(map.ttlOf('long'), HOUR - 10)
    clock.advance(HOUR - 11)
    assert.equal(map.size, 2)
    clock.advance(1)
    assert.deepEqual([...map.keys()], ['before'])
  })

  it('has removed what is due when the call returns, however much it is', () => {
    const clock = setClock()
    const map = newMap()
    for (let ttl = 1; ttl <= 50; ttl++) {
      map.setMany(
        Array.from({ length: 1_000 }, (_, n) => [`${ttl} ${n}`, { n }]),
        { ttl }
      )
    }
    for (let passed = 1; passed <= 25; passed++) {
      clock.advance(1)
      assert.equal(map.size, 50_000 - passed * 1_000)
    }
    clock.advance(25)
    const { size, expirations, deadlines } = { size: map.size, ...map.getStats() }
    assert.deepEqual({ size, expirations, deadlines }, { size: 0, expirations: 50_000, deadlines: 0 })
    assert.equal(map.purgeExpired(), 0)
  })

  it('ends copies in near caches, walks that began, and what handles hold', () => {
    const clock = setClock()
    const map = newMap({ ttl: 100 })
    const handle = map.insertWithHandle('handle', { by: 'handle' })
    map.set('key', { by: 'key' })
    for (let read = 0; read < 5; read++) assert.deepEqual([map.get('key').by, handle.get().by], ['key', 'handle'])
    for (let n = 0; n < 10; n++) map.set(`walked ${n}`, n, { ttl: n < 5 ? 200 : 100 })
    const walk = map.keys()
    assert.equal(walk.next().value, 'handle')
    clock.advance(100)
    assert.equal(map.get('key'), undefined)
    assert.equal(handle.get(), undefined)
    assert.equal(map.has(handle), false)
    assert.deepEqual([...walk], ['walked 0', 'walked 1', 'walked 2', 'walked 3', 'walked 4'])
  })

  it('reports what expired to listeners in the usual way', async () => {
    const clock = setClock()
    const map = newMap({ ttl: 5 })
    const heard = []
    map.onEvict(({ key, cause }) => heard.push(`${key} ${cause}`))
    map.set('a', 1).set('b', 2, { ttl: 6 })
    clock.advance(5)
    assert.deepEqual(heard, [], 'not within the call')
    await until(() => heard.length === 1)
    clock.advance(5)
    await until(() => heard.length === 2)
    assert.deepEqual(heard, ['a expired', 'b expired'])
  })

  it('goes by the options of the map', () => {
    const clock = setClock()
    const sliding = newMap({ ttl: 10, sliding: true }).set('read', 1).set('not', 1)
    const keeping = newMap({ ttl: 10, ttlOnUpdate: 'keep' }).set('a', 1)
    const strict = newMap({ ttl: 10, strictTtl: true }).set('a', 1)
    const plain = newMap({ ttl: 10 }).set('touched', 1).set('updated', 1)
    clock.advance(9)
    sliding.get('read')
    keeping.set('a', 2)
    plain.touch('touched')
    plain.set('updated', 2)
    assert.equal(strict.get('a'), 1)
    clock.advance(1)
    assert.deepEqual([...sliding.keys()], ['read'])
    assert.equal(keeping.size, 0)
    assert.equal(strict.get('a'), undefined)
    assert.deepEqual([plain.ttlOf('touched'), plain.ttlOf('updated')], [9, 9])
    clock.advance(9)
    assert.deepEqual([sliding.size, plain.size], [0, 0])
  })

  it('decides which entries are idle', () => {
    const clock = setClock()
    const map = newMap({ maxEntries: 2, shards: 1, oomStrategy: { evictIdle: 1_000 } })
    map.set('a', 1).set('b', 1)
    throwsTyped(() => map.set('c', 1), 'ERR_MEMORY_LIMIT')
    clock.advance(2_000)
    map.set('c', 1)
    assert.equal(map.has('c'), true)
  })

  it('adds fractions up', () => {
    const clock = setClock()
    const map = newMap().set('a', 1, { ttl: 2 })
    for (let n = 0; n < 3; n++) clock.advance(0.5)
    assert.equal(map.ttlOf('a'), 1)
    clock.advance(0.5)
    assert.equal(map.ttlOf('a'), undefined)
  })

  it('moves farther than any deadline, and maps go on after that', () => {
    const clock = setClock()
    const map = newMap()
      .set('longest', 1, { ttl: 2 ** 47 })
      .set('forever', 1)
    clock.advance(2 ** 47 - 1)
    assert.equal(map.get('longest'), 1)
    clock.advance(1)
    assert.deepEqual([...map.keys()], ['forever'])
    map.set('later', 1, { ttl: HOUR })
    assert.equal(map.get('later'), 1)
    throwsTyped(() => clock.advance(1), 'ERR_INVALID_OPTION', { kind: RangeError, says: [/^ms is 1;/] })
    // Between the two clocks the time of the machine passes.
    const next = setClock()
    next.advance(HOUR / 2)
    assert.equal(map.get('later'), 1)
    next.advance(HOUR / 2)
    assert.equal(map.get('later'), undefined)
  })

  it('refuses what is no time', () => {
    const clock = setClock()
    const map = newMap({ ttl: 1 }).set('a', 1)
    for (const ms of [undefined, null, '5', 5n, {}, [5], () => 5]) {
      throwsTyped(() => clock.advance(ms), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/^ms is /, /from 0 to/] })
    }
    for (const ms of [-1, -0.1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 47 + 1]) {
      throwsTyped(() => clock.advance(ms), 'ERR_INVALID_OPTION', { kind: RangeError, says: [/^ms is /] })
    }
    assert.equal(map.ttlOf('a'), 1)
    clock.advance(0)
    clock.advance(-0)
    assert.equal(map.ttlOf('a'), 1)
  })
})

/** What every method makes of a map with entries that are due, one map for each. */
const USES = {
  size: map => map.size === 1,
  get: map => map.get('due') === undefined,
  'get, a field': map => map.get('due', { at: '/n' }) === undefined,
  'get, a copy': map => map.get('due', { copy: true }) === undefined,
  'get by handle': (map, handle) => map.get(handle) === undefined,
  getByHandle: (map, handle) => map.getByHandle(handle) === undefined,
  'handle.get': (_, handle) => handle.get() === undefined,
  has: map => !map.has('due'),
  'has by handle': (map, handle) => !map.has(handle),
  getMany: map => map.getMany(['due'])[0] === undefined,
  getHandle: map => map.getHandle('due') === undefined,
  peek: map => map.peek('due') === undefined,
  ttlOf: map => map.ttlOf('due') === undefined,
  touch: map => !map.touch('due'),
  memoryUsage: map => map.memoryUsage('due') === undefined,
  delete: map => !map.delete('due'),
  deleteMany: map => map.deleteMany(['due']) === 0,
  remove: map => map.remove('due') === undefined,
  getOrInsert: map => map.getOrInsert('due', 'new') === 'new' && map.ttlOf('due') === Number.POSITIVE_INFINITY,
  getOrInsertComputed: map => map.getOrInsertComputed('due', () => 'new') === 'new',
  set: map => map.set('due', 'new').getStats().expirations === 1,
  setMany: map => map.setMany([['due', 'new']]).getStats().expirations === 1,
  updateMany: map => map.updateMany([['due', 'new']]) === 0,
  replace(map, handle) {
    throwsTyped(() => map.replace(handle, 1), ['ERR_HANDLE_NOT_FOUND', 'ERR_GENERATION_MISMATCH'])
    return true
  },
  purgeExpired: map => map.purgeExpired() === 0,
  evict: map => map.evict(1) === 1 && map.size === 0,
  getStats: map => map.getStats().entries === 1,
  keys: map => [...map.keys()].join() === 'stays',
  values: map => [...map.values()].length === 1,
  entries: map => [...map].length === 1,
  scan: map => map.scan('0').entries.length === 1,
  randomKey: map => map.randomKey() === 'stays',
  forEach(map) {
    let count = 0
    map.forEach(() => {
      count++
    })
    return count === 1
  }
}

describe('a clock that follows the time of a function', { timeout: 300_000 }, () => {
  for (const [name, use] of Object.entries(USES)) {
    it(`shows it to ${name}`, () => {
      let time = 1_000
      const map = newMap()
      const handle = map.insertWithHandle('due', { n: 1 }, { ttl: HOUR })
      map.set('stays', 1)
      map.get('due')
      setClock({ now: () => time })
      // Reads that a near cache would answer.
      for (let read = 0; read < 3; read++) assert.ok(map.get('due') && handle.get())
      time += HOUR
      assert.ok(use(map, handle))
      assert.equal(map.getStats().expirations, 1)
    })
  }

  it('is told to every map of its thread, whenever it was opened and by which evaluation', () => {
    let time = 0
    const name = freshName()
    const other = evaluateAgain()
    const before = [openMap(name), new other.TypedMap()]
    setClock({ now: () => time })
    const later = [newMap(), new other.TypedMap(), openMap(name), new (evaluateAgain().TypedMap)()]
    for (const map of [...before, ...later]) {
      open.push(map)
      map.set('a', 1, { ttl: HOUR })
    }
    for (const map of [...before, ...later]) {
      time++
      assert.equal(map.ttlOf('a'), HOUR - time)
    }
    time = HOUR
    for (const map of [...before, ...later]) assert.equal(map.size, 0)
  })

  it('is seen by an iterator that fetched ahead', () => {
    let time = 0
    const map = newMap()
    setClock({ now: () => time })
    for (let n = 0; n < 500; n++) map.set(n, n, { ttl: n < 250 ? 10 : 20 })
    const walk = map.keys()
    for (let n = 0; n < 100; n++) assert.equal(walk.next().value, n)
    time = 10
    assert.equal(walk.next().value, 250)
    time = 20
    assert.equal(walk.next().done, true)
  })

  it('sets deadlines', () => {
    let time = 5
    const map = newMap({ ttl: 10 })
    setClock({ now: () => time })
    map.set('a', 1)
    time = 10
    map.set('b', 1)
    assert.deepEqual([map.ttlOf('a'), map.ttlOf('b')], [5, 10])
    time = 14
    assert.ok(map.touch('a', { ttl: 3 }))
    map.setMany([['c', 1]], { ttl: 2 })
    assert.deepEqual([map.ttlOf('a'), map.ttlOf('b'), map.ttlOf('c')], [3, 6, 2])
    time = 16.5
    assert.deepEqual([map.ttlOf('a'), map.ttlOf('b'), map.ttlOf('c')], [1, 4, undefined])
  })

  it('never goes back, and is moved by advance as well', () => {
    let time = 100
    const map = newMap()
    const clock = setClock({ now: () => time })
    map.set('a', 1, { ttl: 100 })
    time = 50
    assert.equal(map.ttlOf('a'), 100)
    time = 110
    assert.equal(map.ttlOf('a'), 90)
    clock.advance(40)
    assert.equal(map.ttlOf('a'), 50)
    const heard = []
    map.onEvict(({ key }) => heard.push(key))
    time = 160
    clock.advance(0)
    clock.restore()
    time = HOUR
    map.set('b', 1, { ttl: 1_000_000 })
    assert.ok(map.ttlOf('b') > 500_000)
    return until(() => heard.join() === 'a')
  })

  it('reaches listeners when a map is used, or by advance(0)', async () => {
    let time = 0
    const map = newMap({ ttl: 5 })
    const clock = setClock({ now: () => time })
    const heard = []
    map.onEvict(({ key }) => heard.push(key))
    map.set('a', 1)
    time = 5
    clock.advance(0)
    await until(() => heard.length === 1)
  })

  it('follows the timers of node:test', () => {
    mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1_700_000_000_000 })
    try {
      const map = newMap({ ttl: 1_000 })
      setClock({ now: () => Date.now() })
      map.set('a', 1)
      const seen = []
      setTimeout(() => seen.push(map.ttlOf('a')), 400)
      setTimeout(() => seen.push(map.ttlOf('a')), 999)
      setTimeout(() => seen.push(map.ttlOf('a')), 1_000)
      // Some versions show the time at the end of a tick to all that it runs.
      for (const ms of [400, 599, 1]) mock.timers.tick(ms)
      assert.deepEqual(seen, [600, 1, undefined])
    } finally {
      mock.timers.reset()
    }
  })

  it('ends for all when another clock is set, another realm comes, or it is restored', () => {
    const time = { asked: 0 }
    const now = () => ++time.asked
    const map = newMap()
    const first = setClock({ now })
    map.set('a', 1, { ttl: HOUR })
    const second = setClock()
    const before = time.asked
    const left = map.ttlOf('a')
    throwsTyped(() => first.advance(1), 'ERR_CLOCK_ENDED')
    second.advance(1)
    assert.equal(map.ttlOf('a'), left - 1)
    const third = setClock({ now })
    assert.equal(map.ttlOf('a'), left - 2)
    third.restore()
    assert.ok(map.ttlOf('a') <= left - 2)
    setClock({ now })
    evaluateInRealm()
    const asked = time.asked
    map.size
    assert.equal(time.asked, asked + 1, 'it learns that it has ended')
    map.size
    assert.equal(time.asked, asked + 1)
    assert.ok(before >= 2)
  })

  it('refuses what shows no time', () => {
    for (const options of [null, 5, () => 0, [], { time: Date.now }]) {
      throwsTyped(() => TypedMap.setClock(options), 'ERR_INVALID_OPTION', { kind: TypeError })
    }
    for (const now of [null, 5, {}]) {
      throwsTyped(() => TypedMap.setClock({ now }), 'ERR_INVALID_OPTION', {
        kind: TypeError,
        says: [/^option now is /]
      })
    }
    let shown
    const show = () => shown
    for (shown of [undefined, '5', 5n, Number.NaN, Number.POSITIVE_INFINITY]) {
      throwsTyped(() => TypedMap.setClock({ now: show }), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/returned/] })
    }
    shown = 0
    const map = newMap()
    const clock = setClock({ now: show })
    map.set('a', 1)
    shown = 'five'
    throwsTyped(() => map.get('a', { copy: true }), 'ERR_INVALID_OPTION', {
      kind: TypeError,
      says: [/returned is 'five'/]
    })
    throwsTyped(() => clock.advance(1), 'ERR_INVALID_OPTION', { kind: TypeError })
    shown = 0
    clock.advance(1)
    clock.restore()
    TypedMap.setClock({ now: undefined }).restore()
  })

  it('does not let its function use a map, and passes on what the function throws', () => {
    const map = newMap().set('a', 1)
    const numbers = newMap().set('n', 1)
    let now = () => 0
    const clock = setClock({ now: () => now() })
    now = () => numbers.size
    throwsTyped(() => map.set('a', { n: 1 }, { ttl: 5 }), 'ERR_INVALID_OPTION', { says: [/must not use a map/] })
    now = () => {
      throw new RangeError('no time')
    }
    assert.throws(() => map.set('a', 2, { ttl: 5 }), { message: 'no time' })
    now = () => 0
    map.set('b', 2)
    assert.equal(map.ttlOf('b'), Number.POSITIVE_INFINITY, 'no ttl is left over')
    assert.equal(map.get('a'), 1)
    clock.restore()
  })
})

describe('a clock that was restored', { timeout: 300_000 }, () => {
  it('goes on from where it stood', async () => {
    const map = newMap()
    const clock = setClock()
    map.set('soon', 1, { ttl: 1_010 }).set('late', 1, { ttl: HOUR })
    clock.advance(1_000)
    await sleep(20)
    clock.restore()
    assert.ok(map.ttlOf('late') > HOUR - 600_000 && map.ttlOf('late') <= HOUR - 1_000)
    await until(() => map.size === 1)
    map.set('short', 1, { ttl: 5 })
    await until(() => map.size === 1)
  })

  it('moves nothing any more', () => {
    const map = newMap()
    const clock = setClock()
    map.set('a', 1, { ttl: 1_000_000 })
    clock.restore()
    clock.restore()
    const error = throwsTyped(() => clock.advance(2_000_000), 'ERR_CLOCK_ENDED')
    assert.ok(error instanceof TypedMapError)
    assert.equal(map.size, 1)
  })

  it('is followed by the next, and a clock that another one replaced moves nothing', () => {
    const map = newMap().set('a', 1, { ttl: HOUR })
    const first = setClock()
    const second = setClock()
    const left = map.ttlOf('a')
    throwsTyped(() => first.advance(HOUR), 'ERR_CLOCK_ENDED')
    first.restore()
    second.advance(left - 1)
    assert.equal(map.ttlOf('a'), 1)
  })

  it('is restored by `using`', () => {
    const map = newMap().set('a', 1, { ttl: HOUR })
    const clock = setClock()
    clock[Symbol.dispose ?? Symbol.for('Symbol.dispose')]()
    throwsTyped(() => clock.advance(HOUR), 'ERR_CLOCK_ENDED')
    assert.equal(map.size, 1)
  })
})

describe('maps of other threads', { timeout: 300_000 }, () => {
  it('share the time of the map, and their copies end', async () => {
    const name = freshName()
    const clock = setClock()
    const map = openMap(name)
    map.set('a', { n: 1 }, { ttl: 1_000 })
    const worker = startWorker(async ({ TypedMap, data, port }) => {
      const map = TypedMap.open(data)
      const read = () => [map.get('a')?.n, map.get('a')?.n, map.ttlOf('a')]
      const next = () => new Promise(resolve => port.once('message', resolve))
      for (let round = 0; round < 2; round++) {
        const message = next()
        port.postMessage(read())
        await message
      }
      return read()
    }, name)
    assert.deepEqual(await nextMessage(worker), [1, 1, 1_000])
    clock.advance(999)
    worker.postMessage('next')
    assert.deepEqual(await nextMessage(worker), [1, 1, 1])
    clock.advance(1)
    worker.postMessage('next')
    assert.deepEqual(await worker.result, [undefined, undefined, undefined])
  })

  it('that this thread has not opened run on', async () => {
    const clock = setClock()
    const passed = await inWorker(async ({ TypedMap }) => {
      const map = new TypedMap({ ttl: 5 }).set('a', 1)
      while (map.size > 0) await new Promise(resolve => setTimeout(resolve, 1))
      return 'passed'
    })
    assert.equal(passed, 'passed')
    clock.advance(1)
  })

  it('run again when the last thread that holds their time lets go, and time that several move adds up', async () => {
    const name = freshName()
    const map = openMap(name)
    const clock = setClock()
    map.set('a', 1, { ttl: 100 })
    const worker = startWorker(async ({ TypedMap, data, port }) => {
      const map = TypedMap.open(data)
      const clock = TypedMap.setClock()
      clock.advance(40)
      port.postMessage(map.ttlOf('a'))
      await new Promise(resolve => port.once('message', resolve))
      // It ends without restoring its clock.
    }, name)
    assert.equal(await nextMessage(worker), 60)
    clock.advance(40)
    assert.equal(map.ttlOf('a'), 20)
    clock.restore()
    await sleep(40)
    assert.equal(map.ttlOf('a'), 20, 'the worker still holds it')
    worker.postMessage('end')
    await worker.exit
    await until(() => map.size === 0)
  })

  it('run again after a worker was terminated that held their time', async () => {
    const name = freshName()
    const map = openMap(name)
    const worker = startWorker(async ({ TypedMap, data, port }) => {
      TypedMap.open(data)
      TypedMap.setClock()
      port.postMessage('held')
      for (;;);
    }, name)
    await nextMessage(worker)
    map.set('a', 1, { ttl: 5 })
    await sleep(30)
    assert.equal(map.ttlOf('a'), 5)
    await worker.terminate()
    await until(() => map.size === 0)
  })
})

describe('maps and clocks of one thread', { timeout: 300_000 }, () => {
  it('a map that is opened twice moves once', () => {
    const name = freshName()
    const [one, other] = [openMap(name), openMap(name)]
    const clock = setClock()
    const third = openMap(name)
    one.set('a', 1, { ttl: 10 })
    clock.advance(5)
    for (const map of [one, other, third]) assert.equal(map.ttlOf('a'), 5)
    third.close()
    clock.advance(1)
    assert.equal(one.ttlOf('a'), 4)
  })

  it('a map that is closed here runs on for others', async () => {
    const name = freshName()
    const worker = startWorker(async ({ TypedMap, data, port }) => {
      const map = TypedMap.open(data)
      map.set('a', 1, { ttl: 50 })
      port.postMessage('open')
      while (map.size > 0) await new Promise(resolve => setTimeout(resolve, 1))
    }, name)
    const map = openMap(name)
    setClock()
    await nextMessage(worker)
    map.close()
    await worker.result
  })

  it('a destroyed map does not disturb', () => {
    const clock = setClock()
    const [ended, map] = [newMap({ ttl: 5 }), newMap({ ttl: 5 })]
    ended.set('a', 1)
    map.set('a', 1)
    ended.destroy()
    clock.advance(5)
    assert.equal(map.size, 0)
  })

  it('is reported in the log of each map', async () => {
    const map = newMap({ logLevel: 'info' })
    const lines = []
    map.onLog(({ code }) => lines.push(code))
    setClock().restore()
    await until(() => lines.length > 0)
    assert.deepEqual(lines, ['clock.held'])
  })

  it('belongs to all evaluations of its realm', () => {
    const other = evaluateAgain()
    const clock = setClock()
    const later = evaluateAgain()
    const maps = [other, later].map(({ TypedMap: Api }) => new Api({ ttl: 10 }).set('a', 1))
    open.push(...maps)
    clock.advance(9)
    assert.deepEqual(
      maps.map(map => map.ttlOf('a')),
      [1, 1]
    )
    const second = later.TypedMap.setClock()
    assert.throws(() => clock.advance(1), { code: 'ERR_CLOCK_ENDED' })
    second.advance(1)
    assert.deepEqual(
      maps.map(map => map.size),
      [0, 0]
    )
    second.restore()
  })

  it('ends when another realm evaluates the package, as the next test file of a runner does', async () => {
    const name = freshName()
    const map = openMap(name)
    const clock = setClock()
    map.set('a', 1, { ttl: 5 })
    const { TypedMap: Api } = evaluateInRealm()
    throwsTyped(() => clock.advance(5), 'ERR_CLOCK_ENDED')
    const own = new Api({ ttl: 5 }).set('a', 1)
    open.push(own)
    await until(() => map.size === 0 && own.size === 0)
  })

  it('ends for maps that nothing can reach any more, too', async () => {
    const { status, stdout, stderr } = await runNode(
      `
      const { evaluateInRealm } = require(${JSON.stringify(require.resolve('../support/evaluations.js'))})
      const sleep = () => new Promise(resolve => setTimeout(resolve, 5))
      // The first test file forgets its map and its clock.
      void (() => {
        const first = evaluateInRealm().TypedMap
        first.setClock()
        first.open('forgotten').set('a', 1, { ttl: 5 })
      })()
      const run = async () => {
        for (let round = 0; round < 10; round++) {
          await sleep()
          global.gc()
        }
        const map = evaluateInRealm().TypedMap.open('forgotten')
        while (map.size > 0) await sleep()
        console.log('expired')
      }
      run()`,
      { flags: ['--expose-gc'] }
    )
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: 'expired\n', stderr: '' })
  })

  it('keeps no process alive', async () => {
    const { status, stdout, stderr } = await runNode(`
      const clock = TypedMap.setClock()
      new TypedMap({ ttl: 5 }).set('a', 1)
      clock.advance(1)
      console.log('end')`)
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: 'end\n', stderr: '' })
  })
})
