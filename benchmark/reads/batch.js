'use strict'

/*
 * What does an item cost in a batch of 100, next to a call of its own? The near cache is off: with it, reads would not
 * leave JavaScript either way.
 *
 * And in maps that are larger than the processor's caches, with keys that lie anywhere in them, where a batch waits for
 * memory once for many items.
 */

const { byBatch, byHandle, byHandleBatch, byKey } = require('../adapters/typed-map.js')
const { compare, variant } = require('../harness/compare.js')
const { workOf } = require('../harness/life.js')
const { atMost, rowsOf } = require('../harness/question.js')

const SIZES = [1_000, 100_000]

/** Time per item against single calls. */
const VALUES = [
  { values: 'scalar', title: 'numbers', limit: 0.75 },
  { values: 'small', title: 'small objects', limit: 0.8 }
]

const uncached = (contender, name, title) => variant(contender, name, title, { nearCache: false })
const keys = uncached(byKey, 'single-key', 'one call each')
const keyBatch = uncached(byBatch, 'batch-key', 'in batches of 100')
const handles = uncached(byHandle, 'single-handle', 'one call each')
const handleBatch = uncached(byHandleBatch, 'batch-handle', 'in batches of 100')

const CASES = [
  { what: 'get, getMany by key', operation: 'get', single: keys, batch: keyBatch },
  { what: 'get, getMany by handle', operation: 'get', single: handles, batch: handleBatch },
  { what: 'set, setMany', operation: 'insert', single: keys, batch: keyBatch },
  { what: 'insert, insertMany', operation: 'insert', single: handles, batch: handleBatch },
  { what: 'set, updateMany over entries', operation: 'update', single: keys, batch: keyBatch },
  { what: 'delete, deleteMany by key', operation: 'delete', single: keys, batch: keyBatch }
]

/** Scattered keys that are there: time per item against single calls. */
const SCATTERED_SIZES = [
  { entries: 100_000, limit: 0.6 },
  { entries: 1_000_000, limit: 0.4 }
]

const overEntries = { ...keyBatch, name: 'batch-set', update: '(map.setMany(items), items.length)' }

const SCATTERED = [
  { what: 'getMany of scattered keys', operation: 'get', single: keys, batch: keyBatch },
  { what: 'setMany of scattered keys', operation: 'update', single: keys, batch: overEntries }
]

async function measure({ quick }, report) {
  const rows = []
  const targets = []
  const sizes = quick ? SIZES.slice(0, 1) : SIZES
  const scatteredSizes = quick ? SCATTERED_SIZES.slice(0, 1) : SCATTERED_SIZES
  const [numbers] = VALUES
  const all = [
    ...sizes.flatMap(entries => VALUES.flatMap(kind => CASES.map(one => ({ ...kind, ...one, entries })))),
    ...scatteredSizes.flatMap(size => SCATTERED.map(one => ({ ...numbers, ...one, ...size })))
  ]
  for (const [i, { values, title: kind, limit, what, operation, single, batch, entries }] of all.entries()) {
    const title = `${kind}, ${entries.toLocaleString('en')} entries`
    const results = await compare({
      contenders: [single, batch],
      work: workOf({ entries, keys: 'string', values }),
      operation,
      seconds: quick ? 0.3 : 3,
      onRound: part => report((i + part) / all.length)
    })
    rows.push(...rowsOf(`${what}: ${title}`, [single, batch], results))
    const ratio = results[batch.name].median / results[single.name].median
    targets.push(atMost(`batch of 100, ${what}, ${title}: time per item against single calls`, limit, ratio))
  }
  return { rows, targets, chart: { unit: 'ns', highlight: ['in batches'] } }
}

module.exports = { title: 'Batches of 100, near cache off', heapMb: 4_096, tasks: { measure } }
