const { TypedMap } = require('typed-superdashmap')
const app = require('./app.cjs')

let clock
beforeEach(() => {
  jest.useFakeTimers()
  clock = TypedMap.setClock({ now: () => Date.now() })
})
afterEach(() => {
  clock.restore()
  jest.useRealTimers()
})

test('a token is valid for a minute', () => {
  const seen = []
  app.login('ada')
  setTimeout(() => seen.push(app.isLoggedIn('ada')), 59_999)
  setTimeout(() => seen.push(app.isLoggedIn('ada')), 60_000)
  jest.advanceTimersByTime(59_998)
  expect(app.isLoggedIn('ada')).toBe(true)
  jest.advanceTimersByTime(2)
  expect(seen).toEqual([true, false])
})

test('what expires is reported, and the time can be set', async () => {
  app.login('eve')
  jest.setSystemTime(Date.now() + 60_000)
  clock.advance(0)
  jest.useRealTimers()
  while (!app.gone.includes('eve')) await new Promise(resolve => setTimeout(resolve, 1))
})

test('modules that were reset follow as well', () => {
  jest.resetModules()
  const again = require('./app.cjs')
  expect(again).not.toBe(app)
  again.login('ada')
  jest.runAllTimers()
  expect(again.isLoggedIn('ada')).toBe(true)
  jest.advanceTimersByTime(60_000)
  expect(again.isLoggedIn('ada')).toBe(false)
})

test('a clock that the next file has to do without', () => {
  TypedMap.setClock()
  // The last one: `afterEach` restores the clock before it.
})
