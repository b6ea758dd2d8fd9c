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

/** Operations of one thread: `[start, end, saw, of, does, value]`. */
const thread = (...operations) =>
  operations.map(([start, end, saw, of = 0, does = DOES.NOTHING, value = 0]) => ({ start, end, saw, of, does, value }))

const writes = (start, end, value) => [start, end, SAW.AT_MOST_TENANT, TENANTS.get(value), DOES.WRITE, value]
const reads = (start, end, value) => [start, end, SAW.VALUE, value]
const isExplained = (threads, rules) => search(threads, { tenants: TENANTS, ...rules }) === null

/** The same question, answered by trying everything. */
function isExplainedNaively(threads, vanish) {
  const agrees = ({ saw, of }, state) => {
    const isThere = state > 0
    const tenant = isThere ? TENANTS.get(state) : 0
    const answers = {
      [SAW.ANYTHING]: true,
      [SAW.ABSENT]: !isThere,
      [SAW.PRESENT]: isThere,
      [SAW.VALUE]: state === of,
      [SAW.TENANT]: tenant === of,
      [SAW.NO_TENANT]: tenant !== of,
      [SAW.AT_MOST_TENANT]: tenant === of || !isThere
    }
    return answers[saw]
  }
  const explore = (at, state) => {
    const next = threads.map((operations, n) => operations[at[n]])
    if (next.every(operation => operation === undefined)) return true
    if (vanish && state > 0 && explore(at, 0)) return true
    return next.some((operation, n) => {
      if (operation === undefined || !agrees(operation, state)) return false
      if (next.some(other => other !== undefined && other.end < operation.start)) return false
      const further = at.with(n, at[n] + 1)
      const { does, value } = operation
      return explore(further, does === DOES.WRITE ? value : does === DOES.DELETE ? 0 : state)
    })
  }
  return explore(
    threads.map(() => 0),
    0
  )
}

/** Threads with operations that overlap at random and have random results. */
function randomThreads(random) {
  const threads = [[], [], []]
  const running = [null, null, null]
  let ended = 0
  for (let event = 0; event < 18; event++) {
    const n = random.below(threads.length)
    if (running[n] === null) {
      running[n] = ended
      continue
    }
    const saw = random.below(7)
    const of = saw === SAW.VALUE ? random.below(4) : random.pick([10, 20])
    const does = random.oneIn(2) ? DOES.NOTHING : random.pick([DOES.WRITE, DOES.DELETE])
    threads[n].push(...thread([running[n], ended++, saw, of, does, 1 + random.below(3)]))
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
      const threads = randomThreads(random)
      const vanish = random.oneIn(2)
      const expected = isExplainedNaively(threads, vanish)
      answers[Number(expected)]++
      assert.equal(isExplained(threads, { vanish }), expected, JSON.stringify({ threads, vanish, round }))
    }
    assert.ok(answers[0] > 1_000 && answers[1] > 1_000, `${answers[0]} refused, ${answers[1]} taken`)
  })
})
