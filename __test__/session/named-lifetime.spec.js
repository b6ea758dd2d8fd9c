'use strict'

// A named map lives in a thread from its first `open` to an explicit close or to the end of the thread, never to a
// garbage collection.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const loaded = require('../../lib/addon/load.js')
const { runNode } = require('../support/processes.js')
const { until } = require('../support/turns.js')
const { inWorker, nextMessage, startWorker } = require('../support/workers.js')

require('../support/sound.js')

let names = 0
const freshName = () => `named lifetime ${process.pid} ${++names}`

/** Runs `script` where `collect()` lets what nothing reaches be collected, and its finalizers run. */
function collecting(script) {
  const prelude = `
    const collect = async () => {
      for (let round = 0; round < 5; round++) {
        gc()
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    }
    const print = value => console.log(JSON.stringify(value))
    ;(async () => {${script}})().catch(error => { console.error(error); process.exit(1) })`
  return runNode(prelude, { flags: ['--expose-gc'] })
}

async function prints(script, ...expected) {
  const { status, stdout, stderr } = await collecting(script)
  assert.equal(stderr, '')
  assert.equal(status, 0)
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line)),
    expected
  )
}

describe('a named map that nothing reaches', { timeout: 300_000 }, () => {
  it('stays, and the next open of the name has what was in it', () =>
    prints(
      `TypedMap.open('cache').set('a', 1)
      await collect()
      print(TypedMap.names())
      print(TypedMap.open('cache').get('a'))
      await collect()
      const map = TypedMap.open('cache')
      print(map.get('a'))
      print(map.getStats().threads)
      map.close()
      print(TypedMap.names())`,
      ['cache'],
      1,
      1,
      1,
      []
    ))

  it('stays for other threads, which start when they like', () =>
    prints(
      `const { Worker } = require('node:worker_threads')
      const { once } = require('node:events')
      const counter = TypedMap.open('shared').insertWithHandle('answer', 42)
      await collect()
      const worker = new Worker(\`
        const { TypedMap } = require(\${JSON.stringify(${JSON.stringify(require.resolve('../..'))})})
        const { parentPort, workerData } = require('node:worker_threads')
        const map = TypedMap.open('shared')
        parentPort.postMessage([map.get('answer'), map.get(map.handle(workerData))])\`,
          { eval: true, workerData: counter })
      print((await once(worker, 'message'))[0])`,
      [42, 42]
    ))

  it('is compared with the options of the next open as any other', () =>
    prints(
      `TypedMap.open('cache', { maxEntries: 10 })
      await collect()
      let code
      try { TypedMap.open('cache', { maxEntries: 11 }) } catch (error) { code = error.code }
      print(code)
      print(TypedMap.open('cache', { maxEntries: 10 }).size)`,
      'ERR_INVALID_OPTION',
      0
    ))

  it('was destroyed by another thread: the name is free', () =>
    prints(
      `const { Worker } = require('node:worker_threads')
      const { once } = require('node:events')
      TypedMap.open('cache', { maxEntries: 10 }).set('a', 1)
      await collect()
      const worker = new Worker(\`
        require(\${JSON.stringify(${JSON.stringify(require.resolve('../..'))})}).TypedMap.open('cache').destroy()\`,
          { eval: true })
      await once(worker, 'exit')
      print(TypedMap.names())
      print(TypedMap.open('cache', { maxEntries: 11 }).size)`,
      [],
      0
    ))

  it('is held once, however many objects it had', () =>
    prints(
      `for (let n = 0; n < 100; n++) TypedMap.open('cache').set('n', n)
      await collect()
      const map = TypedMap.open('cache')
      print([map.get('n'), map.getStats().threads])
      map.close()
      print(TypedMap.names())`,
      [99, 1],
      []
    ))

  it('ends with an explicit close of the last object, if others were collected before', () =>
    prints(
      `const map = TypedMap.open('cache')
      ;(() => { TypedMap.open('cache').set('a', 1) })()
      await collect()
      print(map.get('a'))
      map.close()
      print(TypedMap.names())`,
      1,
      []
    ))

  it('stays if one object was closed and the last one collected', () =>
    prints(
      `;(() => {
        const [one, other] = [TypedMap.open('cache'), TypedMap.open('cache')]
        one.set('a', 1)
        one.close()
      })()
      await collect()
      const map = TypedMap.open('cache')
      print(map.get('a'))
      map.destroy()
      print(TypedMap.names())`,
      1,
      []
    ))

  it('of a map without a name, the memory is freed', () =>
    prints(
      `const before = process.memoryUsage.rss()
      const isFreed = () => process.memoryUsage.rss() - before < 100_000_000
      for (let n = 0; n < 200; n++) {
        new TypedMap([['a', 'x'.repeat(1_000_000)]])
        if (n % 10 === 9) await collect()
      }
      // By a thread of its own, which a busy machine may keep waiting.
      for (let looks = 0; !isFreed() && looks < 1_000; looks++) await collect()
      print(isFreed())`,
      true
    ))
})

describe('a named map in a worker', { timeout: 300_000 }, () => {
  it('ends with the worker, closed or not', async () => {
    const name = freshName()
    await inWorker(({ TypedMap, data }) => void TypedMap.open(data).set('a', 1), name)
    assert.equal(TypedMap.names().includes(name), false)
    const worker = startWorker(({ TypedMap, data, port }) => {
      TypedMap.open(data).set('a', 1)
      port.postMessage('open')
      return new Promise(() => setInterval(() => {}, 1_000))
    }, name)
    await nextMessage(worker)
    assert.ok(TypedMap.names().includes(name))
    await worker.terminate()
    await until(() => !TypedMap.names().includes(name))
  })

  it('is not needed by one that is open elsewhere', async () => {
    const name = freshName()
    const map = TypedMap.open(name)
    await inWorker(({ TypedMap, data }) => void TypedMap.open(data).set('a', 1), name)
    assert.equal(map.get('a'), 1)
    map.close()
    assert.equal(TypedMap.names().includes(name), false)
  })
})

describe('several opens of a name in one thread', () => {
  it('are references of their own: one close ends one of them', () => {
    const name = freshName()
    const [one, other] = [TypedMap.open(name), TypedMap.open(name)]
    one.set('a', 1)
    one.close()
    assert.equal(other.get('a'), 1)
    assert.ok(TypedMap.names().includes(name))
    other.close()
    assert.equal(TypedMap.names().includes(name), false)
  })

  it('accept limits as they were and as they are', () => {
    const name = freshName()
    const map = TypedMap.open(name, { maxEntries: 10 })
    map.setLimits({ maxEntries: 20, memoryLimit: '64mb' })
    for (const options of [{ maxEntries: 10 }, { maxEntries: 20 }, { maxEntries: 20, memoryLimit: '64mb' }, {}]) {
      TypedMap.open(name, options).close()
    }
    assert.throws(() => TypedMap.open(name, { maxEntries: 30 }), { code: 'ERR_INVALID_OPTION', message: /30.*20/ })
    map.close()
  })
})

describe('a finalizer that runs when its evaluation has ended, as at the end of a process of Deno', () => {
  it('has nothing to do', () => {
    const neverGiven = 2 ** 32 - 1
    assert.equal(loaded.abandon(neverGiven), undefined)
    assert.throws(() => loaded.close(neverGiven), /is no number of an open map/)
  })
})
