'use strict'

/*
 * How does TypedMap do next to Map, operation by operation?
 *
 * In each round every contender lives through one life: a new map is filled, read, asked for what is not there, walked,
 * updated and emptied, and each of these is timed. Map is one contender, TypedMap three: by key, by handle, by batch.
 */

const assert = require('node:assert')
const { byBatch, byHandle, byKey } = require('./adapters/typed-map.js')
const { map } = require('./adapters/map.js')
const { BATCH, Life, workOf } = require('./harness/life.js')
const { rotated, summary, time } = require('./harness/rounds.js')

const CONTENDERS = [map, byKey, byHandle, byBatch]

const OPERATIONS = {
  insert: 'insert',
  'get-hit': 'get, hit',
  'get-miss': 'get, miss',
  iterate: 'iterate',
  update: 'update',
  delete: 'delete'
}

const ENTRIES = [1_000, 100_000, 1_000_000]
const KEYS = ['string', 'integer']
const VALUES = ['scalar', 'small', 'large']

/** Reads of one life: a small map is read many times over, of a large one a part is read, and such a part updated. */
const READS = 100_000
const MAX_ASKED = 250_000

/** Lives that are thrown away, so that the first one counted runs compiled code, and how large they are. */
const WARMUP_LIVES = 6
const WARMUP_ENTRIES = 1_000

/** What one entry takes of the heap and of the store, in MB, with room to spare: for machines that are too small. */
const MB_PER_ENTRY = {
  scalar: { heap: 0.0006, store: 0.0002 },
  small: { heap: 0.0008, store: 0.0002 },
  large: { heap: 0.005, store: 0.003 }
}

/** One contender's life; returns ns per operation, for the wanted operations. Filling is part of every life. */
async function live(contender, work, wanted, earlier) {
  const life = new Life(contender, work)
  if (earlier !== undefined) life.inherit(earlier)
  const { entries } = work
  const perStep = contender.item === 'batch' ? BATCH : 1
  const spent = {}
  const timed = async (operation, loopName, steps, expected, times = 1) => {
    const loop = life.loop(loopName)
    if (loop === undefined || !wanted.includes(operation)) return
    let from = 0
    const counts = []
    const samples = await time(
      contender.name,
      () => {
        counts.push(loop(life, from, from + steps))
        // The next pass goes on where this one ended, while there is a whole pass left.
        from = from + 2 * steps > life.steps ? 0 : from + steps
      },
      times
    )
    for (const count of counts) assert.strictEqual(count, expected, `${contender.title}: ${operation}`)
    spent[operation] = samples.map(ns => ns / (steps * perStep))
  }

  const steps = Math.min(life.asked, Math.floor(MAX_ASKED / perStep))
  const passes = Math.max(1, Math.floor(READS / entries))

  if (wanted.includes('insert')) await timed('insert', 'insert', life.steps, entries)
  else life.fill()
  life.checkSize(entries)
  await timed('get-hit', 'get', steps, 0, passes)
  life.checkAnswers()
  if (wanted.includes('get-miss')) life.makeDeadHandles()
  await timed('get-miss', 'miss', steps, steps * perStep, passes)
  await timed('iterate', 'iterate', entries / perStep, entries, Math.max(1, Math.floor(passes / 4)))
  await timed('update', 'update', steps, steps * perStep)
  if (wanted.includes('update')) life.checkAnswers(work.fresh, steps * perStep)
  await timed('delete', 'delete', life.steps, entries)
  if (wanted.includes('delete')) life.checkSize(0)
  await life.end()
  return { life, spent }
}

/** All rounds of one dataset. */
async function measure({ entries, keys, values, operations, seconds, minRounds }, report) {
  const small = workOf({ entries: Math.min(entries, WARMUP_ENTRIES), keys, values })
  const lives = new Map()
  for (let n = 0; n < WARMUP_LIVES; n++) {
    for (const contender of CONTENDERS) {
      lives.set(contender, (await live(contender, small, operations, lives.get(contender))).life)
    }
  }

  const work = workOf({ entries, keys, values })
  const samples = Object.fromEntries(CONTENDERS.map(({ name }) => [name, {}]))
  const started = performance.now()
  for (let round = 0; ; round++) {
    const part = (performance.now() - started) / 1000 / seconds
    if (round >= minRounds && part >= 1) break
    for (const contender of rotated(CONTENDERS, round % CONTENDERS.length)) {
      globalThis.gc?.()
      const { spent } = await live(contender, work, operations, lives.get(contender))
      for (const [operation, ns] of Object.entries(spent)) {
        const all = samples[contender.name]
        all[operation] = (all[operation] ?? []).concat(summary(ns).median)
      }
    }
    report(Math.min(1, Math.max(part, (round + 1) / minRounds)))
  }

  return CONTENDERS.map(({ name, title }) => ({
    name,
    title,
    operations: Object.fromEntries(Object.entries(samples[name]).map(([operation, ns]) => [operation, summary(ns)]))
  }))
}

module.exports = { ENTRIES, KEYS, VALUES, OPERATIONS, MB_PER_ENTRY, tasks: { measure } }
