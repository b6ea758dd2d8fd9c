'use strict'

/*
 * How long is the worst single `set` while a map grows to five million entries?
 *
 * Each run has a process of its own, and the contenders take turns. Every `set` is timed on its own, by the wall clock
 * and by the time its thread was running; the worst of each run is kept, and the median over the runs reported.
 */

const { byKey } = require('../adapters/typed-map.js')
const { map } = require('../adapters/map.js')
const { inChild } = require('../harness/child.js')
const { OWN_TIME, ownTimeMs } = require('../harness/pauses.js')
const { atLeast, atMost } = require('../harness/question.js')
const { summary } = require('../harness/rounds.js')

const ENTRIES = 5_000_000
const QUICK_ENTRIES = 500_000
const RUNS = 5
const QUICK_RUNS = 1
const HEAP_MB = 6144

const CONTENDERS = { [map.name]: map, [byKey.name]: byKey }

/** Percentiles that are shown beside the worst. */
const PARTS = { p50: 0.5, 'p99.9': 0.999, 'p99.999': 0.99999 }

function grow({ contender: name, entries }) {
  const contender = CONTENDERS[name]
  const grown = contender.open({ entries })
  const wall = new Float64Array(entries)
  let worstOwn = 0
  for (let i = 0; i < entries; i++) {
    const key = `user:${i}`
    const value = { host: `host-${i % 1000}`, port: i }
    const own = ownTimeMs()
    const started = performance.now()
    grown.set(key, value)
    wall[i] = performance.now() - started
    worstOwn = Math.max(worstOwn, ownTimeMs() - own)
  }
  if (contender.size(grown) !== entries) throw new Error(`${contender.title} holds ${contender.size(grown)} entries`)
  wall.sort()
  const percentiles = Object.entries(PARTS).map(([part, at]) => [part, wall[Math.floor(at * (entries - 1))]])
  return { ...Object.fromEntries(percentiles), worst: wall[entries - 1], worstOwn, ownTime: OWN_TIME }
}

async function measure({ quick }, report) {
  const runs = quick ? QUICK_RUNS : RUNS
  const found = { [map.name]: [], [byKey.name]: [] }
  for (let run = 0; run < runs; run++) {
    for (const name of Object.keys(found)) {
      const parameters = { contender: name, entries: quick ? QUICK_ENTRIES : ENTRIES }
      found[name].push(await inChild(__filename, 'grow', parameters, { heapMb: HEAP_MB }))
    }
    report((run + 1) / runs)
  }
  const times = [...Object.keys(PARTS), 'worst', 'worstOwn']
  const medians = Object.fromEntries(
    Object.entries(found).map(([name, all]) => [
      name,
      Object.fromEntries(times.map(time => [time, summary(all.map(one => one[time]))]))
    ])
  )
  const [{ ownTime }] = found[byKey.name]
  const titleOf = time =>
    time === 'worstOwn' ? `worst set, own time (${ownTime})` : `${time === 'worst' ? 'worst' : time} set`
  const rows = times.flatMap(time =>
    Object.entries(medians).map(([name, all]) => {
      const { median: value, ...spread } = all[time]
      return { case: titleOf(time), contender: CONTENDERS[name].title, value, unit: 'ms', ...spread }
    })
  )
  const ours = medians[byKey.name]
  return {
    rows,
    targets: [
      atLeast(
        `worst set while growing to ${ENTRIES / 1e6} million: Map's worst against it`,
        20,
        medians[map.name].worst.median / ours.worst.median
      ),
      { ...atMost('worst set while growing, own time', 5, ours.worstOwn.median, ' ms'), note: ownTime }
    ],
    chart: { unit: 'ms', scale: 'log', highlight: ['TypedMap'] }
  }
}

module.exports = { title: 'Pauses while a map grows', tasks: { measure, grow } }
