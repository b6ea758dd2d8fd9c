test('modules that were reset share maps by name', () => {
  const before = require('typed-superdashmap')
  const map = before.TypedMap.open('reset')
  map.set('a', { b: 1 })
  jest.resetModules()
  const after = require('typed-superdashmap')
  expect(after.TypedMap).not.toBe(before.TypedMap)
  expect(after.TypedMap.open('reset').get('a')).toEqual({ b: 1 })
})

test('isolated modules share maps by name', () => {
  const map = require('typed-superdashmap').TypedMap.open('isolated')
  map.set('a', 1)
  jest.isolateModules(() => {
    expect(require('typed-superdashmap').TypedMap.open('isolated').get('a')).toBe(1)
  })
})
