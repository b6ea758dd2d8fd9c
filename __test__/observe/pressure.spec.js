'use strict'

// onPressure: reports how full a map becomes.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { throwsTyped } = require('../support/errors.js')
const { runNode } = require('../support/processes.js')
const { someTurns, until } = require('../support/turns.js')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

const MB = 1024 * 1024

/** Adds entries until so much of the limit is in use. */
function fillTo(map, ratio, limit) {
  for (let n = 0; map.memoryUsage() < ratio * limit; n++) map.set(`fill ${map.size} ${n}`, 'x'.repeat(1_000))
}

describe('onPressure', { timeout: 300_000 }, () => {
  it('reports the ratio when a threshold is passed, once for each time', async () => {
    const map = new TypedMap({ memoryLimit: 4 * MB, oomStrategy: 'reject' })
    const ratios = []
    const end = map.onPressure((ratio, { rising }) => rising && ratios.push(ratio), { thresholds: [0.5, 0.75] })
    fillTo(map, 0.4, 4 * MB)
    await someTurns()
    assert.deepEqual(ratios, [])
    fillTo(map, 0.5, 4 * MB)
    assert.deepEqual(ratios, [], 'never inside the call')
    await until(() => ratios.length > 0)
    assert.ok(ratios[0] >= 0.5 && ratios[0] < 0.75, `${ratios[0]}`)
    fillTo(map, 0.6, 4 * MB)
    await someTurns()
    assert.equal(ratios.length, 1, 'the same threshold is not passed again')
    fillTo(map, 0.76, 4 * MB)
    await until(() => ratios.length > 1)
    assert.ok(ratios[1] >= 0.75)
    map.clear()
    await until(() => map.memoryUsage() < 0.3 * 4 * MB)
    fillTo(map, 0.55, 4 * MB)
    await until(() => ratios.length > 2)
    assert.ok(ratios[2] >= 0.5 && ratios[2] < 0.75)
    end()
    fillTo(map, 0.8, 4 * MB)
    await someTurns()
    assert.equal(ratios.length, 3)
    map.close()
  })

  it('a listener that returns true has the map evict below the threshold', async () => {
    const map = new TypedMap({ memoryLimit: 4 * MB })
    let calls = 0
    map.onPressure(
      (_, { rising }) => {
        if (rising) calls++
        return true
      },
      { thresholds: [0.6] }
    )
    for (let round = 1; round <= 3; round++) {
      fillTo(map, 0.61, 4 * MB)
      await until(() => calls === round && map.memoryUsage() < 0.6 * 4 * MB)
      assert.ok(map.memoryUsage() > 0.4 * 4 * MB, 'no more than that')
    }
    assert.ok(map.getStats().evictions > 0)
    map.close()
  })

  it('only true does', async () => {
    const map = new TypedMap({ memoryLimit: 4 * MB })
    const returned = [1, 'true', {}, undefined, Promise.resolve(true)]
    let calls = 0
    for (const result of returned) {
      map.onPressure(
        () => {
          calls++
          return result
        },
        { thresholds: [0.5] }
      )
    }
    fillTo(map, 0.55, 4 * MB)
    await until(() => calls === returned.length)
    await someTurns()
    assert.equal(map.getStats().evictions, 0)
    map.close()
  })

  it('each listener has thresholds of its own, 0.8, 0.9 and 0.95 unless it says otherwise', async () => {
    const map = new TypedMap({ memoryLimit: 4 * MB })
    const heard = { plain: [], low: [] }
    map.onPressure(ratio => heard.plain.push(ratio))
    map.onPressure(ratio => heard.low.push(ratio), { thresholds: [0.3] })
    for (const ratio of [0.35, 0.82, 0.92, 0.96]) {
      fillTo(map, ratio, 4 * MB)
      await someTurns()
    }
    await until(() => heard.plain.length === 3)
    assert.equal(heard.low.length, 1)
    for (const [index, least] of [0.8, 0.9, 0.95].entries()) assert.ok(heard.plain[index] >= least)
    map.close()
  })

  it('reports that the ratio has fallen again, whatever freed the memory', async () => {
    const ways = {
      delete: map => map.deleteMany([...map.keys()]),
      clear: map => map.clear(),
      evict: map => map.evict(map.size),
      'a higher limit': map => map.setLimits({ memoryLimit: 64 * MB }),
      'no limit': map => map.setLimits({ memoryLimit: null })
    }
    for (const [way, free] of Object.entries(ways)) {
      const map = new TypedMap({ memoryLimit: 4 * MB })
      const events = []
      map.onPressure((ratio, event) => events.push([ratio, event]), { thresholds: [0.5, 0.75] })
      fillTo(map, 0.8, 4 * MB)
      await until(() => events.length > 0)
      const [[highest, high]] = events.splice(0, Number.POSITIVE_INFINITY)
      const { usedBytes, ...rest } = high
      assert.deepEqual(rest, { state: 'high', rising: true, threshold: 0.75, ratio: highest, limitBytes: 4 * MB })
      assert.ok(usedBytes / (4 * MB) === highest && highest > 0.75, `${highest}`)
      free(map)
      await until(() => events.at(-1)?.[1].state === 'normal')
      const [ratio, low] = events.at(-1)
      assert.ok(ratio < 0.49 && low.ratio === ratio && low.threshold === 0.5 && !low.rising, way)
      const isHigh = ([, { rising, state }]) => !rising && state === 'high'
      assert.ok(events.slice(0, -1).every(isHigh), 'on the way it is below the higher threshold')
      assert.equal(low.limitBytes, way === 'no limit' ? null : map.getStats().limits.memoryLimit)
      map.close()
    }
  })

  it('is silent where memory rises and falls by less than 0.02, and reports expiry that no call causes', async () => {
    const map = new TypedMap({ memoryLimit: 8 * MB, oomStrategy: 'reject' })
    const heard = []
    map.onPressure((_, { state }) => heard.push(state), { thresholds: [0.5] })
    map.set('lives', 'x'.repeat(3 * MB))
    map.set('dies', 'x'.repeat(1.2 * MB), { ttl: 300 })
    await until(() => heard.length === 1)
    for (let round = 0; round < 50; round++) {
      map.set('comes and goes', 'x'.repeat(100_000))
      map.delete('comes and goes')
    }
    await until(() => heard.length > 1)
    assert.deepEqual(heard, ['high', 'normal'])
    map.close()
  })

  it('what a listener returns at a fall evicts nothing', async () => {
    const map = new TypedMap({ memoryLimit: 4 * MB })
    const rising = []
    map.onPressure((_, event) => rising.push(event.rising) && !event.rising, { thresholds: [0.5, 0.75] })
    fillTo(map, 0.8, 4 * MB)
    for (const key of [...map.keys()].slice(0, map.size / 4)) map.delete(key)
    await until(() => rising.includes(false))
    await someTurns()
    assert.equal(map.getStats().evictions, 0)
    map.close()
  })

  it('reports entries that other threads add', async () => {
    const name = `pressure ${process.pid}`
    const map = TypedMap.open(name, { memoryLimit: 4 * MB })
    const ratios = []
    map.onPressure(ratio => ratios.push(ratio), { thresholds: [0.5] })
    await inWorker(({ TypedMap, data }) => {
      const map = TypedMap.open(data)
      for (let n = 0; n < 3_000; n++) map.set(n, 'x'.repeat(1_000))
    }, name)
    await until(() => ratios.length > 0)
    assert.ok(ratios[0] >= 0.5)
    map.close()
  })

  it('reports a limit that is lowered below the memory in use', async () => {
    const map = new TypedMap({ memoryLimit: 8 * MB })
    const ratios = []
    map.onPressure(ratio => ratios.push(ratio), { thresholds: [0.5] })
    fillTo(map, 0.4, 8 * MB)
    map.setLimits({ memoryLimit: 4 * MB })
    await until(() => ratios.length > 0)
    assert.ok(ratios[0] >= 0.75)
    map.close()
  })

  it('never keeps a process alive, and one that throws is an uncaught exception', async () => {
    const { status, stdout, stderr } = await runNode(`
      let lines = 0
      const say = (...words) => { console.log(...words); if (++lines === 2) clearInterval(alive) }
      const alive = setInterval(() => {}, 10)
      process.on('uncaughtException', error => say('uncaught', error.message))
      const map = new TypedMap({ memoryLimit: '2mb' })
      map.onPressure(() => { throw new Error('too much') }, { thresholds: [0.4] })
      map.onPressure(ratio => say('told', ratio >= 0.4), { thresholds: [0.4] })
      for (let n = 0; map.memoryUsage() < 0.5 * 2 ** 21; n++) map.set(n, 'x'.repeat(1_000))
    `)
    assert.equal(stderr, '')
    assert.deepEqual(stdout.trim().split('\n').sort(), ['told true', 'uncaught too much'])
    assert.equal(status, 0)
  })

  it('a map that another reference destroys meanwhile causes no error', async () => {
    const { status, stdout, stderr } = await runNode(`
      const [map, other] = [1, 2].map(() => TypedMap.open('destroyed', { memoryLimit: '4mb' }))
      const ends = [
        map.onPressure(
          () => { console.log('told'); other.destroy(); setTimeout(end, 50); return true },
          { thresholds: [0.3] }
        ),
        map.onEvict(() => {}),
        map.onEvict(() => {}, { causes: ['explicit'] })
      ]
      for (let n = 0; map.memoryUsage() < 0.5 * 2 ** 22; n++) map.set(n, 'x'.repeat(1_000))
      const alive = setInterval(() => {}, 10)
      const end = () => { clearInterval(alive); for (const end of ends) end() }
    `)
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: 'told\n', stderr: '' })
  })

  it('anything but a list of ratios is refused', () => {
    const map = new TypedMap({ memoryLimit: MB })
    for (const thresholds of [0.5, '0.5', null, {}, ['0.5']]) {
      const says = [/thresholds/]
      throwsTyped(() => map.onPressure(() => {}, { thresholds }), 'ERR_INVALID_OPTION', { kind: TypeError, says })
    }
    for (const thresholds of [[], [0], [-1], [1.1], [Number.NaN], [50]]) {
      const says = [/thresholds/, /above 0 and up to 1/]
      throwsTyped(() => map.onPressure(() => {}, { thresholds }), 'ERR_INVALID_OPTION', { kind: RangeError, says })
    }
    throwsTyped(() => map.onPressure(true), 'ERR_INVALID_OPTION', { kind: TypeError, says: [/listener/] })
    map.close()
    throwsTyped(() => map.onPressure(() => {}), 'ERR_CLOSED')
  })
})
