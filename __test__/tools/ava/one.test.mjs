import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { TypedMap } from 'typed-superdashmap'

test('a value comes back', t => {
  t.deepEqual(new TypedMap([['a', { b: 1 }]]).get('a'), { b: 1 })
})

test('a worker shares the map', async t => {
  const map = TypedMap.open('ava')
  const body = `require('typed-superdashmap').TypedMap.open('ava').set('from', 'a worker')`
  await once(new Worker(body, { eval: true }), 'exit')
  t.is(map.get('from'), 'a worker')
})
