'use strict'

/*
 * Does it hold more than 2^24 entries, where a Map throws?
 */

const { byKey } = require('../adapters/typed-map.js')
const { map } = require('../adapters/map.js')
const { inChild } = require('../harness/child.js')
const { atLeast } = require('../harness/question.js')
const { randomNumbers } = require('../harness/workload.js')

const ENTRIES = 20_000_000
const QUICK_ENTRIES = 17_000_000
const CHECKED = 1_000_000
const HEAP_MB = 8192

const CONTENDERS = { [map.name]: map, [byKey.name]: byKey }

/** Inserts until all are in or the map refuses; then compares a million random answers. */
function fill({ contender: name, entries }, report) {
  const contender = CONTENDERS[name]
  const filled = contender.open({ entries })
  const started = performance.now()
  let reached = 0
  let refusal
  try {
    for (; reached < entries; reached++) {
      filled.set(`user:${reached}`, reached)
      if (reached % 100_000 === 0) report?.(reached / entries)
    }
  } catch (error) {
    refusal = `${error.name}: ${error.message}`
  }
  const seconds = (performance.now() - started) / 1000
  const random = randomNumbers()
  for (let i = 0; i < CHECKED; i++) {
    const at = Math.floor(random() * reached)
    if (filled.get(`user:${at}`) !== at) throw new Error(`${contender.title} gives a wrong answer for user:${at}`)
  }
  if (contender.size(filled) !== reached) throw new Error(`${contender.title} has the wrong size`)
  return { reached, refusal, seconds }
}

async function measure({ quick }, report) {
  const entries = quick ? QUICK_ENTRIES : ENTRIES
  const names = Object.keys(CONTENDERS)
  const found = {}
  for (const [i, name] of names.entries()) {
    found[name] = await inChild(
      __filename,
      'fill',
      { contender: name, entries },
      { heapMb: HEAP_MB, onProgress: part => report((i + part) / names.length) }
    )
  }
  const rows = names.flatMap(name => {
    const contender = CONTENDERS[name].title
    const { reached, refusal, seconds } = found[name]
    const ended = refusal === undefined ? {} : { note: refusal }
    return [
      { case: 'entries', contender, value: reached / 1e6, unit: 'million', ...ended },
      { case: 'time to fill, per entry', contender, value: (seconds * 1e9) / reached, unit: 'ns' }
    ]
  })
  return {
    rows,
    targets: [atLeast('entries in one map', entries / 1e6, found[byKey.name].reached / 1e6, ' million')]
  }
}

module.exports = { title: 'More entries than a Map can hold', tasks: { measure, fill } }
