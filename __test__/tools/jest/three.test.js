const { TypedMap } = require('typed-superdashmap')

test('bytes come back', () => {
  const map = new TypedMap()
  map.set('bytes', new Uint8Array([1, 2, 3]))
  expect([...map.get('bytes')]).toEqual([1, 2, 3])
})

test('fake timers of the runner do not stop the map', () => {
  jest.useFakeTimers()
  const map = new TypedMap({ maxEntries: 2 })
  map.set('a', 1).set('b', 2).set('c', 3)
  expect(map.size).toBe(2)
  expect(map.get('c')).toBe(3)
  jest.useRealTimers()
})

test('what is iterated is what was put in', () => {
  expect([...new TypedMap([['a', 1]]).entries()]).toEqual([['a', 1]])
})
