'use strict'

// Delivery goes on where timers, clocks and microtasks are replaced, and where timers are numbers.

const { describe, it, mock } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { evaluateAgain } = require('../support/evaluations.js')
const { runNode } = require('../support/processes.js')

const { setTimeout: sleep } = require('node:timers/promises')

require('../support/sound.js')

/** Waits with a timer that no test tool has replaced. */
async function until(isDone) {
  while (!isDone()) await sleep(1)
}

function listening(Api = TypedMap) {
  const heard = []
  const map = new Api({ maxEntries: 1, shards: 1, evictionStrategy: 'fifo' })
  map.onEvict(({ key }) => heard.push(key))
  return { map, heard }
}

describe('delivery', { timeout: 300_000 }, () => {
  it('does not depend on the globals of its time', async () => {
    const { map, heard } = listening()
    const names = ['setTimeout', 'setImmediate', 'setInterval', 'queueMicrotask', 'performance', 'structuredClone']
    const saved = names.map(name => Object.getOwnPropertyDescriptor(globalThis, name))
    try {
      for (const name of names) Object.defineProperty(globalThis, name, { value: () => 1, configurable: true })
      map.set('a', 1).set('b', 2)
      await until(() => heard.length === 1)
      map.set('c', 3)
      await until(() => heard.length === 2)
    } finally {
      for (const [n, name] of names.entries()) Object.defineProperty(globalThis, name, saved[n])
    }
    assert.deepEqual(heard, ['a', 'b'])
    map.close()
  })

  it('goes on while timers are faked, and after', async () => {
    const { map, heard } = listening()
    map.set('a', 1).set('b', 2)
    await until(() => heard.length === 1)
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate'] })
    try {
      map.set('c', 3)
      // `node:timers/promises` is faked as well, so turns come from elsewhere.
      const { port1, port2 } = new MessageChannel()
      const turn = () => {
        const arrived = new Promise(resolve => port1.once('message', resolve))
        port2.postMessage(0)
        return arrived
      }
      for (let turns = 0; turns < 100_000 && heard.length < 2; turns++) await turn()
      port1.close()
    } finally {
      mock.timers.reset()
    }
    assert.deepEqual(heard, ['a', 'b'])
    map.set('d', 4)
    await until(() => heard.length === 3)
    map.close()
  })

  it('goes on after a test that faked timers and then loaded the package', async () => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate'] })
    const { now } = performance
    performance.now = () => 0
    const { map, heard } = listening(evaluateAgain().TypedMap)
    map.set('a', 1).set('b', 2)
    mock.timers.reset()
    performance.now = now
    await until(() => heard.length === 1)
    map.set('c', 3)
    await until(() => heard.length === 2)
    assert.deepEqual(heard, ['a', 'b'])
    assert.deepEqual(await map.validate(), { ok: true, problems: [] })
    map.close()
  })

  it('works where timers are numbers, already when the package is loaded', async () => {
    const { status, stdout, stderr } = await runNode(
      `
      const map = new TypedMap({ maxEntries: 1, shards: 1, evictionStrategy: 'fifo' })
      let heard = 0
      map.onEvict(({ key }) => { heard++; console.log('evicted', key) })
      map.onError(() => { throw new Error('thrown') })
      process.on('uncaughtException', error => console.log('uncaught', error.message))
      map.set('a', 1).set('b', 2)
      // Keeps the process alive until both were reported, however long that takes.
      const look = () => {
        if (heard === 1) map.set('c', 3)
        if (heard < 2) real(look, 1)
      }
      look()`,
      { flags: ['--require', require.resolve('../support/timers-as-numbers.js')] }
    )
    assert.equal(stderr, '')
    assert.equal(status, 0)
    assert.equal(stdout, 'evicted a\nevicted b\n')
  })

  it('does not keep a process alive, and a listener that waits for nothing is not called', async () => {
    const { status, stdout, stderr } = await runNode(`
      const map = TypedMap.open('ending', { maxEntries: 1, logLevel: 'trace' })
      map.onEvict(() => {})
      map.onLog(() => {})
      map.onError(() => {})
      map.onPressure(() => {})
      for (let n = 0; n < 1_000; n++) map.set(n, n)
      console.log('end')`)
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: 'end\n', stderr: '' })
  })
})
