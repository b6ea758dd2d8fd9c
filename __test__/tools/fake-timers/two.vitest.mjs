import { expect, test } from 'vitest'
import { TypedMap } from 'typed-superdashmap'

// Beside the other file, in a thread of the same process.
test('a clock without fake timers', () => {
  const clock = TypedMap.setClock()
  const map = new TypedMap({ ttl: 5 })
  map.set('a', 1)
  clock.advance(4)
  expect(map.get('a')).toBe(1)
  clock.advance(1)
  expect(map.get('a')).toBeUndefined()
  clock.restore()
})

test('time runs without a clock', async () => {
  const map = new TypedMap({ ttl: 5 })
  map.set('a', 1)
  while (map.size > 0) await new Promise(resolve => setTimeout(resolve, 1))
})
