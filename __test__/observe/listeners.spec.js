'use strict'

// Listeners of every kind: one that throws harms no other, and all of a thread share its turns.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { runNode } = require('../support/processes.js')

require('../support/sound.js')

const KINDS = {
  onEvict: "map.onEvict(listener, { causes: ['explicit'] })",
  onChange: "map.onChange(listener, { causes: ['explicit'] })",
  onLog: 'map.onLog(listener)',
  onError: 'map.onError(listener)',
  onPressure: 'map.onPressure(listener, { thresholds: [0.25] })'
}

/** Runs `script` where all kinds of listeners can be subscribed and caused, and returns its output as JSON. */
async function outcome(script) {
  const prelude = `
    const KINDS = { ${Object.entries(KINDS).map(([kind, call]) => `${kind}: (map, listener) => ${call}`)} }
    const open = () => new TypedMap({ memoryLimit: '1mb', oomStrategy: 'reject', logLevel: 'info' })
    const cause = map => {
      map.set('a', 'x'.repeat(300_000)).delete('a')
      map.clear()
      try { map.set('a', 'x'.repeat(3_000_000)) } catch {}
    }
    const turn = () => new Promise(resolve => setTimeout(resolve, 1))
    const uncaught = []
    process.on('uncaughtException', error => uncaught.push(error.message))
    ;(async () => {${script}})().then(result => console.log(JSON.stringify(result)))`
  const { status, stdout, stderr } = await runNode(prelude)
  assert.equal(stderr, '')
  assert.equal(status, 0)
  return JSON.parse(stdout)
}

describe('a listener that throws', { timeout: 300_000 }, () => {
  for (const kind of Object.keys(KINDS)) {
    it(`of ${kind}: the others are called, of every kind and map, and each throw is reported once`, async () => {
      const { heard, thrown, uncaught, value } = await outcome(`
        const heard = {}
        const count = name => () => { heard[name] = (heard[name] ?? 0) + 1 }
        const [map, other] = [open(), open()]
        let thrown = 0
        KINDS.${kind}(map, count('before'))
        KINDS.${kind}(map, () => {
          thrown++
          throw new Error('thrown ' + thrown)
        })
        KINDS.${kind}(map, count('after'))
        for (const [kind, subscribe] of Object.entries(KINDS)) {
          subscribe(map, count(kind))
          subscribe(other, count('other ' + kind))
        }
        const all = 2 + 2 * Object.keys(KINDS).length
        const isDone = () => thrown >= 3 && Object.keys(heard).length >= all && heard['other ${kind}'] >= 3
        while (!isDone()) {
          cause(map)
          cause(other)
          for (let turns = 0; turns < 5; turns++) await turn()
        }
        // What is on its way arrives before it is counted.
        for (let turns = 0; turns < 100 || uncaught.length < thrown; turns++) await turn()
        map.set('b', { c: 1 })
        return { heard, thrown, uncaught, value: map.get('b') }`)
      assert.ok(thrown >= 3)
      assert.deepEqual(
        uncaught,
        Array.from({ length: thrown }, (_, n) => `thrown ${n + 1}`)
      )
      assert.equal(heard.before, heard.after)
      assert.equal(heard.before, thrown)
      assert.deepEqual(value, { c: 1 })
    })
  }

  it('without anything that catches it ends the process, as any uncaught exception does', async () => {
    const { status, stderr } = await runNode(`
      const map = new TypedMap({ maxEntries: 1 })
      map.onEvict(() => { throw new Error('thrown') })
      map.set('a', 1).set('b', 2)
      setInterval(() => {}, 1_000)`)
    assert.equal(status, 1)
    assert.match(stderr, /Error: thrown/)
  })
})

describe('listeners of many maps', { timeout: 300_000 }, () => {
  it('share the time of a turn, and all have their turn', async () => {
    const heard = new Map()
    let [most, inThisTurn] = [0, 0]
    const maps = Array.from({ length: 40 }, (_, n) => {
      const map = new TypedMap({ maxEntries: 1, evictionStrategy: 'fifo', shards: 1 })
      map.onEvict(() => {
        heard.set(n, (heard.get(n) ?? 0) + 1)
        most = Math.max(most, ++inThisTurn)
        // A listener that takes half a millisecond.
        for (const until = performance.now() + 0.5; performance.now() < until; );
      })
      return map
    })
    for (const map of maps) for (let n = 0; n < 6; n++) map.set(n, n)
    while (maps.some((_, n) => heard.get(n) !== 5)) {
      await new Promise(resolve => setImmediate(resolve))
      inThisTurn = 0
      const counts = maps.map((_, n) => heard.get(n) ?? 0)
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, 'they take turns')
    }
    assert.ok(most <= 5, `${most} were called in one turn, which has two milliseconds for it`)
    for (const map of maps) map.close()
  })

  it('log lines are taken out some at a time', async () => {
    const map = new TypedMap({ logLevel: 'info' })
    let [heard, most, inThisTurn] = [0, 0, 0]
    map.onLog(() => {
      heard++
      most = Math.max(most, ++inThisTurn)
      for (const until = performance.now() + 0.5; performance.now() < until; );
    })
    for (let n = 0; n < 100; n++) map.clear()
    while (heard < 100) {
      await new Promise(resolve => setImmediate(resolve))
      inThisTurn = 0
    }
    assert.ok(most <= 5, `${most} were called in one turn`)
    map.close()
  })
})
