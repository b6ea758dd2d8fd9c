'use strict'

// Every number of `getStats`: a case causes it, in one thread and, if it is a count of what threads do, in several. A
// number without a case is an error.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { existsSync, readFileSync } = require('node:fs')
const path = require('node:path')
const { TypedMap } = require('../..')
const { startWorker } = require('../support/workers.js')

require('../support/sound.js')

/**
 * What causes a number, `n` being another number in each thread, and how it changes. With `change: number` each thread
 * adds so much; `check(after, before, stats)` judges it otherwise, in one thread.
 *
 * @typedef {object} Case
 * @property {object} [options] of the map
 * @property {(map: any, n: number) => any} [before] is not counted
 * @property {(map: any, n: number) => any} cause sees nothing of this file
 * @property {number} [change]
 * @property {boolean} [isAlone] whether only one thread may do it
 * @property {(after: any, before: any, stats: any) => boolean} [check]
 */

/** The names of maps. @type {WeakMap<TypedMap, string>} */
const names = new WeakMap()

const near = { nearCache: { maxEntries: 2, maxBytes: '1mb' } }
const bounded = { maxEntries: 1_000, memoryLimit: '64mb', shards: 1 }
const risen = (after, before) => after > before
const read = (map, n) => {
  map.set(n, { n })
  map.get(n)
}
const conflict = (map, n) => {
  map.set(n, 1)
  const one = map.begin()
  one.set(n, one.get(n) + 1)
  map.set(n, 2)
  try {
    one.commit()
  } catch {
    // That is what is counted.
  }
  const other = map.begin()
  other.get(n)
  map.set(n, 3)
  try {
    other.get(-n)
  } catch {
    // And that.
  }
}
const fill = map => {
  for (let key = 0; key < 5_000; key++) map.set(key, 'x'.repeat(key % 100))
}

