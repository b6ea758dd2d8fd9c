import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { TypedMap } from 'typed-superdashmap'

test('a value comes back', () => {
  assert.deepEqual(new TypedMap([['a', { b: 1 }]]).get('a'), { b: 1 })
})

test('a worker shares the map', async () => {
  const map = TypedMap.open('node:test')
  const body = `require('typed-superdashmap').TypedMap.open('node:test').set('from', 'a worker')`
  await once(new Worker(body, { eval: true }), 'exit')
  assert.equal(map.get('from'), 'a worker')
})
