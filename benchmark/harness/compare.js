'use strict'

/*
 * One operation, several contenders, the same work: fills a life for each, warms it up, measures in turns, compares the
 * answers before and after. This is what the questions about time per operation have in common.
 */

const assert = require('node:assert')
const { Life } = require('./life.js')
const { interleave } = require('./rounds.js')

/** Operations in one timed run, at least: short runs would measure the clock. */
const MIN_OPERATIONS = 50_000

/** What a loop must count, having asked `asked` times, when every answer is right. */
const EXPECTED = {
  get: () => 0,
  miss: asked => asked,
  has: () => 0,
  update: asked => asked
}

/** The same contender under another name, opened with more options. */
const variant = (contender, name, title, options) => ({
  ...contender,
  name,
  title,
  open: given => contender.open({ ...given, ...options })
})

/**
 * @param {object} options
 * @param {object[]} options.contenders adapters, or variants of them
 * @param {object} options.work what all are asked to do
 * @param {string} options.operation
 * @param {number} options.seconds for all contenders together
 * @param {boolean} [options.isCalibrated] whether rounds in slow windows are dropped
 * @param {(part: number) => void} [options.onRound]
 * @returns ns per operation by the contender's name
 */
async function compare({ contenders, work, operation, seconds, onRound, minRounds, isCalibrated }) {
  const lives = []
  for (const contender of contenders) {
    await contender.prepare?.()
    lives.push(new Life(contender, work).fill())
  }
  for (const life of lives) {
    life.checkAnswers()
    if (operation === 'miss') life.makeDeadHandles()
  }
  const runs = lives.map(life => RUNS[operation]?.(life) ?? steady(life, operation))
  const results = await interleave(runs, { seconds, minRounds, isCalibrated, onRound })
  for (const life of lives) {
    if (operation === 'get' || operation === 'has') life.checkAnswers()
    if (operation === 'update') life.checkAnswers(work.fresh)
    await life.end()
  }
  return results
}

/** An operation that leaves the map as it was, or that can be done again. */
function steady(life, operation) {
  readInOrder(life)
  const loop = life.loop(operation)
  const { asked, order } = life
  const passes = Math.ceil(MIN_OPERATIONS / order.length)
  const expected = EXPECTED[operation](order.length)
  return {
    name: life.contender.name,
    operations: passes * order.length,
    run() {
      for (let pass = 0; pass < passes; pass++) assert.strictEqual(loop(life, 0, asked), expected)
    }
  }
}

/**
 * Reads everything once in the order of insertion. Caches are warm after it, and what they hold does not lie in memory
 * in the very order in which it will be asked for.
 */
function readInOrder(life) {
  const { entries, order } = life.work
  // A batch asks in the order in which it was made; batches are only measured where nothing is cached.
  if (life.batches !== undefined) return
  life.order = Uint32Array.from({ length: entries }, (_, i) => i)
  life.loop('get')(life, 0, entries)
  life.order = order
}

const RUNS = {
  /** Fills an empty map, a new one in each round. */
  insert(life) {
    const loop = life.loop('insert')
    return {
      name: life.contender.name,
      operations: life.work.entries,
      before: () => life.restart(),
      run: () => assert.strictEqual(loop(life, 0, life.steps), life.work.entries),
      after: () => life.checkSize(life.work.entries)
    }
  },

  /** Empties a full map, which is filled again outside the clock. */
  delete(life) {
    const loop = life.loop('delete')
    return {
      name: life.contender.name,
      operations: life.work.entries,
      run: () => assert.strictEqual(loop(life, 0, life.steps), life.work.entries),
      after() {
        life.checkSize(0)
        life.fill()
      }
    }
  }
}

module.exports = { compare, variant }