/** @type {Record<string, Case>} */
const CASES = {
  entries: { cause: (map, n) => map.set(n, 1), change: 1 },
  handles: { cause: map => map.insert(1), change: 1 },
  hits: { before: (map, n) => map.set(n, 1), cause: (map, n) => map.get(n) + map.get(n), change: 2 },
  nearHits: { before: read, cause: (map, n) => [1, 2, 3].map(() => map.get(n)), change: 3 },
  nativeHits: { before: (map, n) => map.set(n, { n }), cause: (map, n) => [1, 2].map(() => map.get(n)), change: 1 },
  misses: { cause: map => map.get('missing'), change: 1 },
  sets: { cause: (map, n) => map.set(n, 1).set(n, 2), change: 2 },
  inserts: { cause: (map, n) => map.set(n, 1).set(n, 2).insert(1), change: 2 },
  updates: { cause: (map, n) => map.set(n, 1).set(n, 2).set(n, 3), change: 2 },
  deletes: { cause: (map, n) => map.set(n, 1).delete(n) && map.delete('missing'), change: 1 },
  clears: { cause: map => map.clear(), change: 1 },
  iterations: { before: (map, n) => map.set(n, 1), cause: map => [...map.keys()], check: risen },
  refusals: {
    options: { maxEntries: 1, oomStrategy: 'reject' },
    before: map => map.set('full', 1),
    cause: (map, n) => {
      try {
        map.set(n, 1)
      } catch {
        // That is what is counted.
      }
    },
    change: 1
  },
  evictions: { options: bounded, cause: (map, n) => map.set(n, 1).evict(1), change: 1 },
  expirations: {
    cause: (map, n) => {
      map.set(n, 1, { ttl: 1 })
      while (map.has(n)) {}
      while (map.size > 1) map.purgeExpired()
      map.purgeExpired()
    },
    change: 1
  },
  deadlines: { cause: (map, n) => map.set(n, 1, { ttl: 1_000_000 }), change: 1 },
  stale: {
    isAlone: true,
    cause: async map => {
      await map.getOrLoad('a', () => 1, { ttl: 1, staleFor: 1_000_000 })
      while (map.has('a')) {}
      while (map.size > 0) map.purgeExpired()
    },
    change: 1
  },
  operations: { cause: (map, n) => map.set(n, 1).get('missing'), change: 2 },
  'removals.explicit': { cause: (map, n) => map.set(n, 1).set(-n, 1).delete(n) && map.deleteMany([-n]), change: 2 },
  'removals.replaced': { cause: (map, n) => map.set(n, 1).set(n, 2), change: 1 },
  'removals.evicted': { options: bounded, cause: (map, n) => map.set(n, 1).evict(1), change: 1 },
  'removals.expired': {
    isAlone: true,
    cause: map => {
      map.set('a', 1, { ttl: 1 })
      while (map.has('a')) {}
      while (map.size > 0) map.purgeExpired()
    },
    change: 1
  },
  'removals.cleared': {
    isAlone: true,
    cause: map => {
      map.set('a', 1).set('b', 2)
      map.clear()
    },
    change: 2
  },
  'loads.count': { cause: (map, n) => map.getOrLoad(n, () => 1), change: 1 },
  'loads.failures': {
    cause: (map, n) => map.getOrLoad(n, () => Promise.reject(new Error('no'))).catch(() => {}),
    change: 1
  },
  'loads.shared': {
    isAlone: true,
    cause: async map => {
      const loader = () => new Promise(resolve => setTimeout(resolve, 10, 1))
      const other = TypedMap.open(names.get(map))
      await Promise.all([map, other, map].map(one => one.getOrLoad('a', loader)))
      other.close()
    },
    change: 2
  },
  'loads.timeMs': {
    cause: (map, n) => map.getOrLoad(n, () => new Promise(resolve => setTimeout(resolve, 20, 1))),
    check: after => after >= 15
  },
  'loads.meanMs': {
    cause: async map => {
      await map.getOrLoad('a', () => 1)
      await map.getOrLoad('b', () => Promise.reject(new Error('no'))).catch(() => {})
    },
    check: (after, _, { loads }) => after === loads.timeMs / 2
  },
  'loads.underWay': {
    isAlone: true,
    cause: map => {
      map.getOrLoad('a', () => new Promise(resolve => setTimeout(resolve, 50, 1))).catch(() => {})
    },
    change: 1
  },
  'transactions.commits': { cause: (map, n) => map.transaction(one => one.set(n, 1)), change: 1 },
  'transactions.conflicts': { cause: conflict, change: 2 },
  'transactions.rollbacks': {
    cause: (map, n) => {
      const one = map.begin()
      one.set(n, 1)
      one.rollback()
    },
    change: 1
  },
  cacheHitRate: { cause: map => map.set('a', 1).get('a') + map.get('b'), check: after => after === 50 },
  opsPerSecond: { cause: map => map.set('a', 1), check: risen },
  memoryMb: {
    cause: fill,
    check: (after, _, { memoryBytes }) => after === Math.round((memoryBytes / 1024 ** 2) * 100) / 100
  },
  memoryBytes: { cause: fill, check: (after, before, { memory }) => after > before && after === memory.total },
  'memory.total': { cause: fill, check: risen },
  'memory.entries': { cause: fill, check: risen },
  'memory.live': {
    cause: map => map.set('a', Buffer.alloc(100_000)),
    check: (after, before) => after - before >= 100_000
  },
  'memory.keys': { cause: (map, n) => map.set(`${n}`.padEnd(100, 'x'), 1).insert(1), change: 100 },
  'memory.values': {
    cause: (map, n) => {
      map.set(n, new Uint8Array(50)).set(n, new Uint8Array(1_000))
      map.set('other', 1).delete('other')
    },
    change: 1_000
  },
  'memory.overhead': {
    cause: fill,
    check: (after, _, { memory }) => after === memory.total - memory.keys - memory.values
  },
  'memory.peak': {
    cause: map => map.set('a', Buffer.alloc(1_000_000)).set('a', 1).shrinkToFit(),
    check: (after, before, { memory }) => after - before >= 1_000_000 && after > memory.total
  },
  'memory.allocations': { cause: (map, n) => map.set(n, 1).set(n, 'x'.repeat(5_000)).insert(1), change: 3 },
  'memory.frees': {
    cause: (map, n) => map.set(n, 1).set(n, 'x'.repeat(5_000)).set(n, 1).shrinkToFit(),
    isAlone: true,
    change: 2
  },
  'memory.index': { cause: fill, check: risen },
  'memory.slab': { cause: fill, check: risen },
  'memory.words': { cause: fill, check: risen },
  'memory.order': { cause: fill, check: risen },
  'memory.policy': { options: { ...bounded, evictionStrategy: 'LRU' }, cause: fill, check: risen },
  'memory.expiry': { cause: map => map.set('a', 1, { ttl: 1_000_000 }), check: risen },
  'memory.types': { cause: map => map.insert(1, { type: 'a type' }), check: risen },
  'memory.shapes': { cause: map => map.set(1, { a: 1 }).set(2, { a: 1 }), check: risen },
  'memory.fixed': { options: { shards: 64 }, cause: () => {}, check: after => after > 64 * 100 },
  'memory.retired': { cause: map => map.set('a', 'b').delete('a'), check: risen },
  'memory.limit': { options: { memoryLimit: 1_000_000 }, cause: () => {}, check: after => after === 1_000_000 },
  'memory.fragmentation': {
    cause: map => {
      for (let key = 0; key < 5_000; key++) map.set(key, 'x'.repeat(200))
      for (let key = 0; key < 5_000; key++) if (key % 10 > 0) map.delete(key)
    },
    check: after => after > 0.01 && after < 1
  },
  'shapes.count': { cause: map => map.set(1, { a: 1 }).set(2, { a: 1 }), check: after => after === 1 },
  'shapes.bytes': { cause: map => map.set(1, { a: 1 }).set(2, { a: 1 }), check: risen },
  'shapes.values': {
    cause: map => map.set(1, { a: 1 }).set(2, { a: 1 }).set(3, { a: 1 }),
    check: after => after === 2
  },
  'shapes.texts.first': { cause: map => map.set(1, { a: 1 }).set(2, { a: 1 }), check: after => after === 1 },
  'shapes.texts.names': {
    cause: map => {
      for (let key = 0; key < 5_000; key++) map.set(key, { [`name ${key}`]: 1 })
    },
    check: after => after > 0
  },
  'shapes.texts.refused': {
    cause: map => {
      for (let kind = 0; kind < 4_200; kind++)
        for (let again = 0; again < 3; again++) map.set(kind, { [`name ${kind}`]: 1 })
    },
    check: risen
  },
  'shapes.texts.large': {
    cause: map => map.set(1, { a: 'x'.repeat(70_000) }).set(2, { a: 'x'.repeat(70_000) }),
    check: risen
  },
  'shapes.texts.other': { cause: map => map.set(1, [{}]), check: after => after === 1 },
  'limits.memoryLimit': {
    options: bounded,
    cause: map => map.setLimits({ memoryLimit: '32mb' }),
    check: after => after === 2 ** 25
  },
  'limits.maxEntries': {
    options: bounded,
    cause: map => map.setLimits({ maxEntries: 77 }),
    check: after => after === 77
  },
  'limits.maxValueBytes': { options: { maxValueBytes: 1_234 }, cause: () => {}, check: after => after === 1_234 },
  'nearCache.entries': { options: near, cause: read, check: after => after === 1 },
  'nearCache.bytes': { options: near, cause: read, check: after => after > 0 && after < 1_000 },
  'nearCache.maxEntries': { options: near, cause: () => {}, check: after => after === 2 },
  'nearCache.maxBytes': { options: near, cause: () => {}, check: after => after === 2 ** 20 },
  'nearCache.hits': {
    options: near,
    before: read,
    cause: (map, n) => map.get(n) && map.get(n),
    check: after => after === 2
  },
  'nearCache.evictions': {
    options: near,
    cause: map => {
      for (let key = 0; key < 1_000; key++) map.set(key, { key })
      for (let key = 0; key < 1_000; key++) map.get(key)
    },
    check: risen
  },
  'nearCache.outdated': {
    options: near,
    cause: async map => {
      const other = TypedMap.open(names.get(map))
      for (let key = 0; key < 2; key++) map.set(key, { key })
      for (let key = 0; key < 2; key++) map.get(key)
      for (let key = 0; key < 2; key++) other.set(key, { other: key })
      other.close()
      // The sweeper looks once in a second.
      for (let wait = 0; wait < 500 && map.getStats().nearCache.outdated === 0; wait++) {
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    },
    check: after => after > 0
  },
  capacity: { cause: fill, check: (after, _, { memory }) => after > 5_000 && after * 8 <= memory.index },
  loadFactor: { options: { shards: 1 }, cause: fill, check: (after, _, { capacity }) => after === 5_000 / capacity },
  'index.meanProbe': { cause: fill, check: (after, _, { index }) => after > 1 && after < index.longestProbe },
  'index.longestProbe': { cause: fill, check: after => Number.isInteger(after) && after > 1 },
  'index.probesSampled': {
    options: { shards: 2 },
    cause: map => map.set('a', 1).set('b', 1).insert(1),
    check: after => after === 2
  },
  'index.collisions': {
    cause: fill,
    check: (after, _, { index }) => after > 0 && after < 5_000 * (index.meanProbe - 1)
  },
  'index.growths': { options: { shards: 1 }, cause: fill, check: after => after === 10 },
  'index.shrinks': {
    options: { shards: 1 },
    before: fill,
    cause: map => {
      for (let key = 0; key < 5_000; key++) map.delete(key)
      map.shrinkToFit()
    },
    check: after => after > 0
  },
  'index.migratingShards': {
    options: { shards: 1 },
    before: fill,
    cause: map => map.reserve(1_000_000),
    check: after => after === 1
  },
  'index.migrationProgress': {
    options: { shards: 1 },
    before: map => {
      fill(map)
      map.rehash(1_000)
    },
    cause: map => {
      map.reserve(1_000_000)
      map.set(1, 1)
    },
    check: (after, before) => before === 1 && after > 0 && after < 0.1
  },
  shards: { options: { shards: 32 }, cause: () => {}, check: after => after === 32 },
  threads: { isAlone: true, cause: map => void TypedMap.open(names.get(map)), change: 1 },
  resets: { cause: map => map.resetStats(), change: 1 },
  countedMs: { cause: map => map.resetStats(), check: (after, _, { uptimeMs }) => after >= 0 && after < uptimeMs },
  uptimeMs: { cause: () => {}, check: risen }
}

/** Sections whose numbers have a spec of their own. */
const ELSEWHERE = {
  changes: 'changes.spec.js',
  errors: '../session/recovery.spec.js',
  latency: 'latency.spec.js',
  locks: 'locks.spec.js',
  recovery: '../session/recovery.spec.js',
  slow: 'performance.spec.js'
}

/** The names of all numbers, and of what may be one. @param {any} value @returns {string[]} */
function numbersIn(value, name = '') {
  if (typeof value === 'string' || typeof value === 'boolean') return []
  if (value === null || typeof value !== 'object') return [name]
  return Object.entries(value).flatMap(([key, part]) => numbersIn(part, name === '' ? key : `${name}.${key}`))
}

const at = (stats, name) => name.split('.').reduce((part, key) => part[key], stats)

let maps = 0
const open = ({ options }) => {
  const name = `stats numbers ${process.pid} ${maps++}`
  const map = TypedMap.open(name, options)
  names.set(map, name)
  return map
}

describe('every number of getStats', () => {
  it('has a case that causes it, or a spec', () => {
    const all = numbersIn(new TypedMap({ memoryLimit: '1gb' }).getStats())
    const isElsewhere = name => ELSEWHERE[name.split('.')[0]] !== undefined
    assert.deepEqual(
      all.filter(name => CASES[name] === undefined && !isElsewhere(name)),
      []
    )
    assert.deepEqual(
      Object.keys(CASES).filter(name => !all.includes(name)),
      [],
      'cases of no number'
    )
    for (const file of Object.values(ELSEWHERE)) assert.ok(existsSync(path.join(__dirname, file)), file)
  })

  it('is documented', () => {
    const types = readFileSync(path.join(__dirname, '..', '..', 'types', 'stats.d.ts'), 'utf8')
    for (const name of Object.keys(CASES)) {
      const last = name.split('.').at(-1)
      assert.match(types, new RegExp(`\\b${last}\\??: |'${last}'`), name)
    }
  })

  for (const [name, one] of Object.entries(CASES)) {
    it(`${name}, in one thread`, async () => {
      const map = open(one)
      await one.before?.(map, 1)
      const before = map.getStats()
      await one.cause(map, 1)
      const after = map.getStats()
      const [was, is] = [at(before, name), at(after, name)]
      if (one.check === undefined) assert.equal(is - was, one.change)
      else assert.ok(one.check(is, was, after), `${was}, then ${is}`)
      map.destroy()
    })
  }

  it('of shards outlives clear()', () => {
    const map = new TypedMap({ shards: 4 })
    for (let key = 0; key < 100; key++) map.set(key, 'long enough to lie outside of the slot')
    for (let key = 0; key < 100; key++) map.set(key, 'another, which is a little longer than it')
    for (let key = 0; key < 50; key++) map.delete(key)
    const before = map.getStats()
    assert.deepEqual([before.removals.replaced, before.removals.explicit], [100, 50])
    map.clear()
    const { removals, memory } = map.getStats()
    assert.deepEqual(removals, { ...before.removals, cleared: 50 })
    assert.ok(memory.allocations >= before.memory.allocations && memory.allocations >= 200)
    map.close()
  })

  it('that threads cause adds up, and stays when they end', async () => {
    const shared = Object.entries(CASES).filter(([, { change, isAlone }]) => change !== undefined && !isAlone)
    assert.ok(shared.length > 20)
    const cases = shared.map(([name, one]) => ({ name, map: open(one), one }))
    const texts = cases.map(({ map, one: { before, cause } }) => ({
      name: names.get(map),
      before: `${before ?? (() => {})}`,
      cause: `${cause}`
    }))
    const workers = [1, 2].map(n =>
      startWorker(
        async ({ TypedMap, data: { n, texts }, port }) => {
          const function_ = text => new Function(`return ${text}`)()
          const opened = texts.map(({ name }) => TypedMap.open(name))
          for (const [at, { before }] of texts.entries()) await function_(before)(opened[at], n)
          port.postMessage('ready')
          await new Promise(resolve => port.once('message', resolve))
          for (const [at, { cause }] of texts.entries()) await function_(cause)(opened[at], n)
          for (const map of opened) map.close()
        },
        { n, texts }
      )
    )
    await Promise.all(workers.map(worker => new Promise(resolve => worker.once('message', resolve))))
    const before = cases.map(({ map }) => map.getStats())
    for (const worker of workers) worker.postMessage('go')
    await Promise.all(workers.map(worker => worker.result))
    await Promise.all(workers.map(worker => worker.terminate()))
    for (const [n, { name, map, one }] of cases.entries()) {
      const after = map.getStats()
      assert.equal(at(after, name) - at(before[n], name), 2 * one.change, name)
      map.destroy()
    }
  })
})
