'use strict'

/*
 * How long does a scrape of a hundred maps hold its thread: `TypedMap.metrics()`, from the call to the text?
 */

const { TypedMap } = require('typed-superdashmap')
const { atMost } = require('../harness/question.js')
const { median } = require('../harness/rounds.js')

const MAPS = 100
const ENTRIES = 10_000
const READS = 20_000
const ROUNDS = 101
const QUICK_ROUNDS = 5
/** Rounds before the first one that counts. */
const WARM_UPS = 5
const MOST_MS = 20

const KINDS = {
  'a hundred maps': {},
  'a hundred maps that measure latency': { latency: true }
}

/** Maps with some use of each kind. */
function open(options, entries) {
  return Array.from({ length: MAPS }, (_, number) => {
    const map = TypedMap.open(`scrape ${number}`, { ...options, maxEntries: 2 * entries })
    for (let key = 0; key < entries; key++) map.set(`key ${key}`, { key })
    for (let read = 0; read < READS; read++) map.get(`key ${(read * 7) % (entries + 1)}`)
    for (let key = 0; key < entries; key += 10) map.delete(`key ${key}`)
    return map
  })
}

function measure({ quick }, report) {
  const rounds = quick ? QUICK_ROUNDS : ROUNDS
  const rows = []
  const targets = []
  const kinds = Object.entries(KINDS)
  for (const [at, [kind, options]] of kinds.entries()) {
    const maps = open(options, quick ? ENTRIES / 10 : ENTRIES)
    const samples = []
    let bytes = 0
    for (let round = -WARM_UPS; round < rounds; round++) {
      const start = process.hrtime.bigint()
      const text = TypedMap.metrics()
      if (round >= 0) samples.push(Number(process.hrtime.bigint() - start) / 1e6)
      bytes = text.length
      report((at + Math.max(0, round) / rounds) / kinds.length)
    }
    for (const map of maps) map.close()
    const value = median(samples)
    const spread = { fastest: Math.min(...samples), slowest: Math.max(...samples), rounds }
    rows.push({ case: kind, contender: 'TypedMap.metrics()', value, unit: 'ms', ...spread })
    rows.push({ case: `${kind}: the text`, contender: 'TypedMap.metrics()', value: bytes / 1024, unit: 'KB' })
    targets.push(atMost(`a scrape of ${kind}`, MOST_MS, value, 'ms'))
  }
  return { rows, targets }
}

module.exports = { title: 'Scrapes', tasks: { measure } }
