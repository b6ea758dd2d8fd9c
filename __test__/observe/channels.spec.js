'use strict'

// The channels of `node:diagnostics_channel`.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const diagnostics = require('node:diagnostics_channel')
const { TypedMap } = require('../..')
const { evaluateAgain } = require('../support/evaluations.js')
const { MAJORS, nodeOf } = require('../support/node-versions.js')
const { run, runNode } = require('../support/processes.js')
const { openOf } = require('../support/opens.js')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

const METHODS = Object.freeze(Object.getOwnPropertyDescriptors(TypedMap.prototype))

/** Fails unless the class is as it was defined. */
function isPlain() {
  for (const [name, { value }] of Object.entries(METHODS)) {
    assert.equal(Object.getOwnPropertyDescriptor(TypedMap.prototype, name).value, value, name)
  }
}

let names = 0
const freshName = () => `channels ${process.pid} ${++names}`

/** Lets the event loop turn until `isDone`; a test that waits for nothing fails by its own timeout. */
async function until(isDone) {
  while (!isDone()) await new Promise(resolve => setTimeout(resolve, 1))
}

/** The messages of a channel, until `end` is called. */
function listen(name) {
  const messages = []
  const hear = message => messages.push(message)
  diagnostics.subscribe(name, hear)
  return { messages, end: () => diagnostics.unsubscribe(name, hear) }
}

/** Runs `script` where `collect()` lets what nothing reaches be collected, and its finalizers run. */
function collecting(script) {
  const prelude = `
    const collect = async () => {
      for (let round = 0; round < 5; round++) {
        gc()
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    }
    ;(async () => {${script}})().catch(error => { console.error(error); process.exit(1) })`
  return runNode(prelude, { flags: ['--expose-gc'] })
}

