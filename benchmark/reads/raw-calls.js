'use strict'

/*
 * What do the cheapest calls cost that must leave JavaScript, in units of a native call that does nothing: `has(key)`,
 * `set(key, number)`, and a read by handle without a near cache?
 *
 * The unit is measured in the same rounds, with an addon that exports one empty function (empty_call.rs). It is what
 * any native map must pay per call, so the ratio says how much the rest costs, on a machine of any speed.
 */

const { byHandle, byKey } = require('../adapters/typed-map.js')
const { map } = require('../adapters/map.js')
const { compare, variant } = require('../harness/compare.js')
const { loadEmptyCall } = require('../harness/empty-call.js')
const { workOf } = require('../harness/life.js')
const { atMost, rowsOf } = require('../harness/question.js')

/** In a small map a call costs what it does; in a large one it also waits for memory, as `Map` does. */
const SIZES = [1_000, 100_000]

/**
 * In calls that do nothing, one limit for each size, `undefined` for none. For `has` and new keys: 80 ns and 130 ns on
 * a machine where such a call takes 8 ns.
 */
const CASES = [
  { operation: 'has', title: 'has(key)', limits: [80 / 8, 80 / 8] },
  { operation: 'update', title: 'set(key, number), keys that are there', limits: [18, 32] },
  { operation: 'insert', title: 'set(key, number), new keys', limits: [130 / 8, 130 / 8] },
  { operation: 'get', title: 'get(handle), native', limits: [8, undefined], isByHandle: true }
]

async function measure({ quick }, report) {
  const { call, leftOut } = loadEmptyCall()
  const rows = []
  const targets = []
  const sizes = quick ? SIZES.slice(0, 1) : SIZES
  const uncached = variant(byKey, 'raw-key', 'TypedMap by key, no near cache', { nearCache: false })
  const uncachedHandle = variant(byHandle, 'raw-handle', 'TypedMap by handle, no near cache', { nearCache: false })
  // The empty call takes the place of a map, so that it is made from a loop of the same shape. The Map beneath is only
  // there for the reading that warms up all contenders.
  const emptyOf = entries => ({
    ...map,
    name: 'empty-call',
    title: 'an empty native call',
    isUnit: true,
    open: () => Object.assign(new Map(), { call }),
    has: '(map.call(), true)',
    update: 'map.call()',
    insert: 'map.call()',
    get: '(map.call(), true)',
    size: () => entries,
    fill(target, keys, values) {
      for (const [i, key] of keys.entries()) target.set(key, values[i])
    }
  })
  const all = sizes.flatMap((entries, size) => CASES.map(one => ({ ...one, limit: one.limits[size], entries })))
  for (const [i, { operation, title, limit, isByHandle, entries }] of all.entries()) {
    const empty = emptyOf(entries)
    const ours = isByHandle ? [uncachedHandle] : [uncached, byKey]
    const contenders = [...(call === undefined ? [] : [empty]), map, ...ours]
    const results = await compare({
      contenders,
      work: workOf({ entries, keys: 'string', values: 'scalar' }),
      operation,
      seconds: quick ? 1 : 6,
      onRound: part => report((i + part) / all.length)
    })
    const what = `${title}, ${entries.toLocaleString('en')} entries`
    rows.push(...rowsOf(what, contenders, results))
    if (call === undefined || limit === undefined) continue
    const inCalls = results[ours.at(-1).name].median / results[empty.name].median
    targets.push(atMost(`${what}: time in empty native calls`, limit, inCalls))
  }
  return {
    rows,
    targets,
    chart: { unit: 'ns', highlight: ['TypedMap'] },
    leftOut: leftOut === undefined ? [] : [leftOut]
  }
}

module.exports = { title: 'Calls that leave JavaScript', tasks: { measure } }
