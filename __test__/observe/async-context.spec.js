'use strict'

// A listener runs in the async context in which it was subscribed, and no other context is kept for it.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { TypedMap } = require('../..')
const { run, runNode } = require('../support/processes.js')
const { until } = require('../support/turns.js')
const { PACKAGE } = require('../support/workers.js')

require('../support/sound.js')

const storage = new AsyncLocalStorage()

/** Each kind of listener: how it is subscribed, and what makes it be called. */
const KINDS = {
  onEvict: { subscribe: (map, listener) => map.onEvict(listener, { causes: ['explicit'] }) },
  onChange: { subscribe: (map, listener) => map.onChange(listener, { match: 'a' }) },
  onLog: { subscribe: (map, listener) => map.onLog(listener) },
  onError: { subscribe: (map, listener) => map.onError(listener) },
  onPressure: { subscribe: (map, listener) => map.onPressure(listener, { thresholds: [0.1] }) }
}

/** Does everything that any listener wants to hear of. */
function cause(map) {
  map.set('a', 'x'.repeat(300_000))
  map.delete('a')
  map.clear()
  assert.throws(() => map.set('a', 'x'.repeat(3_000_000)))
}

const open = () => new TypedMap({ memoryLimit: '1mb', oomStrategy: 'reject' })

for (const [kind, { subscribe }] of Object.entries(KINDS)) {
  describe(`${kind}: the async context of a listener`, { timeout: 300_000 }, () => {
    it('is the one it was subscribed in, whatever context causes the event', async () => {
      const map = open()
      const seen = { a: new Set(), b: new Set(), none: new Set() }
      storage.run('a', () => subscribe(map, () => void seen.a.add(storage.getStore())))
      storage.run('b', () => subscribe(map, () => void seen.b.add(storage.getStore())))
      subscribe(map, () => void seen.none.add(storage.getStore()))
      storage.run('another', () => cause(map))
      await until(() => Object.values(seen).every(({ size }) => size > 0))
      assert.deepEqual(seen, { a: new Set(['a']), b: new Set(['b']), none: new Set([undefined]) })
      map.close()
    })

    it('is that of one subscribed by a listener, too', async () => {
      const map = open()
      const seen = new Set()
      storage.run('outer', () => {
        const end = subscribe(map, () => {
          end()
          storage.run('inner', () => subscribe(map, () => void seen.add(storage.getStore())))
        })
      })
      while (seen.size === 0) {
        cause(map)
        await new Promise(resolve => setTimeout(resolve, 5))
      }
      assert.deepEqual(seen, new Set(['inner']))
      map.close()
    })

    it('is released with the subscription, also that of the first one in a thread', async () => {
      const { status, stdout, stderr } = await runNode(
        `
        const { AsyncLocalStorage } = require('node:async_hooks')
        const storage = new AsyncLocalStorage()
        const subscribe = ${subscribe.toString()}
        const contexts = []
        const inContext = job => storage.run({ big: 1 }, () => {
          contexts.push(new WeakRef(storage.getStore()))
          job()
        })
        const map = new TypedMap({ memoryLimit: '1mb', oomStrategy: 'reject', logLevel: 'info' })
        let heard = 0
        inContext(() => subscribe(map, () => heard++)())
        inContext(() => {
          const other = new TypedMap({ memoryLimit: '1mb' })
          subscribe(other, () => {})
          other.close()
        })
        const end = subscribe(map, () => heard++)
        const step = rounds => {
          map.set('a', 'x'.repeat(300_000)).delete('a')
          map.clear()
          try { map.set('a', 'x'.repeat(3_000_000)) } catch {}
          gc()
          const isOver = heard > 0 && contexts.every(context => context.deref() === undefined)
          if (!isOver && rounds > 0) return setTimeout(step, 5, rounds - 1)
          end()
          console.log(heard > 0, contexts.map(context => context.deref()))
        }
        step(1_000)`,
        { flags: ['--expose-gc'] }
      )
      assert.equal(stderr, '')
      assert.equal(status, 0)
      assert.equal(stdout, 'true [ undefined, undefined ]\n')
    })
  })
}

describe('an async context that only used the package', { timeout: 300_000 }, () => {
  it('is not kept, not even one that evaluated it', async () => {
    const { status, stdout, stderr } = await run(process.execPath, [
      '--expose-gc',
      '--eval',
      `
      const { AsyncLocalStorage } = require('node:async_hooks')
      const storage = new AsyncLocalStorage()
      const contexts = []
      const inContext = job => storage.run({ big: 1 }, () => {
        contexts.push(new WeakRef(storage.getStore()))
        return job()
      })
      // The addon itself is loaded outside: the thread keeps the context in which that happens first.
      require(${JSON.stringify(PACKAGE)})
      for (const file of Object.keys(require.cache)) if (!file.endsWith('.node')) delete require.cache[file]
      const { TypedMap } = inContext(() => require(${JSON.stringify(PACKAGE)}))
      const map = inContext(() => TypedMap.open('used', { maxEntries: 10, ttl: 60_000 }))
      inContext(() => map.onEvict(() => {}))()
      inContext(() => map.set('a', { b: 1 }))
      inContext(() => map.get('a'))
      inContext(() => map.getHandle('a')).get?.()
      inContext(() => map.validate?.())
      const step = rounds => {
        gc()
        const isOver = contexts.every(context => context.deref() === undefined)
        if (!isOver && rounds > 0) return setTimeout(step, 5, rounds - 1)
        console.log(contexts.map(context => context.deref() === undefined).join(), map.get('a'))
      }
      step(1_000)`
    ])
    assert.equal(stderr, '')
    assert.equal(status, 0)
    assert.equal(stdout, 'true,true,true,true,true,true,true { b: 1 }\n')
  })
})

describe('functions that make room', () => {
  it('run in the context of the write that needs it', () => {
    const seen = []
    const map = new TypedMap({
      maxEntries: 1,
      evictionStrategy: candidates => {
        seen.push(storage.getStore())
        return candidates[0]
      }
    })
    map.set('a', 1)
    storage.run('writer', () => map.set('b', 2))
    map.set('c', 3)
    assert.deepEqual(seen, ['writer', undefined])
    map.close()
  })
})

describe('the wake-up of a thread', () => {
  it('is made without running what else waits', async () => {
    const { stdout } = await runNode(`
      const order = []
      Promise.resolve().then(() => order.push('microtask'))
      process.nextTick(() => order.push('tick'))
      new TypedMap().onEvict(() => {})
      order.push('subscribed')
      setImmediate(() => console.log(order.join()))`)
    assert.equal(stdout, 'subscribed,tick,microtask\n')
  })
})

describe('the async resources of listeners', { timeout: 300_000 }, () => {
  it('say that they keep no process alive, so that no tool reports an open handle', async () => {
    const script = `
      const made = new Map()
      const init = (id, type, trigger, resource) => made.set(type, resource)
      require('node:async_hooks').createHook({ init }).enable()
      const map = new TypedMap({ maxEntries: 1 })
      map.onEvict(() => {})
      map.onLog(() => {})
      map.onPressure(() => {})
      map.set('a', 1).set('b', 2)
      const ours = [...made].filter(([type]) => /typed/i.test(type))
      console.log(JSON.stringify(ours.map(([type, resource]) => [type, resource.hasRef()]).sort()))`
    const { status, stdout, stderr } = await runNode(script)
    assert.equal(status, 0, stderr)
    assert.deepEqual(JSON.parse(stdout), [
      ['TypedMapListener', false],
      ['typed-superdashmap', false]
    ])
  })
})
