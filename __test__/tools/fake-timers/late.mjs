import assert from 'node:assert/strict'
import { test } from 'node:test'
import sinon from 'sinon'

const real = setTimeout

test('the package may be loaded while timers are faked, and goes on afterwards', async () => {
  const timers = sinon.useFakeTimers()
  const { gone, login } = await import('./app.cjs').then(({ default: app }) => app)
  const { TypedMap } = await import('typed-superdashmap')
  const clock = TypedMap.setClock({ now: () => Date.now() })
  login('ada')
  timers.tick(60_000)
  clock.advance(0)
  clock.restore()
  timers.restore()
  while (gone.length === 0) await new Promise(resolve => real(resolve, 1))
  assert.deepEqual(gone, ['ada'])
})
