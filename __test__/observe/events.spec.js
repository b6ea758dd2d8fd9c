'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { isTyped } = require('../support/errors.js')
const { runNode } = require('../support/processes.js')
const { inWorker, nextMessage, startWorker } = require('../support/workers.js')

require('../support/sound.js')

let names = 0
const freshName = () => `events ${process.pid} ${++names}`

/** Lets the event loop turn until `isDone`; a test that waits for nothing fails by its own timeout. */
async function until(isDone) {
  while (!isDone()) await new Promise(resolve => setTimeout(resolve, 1))
}

/** Turns that a delivery which must not come had time to come in. */
async function someTurns() {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

const refuse = map => assert.throws(() => map.set('one too many', 1), { code: 'ERR_MEMORY_LIMIT' })

describe('events: errors', { timeout: 300_000 }, () => {
  it('reach the listener of the map, after the call that caused them', async () => {
    const map = new TypedMap([['a', 1]], { maxEntries: 1, oomStrategy: 'reject' })
    const heard = []
    map.onError((...args) => heard.push(args))
    refuse(map)
    assert.equal(heard.length, 0, 'never inside the call')
    await until(() => heard.length > 0)
    assert.equal(heard[0].length, 1)
    const [[error]] = heard
    isTyped(error, 'ERR_MEMORY_LIMIT')
    assert.equal(error.details.operation, 'set')
    map.close()
  })

  it('reach listeners in other threads', async () => {
    const name = freshName()
    const map = TypedMap.open(name, { maxEntries: 1, oomStrategy: 'reject' })
    map.set('a', 1)
    const heard = []
    map.onError(error => heard.push(error))
    await inWorker(({ TypedMap, data, assert }) => {
      const map = TypedMap.open(data)
      assert.throws(() => map.set('b', 1), { code: 'ERR_MEMORY_LIMIT' })
    }, name)
    await until(() => heard.length > 0)
    isTyped(heard[0], 'ERR_MEMORY_LIMIT')
    map.close()
  })

  it('reach a worker from the main thread', async () => {
    const name = freshName()
    const map = TypedMap.open(name, { maxEntries: 1, oomStrategy: 'reject' })
    map.set('a', 1)
    const worker = startWorker(({ TypedMap, data, port }) => {
      const map = TypedMap.open(data)
      return new Promise(resolve => {
        const alive = setInterval(() => {}, 1_000)
        map.onError(error => {
          clearInterval(alive)
          resolve(error.code)
        })
        port.postMessage('listening')
      })
    }, name)
    await nextMessage(worker)
    refuse(map)
    assert.equal(await worker.result, 'ERR_MEMORY_LIMIT')
    map.close()
  })

  it('of one map are not heard at another', async () => {
    const [one, other] = [1, 2].map(() => new TypedMap([['a', 1]], { maxEntries: 1, oomStrategy: 'reject' }))
    const heard = []
    other.onError(error => heard.push(error))
    const end = one.onError(() => heard.push('one'))
    refuse(one)
    await until(() => heard.length > 0)
    await someTurns()
    assert.deepEqual(heard, ['one'])
    end()
    one.close()
    other.close()
  })
})

describe('events: log lines', { timeout: 300_000 }, () => {
  it('have a level, a code and details', async () => {
    const map = new TypedMap([['a', 1]], { logLevel: 'trace' })
    const lines = []
    map.onLog(line => lines.push(line))
    map.clear()
    await until(() => lines.some(({ code }) => /clear/.test(code)))
    for (const line of lines) {
      assert.ok(['trace', 'debug', 'info', 'warn', 'error'].includes(line.level), line.level)
      assert.equal(typeof line.code, 'string')
      assert.equal(typeof line.details, 'object')
    }
    map.close()
  })

  it('below the level of the thread are not delivered', async () => {
    const name = freshName()
    const quiet = TypedMap.open(name, { logLevel: 'warn', maxEntries: 3, oomStrategy: 'reject' })
    const loud = TypedMap.open(name, { logLevel: 'info' })
    const off = TypedMap.open(name, { logLevel: 'off' })
    const heard = { quiet: [], loud: [], off: [] }
    quiet.onLog(({ level }) => heard.quiet.push(level))
    loud.onLog(({ level }) => heard.loud.push(level))
    off.onLog(({ level }) => heard.off.push(level))
    quiet.set('a', 1)
    quiet.clear()
    for (let key = 0; key < 3; key++) quiet.set(key, 1)
    refuse(quiet)
    await until(() => heard.loud.includes('warn') && heard.quiet.length > 0)
    await someTurns()
    assert.ok(heard.loud.includes('info'))
    assert.ok(heard.quiet.every(level => level === 'warn' || level === 'error'))
    assert.deepEqual(heard.off, [])
    for (const map of [quiet, loud, off]) map.close()
  })

  it('come in the order in which they were caused', async () => {
    const name = freshName()
    const map = TypedMap.open(name, { logLevel: 'info' })
    const lines = []
    map.onLog(line => lines.push(line))
    for (let round = 1; round <= 20; round++) {
      for (let key = 0; key < round; key++) map.set(key, 1)
      map.clear()
    }
    await until(() => lines.filter(({ code }) => /clear/.test(code)).length === 20)
    const counts = lines.filter(({ code }) => /clear/.test(code)).map(({ details }) => details.entries)
    assert.deepEqual(
      counts,
      Array.from({ length: 20 }, (_, at) => at + 1)
    )
    map.close()
  })

  it('that wait for a long time are dropped, and their number is reported', async () => {
    const map = new TypedMap({ logLevel: 'info' })
    const lines = []
    // Of one target, because a call that the machine delayed is a line of another.
    map.onLog(line => lines.push(line), { targets: ['typedmap.lifecycle'] })
    // No turn of the event loop in between.
    for (let round = 0; round < 4_000; round++) {
      map.set('a', 1)
      map.clear()
    }
    await until(() => lines.some(({ code }) => /drop/.test(code)))
    const dropped = lines.find(({ code }) => /drop/.test(code)).details.count
    const cleared = lines.filter(({ code }) => /clear/.test(code)).length
    assert.equal(dropped + cleared, 4_000)
    map.close()
  })
})

describe('events: faster than they can be delivered', { timeout: 300_000 }, () => {
  it('do not block the event loop', async () => {
    const name = freshName()
    const map = TypedMap.open(name, { maxEntries: 1, oomStrategy: 'reject' })
    map.set('a', 1)
    let heard = 0
    map.onError(() => heard++)
    const workers = [1, 2].map(() =>
      startWorker(({ TypedMap, data, port }) => {
        const map = TypedMap.open(data)
        port.postMessage('refused')
        for (;;) {
          try {
            map.set('b', 1)
          } catch {}
        }
      }, name)
    )
    await Promise.all(workers.map(nextMessage))
    let most = 0
    for (let turn = 0; turn < 200; turn++) {
      const before = heard
      await new Promise(setImmediate)
      most = Math.max(most, heard - before)
    }
    await until(() => heard > 5_000)
    assert.ok(most <= 1_000, `${most} events came in one turn`)
    await Promise.all(workers.map(worker => worker.terminate()))
    map.close()
  })
})

describe('events: listeners', { timeout: 300_000 }, () => {
  it('end with the function that registering gave, and only they', async () => {
    const map = new TypedMap([['a', 1]], { maxEntries: 1, oomStrategy: 'reject' })
    const heard = []
    const first = () => heard.push('first')
    const ends = [map.onError(first), map.onError(first), map.onError(() => heard.push('last'))]
    for (const end of ends) assert.equal(typeof end, 'function')
    refuse(map)
    await until(() => heard.length >= 3)
    assert.deepEqual(heard.splice(0), ['first', 'first', 'last'])
    ends[0]()
    ends[0]()
    refuse(map)
    await until(() => heard.length >= 2)
    assert.deepEqual(heard.splice(0), ['first', 'last'])
    for (const end of ends) end()
    refuse(map)
    await someTurns()
    assert.deepEqual(heard, [])
    map.close()
  })

  it('are called no more once the map is closed', async () => {
    const name = freshName()
    const map = TypedMap.open(name, { maxEntries: 1, oomStrategy: 'reject' })
    const other = TypedMap.open(name)
    map.set('a', 1)
    const heard = []
    const end = map.onError(error => heard.push(error))
    refuse(other)
    map.close()
    refuse(other)
    await someTurns()
    assert.deepEqual(heard, [])
    end()
    assert.throws(() => map.onError(() => {}), { code: 'ERR_CLOSED' })
    assert.throws(() => map.onLog(() => {}), { code: 'ERR_CLOSED' })
    other.close()
  })

  it('may use the map, register others and end themselves', async () => {
    const map = new TypedMap([['a', 1]], { maxEntries: 1, oomStrategy: 'reject' })
    const heard = []
    const end = map.onError(() => {
      end()
      heard.push(map.get('a'))
      map.set('a', 2)
      map.onError(() => heard.push('second'))
    })
    refuse(map)
    await until(() => heard.length > 0)
    refuse(map)
    await until(() => heard.length > 1)
    assert.deepEqual(heard, [1, 'second'])
    assert.equal(map.get('a'), 2)
    map.close()
  })

  it('that throw are uncaught exceptions, and the others are called all the same', async () => {
    const { status, stdout } = await runNode(`
      const map = new TypedMap([['a', 1]], { maxEntries: 1, oomStrategy: 'reject' })
      let lines = 0
      const say = (...words) => { console.log(...words); if (++lines === 2) clearInterval(alive), map.close() }
      const alive = setInterval(() => {}, 10)
      process.on('uncaughtException', error => say('uncaught', error.message))
      map.onError(() => { throw new Error('listener failed') })
      map.onError(error => say('heard', error.code))
      try { map.set('b', 1) } catch {}`)
    assert.equal(status, 0)
    assert.deepEqual(stdout.trim().split('\n').sort(), ['heard ERR_MEMORY_LIMIT', 'uncaught listener failed'])
  })

  it('that are added or ended lose no events that wait for the others', async () => {
    const map = new TypedMap([['a', 1]], { maxEntries: 1, oomStrategy: 'reject', logLevel: 'info' })
    const heard = []
    map.onError(error => heard.push(error.code))
    refuse(map)
    const ends = [map.onLog(() => heard.push('log')), map.onError(() => {})]
    refuse(map)
    for (const end of ends) end()
    await until(() => heard.length >= 2)
    await someTurns()
    assert.deepEqual(heard, ['ERR_MEMORY_LIMIT', 'ERR_MEMORY_LIMIT'])
    map.close()
  })

  it('that are no functions are refused', () => {
    const map = new TypedMap()
    for (const listener of [undefined, null, {}, 'f', 1]) {
      assert.throws(() => map.onError(listener), TypeError)
      assert.throws(() => map.onLog(listener), TypeError)
    }
    map.close()
  })

  it('do not keep the process from ending', async () => {
    const { status, stdout, stderr } = await runNode(`
      const map = TypedMap.open('listening', { logLevel: 'trace' })
      map.onError(() => {})
      map.onLog(() => {})
      map.set('a', 1)
      console.log('end')`)
    assert.equal(stderr, '')
    assert.equal(status, 0)
    assert.equal(stdout, 'end\n')
  })
})

describe('events: threads that die', { timeout: 300_000 }, () => {
  it('a worker that ends or is terminated while it listens does no harm', async () => {
    const name = freshName()
    const map = TypedMap.open(name, { maxEntries: 1, oomStrategy: 'reject', logLevel: 'trace' })
    map.set('a', 1)
    const heard = []
    map.onError(error => heard.push(error))
    for (let round = 0; round < 10; round++) {
      const worker = startWorker(({ TypedMap, data, port }) => {
        const map = TypedMap.open(data, { logLevel: 'trace' })
        map.onError(() => {})
        map.onLog(() => {})
        port.postMessage('listening')
        return new Promise(resolve => port.once('message', resolve))
      }, name)
      await nextMessage(worker)
      refuse(map)
      if (round % 2 === 0) {
        const gone = worker.terminate()
        for (let n = 0; n < 50; n++) refuse(map)
        await gone
      } else {
        worker.postMessage('end')
        refuse(map)
        await worker.exit
      }
      refuse(map)
    }
    await until(() => heard.length >= 10)
    map.close()
  })

  it('a worker that causes events until it is terminated does no harm either', async () => {
    const name = freshName()
    const map = TypedMap.open(name, { maxEntries: 1, oomStrategy: 'reject', logLevel: 'trace' })
    map.set('a', 1)
    let heard = 0
    map.onError(() => heard++)
    map.onLog(() => heard++)
    const workers = [1, 2].map(() =>
      startWorker(({ TypedMap, data, port }) => {
        const map = TypedMap.open(data)
        port.postMessage('refused')
        for (;;) {
          try {
            map.set('b', 1)
          } catch {}
        }
      }, name)
    )
    await Promise.all(workers.map(nextMessage))
    await until(() => heard > 100)
    await Promise.all(workers.map(worker => worker.terminate()))
    refuse(map)
    map.close()
  })

  it('the process ends cleanly while workers listen and write', async () => {
    const { status, signal, stderr, stdout } = await runNode(`
      const { Worker } = require('node:worker_threads')
      const body = \`
        const { TypedMap } = require(\${JSON.stringify(require.resolve('./index.js', { paths: [process.cwd()] }))})
        const map = TypedMap.open('ending', { logLevel: 'trace' })
        map.onError(() => {})
        map.onLog(() => {})
        require('node:worker_threads').parentPort.postMessage('ready')
        for (let n = 0; ; n++) {
          try { map.set(n % 100, n) } catch {}
          if (n % 1000 === 0) map.clear()
        }\`
      const map = TypedMap.open('ending', { maxEntries: 10, oomStrategy: 'reject' })
      map.onError(() => {})
      let ready = 0
      for (let n = 0; n < 3; n++) {
        new Worker(body, { eval: true }).on('message', () => {
          if (++ready === 3) {
            console.log('leaving')
            process.exit(0)
          }
        })
      }`)
    assert.equal(signal, null, stderr)
    assert.equal(status, 0, stderr)
    assert.equal(stdout, 'leaving\n')
  })
})
