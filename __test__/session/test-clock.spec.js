'use strict'

// `TypedMap.setClock()`: tests move the time of the maps of their thread.

const { afterEach, describe, it } = require('node:test')
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

function setClock() {
  const clock = TypedMap.setClock()
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
    map.set('before', 1)
    const clock = setClock()
    const left = map.ttlOf('before')
    map.set('after', 1).set('long', 1, { ttl: HOUR })
    await sleep(30)
    assert.equal(map.ttlOf('before'), left)
    assert.equal(map.ttlOf('after'), 10)
    clock.advance(9)
    assert.equal(map.get('before'), left > 9 ? 1 : undefined)
    assert.equal(map.ttlOf('after'), 1)
    clock.advance(1)
    assert.deepEqual([...map.keys()], ['long'])
    assert.equal(map.ttlOf('long'), HOUR - 10)
    clock.advance(HOUR - 11)
    assert.equal(map.size, 1)
    clock.advance(1)
    assert.equal(map.size, 0)
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
    map.set('later', 1, { ttl: 10 })
    assert.equal(map.get('later'), 1)
    throwsTyped(() => clock.advance(1), 'ERR_INVALID_OPTION', { kind: RangeError, says: [/^ms is 1;/] })
    clock.restore()
    const next = setClock()
    next.advance(9)
    assert.equal(map.get('later'), 1)
    next.advance(1)
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
    const map = newMap().set('a', 1, { ttl: 10 })
    const first = setClock()
    const second = setClock()
    const left = map.ttlOf('a')
    throwsTyped(() => first.advance(10), 'ERR_CLOCK_ENDED')
    first.restore()
    second.advance(left - 1)
    assert.equal(map.ttlOf('a'), 1)
  })

  it('is restored by `using`', () => {
    const map = newMap().set('a', 1, { ttl: 10 })
    const clock = setClock()
    clock[Symbol.dispose ?? Symbol.for('Symbol.dispose')]()
    throwsTyped(() => clock.advance(10), 'ERR_CLOCK_ENDED')
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
