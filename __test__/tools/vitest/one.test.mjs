import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { TypedMap, TypedMapError } from 'typed-superdashmap'
import { expect, test } from 'vitest'

test('a value comes back as an object of this realm', () => {
  const map = new TypedMap([['a', { b: [1] }]])
  expect(map.get('a')).toStrictEqual({ b: [1] })
  expect(() => map.set(Symbol('no key'), 1)).toThrow(TypedMapError)
})

test('a worker shares the map', async () => {
  const map = TypedMap.open('vitest')
  const body = `require('typed-superdashmap').TypedMap.open('vitest').set('from', 'a worker')`
  await once(new Worker(body, { eval: true }), 'exit')
  expect(map.get('from')).toBe('a worker')
})

test('a map with listeners and deadlines leaves nothing open', async () => {
  const map = new TypedMap({ ttl: 5 })
  const gone = new Promise(resolve => map.onEvict(resolve))
  map.set('a', 1)
  await new Promise(resolve => setTimeout(resolve, 20))
  expect(map.has('a')).toBe(false)
  expect(await gone).toMatchObject({ key: 'a', value: 1, cause: 'expired' })
})
