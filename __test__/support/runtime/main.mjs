// What works in every runtime, as a program of its own. Its arguments are the names of the maps that stay open when
// a busy worker is terminated.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { argv } from 'node:process'
import { Worker } from 'node:worker_threads'
import { TypedMap, TypedMapError } from 'typed-superdashmap'

const checks = {
  values() {
    const map = new TypedMap([['a', { b: [1, null, 'text'] }]])
    map.set('bytes', new Uint8Array([1, 2, 3])).set(1, true)
    const handle = map.insert({ c: 1 })
    assert.deepEqual(map.get('a'), { b: [1, null, 'text'] })
    assert.deepEqual([...map.get('bytes')], [1, 2, 3])
    assert.deepEqual([map.get(1), map.get(handle), map.size], [true, { c: 1 }, 4])
  },

  async worker() {
    const map = TypedMap.open('shared')
    await once(new Worker(new URL('worker.mjs', import.meta.url)), 'exit')
    assert.equal(map.get('from'), 'a worker')
  },

  async expiry() {
    const map = new TypedMap({ ttl: 5 })
    const gone = new Promise(resolve => map.onEvict(resolve))
    map.set('a', 1)
    while (map.has('a')) await new Promise(resolve => setTimeout(resolve, 1))
    // A listener keeps no process alive, so something else has to.
    const alive = setInterval(() => {}, 1_000)
    const { key, value, cause } = await gone
    clearInterval(alive)
    assert.deepEqual({ key, value, cause }, { key: 'a', value: 1, cause: 'expired' })
  },

  eviction() {
    const map = new TypedMap({ maxEntries: 100 })
    for (let n = 0; n < 1_000; n++) map.set(n, n)
    assert.equal(map.size, 100)
    assert.equal(map.get(999), 999)
  },

  errors() {
    const map = new TypedMap()
    assert.throws(() => map.set(Symbol('no key'), 1), { code: 'ERR_KEY_TYPE' })
    assert.throws(
      () => map.set('a', () => {}),
      error => error instanceof TypedMapError && error instanceof TypeError
    )
    map.destroy()
    assert.throws(() => map.get('a'), { code: 'ERR_CLOSED' })
  },

  async terminated() {
    const map = TypedMap.open('shared')
    const busy = `
      const { TypedMap } = require('typed-superdashmap')
      const [shared, own] = [TypedMap.open('shared'), TypedMap.open('of the worker')]
      own.set('a', 1)
      for (let n = 0; ; n++) shared.set('n', { n })`
    const worker = new Worker(busy, { eval: true })
    while (!map.has('n')) await new Promise(resolve => setTimeout(resolve, 1))
    await worker.terminate()
    assert.equal(typeof map.get('n').n, 'number')
    map.set('n', { n: -1 })
    assert.deepEqual(map.get('n'), { n: -1 })
    assert.deepEqual((await map.validate()).problems, [])
    const left = argv.slice(2)
    assert.deepEqual(TypedMap.names().sort(), [...left, 'shared'].sort())
    for (const name of left) TypedMap.open(name).destroy()
    assert.deepEqual(TypedMap.names(), ['shared'])
  },

  near() {
    const map = new TypedMap([['a', { b: 1 }]])
    const first = map.get('a')
    assert.equal(map.get('a'), first)
    map.set('a', { b: 2 })
    assert.deepEqual(map.get('a'), { b: 2 })
  }
}

for (const [name, check] of Object.entries(checks)) {
  await check()
  console.log(name, 'ok')
}
