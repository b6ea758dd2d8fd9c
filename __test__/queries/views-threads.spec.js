'use strict'

// Views of several threads: what one writes the others see, and a type is decided where the write takes place.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { seededRandom } = require('../support/random.js')
const { inWorker, startWorker } = require('../support/workers.js')

require('../support/sound.js')

const ROUNDS = 20_000

/** Writes through a view, through another one and around both, under a few keys; counts what it sees that cannot be. */
const churn = ({ TypedMap: Api, data, assert: check }) => {
  const map = Api.open(data.name, data.options)
  const own = map.ofType(data.type)
  const other = map.ofType(data.other)
  let random = data.seed
  const below = bound => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((random / 2 ** 32) * bound)
  }
  const counts = { written: 0, refused: 0, read: 0 }
  for (let round = 0; round < data.rounds; round++) {
    const key = `key ${below(20)}`
    switch (below(8)) {
      case 0:
      case 1:
      case 2:
        try {
          own.set(key, { type: data.type, round })
          counts.written++
        } catch (error) {
          check.equal(error.code, 'ERR_WRONG_TYPE')
          check.deepEqual(error.details, { expected: data.type, found: data.other })
          counts.refused++
        }
        break
      case 3:
        map.set(key, { type: null, round })
        break
      case 4:
        other.delete(key)
        break
      case 5: {
        const value = own.get(key)
        // A value that came without the type, or with another, was never this view's.
        if (value !== undefined) {
          check.equal(value.type, data.type)
          counts.read++
        }
        check.equal(other.get(key)?.type ?? data.other, data.other)
        break
      }
      case 6:
        own.insert({ type: data.type, round })
        break
      default:
        if (round % 50 === 0) {
          for (const value of own.values()) check.equal(value.type, data.type)
          check.ok(own.size >= 0)
        }
        if (own.size > 400) for (const [at] of own) own.delete(at)
    }
  }
  map.close()
  return counts
}

for (const options of [{ shards: 2 }, { shards: 2, maxEntries: 500 }]) {
  describe(`views in four threads, ${JSON.stringify(options)}`, () => {
    it('give their own type only, and count what there is', async t => {
      const random = seededRandom(t)
      const name = `views in threads ${JSON.stringify(options)}`
      const map = TypedMap.open(name, options)
      const workers = ['A', 'B', 'A', 'B'].map(type => {
        const seed = random.below(2 ** 32)
        const data = { name, options, type, other: type === 'A' ? 'B' : 'A', seed, rounds: ROUNDS }
        return startWorker(churn, data)
      })
      const counts = await Promise.all(workers.map(worker => worker.result))
      t.diagnostic(JSON.stringify(counts))
      for (const { written, read } of counts) assert.ok(written > 0 && read > 0)
      // A thread that runs before the others meets no other type. Those after it meet what it left.
      assert.ok(counts.some(({ refused }) => refused > 0))
      const all = [...map]
      let typed = 0
      for (const type of ['A', 'B']) {
        const view = map.ofType(type)
        const own = [...view]
        assert.equal(view.size, own.length)
        typed += own.length
        assert.deepEqual(
          own.map(([, value]) => value),
          all.filter(([, value]) => value.type === type).map(([, v]) => v)
        )
      }
      assert.equal(all.filter(([, value]) => value.type === null).length, all.length - typed)
      map.close()
    })
  })
}

describe('what one thread writes', () => {
  it('the others count, read and walk over, without having seen the type before', async () => {
    const name = 'views of two threads'
    const map = TypedMap.open(name)
    const jobs = map.ofType('Job')
    jobs.set('main', { from: 'main' })
    const id = await inWorker(
      ({ TypedMap: Api, data, assert: check }) => {
        const own = Api.open(data.name)
        const view = own.ofType('Job')
        check.deepEqual([...view], [['main', { from: 'main' }]])
        view.set('worker', { from: 'worker' })
        const handle = view.insert({ from: 'worker, no key' })
        check.equal(view.size, 3)
        check.equal(view.delete('main'), true)
        own.close()
        return handle.id
      },
      { name }
    )
    assert.equal(jobs.size, 2)
    assert.deepEqual([...jobs.values()], [{ from: 'worker' }, { from: 'worker, no key' }])
    assert.equal([...jobs.keys()][1].id, id)
    assert.deepEqual(jobs.scan('0').entries.length, 2)
    map.close()
  })
})
