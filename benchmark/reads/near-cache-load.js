'use strict'

/*
 * Is a near cache that is far too small for the load harmless, and does it pay where a few entries are popular?
 *
 * Ten times as many entries as the near cache of the default size holds are read in uniformly random order (nearly
 * every read misses it), and in the order of a Zipf distribution (s = 0.99), with the near cache on and off.
 */

const { byHandle, byKey } = require('../adapters/typed-map.js')
const { compare, variant } = require('../harness/compare.js')
const { workOf } = require('../harness/life.js')
const { atLeast, atMost, rowsOf } = require('../harness/question.js')
const { uniformOrder, zipfOrder } = require('../harness/workload.js')

/** The default size of a near cache. */
const DEFAULT_SIZE = 10_000
const TIMES_TOO_SMALL = 10
const ENTRIES = DEFAULT_SIZE * TIMES_TOO_SMALL
const READS = 1_000_000
const QUICK_READS = 200_000
const SKEW = 0.99

const OFF = { nearCache: false }
const byWay = [
  {
    way: 'by key',
    on: variant(byKey, 'key-near', 'near cache on', {}),
    off: variant(byKey, 'key-far', 'near cache off', OFF)
  },
  {
    way: 'by handle',
    on: variant(byHandle, 'handle-near', 'near cache on', {}),
    off: variant(byHandle, 'handle-far', 'near cache off', OFF)
  }
]

const LOADS = [
  {
    title: 'uniform',
    order: reads => uniformOrder(reads, ENTRIES),
    target: (way, on, off) =>
      atMost(
        `uniform reads over ${TIMES_TOO_SMALL} times the near cache, ${way}: time against near cache off`,
        1.1,
        on / off
      )
  },
  {
    title: `Zipf ${SKEW}`,
    order: reads => zipfOrder(reads, ENTRIES, SKEW),
    target: (way, on, off) =>
      atLeast(`Zipf load (s = ${SKEW}) over the same entries, ${way}: times faster than near cache off`, 2.5, off / on)
  }
]

async function measure({ quick }, report) {
  const rows = []
  const targets = []
  const cases = LOADS.flatMap(load => byWay.map(way => ({ ...load, ...way })))
  for (const [i, { title, order, target, way, on, off }] of cases.entries()) {
    const contenders = [off, on]
    const results = await compare({
      contenders,
      work: workOf({ entries: ENTRIES, keys: 'string', values: 'small', order: order(quick ? QUICK_READS : READS) }),
      operation: 'get',
      seconds: quick ? 1 : 8,
      onRound: part => report((i + part) / cases.length)
    })
    rows.push(...rowsOf(`${title}, ${way}`, contenders, results))
    targets.push(target(way, results[on.name].median, results[off.name].median))
  }
  return { rows, targets, chart: { unit: 'ns', highlight: ['near cache on'] } }
}

module.exports = { title: 'A near cache ten times too small', tasks: { measure } }
