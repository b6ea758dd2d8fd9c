'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { gzipSync } = require('node:zlib')
const {
  lruHits,
  lruHitsByWeight,
  nextRequests,
  optimalHits,
  reuseDistances
} = require('../../benchmark/traces/references.js')
const {
  DEFAULT_POLICY,
  USUAL_POLICIES,
  firstDifference,
  replay,
  replayInThreads
} = require('../../benchmark/traces/replay.js')
const { SYNTHETIC } = require('../../benchmark/traces/synthetic.js')
const { readTrace, traceOf } = require('../../benchmark/traces/trace.js')
const { seededRandom } = require('../support/random.js')

require('../support/sound.js')

const REQUESTS = 20_000
const CAPACITIES = [10, 100, 500]

/** Traces with a capacity in entries, by a seed. */
const tracesOf = seed =>
  Object.values(SYNTHETIC)
    .map(make => make(REQUESTS, seed))
    .filter(({ sizes }) => sizes === undefined)

/** A trace of a few keys in any order. */
function smallTrace(random) {
  const keys = 1 + random.below(12)
  return traceOf(
    'small',
    Array.from({ length: 1 + random.below(60) }, () => random.below(keys))
  )
}

/** Exact LRU by its definition: the first key of a Map is the least recently used. */
function naiveLruHits({ ids }, capacity) {
  const held = new Map()
  let hits = 0
  for (const id of ids) {
    if (held.delete(id)) hits++
    else if (held.size === capacity) held.delete(held.keys().next().value)
    held.set(id, true)
  }
  return hits
}

/** Belady's optimum by its definition: a miss evicts the entry that is needed last, which may be the newcomer. */
function naiveOptimalHits({ ids }, capacity) {
  const held = new Set()
  const nextAfter = (id, from) => {
    const next = ids.indexOf(id, from + 1)
    return next < 0 ? Number.POSITIVE_INFINITY : next
  }
  let hits = 0
  for (const [i, id] of ids.entries()) {
    if (held.has(id)) {
      hits++
      continue
    }
    held.add(id)
    if (held.size <= capacity) continue
    const [first, ...others] = held
    held.delete(others.reduce((last, one) => (nextAfter(one, i) > nextAfter(last, i) ? one : last), first))
  }
  return hits
}

describe('traces: references', () => {
  it('agree with naive versions of them, at any capacity', t => {
    const random = seededRandom(t)
    for (let round = 0; round < 300; round++) {
      const trace = smallTrace(random)
      const { ids, keys } = trace
      const distances = reuseDistances(ids, keys.length)
      const next = nextRequests(ids, keys.length)
      for (const capacity of [1, 2, 3, 5, 20]) {
        assert.equal(lruHits(distances, capacity), naiveLruHits(trace, capacity))
        assert.equal(
          lruHitsByWeight(ids, () => 1, capacity),
          naiveLruHits(trace, capacity)
        )
        assert.equal(optimalHits(ids, next, keys.length, capacity), naiveOptimalHits(trace, capacity))
      }
    }
  })
})

