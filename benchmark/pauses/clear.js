'use strict'

/*
 * How long do `clear()`, `destroy()` and the last `close()` of a map of five million entries keep their thread, and
 * does any near cache still answer after them?
 *
 * A second thread has read some of the entries by key and by handle, so that its near cache holds them; after the call
 * it asks for all of them again.
 */

const { TypedMap } = require('typed-superdashmap')
const { inChild } = require('../harness/child.js')
const { PAUSE_TIME, pauseOf } = require('../harness/pauses.js')
const { atMost } = require('../harness/question.js')
const { summary } = require('../harness/rounds.js')
const { startThreads } = require('../harness/threads.js')

const ENTRIES = 5_000_000
const QUICK_ENTRIES = 500_000
const RUNS = 5
const QUICK_RUNS = 1
const HEAP_MB = 6144
const HOT = 1_000
const NAME = 'cleared'

/** Writes after the call, the worst of which is reported: freeing goes on in steps behind it. */
const WRITES_AFTER = 100_000

const WAYS = {
  'clear()': { call: map => map.clear(), others: true },
  'destroy()': { call: map => map.destroy(), others: true },
  'last close()': { call: map => map.close(), others: false }
}

const pairOf = i => ({ host: `host-${i % 1000}`, port: i })

/** How many of the hot entries still have a value. A destroyed or closed map throws. */
function survivors(map, handles) {
  let alive = 0
  for (let i = 0; i < HOT; i++) {
    for (const item of [`user:${i}`, handles[i]]) {
      try {
        if (map.get(item) !== undefined) alive++
      } catch (error) {
        if (error.code !== 'ERR_CLOSED') throw error
      }
    }
  }
  return alive
}

/** The other thread: reads until its near cache holds the hot entries, waits for the call, and asks again. */
function readHot({ handles: sent }, sync) {
  const map = TypedMap.open(NAME)
  const handles = sent.map(data => map.handle(data))
  for (let pass = 0; pass < 3; pass++) {
    if (survivors(map, handles) !== 2 * HOT) throw new Error('an entry is missing before the call')
  }
  sync.ready()
  sync.waitForStop()
  return survivors(map, handles)
}

async function empty({ way, entries }) {
  const { call, others } = WAYS[way]
  const map = TypedMap.open(NAME)
  for (let i = 0; i < entries; i++) map.set(`user:${i}`, pairOf(i))
  const handles = Array.from({ length: HOT }, (_, i) => map.getHandle(`user:${i}`))
  survivors(map, handles)
  const threads = others ? await startThreads(__filename, 'readHot', [{ handles }]) : undefined
  globalThis.gc()
  const { wall, own } = pauseOf(() => call(map))
  const alive = survivors(map, handles) + (threads === undefined ? 0 : (await threads.stop())[0])

  // The next writer must not pay for all of it either.
  const next = way === 'clear()' ? map : new TypedMap()
  let worstAfter = 0
  for (let i = 0; i < WRITES_AFTER; i++) {
    const value = pairOf(i)
    const started = performance.now()
    next.set(`user:${i}`, value)
    worstAfter = Math.max(worstAfter, performance.now() - started)
  }
  next.destroy()
  return { wall, own, alive, worstAfter, ownTime: PAUSE_TIME }
}

function clearMap({ entries }) {
  const map = new Map()
  for (let i = 0; i < entries; i++) map.set(`user:${i}`, pairOf(i))
  globalThis.gc()
  return pauseOf(() => map.clear())
}

async function measure({ quick }, report) {
  const runs = quick ? QUICK_RUNS : RUNS
  const entries = quick ? QUICK_ENTRIES : ENTRIES
  const found = Object.fromEntries([...Object.keys(WAYS), 'map'].map(way => [way, []]))
  for (let run = 0; run < runs; run++) {
    for (const way of Object.keys(WAYS)) {
      found[way].push(await inChild(__filename, 'empty', { way, entries }, { heapMb: HEAP_MB }))
    }
    found.map.push(await inChild(__filename, 'clearMap', { entries }, { heapMb: HEAP_MB }))
    report((run + 1) / runs)
  }
  const row = (what, contender, numbers) => {
    const { median: value, ...spread } = summary(numbers)
    return { case: what, contender, value, unit: 'ms', ...spread }
  }
  const rows = []
  const targets = []
  for (const way of Object.keys(WAYS)) {
    const all = found[way]
    const [{ ownTime }] = all
    rows.push(
      row(
        way,
        'TypedMap',
        all.map(one => one.wall)
      ),
      row(
        `${way}, own time (${ownTime})`,
        'TypedMap',
        all.map(one => one.own)
      ),
      row(
        `worst set after ${way}`,
        'TypedMap',
        all.map(one => one.worstAfter)
      )
    )
    const own = summary(all.map(one => one.own)).median
    targets.push({ ...atMost(`${way} at ${ENTRIES / 1e6} million entries, own time`, 5, own, ' ms'), note: ownTime })
  }
  rows.push(
    row(
      'clear()',
      'Map',
      found.map.map(one => one.wall)
    )
  )
  const alive = Object.keys(WAYS).flatMap(way => found[way].map(one => one.alive))
  targets.push(atMost('near-cache hits that survive them, in any thread', 0, Math.max(...alive), ''))
  return { rows, targets, chart: { unit: 'ms', scale: 'log', highlight: ['TypedMap'] } }
}

module.exports = { title: 'Pauses of clear, destroy and close', tasks: { measure, empty, clearMap, readHot } }
