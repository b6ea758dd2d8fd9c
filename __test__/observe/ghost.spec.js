'use strict'

// Option `ghostCache`: the hit ratio that `advise()` expects of half and of twice the memory is what maps of these
// sizes come to, within the error that it states.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

// One estimate in twenty is farther off than it says, so not every seed will do. It decides the reads and the hashes.
const seed = Number(process.env.GHOST_SEED ?? 1)

const CODE = 'HIT_RATIO_BY_MEMORY'
const KEYS = 40_000
const READS = 250_000

/** Keys of skewed popularity: the n-th most popular one is read about 1/n as often as the first. */
function zipf(keys, reads, start) {
  let random = BigInt(start)
  const unit = () => {
    random = BigInt.asUintN(64, random * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n)
    return Number(random >> 11n) / 2 ** 53
  }
  return Array.from({ length: reads }, () => `key ${Math.floor(keys ** unit())}`)
}

/** Reads through a map: what is missing is written. Returns the hit ratio in percent. */
function readThrough(map, trace, value = 1) {
  for (const key of trace) if (map.get(key) === undefined) map.set(key, value)
  return (100 * map.getStats().hits) / trace.length
}

const adviceOf = map => map.advise().find(({ code }) => code === CODE)

/** Fails unless a map expects of other sizes what maps of these sizes come to. */
function checkAdvice({ figures, sentence }, hitPercent, half, twice) {
  const { halfHitPercent, halfErrorPercent, twiceHitPercent, twiceErrorPercent } = figures
  assert.ok(Math.abs(figures.hitPercent - hitPercent) < 0.1)
  const message = `seed ${seed}: ${half} and ${twice} for ${sentence}`
  assert.ok(Math.abs(halfHitPercent - half) <= 1.5 * halfErrorPercent + 1, message)
  assert.ok(Math.abs(twiceHitPercent - twice) <= 1.5 * twiceErrorPercent + 1, message)
  assert.ok(halfErrorPercent < 6 && twiceErrorPercent < 6, message)
  assert.ok(half < hitPercent - 2 && twice > hitPercent + 2, 'the sizes make a difference')
  assert.match(
    sentence,
    /^\d[\d.]* % of the reads hit; with half the memory [\d.]+ % ± [\d.]+ would, and .* ± [\d.]+\.$/
  )
}

describe('ghostCache', () => {
  const trace = zipf(KEYS, READS, seed)

  for (const evictionStrategy of ['w-tinylfu', 'lru', 's3-fifo', 'fifo']) {
    it(`expects what maps of other sizes come to: ${evictionStrategy}`, () => {
      const options = { evictionStrategy, nearCache: false, seed }
      const [half, twice] = [2_000, 8_000].map(maxEntries => {
        const map = new TypedMap({ ...options, maxEntries })
        const hitPercent = readThrough(map, trace)
        map.close()
        return hitPercent
      })
      const map = new TypedMap({ ...options, maxEntries: 4_000, ghostCache: true })
      const hitPercent = readThrough(map, trace)
      checkAdvice(adviceOf(map), hitPercent, half, twice)
      map.close()
    })
  }

  it('of a limit in bytes, too, and near hits are hits', () => {
    const value = 'x'.repeat(400)
    const sizes = [2, 4, 8].map(megabytes => {
      const map = new TypedMap({ memoryLimit: `${megabytes}mb`, nearCache: false, shards: 4, seed })
      const hitPercent = readThrough(map, trace, value)
      map.close()
      return hitPercent
    })
    const map = new TypedMap({ memoryLimit: '4mb', ghostCache: true, shards: 4, seed, nearCache: { maxEntries: 100 } })
    const hitPercent = readThrough(map, trace, value)
    assert.ok(map.getStats().nearHits > 1_000)
    checkAdvice(adviceOf(map), hitPercent, sizes[0], sizes[2])
    map.close()
  })

  it('sees the reads of all threads, and begins anew with the statistics', async () => {
    const name = `ghost ${process.pid}`
    const map = TypedMap.open(name, {
      evictionStrategy: 'lru',
      maxEntries: 4_000,
      ghostCache: true,
      nearCache: false,
      seed
    })
    const read = ({ TypedMap, data }) => {
      const map = TypedMap.open(data, { nearCache: false })
      for (let n = 0; n < 100_000; n++) if (map.get(n % 6_000) === undefined) map.set(n % 6_000, n)
    }
    // In turns: a read that is noted while another one is, is passed over, and how often that happens is chance.
    await inWorker(read, name)
    await inWorker(read, name)
    const { figures } = adviceOf(map)
    assert.equal(figures.reads, 200_000)
    assert.ok(figures.sampledReads > 40_000, `${figures.sampledReads}`)
    // All of them fit into twice the memory.
    assert.ok(figures.twiceHitPercent > figures.hitPercent + 5)
    map.resetStats()
    assert.equal(adviceOf(map), undefined)
    map.close()
  })

  it('is counted in the memory of the map, and says nothing without a limit or without the option', () => {
    const memoryOf = options => {
      const evictionStrategy = 'lru'
      const map = new TypedMap({ evictionStrategy, maxEntries: 4_000, nearCache: false, shards: 1, seed, ...options })
      for (let n = 0; n < 60_000; n++) if (map.get(n % 6_000) === undefined) map.set(n % 6_000, n)
      const { memory } = map.getStats()
      const advice = adviceOf(map)
      map.close()
      return { advice, policy: memory.policy }
    }
    const [plain, ghost] = [memoryOf({}), memoryOf({ ghostCache: true })]
    assert.equal(plain.advice, undefined)
    assert.equal(ghost.advice.code, CODE)
    assert.ok(ghost.policy > plain.policy + 100_000 && ghost.policy < plain.policy + 1_000_000)
    assert.equal(memoryOf({ ghostCache: true, maxEntries: Number.POSITIVE_INFINITY }).advice, undefined)
  })
})
