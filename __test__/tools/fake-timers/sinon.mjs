import assert from 'node:assert/strict'
import { test } from 'node:test'
import sinon from 'sinon'
import { TypedMap } from 'typed-superdashmap'
import app from './app.cjs'

test('a ttl follows the timers of sinon', () => {
  const timers = sinon.useFakeTimers({ toFake: ['Date', 'setTimeout'] })
  const clock = TypedMap.setClock({ now: () => Date.now() })
  const seen = []
  app.login('ada')
  setTimeout(() => seen.push(app.isLoggedIn('ada')), 59_999)
  setTimeout(() => seen.push(app.isLoggedIn('ada')), 60_000)
  timers.tick(60_000)
  clock.restore()
  timers.restore()
  assert.deepEqual(seen, [true, false])
})
