'use strict'

// A wake-up says which subscription something waits for, so that no other has to ask.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { CAUSE, KIND, LEVEL, WAKE } = require('../../lib/native/layout.js')
const { attachRaw } = require('../support/raw-binding.js')
const { someTurns, until } = require('../support/turns.js')

require('../support/sound.js')

const ALL_TARGETS = 0b1111

/** A new evaluation that writes down its wake-ups, and waits for so many. */
function attach() {
  const woken = []
  const raw = attachRaw({ onWake: (...call) => woken.push(call) })
  const wakeUps = async count => {
    await until(() => woken.length >= count)
    // One that comes too much would come now.
    await someTurns()
    return woken.splice(0)
  }
  return { raw, wakeUps }
}

describe('the wake-up of an evaluation', { timeout: 60_000 }, () => {
  it('names the map and what waits there, and no other', async () => {
    const { raw, wakeUps } = attach()
    const ids = Array.from({ length: 3 }, () => raw.opened(null).id)
    for (const id of ids) {
      raw.listen(id, LEVEL.info, ALL_TARGETS, true)
      raw.listenRemovals(id, 1 << CAUSE.explicit)
      raw.set(id, 'key', 'value', KIND.String)
    }
    raw.delete(ids[1], 'key')
    assert.deepEqual(await wakeUps(1), [[ids[1], WAKE.REMOVALS, 0]])
    raw.clear(ids[2])
    assert.deepEqual(await wakeUps(1), [[ids[2], WAKE.EVENTS, 0]])
    for (const id of ids) raw.close(id)
  })

  it('comes once until what waits was taken', async () => {
    const { raw, wakeUps } = attach()
    const { id } = raw.opened(null)
    raw.listen(id, LEVEL.info, ALL_TARGETS, false)
    for (let times = 0; times < 3; times++) raw.clear(id)
    assert.deepEqual(await wakeUps(1), [[id, WAKE.EVENTS, 0]])
    raw.clear(id)
    assert.deepEqual(await wakeUps(0), [])
    while (raw.drain(id, 100).length > 0);
    raw.clear(id)
    assert.deepEqual(await wakeUps(1), [[id, WAKE.EVENTS, 0]])
    raw.close(id)
  })

  it('names the subscription to pressure', async () => {
    const { raw, wakeUps } = attach()
    const { id } = raw.opened(null, { memoryLimit: 1_000_000, oomStrategy: 'reject' })
    const [low, high] = ['[0.5]', '[0.99]'].map(thresholds => raw.listenPressure(id, thresholds))
    assert.notEqual(low, high)
    for (let n = 0; raw.memoryUsed(id) < 700_000; n++) raw.set(id, n, 'x'.repeat(1_000), KIND.String)
    assert.deepEqual(await wakeUps(1), [[id, WAKE.PRESSURE, low]])
    assert.ok(JSON.parse(raw.takePressure(id, low)).ratio > 0.5)
    raw.close(id)
  })

  it('comes to the evaluation that owns the subscription', async () => {
    const [one, other] = [attach(), attach()]
    const ids = [one, other].map(({ raw }) => raw.opened('wake-up').id)
    one.raw.listenRemovals(ids[0], 1 << CAUSE.explicit)
    other.raw.set(ids[1], 'key', 'value', KIND.String)
    other.raw.delete(ids[1], 'key')
    assert.deepEqual(await one.wakeUps(1), [[ids[0], WAKE.REMOVALS, 0]])
    assert.deepEqual(await other.wakeUps(0), [])
    one.raw.close(ids[0])
    other.raw.close(ids[1])
  })
})
