import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TypedMap } from 'typed-superdashmap'
import app from './app.cjs'

let clock
beforeEach(() => {
  vi.useFakeTimers()
  clock = TypedMap.setClock({ now: () => Date.now() })
})
afterEach(() => {
  clock.restore()
  vi.useRealTimers()
})

test('a token is valid for a minute', () => {
  const seen = []
  app.login('ada')
  setTimeout(() => seen.push(app.isLoggedIn('ada')), 59_999)
  setTimeout(() => seen.push(app.isLoggedIn('ada')), 60_000)
  vi.advanceTimersByTime(59_998)
  expect(app.isLoggedIn('ada')).toBe(true)
  vi.advanceTimersByTime(2)
  expect(seen).toEqual([true, false])
})

test('what expires is reported, and the time can be set', async () => {
  app.login('eve')
  vi.setSystemTime(Date.now() + 60_000)
  clock.advance(0)
  vi.useRealTimers()
  while (!app.gone.includes('eve')) await new Promise(resolve => setTimeout(resolve, 1))
})
