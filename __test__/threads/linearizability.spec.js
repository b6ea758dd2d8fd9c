'use strict'

// The checker of histories is right about what can be explained and what cannot.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { DOES, SAW, search } = require('../support/linearizability.js')
const { seededRandom } = require('../support/random.js')

const TENANTS = new Map([
  [1, 10],
  [2, 20],
  [3, 10]
])

/** A step: `[saw, of, does, value]`, of a key. */
const step = ([saw, of = 0, does = DOES.NOTHING, value = 0], key = 0) => ({ key, saw, of, does, value })

/** Operations of one thread, of one key: `[start, end, saw, of, does, value]`. */
const thread = (...operations) => operations.map(([start, end, ...rest]) => ({ start, end, steps: [step(rest)] }))

const writes = (start, end, value) => [start, end, SAW.AT_MOST_TENANT, TENANTS.get(value), DOES.WRITE, value]
const reads = (start, end, value) => [start, end, SAW.VALUE, value]
const isExplained = (threads, rules) => search(threads, { tenants: TENANTS, ...rules }) === null

/** The same question, answered by trying everything. */
function isExplainedNaively(threads, { vanish, keys }) {
  const agrees = ({ saw, of }, value) => {
    const isThere = value > 0
    const tenant = isThere ? TENANTS.get(value) : 0
    const answers = {
      [SAW.ANYTHING]: true,
      [SAW.ABSENT]: !isThere,
      [SAW.PRESENT]: isThere,
      [SAW.VALUE]: value === of,
      [SAW.NOT_VALUE]: value !== of,
      [SAW.TENANT]: tenant === of,
      [SAW.NO_TENANT]: tenant !== of,
      [SAW.AT_MOST_TENANT]: tenant === of || !isThere
    }
    return answers[saw]
  }
  const explore = (at, state) => {
    const next = threads.map((operations, n) => operations[at[n]])
    if (next.every(operation => operation === undefined)) return true
    if (vanish && state.some((value, key) => value > 0 && explore(at, state.with(key, 0)))) return true
    return next.some((operation, n) => {
      if (operation === undefined || !operation.steps.every(one => agrees(one, state[one.key]))) return false
      if (next.some(other => other !== undefined && other.end < operation.start)) return false
      const changed = state.slice()
      for (const { key, does, value } of operation.steps) {
        if (does !== DOES.NOTHING) changed[key] = does === DOES.WRITE ? value : 0
      }
      return explore(at.with(n, at[n] + 1), changed)
    })
  }
  return explore(
    threads.map(() => 0),
    new Array(keys).fill(0)
  )
}

function randomStep(random, key) {
  const saw = random.below(8)
  const of = saw === SAW.VALUE || saw === SAW.NOT_VALUE ? random.below(4) : random.pick([10, 20])
  const does = random.oneIn(2) ? DOES.NOTHING : random.pick([DOES.WRITE, DOES.DELETE])
  return step([saw, of, does, 1 + random.below(3)], key)
}

/** Threads with operations that overlap at random and have random results, of one key each or of several. */
function randomThreads(random, keys) {
  const threads = [[], [], []]
  const running = [null, null, null]
  let ended = 0
  for (let event = 0; event < 18; event++) {
    const n = random.below(threads.length)
    if (running[n] === null) {
      running[n] = ended
      continue
    }
    const about = random.oneIn(2) ? [random.below(keys)] : Array.from({ length: keys }, (_, key) => key)
    const steps = about.map(key => randomStep(random, key))
    threads[n].push({ start: running[n], end: ended++, steps })
    running[n] = null
  }
  return threads
}

