'use strict'

/*
 * Is the hit ratio that `advise()` expects of half and of twice the memory what maps of these sizes come to? Traces are
 * replayed through maps with half, the same and twice the entries; only the middle one has a ghost cache.
 *
 *   node benchmark/ghost.js DIR    the traces of a directory, see benchmark/traces/trace.js
 *   node benchmark/ghost.js        synthetic ones
 */

const { TypedMap } = require('..')
const { textTable } = require('./harness/table.js')
const { SYNTHETIC } = require('./traces/synthetic.js')
const { readTrace, tracesIn } = require('./traces/trace.js')

/** Capacities, as parts of the distinct keys. */
const PARTS = [0.02, 0.1]
const POLICIES = ['w-tinylfu', 'lru', 's3-fifo']
const REQUESTS = 400_000

function tracesOf(directory) {
  if (directory !== undefined)
    return tracesIn(directory).map(
      ({ file }) =>
        () =>
          readTrace(file)
    )
  return Object.values(SYNTHETIC).map(make => () => make(REQUESTS, 1))
}

/** What a map of so many entries answers, in percent, and what it expects of other sizes. */
function replay({ ids, keys }, maxEntries, evictionStrategy, ghostCache) {
  const map = new TypedMap({ maxEntries, evictionStrategy, ghostCache, nearCache: false, seed: 1 })
  for (const id of ids) if (map.get(keys[id]) === undefined) map.set(keys[id], id)
  const { hits } = map.getStats()
  const advice = map.advise().find(({ code }) => code === 'HIT_RATIO_BY_MEMORY')
  map.close()
  return { hitPercent: (100 * hits) / ids.length, advice }
}

const shown = value => value.toFixed(1)

const HEADER = ['trace', 'policy', 'entries', 'hits', 'half', 'expected', '±', 'twice', 'expected', '±']
const rows = []
let [within, all, worst] = [0, 0, 0]
for (const load of tracesOf(process.argv[2])) {
  const trace = load()
  for (const part of PARTS) {
    const entries = Math.max(100, Math.round(trace.keys.length * part))
    for (const policy of POLICIES) {
      const [half, twice] = [0.5, 2].map(size => replay(trace, Math.round(entries * size), policy, false).hitPercent)
      const { hitPercent, advice } = replay(trace, entries, policy, true)
      const row = [trace.name, policy, String(entries), shown(hitPercent)]
      if (advice === undefined) {
        rows.push([...row, shown(half), 'not said', '', shown(twice), 'not said', ''])
        continue
      }
      const { halfHitPercent, halfErrorPercent, twiceHitPercent, twiceErrorPercent } = advice.figures
      for (const [found, expected, error] of [
        [half, halfHitPercent, halfErrorPercent],
        [twice, twiceHitPercent, twiceErrorPercent]
      ]) {
        all++
        within += Math.abs(found - expected) <= error + 0.1 ? 1 : 0
        worst = Math.max(worst, Math.abs(found - expected))
      }
      const ofHalf = [shown(half), shown(halfHitPercent), shown(halfErrorPercent)]
      rows.push([...row, ...ofHalf, shown(twice), shown(twiceHitPercent), shown(twiceErrorPercent)])
    }
  }
}
console.log(textTable(HEADER, rows))
console.log(`${within} of ${all} within the stated error; the farthest is off by ${shown(worst)} points.`)