describe('traces: policies', () => {
  it("'lru' with one shard is exact LRU, request for request", t => {
    const { seed } = seededRandom(t)
    for (const trace of tracesOf(seed)) {
      const distances = reuseDistances(trace.ids, trace.keys.length)
      for (const maxEntries of CAPACITIES) {
        const options = { maxEntries, evictionStrategy: 'lru', shards: 1 }
        const at = firstDifference(trace, options, i => distances[i] <= maxEntries)
        assert.equal(at, undefined, `${trace.name} at ${maxEntries}`)
      }
    }
  })

  it('none beats the optimum, and none is far below FIFO where popular keys stay popular', t => {
    const { seed } = seededRandom(t)
    for (const trace of tracesOf(seed)) {
      const { name, ids, keys } = trace
      const next = nextRequests(ids, keys.length)
      for (const maxEntries of CAPACITIES) {
        const optimum = optimalHits(ids, next, keys.length, maxEntries)
        const hitsOf = evictionStrategy => replay(trace, { maxEntries, evictionStrategy }).hits
        const floor = 0.95 * hitsOf('fifo')
        for (const policy of USUAL_POLICIES) {
          const hits = hitsOf(policy)
          assert.ok(hits <= optimum, `${name} at ${maxEntries}: ${policy} has ${hits} hits, the optimum ${optimum}`)
          if (name !== 'zipf') continue
          assert.ok(hits >= floor, `${name} at ${maxEntries}: ${policy} has ${hits} hits, fifo ${floor / 0.95}`)
        }
      }
    }
  })

  it('the default one is the one that is said to be', t => {
    const { seed } = seededRandom(t)
    const trace = SYNTHETIC.scans(REQUESTS, seed)
    const options = { maxEntries: 200, shards: 1, seed: 1 }
    assert.deepEqual(replay(trace, options), replay(trace, { ...options, evictionStrategy: DEFAULT_POLICY }))
  })

  it('a hit in the near cache counts as much as one in the store', t => {
    const { seed } = seededRandom(t)
    for (const trace of tracesOf(seed)) {
      for (const evictionStrategy of USUAL_POLICIES) {
        const options = { maxEntries: 200, shards: 1, seed: 1, evictionStrategy }
        assert.deepEqual(
          replay(trace, options),
          replay(trace, { ...options, nearCache: false }),
          `${trace.name}, ${evictionStrategy}`
        )
      }
    }
  })

  it('a limit in bytes is a cache too', t => {
    const { seed } = seededRandom(t)
    const trace = SYNTHETIC.sizes(REQUESTS, seed)
    const most = trace.ids.length - trace.keys.length
    for (const evictionStrategy of USUAL_POLICIES) {
      const { hits } = replay(trace, { memoryLimit: '2mb', evictionStrategy })
      assert.ok(hits > most / 10 && hits < most, `${evictionStrategy}: ${hits} hits`)
    }
  })

  it('four threads that share a map hit about as often as one', async t => {
    const { seed } = seededRandom(t)
    const trace = SYNTHETIC.zipf(REQUESTS, seed)
    const options = { maxEntries: 500 }
    const { hits } = replay(trace, options)
    const shared = await replayInThreads(trace, options, 4)
    assert.ok(Math.abs(shared - hits) < 0.1 * hits, `${shared} hits of four threads, ${hits} of one`)
  })
})

describe('traces: files', () => {
  const inFile = (name, content, look) => {
    const directory = mkdtempSync(path.join(tmpdir(), 'typed-superdashmap-'))
    try {
      const file = path.join(directory, name)
      writeFileSync(file, content)
      return look(file)
    } finally {
      rmSync(directory, { recursive: true })
    }
  }

  it('has a key a line, numbers as numbers, plain or packed', () => {
    const text = '7\nuser:1\n7\n007\n\n-2'
    for (const [file, content] of [
      ['plain.txt', text],
      ['packed.txt.gz', gzipSync(text)]
    ]) {
      const trace = inFile(file, content, readTrace)
      assert.deepEqual([...trace.ids], [0, 1, 0, 2, 3])
      assert.deepEqual(trace.keys, [7, 'user:1', '007', -2])
      assert.equal(trace.name, file.split('.')[0])
      assert.equal(trace.sizes, undefined)
    }
  })

  it('may have sizes', () => {
    const trace = inFile('sized.csv', 'a,10\nb, 20\r\na 10\n', readTrace)
    assert.deepEqual(trace.keys, ['a', 'b'])
    assert.deepEqual([...trace.sizes], [10, 20, 10])
  })

  it('says where it is not one', () => {
    assert.throws(() => inFile('wrong.txt', '1\n2 x\n', readTrace), /request 2: .*'2 x'/)
    assert.throws(() => inFile('half.txt', '1 5\n2\n', readTrace), /some requests have a size/)
  })
})
