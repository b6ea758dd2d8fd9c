'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { Handle, TypedMap } = require('../..')
const { rejectsTyped } = require('../support/errors.js')
const { runNode } = require('../support/processes.js')

require('../support/sound.js')

const filled = count => {
  const map = new TypedMap()
  map.setMany(Array.from({ length: count }, (_, n) => [`key ${n}`, { n }]))
  return map
}

describe('filter', () => {
  it('gives handles of the entries that its function picks', async () => {
    const map = filled(1_000)
    const keyless = map.insert({ n: 7_000 }, { type: 'Large' })
    const handles = await map.filter((value, key) => {
      assert.ok(Object.isFrozen(value))
      assert.ok(key instanceof Handle ? value.n === 7_000 : key === `key ${value.n}`)
      return value.n % 100 === 0
    })
    assert.ok(handles.every(handle => handle instanceof Handle))
    const expected = [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 7_000]
    assert.deepEqual(
      handles.map(handle => handle.get().n).sort((a, b) => a - b),
      expected
    )
    assert.ok(handles.some(({ id }) => id === keyless.id))
    assert.deepEqual(
      (await map.filter(() => true, { type: 'Large' })).map(({ id }) => id),
      [keyless.id]
    )
    assert.equal((await map.filter(() => true, { limit: 3 })).length, 3)
    assert.deepEqual(await new TypedMap().filter(() => true), [])
  })

  it('lets the event loop have turns, in which the map may change', async () => {
    const map = filled(2_000)
    let turns = 0
    const timer = setInterval(() => {
      turns++
      map.delete(`key ${turns}`)
      map.set(`new ${turns}`, { n: -1 })
    })
    const seen = new Map()
    await map.filter(({ n }) => {
      seen.set(n, (seen.get(n) ?? 0) + 1)
      const end = performance.now() + 0.05
      while (performance.now() < end);
      return false
    })
    clearInterval(timer)
    assert.ok(turns > 0)
    for (let n = turns + 1; n < 2_000; n++) assert.equal(seen.get(n), 1, `entry ${n}`)
  })

  it('rejects with what its function throws, and refuses a promise', async () => {
    const map = filled(10)
    const thrown = new Error('thrown')
    const failing = map.filter(() => {
      throw thrown
    })
    await assert.rejects(failing, error => error === thrown)
    const options = { kind: TypeError, says: [/the result of predicate/] }
    await rejectsTyped(
      map.filter(async () => true),
      'ERR_INVALID_OPTION',
      options
    )
  })

  it('ends with its signal, with the reason of that', async () => {
    const map = filled(1_000)
    const reason = new Error('enough')
    await assert.rejects(
      map.filter(() => true, { signal: AbortSignal.abort(reason) }),
      error => error === reason
    )
    const controller = new AbortController()
    let calls = 0
    const ended = map.filter(
      () => {
        calls++
        const end = performance.now() + 1
        while (performance.now() < end);
        controller.abort(reason)
        return true
      },
      { signal: controller.signal }
    )
    await assert.rejects(ended, error => error === reason)
    assert.ok(calls < 1_000)
  })

  it('tells how far it is, ten times a second at most', async () => {
    const map = filled(500)
    const reports = []
    const start = performance.now()
    const handles = await map.filter(
      ({ n }) => {
        const end = performance.now() + 1
        while (performance.now() < end);
        return n % 2 === 0
      },
      { onProgress: progress => reports.push(progress) }
    )
    assert.equal(handles.length, 250)
    assert.ok(reports.length > 0 && reports.length <= (performance.now() - start) / 100)
    let before = 0
    for (const { seen, found, total } of reports) {
      assert.ok(seen > before && seen <= 500 && found <= seen && found <= 250)
      assert.equal(total, 500)
      before = seen
    }
  })

  it('rejects once its map is closed or destroyed', async () => {
    for (const end of ['close', 'destroy']) {
      const map = filled(1_000)
      const pending = map.filter(() => {
        const until = performance.now() + 3
        while (performance.now() < until);
        setImmediate(() => map[end]())
        return true
      })
      await rejectsTyped(pending, 'ERR_CLOSED')
      await rejectsTyped(
        map.filter(() => true),
        'ERR_CLOSED'
      )
    }
  })

  it('refuses what is no function, and other options', async () => {
    const map = filled(1)
    for (const predicate of [undefined, null, 'n', {}]) {
      await rejectsTyped(map.filter(predicate), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/predicate/] })
    }
    const options = [
      { limit: 0 },
      { limit: '1' },
      { type: '' },
      { signal: {} },
      { onProgress: 1 },
      { count: 1 },
      null,
      'x'
    ]
    for (const given of options)
      await rejectsTyped(
        map.filter(() => true, given),
        'ERR_INVALID_OPTION'
      )
  })

  it('keeps the process alive until it is done, and its map from being collected', async () => {
    const script = `
      const begin = () => {
        const map = new TypedMap()
        map.setMany(Array.from({ length: 5000 }, (_, n) => [n, n]))
        return map.filter(n => {
          if (n % 500 === 0) gc()
          return n < 10
        })
      }
      begin().then(handles => console.log('found', handles.length))`
    const { stdout } = await runNode(script, { flags: ['--expose-gc'] })
    assert.equal(stdout.trim(), 'found 10')
  })
})
