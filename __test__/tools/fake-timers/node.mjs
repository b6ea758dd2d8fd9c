import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { TypedMap } from 'typed-superdashmap'
import app from './app.cjs'

test('a ttl follows the timers of node:test', () => {
  mock.timers.enable({ apis: ['Date', 'setTimeout'] })
  const clock = TypedMap.setClock({ now: () => Date.now() })
  const seen = []
  app.login('ada')
  setTimeout(() => seen.push(app.isLoggedIn('ada')), 59_999)
  setTimeout(() => seen.push(app.isLoggedIn('ada')), 60_000)
  mock.timers.tick(59_999)
  mock.timers.tick(1)
  clock.restore()
  mock.timers.reset()
  assert.deepEqual(seen, [true, false])
})
