'use strict'

// Workers are terminated at any moment, with every kind of listener registered and events on their way, and the process
// goes on. TERMINATIONS is how many, TEST_SEED repeats the moments of a run.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { nextMessage, startWorker } = require('../support/workers.js')

require('../support/sound.js')

const TERMINATIONS = Number(process.env.TERMINATIONS ?? 16)
const AT_ONCE = 4
const SEED = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31)

/** Listens to everything, reads and writes until it is ended. Half of them never return to their event loop. */
function work({ TypedMap, data, port }) {
  const causes = ['evicted', 'expired', 'explicit', 'replaced', 'cleared']
  const maps = data.names.map(name => TypedMap.open(name, { logLevel: 'trace' }))
  for (const map of maps) {
    map.onEvict(({ value }) => map.get(value?.key), { causes })
    map.onPressure(() => true, { thresholds: [0.2, 0.5, 0.9] })
    map.onError(() => {})
    map.onLog(() => {})
  }
  let n = 0
  const step = () => {
    for (const map of maps) {
      for (let i = 0; i < 50; i++) {
        n += 7
        const key = `key ${n % 5_000}`
        map.set(key, { key, text: 'x'.repeat(n % 300) }, { ttl: 1 + (n % 20) })
        map.get(key)
        map.get(`key ${n % 100}`)
      }
      if (n % 1_000 < 7) map.clear()
    }
  }
  step()
  port.postMessage('listening')
  if (data.isBusy) for (;;) step()
  setInterval(step, 0)
}

describe('workers that are terminated', { timeout: 600_000 }, () => {
  it(`${TERMINATIONS} times, with listeners, deadlines and events pending: seed ${SEED}`, async () => {
    let state = SEED
    const below = limit => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % limit
    }
    const options = {
      lru: { memoryLimit: '2mb', evictionStrategy: 'lru', ttl: 15 },
      default: { maxEntries: 1_000, ttl: 10, sliding: true },
      full: { memoryLimit: '1mb', oomStrategy: 'evict-expired' }
    }
    const names = Object.keys(options).map(name => `terminated ${process.pid} ${name}`)
    const maps = Object.values(options).map((option, at) => TypedMap.open(names[at], option))
    let heard = 0
    for (const map of maps) map.onEvict(() => heard++)
    for (let done = 0; done < TERMINATIONS; done += AT_ONCE) {
      const workers = Array.from({ length: AT_ONCE }, (_, n) =>
        startWorker(work, { names: names.slice(0, 2), isBusy: n % 2 === 0 })
      )
      await Promise.all(workers.map(nextMessage))
      for (const worker of workers) {
        const until = performance.now() + below(8)
        while (performance.now() < until) {
          for (const map of maps) map.set(`main ${below(3_000)}`, 'y'.repeat(below(200)), { ttl: 1 + below(10) })
        }
        // Not waited for at once, so that writes of this thread meet threads that are about to end.
        worker.terminate()
      }
      await Promise.all(workers.map(worker => worker.exit))
    }
    assert.ok(heard > 0)
    for (const map of maps) {
      map.clear()
      // Without a deadline: on a busy machine, one of milliseconds is over before the next line.
      map.set('a', 1, { ttl: Number.POSITIVE_INFINITY })
      assert.equal(map.get('a'), 1)
      assert.equal(map.getStats().threads, 1, 'terminated threads are not counted')
      map.close()
    }
  })
})
