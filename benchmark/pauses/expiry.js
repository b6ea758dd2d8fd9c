'use strict'

/*
 * Are a million entries whose deadlines lie within one second gone on time, and does the event loop notice?
 *
 * Meanwhile the loop does nothing but set a timer of a millisecond after the other, and a stall is what one of them
 * comes too late. Each time the map is asked for its size: if the map has more entries than deadlines are to come, at
 * least one is late, by the time since the deadline of as many from the end. The longest stall is shown beside that of
 * the second before, in which nothing expires and the machine does whatever else it does, and without the time in which
 * the thread could have run and another had its processor. In a second run a listener hears of each entry, which says
 * how late each one was, delivery included.
 */

const { TypedMap } = require('typed-superdashmap')
const { inChild } = require('../harness/child.js')
const { waitedMs } = require('../harness/pauses.js')
const { atMost } = require('../harness/question.js')
const { summary } = require('../harness/rounds.js')
const { significant } = require('../harness/table.js')

const ENTRIES = 1_000_000
const QUICK_ENTRIES = 100_000
const RUNS = 5
const QUICK_RUNS = 1
const SPREAD_MS = 1_000

/** From the last write to the first deadline: a quiet second, and some time to settle. */
const SETTLE_MS = 200
const QUIET_MS = 1_000

/** Time that a write takes at most, for the first deadline to lie behind the last write. */
const WRITE_US = 5

/** How long is waited for entries that are late. */
const PATIENCE_MS = 10_000

const TARGET_LATE_MS = 50
const TARGET_STALL_MS = 5

/** Between two looks; the shortest that a timer knows. */
const LOOK_MS = 1

const look = () => new Promise(resolve => setTimeout(resolve, LOOK_MS))

/** Looks until it is time; the longest stall by the wall clock, and the longest that was no waiting for a processor. */
async function lookUntil(isOver, onLook) {
  const longest = { wall: 0, own: 0 }
  let last = performance.now()
  let waited = waitedMs()
  for (;;) {
    await look()
    const now = performance.now()
    const waitedNow = waitedMs()
    const stall = now - last - LOOK_MS
    longest.wall = Math.max(longest.wall, stall)
    longest.own = Math.max(longest.own, stall - (waitedNow - waited))
    last = now
    waited = waitedNow
    if (isOver(now)) return longest
    onLook?.(now)
  }
}

async function expire({ entries, isHeard }) {
  const map = new TypedMap()
  const first = performance.now() + (entries * WRITE_US) / 1000 + SETTLE_MS + QUIET_MS
  const deadlines = new Float64Array(entries)
  for (let i = 0; i < entries; i++) {
    const deadline = first + (i / entries) * SPREAD_MS
    // The map takes whole milliseconds.
    const now = performance.now()
    const ttl = Math.ceil(deadline - now)
    map.set(i, i, { ttl })
    deadlines[i] = now + ttl
  }
  if (performance.now() + QUIET_MS > first) throw new Error('writing took longer than expected')
  globalThis.gc()

  const lateness = new Float64Array(isHeard ? entries : 0)
  let heard = 0
  let dropped = 0
  if (isHeard) {
    map.onEvict(
      event => {
        if (event.dropped === undefined) lateness[heard++] = performance.now() - deadlines[event.key]
        else dropped += event.dropped
      },
      { causes: ['expired'] }
    )
  }
  const inOrder = deadlines.slice().sort()
  await lookUntil(now => now > first - QUIET_MS)
  const quiet = await lookUntil(now => now > first - SETTLE_MS / 10)
  if (map.size !== entries) throw new Error(`${entries - map.size} entries expired before their time`)
  let latest = 0
  const isOver = now => now > first + SPREAD_MS + PATIENCE_MS || (map.size === 0 && now > inOrder[entries - 1])
  const busy = await lookUntil(isOver, now => {
    const left = map.size
    // So many from the end have a deadline to come; if more are in the map, this one is removed late at best.
    if (left > 0) latest = Math.max(latest, now - inOrder[entries - left])
  })
  const { size } = map
  while (isHeard && heard + dropped < entries - size) await look()
  map.destroy()
  if (size > 0) throw new Error(`${size} entries are there ${PATIENCE_MS} ms after their time`)
  const sorted = lateness.subarray(0, heard).sort()
  return {
    latest,
    quiet,
    busy,
    ...(isHeard ? { dropped, median: sorted[heard >> 1], last: sorted[heard - 1] } : {})
  }
}

async function measure({ quick }, report) {
  const runs = quick ? QUICK_RUNS : RUNS
  const entries = quick ? QUICK_ENTRIES : ENTRIES
  const found = { alone: [], heard: [] }
  for (let run = 0; run < runs; run++) {
    found.alone.push(await inChild(__filename, 'expire', { entries, isHeard: false }))
    found.heard.push(await inChild(__filename, 'expire', { entries, isHeard: true }))
    report((run + 1) / runs)
  }
  const row = (what, contender, numbers, unit = 'ms') => {
    const { median: value, ...spread } = summary(numbers)
    return { case: what, contender, value, unit, ...spread }
  }
  const { alone, heard } = found
  const get = (all, name) => all.map(one => one[name])
  const stalls = (all, name, time) => all.map(one => one[name][time])
  const stallRows = (time, text) => [
    row(text, 'nothing expires', stalls([...alone, ...heard], 'quiet', time)),
    row(text, 'no listener', stalls(alone, 'busy', time)),
    row(text, 'a listener', stalls(heard, 'busy', time))
  ]
  const late = summary(get(alone, 'latest')).median
  const [own, wall] = ['own', 'wall'].map(time => summary(stalls(alone, 'busy', time)).median)
  return {
    rows: [
      row('the last entry was gone so long after its deadline', 'no listener', get(alone, 'latest')),
      row('the last entry was gone so long after its deadline', 'a listener', get(heard, 'latest')),
      ...stallRows('wall', 'longest stall of the event loop'),
      ...stallRows('own', 'the same without waiting for a processor'),
      row('the listener heard of an entry so long after its deadline', 'median', get(heard, 'median')),
      row('the listener heard of an entry so long after its deadline', 'last', get(heard, 'last')),
      row('entries of which the listener was not told', 'a listener', get(heard, 'dropped'), 'entries')
    ],
    targets: [
      atMost(`${entries.toLocaleString('en-US')} deadlines in a second: gone within`, TARGET_LATE_MS, late, ' ms'),
      {
        ...atMost('longest stall of the event loop, without waiting for a processor', TARGET_STALL_MS, own, ' ms'),
        note: `${significant(wall)} ms by the wall clock`
      }
    ]
  }
}

module.exports = { title: 'A million deadlines in a second', tasks: { measure, expire } }