describe('the checker of histories', () => {
  it('takes an order that agrees with what every operation saw', () => {
    assert.ok(isExplained([thread(writes(0, 2, 1)), thread(reads(0, 0, 0), reads(1, 1, 1))]))
    assert.ok(isExplained([thread(writes(0, 3, 1)), thread(writes(0, 2, 3)), thread(reads(0, 0, 3), reads(1, 1, 1))]))
  })

  it('refuses a value that was overwritten before the read began', () => {
    assert.ok(!isExplained([thread(writes(0, 0, 1), writes(1, 1, 3)), thread(reads(2, 2, 1))]))
  })

  it('refuses a thread for which time goes backwards', () => {
    const writer = thread(writes(0, 0, 1), writes(1, 9, 3))
    assert.ok(isExplained([writer, thread(reads(1, 1, 1), reads(2, 2, 3))]))
    assert.ok(!isExplained([writer, thread(reads(1, 1, 3), reads(2, 2, 1))]))
  })

  it('refuses two threads that saw two writes in opposite orders', () => {
    const writers = [thread(writes(0, 8, 1)), thread(writes(0, 9, 3))]
    const one = thread(reads(0, 0, 1), reads(1, 1, 3))
    const other = thread(reads(0, 2, 3), reads(3, 3, 1))
    assert.ok(isExplained([...writers, one]))
    assert.ok(!isExplained([...writers, one, other]))
  })

  it('knows handles: a new tenant is not the one before', () => {
    const deletes = (start, end) => [start, end, SAW.PRESENT, 0, DOES.DELETE]
    const gone = (start, end) => [start, end, SAW.NO_TENANT, 10]
    const there = (start, end) => [start, end, SAW.TENANT, 10]
    assert.ok(isExplained([thread(writes(0, 0, 1), deletes(1, 1), writes(2, 2, 2), gone(3, 3))]))
    assert.ok(!isExplained([thread(writes(0, 0, 1), deletes(1, 1), writes(2, 2, 2), there(3, 3))]))
    assert.ok(!isExplained([thread(writes(0, 0, 1), writes(1, 1, 2))]), 'a write keeps the tenant')
  })

  it('takes all steps of an operation at one moment', () => {
    const both = (start, end, ...steps) => [{ start, end, steps: steps.map(step) }]
    const writer = both(0, 1, [SAW.ANYTHING, 0, DOES.WRITE, 1], [SAW.ANYTHING, 0, DOES.WRITE, 3])
    const explains = (first, second) =>
      isExplained([writer, both(0, 0, [SAW.VALUE, first], [SAW.VALUE, second])], { keys: 2 })
    assert.deepEqual([explains(0, 0), explains(1, 3), explains(1, 0), explains(0, 3)], [true, true, false, false])
  })

  it('lets a value be of any tenant whose own is not known', () => {
    const unknown = thread([0, 0, SAW.ANYTHING, 0, DOES.WRITE, 9])
    for (const saw of [SAW.TENANT, SAW.NO_TENANT, SAW.AT_MOST_TENANT]) {
      assert.ok(isExplained([unknown, thread([1, 1, saw, 10])]))
    }
    assert.ok(!isExplained([thread([0, 0, SAW.TENANT, 10])]))
  })

  it('lets entries vanish where they may, and never come back', () => {
    const threads = [thread(writes(0, 0, 1), reads(1, 1, 0))]
    assert.ok(!isExplained(threads))
    assert.ok(isExplained(threads, { vanish: true }))
    assert.ok(!isExplained([thread(writes(0, 0, 1), reads(1, 1, 0), reads(2, 2, 1))], { vanish: true }))
  })

  it('comes to the same answer as trying every order', t => {
    const random = seededRandom(t)
    const answers = [0, 0]
    for (let round = 0; round < 20_000; round++) {
      const rules = { vanish: random.oneIn(2), keys: 1 + random.below(2) }
      const threads = randomThreads(random, rules.keys)
      const expected = isExplainedNaively(threads, rules)
      answers[Number(expected)]++
      assert.equal(isExplained(threads, rules), expected, JSON.stringify({ threads, rules, round }))
    }
    assert.ok(answers[0] > 1_000 && answers[1] > 1_000, `${answers[0]} refused, ${answers[1]} taken`)
  })
})
