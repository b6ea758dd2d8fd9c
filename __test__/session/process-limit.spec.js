'use strict'

// One byte limit over all maps of the process.

const { afterEach, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { throwsTyped } = require('../support/errors.js')
const { someTurns, until } = require('../support/turns.js')
const { inWorker, nextMessage, startWorker } = require('../support/workers.js')

require('../support/sound.js')

const MB = 1024 * 1024
const LIMIT = 8 * MB
const used = () => TypedMap.processMemory().usedBytes

/** Whether all maps have given their bytes back, but for what a thread's garbage collector has not looked at yet. */
const isFree = () => {
  const { usedBytes, maps } = TypedMap.processMemory()
  return usedBytes <= 16 * 1024 * maps
}

let names = 0
const freshName = () => `process limit ${process.pid} ${names++}`

/** Sets values of 500 bytes, so many, and looks at what is in use after each hundred. */
function fill(map, count, most = LIMIT) {
  for (let n = 0; n < count; n++) {
    map.set(`key ${n}`, 'x'.repeat(500))
    if (n % 100 === 0) assert.ok(used() <= most, `${used()} after ${n}`)
  }
}

describe('the limit of the process', { timeout: 300_000 }, () => {
  const open = []
  const evicting = options => {
    const map = new TypedMap({ evictionStrategy: 'lru', ...options })
    open.push(map)
    return map
  }
  const plain = options => {
    const map = new TypedMap(options)
    open.push(map)
    return map
  }

  afterEach(async () => {
    TypedMap.setProcessLimit(null)
    for (const map of open.splice(0, open.length)) map.destroy()
    await until(isFree)
  })

  it('holds over all maps: those that evict make room, and what does not is refused when they have none', async () => {
    assert.deepEqual(TypedMap.processMemory(), { limitBytes: null, usedBytes: 0, maps: 0 })
    TypedMap.setProcessLimit('8mb')
    const [caches, entries] = [[evicting(), evicting({ memoryLimit: '64mb' }), evicting({ maxEntries: 1e6 })], plain()]
    for (const cache of caches) fill(cache, 10_000)
    const { limitBytes, usedBytes, maps } = TypedMap.processMemory()
    assert.deepEqual({ limitBytes, maps }, { limitBytes: LIMIT, maps: 4 })
    assert.ok(usedBytes > LIMIT / 2 && usedBytes <= LIMIT, `${usedBytes}`)
    for (const cache of caches) assert.ok(cache.size > 500, 'each has a share')
    const error = throwsTyped(() => fill(entries, 100_000), 'ERR_MEMORY_LIMIT', { says: [/all maps of the process/] })
    const { scope, ...details } = error.details
    assert.equal(scope, 'process')
    assert.equal(details.limitBytes, LIMIT)
    assert.ok(details.usedBytes + details.requestedBytes > LIMIT)
    assert.ok(entries.memoryUsage() > LIMIT / 2, 'it had what the others gave')
    assert.equal(entries.getStats().evictions, 0)
    assert.equal(entries.get('key 0'), 'x'.repeat(500))
    entries.clear()
    await until(() => used() < LIMIT / 2)
    fill(caches[0], 1_000)
  })

  it('a map has its own limit besides, and says which one refused', () => {
    const small = plain({ memoryLimit: '1mb', oomStrategy: 'reject' })
    TypedMap.setProcessLimit(LIMIT)
    assert.equal(throwsTyped(() => fill(small, 10_000), 'ERR_MEMORY_LIMIT').details.scope, 'map')
    assert.equal(throwsTyped(() => small.set('large', 'x'.repeat(9 * MB)), 'ERR_VALUE_TOO_LARGE').name, 'TypedMapError')
    const { details } = throwsTyped(() => plain().set('large', 'x'.repeat(9 * MB)), 'ERR_VALUE_TOO_LARGE')
    assert.equal(details.limitBytes, LIMIT)
  })

  it('several maps and threads that write at once stay below it', async () => {
    TypedMap.setProcessLimit(LIMIT)
    const shared = [freshName(), freshName()]
    const maps = shared.map((name, at) => TypedMap.open(name, at === 0 ? { evictionStrategy: 'lru' } : {}))
    open.push(...maps)
    const write = ({ TypedMap, data: { shared, thread, limit } }) => {
      const maps = shared.map(name => TypedMap.open(name))
      const makeRoom = map => map.deleteMany([...map.keys()].slice(0, 100))
      let refused = 0
      // Where the others were faster, all room may be taken by the map that evicts nothing.
      while (maps.length < 3) {
        try {
          maps.push(new TypedMap({ evictionStrategy: 's3-fifo' }))
        } catch (error) {
          if (error.code !== 'ERR_MEMORY_LIMIT') throw error
          makeRoom(maps[1])
        }
      }
      for (let n = 0; n < 12_000; n++) {
        const map = maps[(n * 7 + thread) % 3]
        const size = n % 200 === 0 ? 100_000 : (n * 13) % 900
        try {
          map.set((n * 31 + thread * 1_009) % 9_000, 'x'.repeat(size))
        } catch (error) {
          if (error.code !== 'ERR_MEMORY_LIMIT') throw error
          refused++
          makeRoom(map)
        }
        const { usedBytes } = TypedMap.processMemory()
        if (usedBytes > limit) throw new Error(`${usedBytes} bytes`)
      }
      return refused
    }
    const threads = [0, 1, 2, 3].map(thread => inWorker(write, { shared, thread, limit: LIMIT }))
    await Promise.all(threads)
    for (const map of maps) assert.deepEqual((await map.validate()).problems, [])
    assert.ok(used() <= LIMIT)
  })

  it('a worker that is terminated amid writes gives back what only it had', async () => {
    TypedMap.setProcessLimit(LIMIT)
    for (let round = 0; round < 5; round++) {
      const worker = startWorker(({ TypedMap, port }) => {
        const maps = [new TypedMap({ evictionStrategy: 'lru' }), new TypedMap({ memoryLimit: '2mb' })]
        for (let n = 0; ; n++) {
          for (const map of maps) map.set(n, 'x'.repeat((n * 7) % 2_000))
          if (n === 3_000) port.postMessage('writing')
        }
      })
      await nextMessage(worker)
      assert.ok(used() > MB)
      await worker.terminate()
      await until(isFree)
    }
    fill(evicting(), 20_000)
  })

  it('one below what is in use has maps evict down to it, in proportion, and adds nothing', async () => {
    const [large, small, kept] = [evicting(), evicting(), plain()]
    fill(large, 30_000, Number.POSITIVE_INFINITY)
    fill(small, 10_000, Number.POSITIVE_INFINITY)
    fill(kept, 1_000, Number.POSITIVE_INFINITY)
    const before = used()
    assert.ok(before > 2 * LIMIT)
    TypedMap.setProcessLimit(LIMIT)
    assert.ok(used() <= before)
    throwsTyped(() => kept.set('another', 'x'.repeat(before)), 'ERR_VALUE_TOO_LARGE')
    await until(() => used() < 0.94 * LIMIT)
    assert.ok(used() > 0.8 * LIMIT, `not much more than it has to be: ${used()}`)
    assert.equal(kept.size, 1_000)
    const ratio = large.memoryUsage() / small.memoryUsage()
    assert.ok(ratio > 2 && ratio < 5, `as before: ${ratio}`)
    TypedMap.setProcessLimit(undefined)
    fill(kept, 40_000, Number.POSITIVE_INFINITY)
    assert.ok(used() > LIMIT)
  })

  it('maps that are closed, collected by their thread or destroyed give their bytes back', async () => {
    TypedMap.setProcessLimit(LIMIT)
    const ends = [map => map.close(), map => map.destroy()]
    for (const end of ends) {
      const map = new TypedMap()
      fill(map, 5_000)
      assert.ok(used() > MB)
      end(map)
      await until(isFree)
    }
    await inWorker(({ TypedMap }) => {
      const map = new TypedMap()
      for (let n = 0; n < 5_000; n++) map.set(n, 'x'.repeat(500))
    })
    await until(isFree)
  })

  it('a function of the user is asked before a write of its map is refused', () => {
    const asked = []
    const oomStrategy = (map, { requestedBytes }) => {
      asked.push(requestedBytes)
      for (const key of [...map.keys()].slice(0, 2_000)) map.delete(key)
    }
    const [freeing, failing] = [
      plain({ oomStrategy, maxEntries: 1e6 }),
      plain({ oomStrategy: () => {}, maxEntries: 1e6 })
    ]
    TypedMap.setProcessLimit(LIMIT)
    fill(freeing, 30_000)
    assert.ok(asked.length > 0 && freeing.size < 30_000)
    throwsTyped(() => fill(failing, 30_000), 'ERR_EVICTION_FAILED')
  })

  it('a text, a number of bytes, Infinity, null and undefined set it; anything else is refused', () => {
    const limits = [
      ['1.5 gb', 1.5 * 1024 ** 3],
      [12_345_678, 12_345_678],
      [Number.POSITIVE_INFINITY, null],
      ['512mb', 512 * MB],
      [null, null],
      [MB, MB],
      [undefined, null]
    ]
    for (const [given, limitBytes] of limits) {
      assert.equal(TypedMap.setProcessLimit(given), undefined)
      assert.equal(TypedMap.processMemory().limitBytes, limitBytes)
    }
    TypedMap.setProcessLimit('auto')
    assert.ok(TypedMap.processMemory().limitBytes > MB)
    TypedMap.setProcessLimit(7 * MB)
    for (const wrong of [{}, [], true, Symbol('x'), 5n, () => 5]) {
      throwsTyped(() => TypedMap.setProcessLimit(wrong), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/limit/] })
    }
    for (const wrong of [0, -1, Number.NaN, 'many', '', '0mb', 2 ** 60]) {
      throwsTyped(() => TypedMap.setProcessLimit(wrong), 'ERR_INVALID_OPTION', { kind: RangeError, says: [/limit/] })
    }
    assert.equal(TypedMap.processMemory().limitBytes, 7 * MB, 'what is refused changes nothing')
  })

  it('no map is made where there is no room for one', () => {
    TypedMap.setProcessLimit(1)
    const error = throwsTyped(() => new TypedMap(), 'ERR_MEMORY_LIMIT')
    assert.equal(error.details.scope, 'process')
    const name = freshName()
    throwsTyped(() => TypedMap.open(name), 'ERR_MEMORY_LIMIT')
    assert.ok(!TypedMap.names().includes(name))
  })
})

