import { expect, test, vi } from 'vitest'

test('modules that were reset share maps by name', async () => {
  const before = await import('typed-superdashmap')
  const map = before.TypedMap.open('reset')
  map.set('a', { b: 1 })
  vi.resetModules()
  const after = await import('typed-superdashmap')
  expect(after.TypedMap.open('reset').get('a')).toEqual({ b: 1 })
})

test('fake timers of the runner do not stop the map', async () => {
  const { TypedMap } = await import('typed-superdashmap')
  vi.useFakeTimers()
  const map = new TypedMap({ maxEntries: 2 })
  map.set('a', 1).set('b', 2).set('c', 3)
  expect(map.size).toBe(2)
  expect(map.get('c')).toBe(3)
  vi.useRealTimers()
})