describe('diagnostics channels', { timeout: 300_000 }, () => {
  it('keep nothing of subscriptions that have ended', () => {
    const map = new TypedMap()
    const open = openOf(map)
    const endings = new Set()
    const atEnd = open.atEnd.bind(open)
    open.atEnd = ending => {
      endings.add(ending)
      atEnd(ending)
    }
    const subscribeAll = () => {
      for (const name of ['get', 'set', 'remove', 'evict', 'expire', 'error'])
        listen(`typed-superdashmap:${name}`).end()
    }
    subscribeAll()
    const { size } = endings
    subscribeAll()
    subscribeAll()
    assert.equal(endings.size, size)
    map.close()
  })

  it('get: each read of this thread, hit or miss', () => {
    const map = new TypedMap([['a', { a: 1 }]])
    const handle = map.getHandle('a')
    const { messages, end } = listen('typed-superdashmap:get')
    map.get('a')
    map.get('a')
    map.get('b')
    map.get(handle)
    map.getByHandle(handle)
    handle.get()
    map.peek('a')
    end()
    map.get('a')
    handle.get()
    assert.deepEqual(messages, [
      { map, operation: 'get', key: 'a', hit: true },
      { map, operation: 'get', key: 'a', hit: true },
      { map, operation: 'get', key: 'b', hit: false },
      { map, operation: 'get', key: handle, hit: true },
      { map, operation: 'getByHandle', key: handle, hit: true },
      { map, operation: 'handle.get', key: handle, hit: true }
    ])
    for (const message of messages) assert.equal(message.map, map)
    isPlain()
    map.close()
  })

  it('set and remove: each write of one entry that did not fail', () => {
    const map = new TypedMap({ maxEntries: 2, oomStrategy: 'reject' })
    const set = listen('typed-superdashmap:set')
    const remove = listen('typed-superdashmap:remove')
    const handle = map.insert(1)
    map.set('a', 1)
    assert.throws(() => map.set('b', 1), { code: 'ERR_MEMORY_LIMIT' })
    map.increment('a')
    map.replace(handle, 2)
    map.delete('none')
    map.delete('a')
    map.remove(handle)
    set.end()
    remove.end()
    assert.deepEqual(set.messages, [
      { map, operation: 'insert', key: handle },
      { map, operation: 'set', key: 'a' },
      { map, operation: 'increment', key: 'a' },
      { map, operation: 'replace', key: handle }
    ])
    assert.deepEqual(remove.messages, [
      { map, operation: 'delete', key: 'a', cause: 'explicit' },
      { map, operation: 'remove', key: handle, cause: 'explicit' }
    ])
    isPlain()
    map.close()
  })

  it('messages have no value', async () => {
    const secret = 'of a value'
    const all = ['get', 'set', 'remove', 'evict', 'expire'].map(name => listen(`typed-superdashmap:${name}`))
    const map = new TypedMap({ maxEntries: 1 })
    map.set('a', { secret })
    map.get('a')
    map.set('b', { secret })
    map.set('b', { secret }, { ttl: 1 })
    await until(() => all[4].messages.length > 0)
    map.set('c', secret)
    map.remove('c')
    await until(() => all.every(({ messages }) => messages.length > 0))
    for (const { messages, end } of all) {
      for (const { map: of, ...rest } of messages) assert.ok(!JSON.stringify(rest).includes(secret))
      end()
    }
    map.close()
  })

  it('evict and expire: entries of all maps of the thread, whichever thread caused it', async () => {
    const name = freshName()
    const before = TypedMap.open(name, { maxEntries: 1 })
    const evict = listen('typed-superdashmap:evict')
    const expire = listen('typed-superdashmap:expire')
    const after = new TypedMap({ ttl: 1 })
    after.set('a', 1)
    await inWorker(({ TypedMap, data }) => {
      const map = TypedMap.open(data)
      map.set('a', 1)
      map.set('b', 1)
    }, name)
    await until(() => evict.messages.length > 0 && expire.messages.length > 0)
    assert.deepEqual(evict.messages, [{ map: before, key: 'a', cause: 'evicted' }])
    assert.deepEqual(expire.messages, [{ map: after, key: 'a', cause: 'expired' }])
    evict.end()
    expire.end()
    after.set('a', 1)
    before.set('c', 1)
    await new Promise(resolve => setTimeout(resolve, 20))
    assert.deepEqual([evict.messages.length, expire.messages.length], [1, 1])
    before.close()
    after.close()
  })

  it('error: what a map throws, in any thread', async () => {
    const map = new TypedMap([['a', 1]], { maxEntries: 1, oomStrategy: 'reject' })
    const { messages, end } = listen('typed-superdashmap:error')
    assert.throws(() => map.set('b', 1), { code: 'ERR_MEMORY_LIMIT' })
    await until(() => messages.length > 0)
    const [{ error, ...rest }] = messages
    assert.deepEqual(rest, { map, operation: 'set' })
    assert.equal(error.code, 'ERR_MEMORY_LIMIT')
    end()
    map.close()
  })

  it('a store that is bound gets the message as its context, while the call runs', () => {
    const map = new TypedMap()
    const store = new AsyncLocalStorage()
    const channel = diagnostics.channel('tracing:typed-superdashmap:transaction:start')
    channel.bindStore(store, ({ operation }) => operation)
    let seen
    map.transaction(() => {
      seen = store.getStore()
    })
    channel.unbindStore(store)
    assert.equal(seen, 'transaction')
    assert.equal(store.getStore(), undefined)
    isPlain()
    map.close()
  })

  it('a subscriber that throws changes nothing for the caller', async () => {
    const { stdout } = await runNode(`
      const diagnostics = require('node:diagnostics_channel')
      process.on('uncaughtException', ({ message }) => console.log('uncaught', message))
      diagnostics.subscribe('typed-superdashmap:get', () => { throw new Error('subscriber failed') })
      diagnostics.subscribe('typed-superdashmap:get', ({ key }) => console.log('heard', key))
      const map = new TypedMap([['a', 1]])
      console.log(map.get('a'))
      map.close()`)
    assert.equal(stdout, 'heard a\n1\nuncaught subscriber failed\n')
  })

  it('two evaluations of the package in a thread publish each for its own maps', () => {
    const other = evaluateAgain()
    const [one, two] = [new TypedMap([['a', 1]]), new other.TypedMap([['b', 1]])]
    const [mine, theirs] = [one.getHandle('a'), two.getHandle('b')]
    const { get } = other.TypedMap.prototype
    const { messages, end } = listen('typed-superdashmap:get')
    one.get('a')
    two.get('b')
    mine.get()
    theirs.get()
    end()
    one.get('a')
    two.get('b')
    assert.deepEqual(
      messages.map(({ map, operation, key }) => [map === one ? 'one' : map === two && 'two', operation, key]),
      [
        ['one', 'get', 'a'],
        ['two', 'get', 'b'],
        ['one', 'handle.get', mine],
        ['two', 'handle.get', theirs]
      ]
    )
    assert.equal(other.TypedMap.prototype.get, get)
    isPlain()
    one.close()
    two.close()
  })

  it('maps that nothing reaches are collected, whatever is subscribed to', async () => {
    const { status, stdout, stderr } = await collecting(`
      const diagnostics = require('node:diagnostics_channel')
      for (const name of ['get', 'set', 'remove', 'evict', 'expire', 'error']) {
        diagnostics.subscribe('typed-superdashmap:' + name, () => {})
      }
      const alive = new Set()
      const gone = new FinalizationRegistry(n => alive.delete(n))
      const once = n => {
        const map = new TypedMap({ maxEntries: 10 })
        alive.add(n)
        gone.register(map, n)
        for (let i = 0; i < 100; i++) map.insert({ i }).get()
      }
      for (let n = 0; n < 50; n++) once(n)
      for (let looks = 0; alive.size > 3 && looks < 20; looks++) await collect()
      console.log(alive.size <= 3)`)
    assert.equal(stderr, '')
    assert.equal(status, 0)
    assert.equal(stdout, 'true\n')
  })
})

