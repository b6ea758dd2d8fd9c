'use strict'

// Log lines: what they are about, what a listener wants of them, and that they are bounded.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const pino = require('pino')
const { TypedMap } = require('../..')
const { runNode } = require('../support/processes.js')
const { inWorker, nextMessage, startWorker } = require('../support/workers.js')

require('../support/sound.js')

let names = 0
const freshName = () => `logs ${process.pid} ${++names}`

/** Lets the event loop turn until `isDone`; a test that waits for nothing fails by its own timeout. */
async function until(isDone) {
  while (!isDone()) await new Promise(resolve => setTimeout(resolve, 1))
}

/** Turns that a delivery which must not come had time to come in. */
async function someTurns() {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

const OPERATIONS = { level: 'debug', targets: ['typedmap.operations'] }

/** The lines that a map logs for a listener. */
function linesOf(map, options) {
  const lines = []
  const end = map.onLog(line => lines.push(line), options)
  return { lines, end, codes: () => lines.map(({ code }) => code) }
}

describe('log lines', { timeout: 300_000 }, () => {
  it('have a time, a level, a target, a code, a message in words, and details', async () => {
    const map = new TypedMap([['a', 1]])
    const { lines } = linesOf(map)
    const before = Date.now()
    map.clear()
    const after = Date.now()
    await until(() => lines.length > 0)
    const [{ time, ...line }] = lines
    assert.ok(before <= time && time <= after)
    assert.deepEqual(line, {
      level: 'info',
      target: 'typedmap.lifecycle',
      code: 'map.cleared',
      message: 'All entries were removed',
      details: { entries: 1 }
    })
    map.close()
  })

  it('are those of the level and targets that a listener names, whatever another one wants', async () => {
    const map = new TypedMap({ maxEntries: 1, oomStrategy: 'reject', logLevel: 'error' })
    const all = linesOf(map, { level: 'trace' })
    const memory = linesOf(map, { level: 'info', targets: ['typedmap.memory'] })
    const lifecycle = linesOf(map, { level: 'info', targets: ['typedmap.lifecycle'] })
    const none = linesOf(map, { level: 'trace', targets: [] })
    const byDefault = linesOf(map)
    map.set('a', 1)
    assert.throws(() => map.set('b', 1), { code: 'ERR_MEMORY_LIMIT' })
    map.clear()
    await until(() => lifecycle.lines.length > 0 && memory.lines.length > 0 && all.codes().includes('map.cleared'))
    await someTurns()
    assert.deepEqual(memory.codes(), ['limit.entries'])
    assert.deepEqual(lifecycle.codes(), ['map.cleared'])
    assert.deepEqual([...none.lines, ...byDefault.lines], [])
    for (const code of ['limit.entries', 'map.cleared', 'operation.ended', 'operation.failed']) {
      assert.ok(all.codes().includes(code), code)
    }
    map.close()
  })

  it('are those of `logTargets` where a listener names none', async () => {
    const map = new TypedMap({ maxEntries: 1, oomStrategy: 'reject', logTargets: ['typedmap.memory'] })
    const { lines, codes } = linesOf(map)
    const all = linesOf(map, { targets: ['typedmap.memory', 'typedmap.lifecycle'] })
    map.clear()
    map.set('a', 1)
    assert.throws(() => map.set('b', 1), { code: 'ERR_MEMORY_LIMIT' })
    await until(() => lines.length > 0 && all.lines.length === 2)
    assert.deepEqual(codes(), ['limit.entries'])
    map.close()
  })

  it('options that are not allowed are refused, and nothing listens', () => {
    const map = new TypedMap()
    const refused = (options, code) => assert.throws(() => map.onLog(() => {}, options), { code })
    refused({ level: 'loud' }, 'ERR_INVALID_OPTION')
    refused({ level: 1 }, 'ERR_INVALID_OPTION')
    refused({ targets: 'typedmap.memory' }, 'ERR_INVALID_OPTION')
    refused({ targets: ['memory'] }, 'ERR_INVALID_OPTION')
    refused({ target: [] }, 'ERR_INVALID_OPTION')
    refused('debug', 'ERR_INVALID_OPTION')
    map.close()
  })

  it('listeners that throw keep no line from others', async () => {
    const { stdout } = await runNode(`
      const map = new TypedMap()
      const alive = setInterval(() => {}, 10)
      let lines = 0
      const say = (...words) => { console.log(...words); if (++lines === 4) clearInterval(alive), map.close() }
      process.on('uncaughtException', ({ message }) => say('uncaught', message))
      map.onLog(() => { throw new Error('listener failed') }, { targets: ['typedmap.lifecycle'] })
      map.onLog(({ code }) => say(code), { targets: ['typedmap.lifecycle'] })
      map.clear()
      map.clear()
    `)
    assert.deepEqual(stdout.trim().split('\n').sort(), [
      'map.cleared',
      'map.cleared',
      'uncaught listener failed',
      'uncaught listener failed'
    ])
  })
})

describe('log lines of what becomes of a map', { timeout: 300_000 }, () => {
  it('say that a thread opened it, closed it, or ended with it', async () => {
    const name = freshName()
    const map = TypedMap.open(name)
    const { lines, codes } = linesOf(map, { level: 'debug', targets: ['typedmap.lifecycle'] })
    await inWorker(({ TypedMap, data }) => {
      const map = TypedMap.open(data)
      map.close()
      TypedMap.open(data)
    }, name)
    await until(() => codes().filter(code => code === 'map.closed').length === 2)
    assert.deepEqual(
      lines.map(({ code, level, details }) => [code, level, details]),
      [
        ['map.opened', 'debug', { opens: 2 }],
        ['map.closed', 'debug', { opens: 1 }],
        ['map.opened', 'debug', { opens: 2 }],
        ['thread.ended', 'info', {}],
        ['map.closed', 'debug', { opens: 1 }]
      ]
    )
    map.close()
  })

  it('say that a thread was terminated that had it open', async () => {
    const name = freshName()
    const map = TypedMap.open(name)
    const { codes } = linesOf(map)
    const worker = startWorker(({ TypedMap, data, port }) => {
      const map = TypedMap.open(data)
      port.postMessage('open')
      for (;;) map.has('a')
    }, name)
    worker.result.catch(() => {})
    await nextMessage(worker)
    await worker.terminate()
    await until(() => codes().includes('thread.ended'))
    map.close()
  })

  it('say that it has grown, in which shard, and that it was destroyed', async () => {
    const map = new TypedMap({ shards: 1 })
    const { lines, codes } = linesOf(map, { level: 'debug', targets: ['typedmap.lifecycle'] })
    for (let key = 0; key < 10_000; key++) map.set(key, key)
    await until(() => codes().includes('index.resized'))
    const { shard, capacity } = lines[0].details
    assert.equal(shard, 0)
    assert.ok(capacity > 0)
    map.close()
  })
})

describe('log lines of memory', { timeout: 300_000 }, () => {
  const MEMORY = { level: 'warn', targets: ['typedmap.memory'] }

  it('say that the limit is near, once in all threads that listen', async () => {
    const name = freshName()
    const limit = 4 * 1024 ** 2
    const map = TypedMap.open(name, { memoryLimit: limit })
    const { lines } = linesOf(map, MEMORY)
    const other = TypedMap.open(name)
    const others = linesOf(other, MEMORY)
    for (let key = 0; key < 20_000; key++) map.set(key, 'v'.repeat(500))
    await until(() => lines.length > 0 && others.lines.length > 0)
    await someTurns()
    for (const heard of [lines, others.lines]) {
      assert.deepEqual(
        heard.map(({ code }) => code),
        ['memory.pressure']
      )
      const { usedBytes, limitBytes } = heard[0].details
      assert.equal(limitBytes, limit)
      assert.ok(usedBytes > 0.9 * limit && usedBytes <= limit, `${usedBytes}`)
    }
    map.close()
    other.close()
  })

  it('say that the limit is no longer near', async () => {
    const map = new TypedMap({ memoryLimit: 4 * 1024 ** 2, oomStrategy: 'reject' })
    const { lines } = linesOf(map, { level: 'info', targets: ['typedmap.memory'] })
    map.set('large', 'v'.repeat(3.8 * 1024 ** 2))
    map.delete('large')
    await until(() => lines.length > 1)
    assert.deepEqual(
      lines.map(({ code, level }) => [code, level]),
      [
        ['memory.pressure', 'warn'],
        ['memory.relieved', 'info']
      ]
    )
    assert.ok(lines[1].details.usedBytes < 1024 ** 2, 'what is in use then')
    map.close()
  })

  it('say that memory is fragmented, some seconds later', async () => {
    const map = new TypedMap({ shards: 64 })
    const { lines } = linesOf(map, MEMORY)
    for (let key = 0; key < 20_000; key++) map.set(`${key}`, 'v'.repeat(500))
    for (let key = 0; key < 20_000; key++) if (key % 10 !== 0) map.delete(`${key}`)
    await until(() => lines.length > 0)
    const [{ code, details }] = lines
    assert.equal(code, 'memory.fragmented')
    assert.ok(details.idleBytes > details.entriesBytes / 4)
    map.close()
  })
})

describe('log lines in pino', { timeout: 300_000 }, () => {
  it('have the level, the message and the figures, by one line of code', async () => {
    const written = []
    const logger = pino({ level: 'debug' }, { write: text => written.push(JSON.parse(text)) })
    const map = new TypedMap([['a', 1]], { maxEntries: 1, oomStrategy: 'reject' })
    map.onLog(({ level, message, ...line }) => logger[level](line, message), { level: 'debug' })
    const before = Date.now()
    assert.throws(() => map.set('b', 1), { code: 'ERR_MEMORY_LIMIT' })
    map.clear()
    await until(() => written.length === 4)
    const of = code => written.find(line => line.code === code)
    const { time, pid, hostname, ...cleared } = of('map.cleared')
    assert.ok(time >= before && time <= Date.now())
    const { info, warn, debug } = pino.levels.values
    assert.deepEqual(cleared, {
      level: info,
      target: 'typedmap.lifecycle',
      code: 'map.cleared',
      details: { entries: 1 },
      msg: 'All entries were removed'
    })
    assert.equal(of('limit.entries').level, warn)
    assert.equal(of('operation.failed').level, debug)
    map.close()
  })
})

describe('log lines of operations', { timeout: 300_000 }, () => {
  it('say the operation, the key or handle, whether it was a hit, and how long it took; and no value', async () => {
    const map = new TypedMap([['a', { secret: 'of a value' }]])
    const { lines, end } = linesOf(map, OPERATIONS)
    const handle = map.insert('secret of a value')
    map.get('a')
    map.get('a')
    map.get('b')
    handle.get()
    map.delete(9n)
    map.has(new Uint8Array([1, 2]))
    await until(() => lines.length === 7)
    for (const { level, target, code, message, details } of lines) {
      assert.deepEqual(
        [level, target, code, message],
        ['debug', 'typedmap.operations', 'operation.ended', 'A call of the map ended']
      )
      assert.ok(details.durationMs >= 0 && details.durationMs < 60_000)
    }
    const { map: number, shard, slot, generation } = handle
    const data = { map: number, shard, slot, generation }
    assert.deepEqual(
      lines.map(({ details: { durationMs, ...rest } }) => rest),
      [
        { operation: 'insert', handle: data },
        { operation: 'get', key: 'a', hit: true },
        { operation: 'get', key: 'a', hit: true, near: true },
        { operation: 'get', key: 'b', hit: false },
        { operation: 'handle.get', handle: data, hit: true },
        { operation: 'delete', key: '9n', hit: false },
        { operation: 'has', key: [1, 2], hit: false }
      ]
    )
    assert.ok(!JSON.stringify(lines).includes('secret'))
    end()
    map.close()
  })

  it('say what a call that failed threw', async () => {
    const map = new TypedMap([['a', 1]], { maxEntries: 1, oomStrategy: 'reject' })
    const { lines } = linesOf(map, OPERATIONS)
    assert.throws(() => map.set('b', 1), { code: 'ERR_MEMORY_LIMIT' })
    await until(() => lines.length === 1)
    const [{ code, details }] = lines
    assert.equal(code, 'operation.failed')
    assert.equal(details.error, 'ERR_MEMORY_LIMIT')
    map.close()
  })

  it('show of a long key its start, and hold no more of it', async () => {
    const map = new TypedMap()
    const { lines } = linesOf(map, OPERATIONS)
    map.has('k'.repeat(10_000))
    map.has(new Uint8Array(10_000))
    map.has(2n ** 1_000n)
    map.has(Number.NaN)
    await until(() => lines.length === 4)
    assert.deepEqual(
      lines.map(({ details }) => details.key),
      [`${'k'.repeat(256)}…`, Array(256).fill(0), 'a bigint', 'NaN']
    )
    map.close()
  })

  it('are bounded, and the number of those that were dropped is told to every listener', async () => {
    const map = new TypedMap({ logLevel: 'error' })
    const { lines, codes } = linesOf(map, OPERATIONS)
    const other = linesOf(map, { level: 'error' })
    for (let call = 0; call < 5_000; call++) map.has(call)
    await until(() => codes().includes('events.dropped'))
    const { level, message, details } = lines.at(-1)
    assert.equal(level, 'warn')
    assert.match(message, /dropped/)
    assert.equal(lines.length - 1 + details.count, 5_000)
    assert.ok(lines.length <= 1_100)
    assert.deepEqual(other.codes(), ['events.dropped'])
    map.close()
  })

  it('end with the listener: the class is as it was', async () => {
    const map = new TypedMap([['a', 1]])
    const { get } = TypedMap.prototype
    const [first, second] = [linesOf(map, OPERATIONS), linesOf(map, OPERATIONS)]
    assert.notEqual(TypedMap.prototype.get, get)
    first.end()
    first.end()
    map.get('a')
    await until(() => second.lines.length > 0)
    assert.deepEqual([first.lines.length, second.lines.length], [0, 1])
    second.end()
    assert.equal(TypedMap.prototype.get, get)
    const third = linesOf(map, OPERATIONS)
    map.get('a')
    await until(() => third.lines.length > 0)
    map.close()
    assert.equal(TypedMap.prototype.get, get)
  })

  it('a listener that logs does not log itself without end', async () => {
    const map = new TypedMap()
    let heard = 0
    map.onLog(() => {
      heard++
      if (heard < 100) map.has('a')
    }, OPERATIONS)
    map.has('a')
    await until(() => heard === 100)
    await someTurns()
    assert.equal(heard, 100)
    map.close()
  })

  it('are of the calls of their thread', async () => {
    const name = freshName()
    const map = TypedMap.open(name)
    const { lines } = linesOf(map, OPERATIONS)
    await inWorker(({ TypedMap, data }) => void TypedMap.open(data).set('from a worker', 1), name)
    map.get('from a worker')
    await until(() => lines.length > 0)
    await someTurns()
    assert.deepEqual(
      lines.map(({ details }) => details.operation),
      ['get']
    )
    map.close()
  })

  it('a worker may be terminated amid them', async () => {
    const name = freshName()
    const map = TypedMap.open(name)
    const { lines } = linesOf(map, { level: 'trace' })
    for (let round = 0; round < 5; round++) {
      const worker = startWorker(({ TypedMap, data, port }) => {
        const map = TypedMap.open(data)
        map.onLog(() => map.has('a'), { level: 'trace' })
        map.onLog(() => map.clear(), { level: 'trace' })
        port.postMessage('logging')
        setInterval(() => {
          for (let key = 0; key < 100; key++) map.set(key, key)
        }, 0)
        return new Promise(() => {})
      }, name)
      worker.result.catch(() => {})
      await nextMessage(worker)
      await someTurns()
      await worker.terminate()
    }
    map.clear()
    await until(() => lines.some(({ code }) => code === 'map.cleared'))
    map.close()
  })
})
