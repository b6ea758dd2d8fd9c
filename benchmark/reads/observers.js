'use strict'

/*
 * What do observers leave behind? A near hit of a map that nothing observes, in a process where nothing ever did, next
 * to one in a process where a log listener and the diagnostics channels have seen calls and have gone again. And what
 * does a near hit take while something looks: at this map, or at another one of the thread?
 *
 * The engine remembers what methods it has seen for a whole process, so each state has processes of its own, in turns;
 * what counts is the median of the ratios of neighbours. A busy processor slows some rounds of a process: of its rounds
 * the fastest quarter counts.
 */

const diagnostics = require('node:diagnostics_channel')
const { TypedMap } = require('../..')
const { inChild } = require('../harness/child.js')
const { atMost } = require('../harness/question.js')

const ENTRIES = 1_000
const PASSES = 100

/** A hit after observers have gone, times the time of one where there were none. */
const LEFT_BEHIND = 1.05

const CHANNELS = ['get', 'set', 'remove', 'evict', 'expire', 'error'].map(name => `typed-superdashmap:${name}`)

/** Reads of all entries, each with a call site of its own; they return how many were there. */
const READS = {
  'get(key)': ({ map, keys }) => {
    let count = 0
    for (const key of keys) if (map.get(key) !== undefined) count++
    return count
  },
  'get(handle)': ({ map, handles }) => {
    let count = 0
    for (const handle of handles) if (map.get(handle) !== undefined) count++
    return count
  },
  'handle.get()': ({ handles }) => {
    let count = 0
    for (const handle of handles) if (handle.get() !== undefined) count++
    return count
  }
}

/** Has calls of a map seen, by all that there is. What is returned ends it. */
function observe(map) {
  const end = map.onLog(() => {}, { level: 'debug' })
  const hear = () => {}
  for (const name of CHANNELS) diagnostics.subscribe(name, hear)
  return () => {
    for (const name of CHANNELS) diagnostics.unsubscribe(name, hear)
    end()
  }
}

/** ns of a read in one state, in this process. */
function read({ state, what, rounds }) {
  const map = new TypedMap()
  const keys = Array.from({ length: ENTRIES }, (_, at) => `key ${at}`)
  for (const [at, key] of keys.entries()) map.set(key, { at })
  const subject = { map, keys, handles: keys.map(key => map.getHandle(key)) }
  const loop = READS[what]
  const pass = times => {
    for (let time = 0; time < times; time++) if (loop(subject) !== ENTRIES) throw new Error('an entry is missing')
  }
  pass(PASSES)
  if (state === 'after observers') {
    const end = observe(map)
    pass(PASSES)
    end()
  }
  if (state === 'observed') map.onLog(() => {}, { level: 'debug' })
  if (state === 'another map is observed') new TypedMap().onLog(() => {}, { level: 'debug' })
  pass(10 * PASSES)
  const times = Array.from({ length: rounds }, () => {
    const start = process.hrtime.bigint()
    pass(PASSES)
    return Number(process.hrtime.bigint() - start) / (PASSES * ENTRIES)
  })
  times.sort((one, other) => one - other)
  return times[Math.floor(rounds / 4)]
}

const middle = numbers => [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)]

async function measure({ quick }, report) {
  const pairs = quick ? 3 : 15
  const rounds = quick ? 8 : 80
  const states = ['never observed', 'after observers', 'another map is observed', 'observed']
  const rows = []
  const targets = []
  const cases = Object.keys(READS)
  let done = 0
  for (const what of cases) {
    const times = Object.fromEntries(states.map(state => [state, []]))
    for (let pair = 0; pair < pairs; pair++) {
      // Neighbours in time, in changing order.
      for (const state of pair % 2 === 0 ? states : [...states].reverse()) {
        const fewer = state === 'observed' ? Math.ceil(rounds / 20) : rounds
        times[state].push(await inChild(__filename, 'read', { state, what, rounds: fewer }))
      }
      report(++done / (cases.length * pairs))
    }
    for (const state of states) {
      const ns = times[state]
      const [fastest, slowest] = [Math.min(...ns), Math.max(...ns)]
      rows.push({ case: what, contender: state, value: middle(ns), unit: 'ns', fastest, slowest, rounds: pairs })
    }
    const ratios = times['after observers'].map((ns, at) => ns / times['never observed'][at])
    targets.push(
      atMost(`near hits of ${what}: time after observers have gone against without`, LEFT_BEHIND, middle(ratios))
    )
  }
  return { rows, targets }
}

module.exports = { title: 'Near hits after observers', tasks: { measure, read } }