describe('diagnostics channels: tracing', { timeout: 300_000 }, () => {
  /** The steps of a traced operation, with the context of each. */
  function traceOf(operation) {
    const channel = diagnostics.tracingChannel(`typed-superdashmap:${operation}`)
    const steps = []
    const handlers = Object.fromEntries(
      ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map(step => [step, context => steps.push([step, context])])
    )
    channel.subscribe(handlers)
    return { steps, words: () => steps.map(([step]) => step), end: () => channel.unsubscribe(handlers) }
  }

  it('getOrLoad, from its call to its value or error', async () => {
    const map = new TypedMap()
    const { steps, words, end } = traceOf('getOrLoad')
    assert.equal(await map.getOrLoad('a', async () => 'secret'), 'secret')
    assert.deepEqual(words(), ['start', 'end', 'asyncStart', 'asyncEnd'])
    const contexts = new Set(steps.splice(0).map(([, context]) => context))
    assert.deepEqual([...contexts], [{ map, operation: 'getOrLoad', key: 'a' }])
    const failure = new Error('loader failed')
    await assert.rejects(
      map.getOrLoad('b', () => Promise.reject(failure)),
      error => error === failure
    )
    assert.deepEqual(words(), ['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    assert.equal(steps[2][1].error, failure)
    end()
    await map.getOrLoad('a', async () => 1)
    assert.equal(steps.length, 5)
    isPlain()
    map.close()
  })

  it('a transaction, and what it throws', () => {
    const map = new TypedMap()
    const { steps, words, end } = traceOf('transaction')
    assert.equal(
      map.transaction(transaction => transaction.set('a', 1) && 'done'),
      'done'
    )
    assert.deepEqual(words(), ['start', 'end'])
    assert.deepEqual(steps[0][1], { map, operation: 'transaction' })
    const failure = new Error('callback failed')
    assert.throws(
      () =>
        map.transaction(() => {
          throw failure
        }),
      error => error === failure
    )
    assert.deepEqual(words().slice(2), ['start', 'error', 'end'])
    end()
    isPlain()
    map.close()
  })
})

describe('diagnostics channels: subscriptions', { timeout: 600_000 }, () => {
  const SCRIPT = `
    const diagnostics = require('node:diagnostics_channel')
    const heard = []
    const early = ({ key }) => heard.push('early ' + key)
    const late = ({ key }) => heard.push('late ' + key)
    diagnostics.subscribe('typed-superdashmap:get', early)
    const { TypedMap } = require(process.env.PACKAGE)
    const { get } = TypedMap.prototype
    const map = new TypedMap([['a', 1]])
    map.get('a')
    globalThis.gc?.()
    diagnostics.subscribe('typed-superdashmap:get', late)
    map.get('b')
    diagnostics.unsubscribe('typed-superdashmap:get', early)
    map.get('c')
    diagnostics.channel('typed-superdashmap:get').unsubscribe(late)
    map.get('d')
    const isPlain = TypedMap.prototype.get !== get
    setTimeout(() => {
      globalThis.gc?.()
      diagnostics.channel('typed-superdashmap:get').subscribe(late)
      map.get('e')
      diagnostics.unsubscribe('typed-superdashmap:get', late)
      const tracing = diagnostics.tracingChannel('typed-superdashmap:getOrLoad')
      const say = word => ({ key }) => heard.push(word + ' ' + key)
      const handlers = { start: say('start'), asyncEnd: say('end') }
      tracing.subscribe(handlers)
      map.getOrLoad('f', () => 1).then(() => {
        tracing.unsubscribe(handlers)
        console.log(isPlain, heard.join(', '))
        map.close()
      })
    }, 10)
  `

  for (const major of MAJORS) {
    it(`by name, before and after the package is loaded, in Node.js ${major}`, async t => {
      const node = await nodeOf(major)
      if (node === undefined) return t.skip(`Node.js ${major} cannot be had`)
      const env = { ...process.env, PACKAGE: require.resolve('../..') }
      const { stdout, stderr } = await run(node, ['--expose-gc', '-e', SCRIPT], { env, timeout: 60_000 })
      assert.equal(stderr, '')
      assert.equal(stdout.trim(), 'true early a, early b, late b, late c, late e, start f, end f')
    })
  }
})