describe('onProcessPressure', { timeout: 300_000 }, () => {
  it('reports when all maps together pass a threshold, in both directions', async () => {
    const maps = [new TypedMap(), new TypedMap()]
    const events = []
    const end = TypedMap.onProcessPressure((ratio, event) => events.push({ ...event, same: ratio === event.ratio }), {
      thresholds: [0.5]
    })
    for (const map of maps) fill(map, 4_000)
    await someTurns()
    assert.deepEqual(events, [], 'without a limit there is no pressure')
    TypedMap.setProcessLimit(LIMIT)
    await until(() => events.length > 0)
    const { usedBytes, ratio, ...rest } = events[0]
    assert.deepEqual(rest, { state: 'high', rising: true, threshold: 0.5, limitBytes: LIMIT, same: true })
    assert.ok(ratio === usedBytes / LIMIT && ratio > 0.5)
    maps[0].destroy()
    await until(() => events.length > 1)
    assert.deepEqual([events[1].state, events[1].rising], ['normal', false])
    await inWorker(async ({ TypedMap }) => {
      const map = new TypedMap()
      for (let n = 0; n < 4_000; n++) map.set(n, 'x'.repeat(500))
    })
    await until(() => events.length > 3)
    assert.deepEqual(
      events.slice(2).map(({ state }) => state),
      ['high', 'normal']
    )
    end()
    fill(maps[1], 9_000)
    await someTurns()
    assert.equal(events.length, 4)
    TypedMap.setProcessLimit(null)
    maps[1].destroy()
  })

  it('a listener that returns true has maps evict until it is over', async () => {
    const maps = [1, 2].map(() => new TypedMap({ evictionStrategy: 'lru' }))
    TypedMap.setProcessLimit(LIMIT)
    const heard = []
    const end = TypedMap.onProcessPressure((_, { state }) => heard.push(state) > 0, { thresholds: [0.5] })
    for (const map of maps) fill(map, 5_000)
    assert.ok(used() > 0.5 * LIMIT)
    await until(() => heard.includes('normal'))
    assert.deepEqual(heard, ['high', 'normal'])
    assert.ok(used() < 0.49 * LIMIT && used() > 0.3 * LIMIT, `${used()}`)
    for (const map of maps) assert.ok(map.size > 1_000 && map.size < 5_000)
    end()
    TypedMap.setProcessLimit(null)
    for (const map of maps) map.destroy()
  })

  it('lines of each map say low, pressure and normal', async () => {
    const [cache, other] = [new TypedMap({ evictionStrategy: 'lru' }), new TypedMap()]
    const lines = []
    other.onLog(line => lines.push(line), { level: 'info', targets: ['typedmap.memory'] })
    TypedMap.setProcessLimit(LIMIT)
    fill(cache, 20_000)
    await until(() => lines.some(({ code }) => code === 'process.pressure'))
    const { level, details } = lines.find(({ code }) => code === 'process.pressure')
    assert.equal(level, 'warn')
    assert.ok(details.limitBytes === LIMIT && details.usedBytes > 0.95 * LIMIT)
    cache.destroy()
    await until(() => lines.at(-1).code === 'process.normal')
    const known = ['process.low', 'process.pressure', 'process.normal']
    assert.ok(lines.every(({ code }) => known.includes(code)))
    TypedMap.setProcessLimit(null)
    other.destroy()
  })

  it('wrong arguments are refused', () => {
    throwsTyped(() => TypedMap.onProcessPressure(5), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/listener/] })
    const wrong = { thresholds: [2] }
    throwsTyped(() => TypedMap.onProcessPressure(() => {}, wrong), 'ERR_INVALID_OPTION', { kind: RangeError })
  })
})
