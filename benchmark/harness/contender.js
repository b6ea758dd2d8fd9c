'use strict'

/*
 * A contender is an adapter's way of doing each operation, written as source text. For every contender and operation a
 * function of its own is generated from it, so that no two contenders share a call site: V8 would see several kinds of
 * map there, and the last contender would pay for the first.
 *
 * The loops work on a `life` (see life.js) and return a count that the caller checks: absent answers for reads,
 * entries changed or visited for everything else. Inside the clock an answer is only looked at to see whether it is
 * there; whole answers are compared outside.
 */

const { compileFunction } = require('node:vm')

/** The subject of one step of a loop, by the contender's arguments. */
const STEPS = {
  key: {
    insert: 'const key = keys[i], value = values[i]',
    get: 'const key = keys[order[i]]',
    miss: 'const key = missing[order[i]]',
    has: 'const key = keys[order[i]]',
    update: 'const at = order[i], key = keys[at], value = fresh[at]',
    delete: 'const key = keys[order[i]]'
  },
  handle: {
    insert: 'const value = values[i]',
    get: 'const handle = handles[order[i]]',
    miss: 'const handle = dead[order[i]]',
    has: 'const handle = handles[order[i]]',
    update: 'const at = order[i], handle = handles[at], value = fresh[at]',
    delete: 'const handle = handles[order[i]]'
  },
  batch: {
    insert: 'const items = batches.insert[i]',
    get: 'const items = batches.get[i]',
    miss: 'const items = batches.miss[i]',
    update: 'const items = batches.update[i]',
    delete: 'const items = batches.get[i]'
  },
  'handle-batch': {
    insert: 'const items = batches.values[i]',
    get: 'const items = handleBatches[i]',
    delete: 'const items = handleBatches[i]'
  }
}

const countAbsent = call => `if (${call} === undefined) count++`
const countTrue = call => `if (${call}) count++`
const countCalls = call => `${call}; count++`
const countAbsentAnswers = call =>
  `const answers = ${call}; for (let j = 0; j < answers.length; j++) ${countAbsent('answers[j]')}`

/** What is counted, by the same. */
const COUNTS = {
  key: {
    insert: countCalls,
    get: countAbsent,
    miss: countAbsent,
    has: call => `if (!${call}) count++`,
    update: countCalls,
    delete: countTrue
  },
  handle: {
    insert: call => `handles[i] = ${call}; count++`,
    get: countAbsent,
    miss: countAbsent,
    has: call => `if (!${call}) count++`,
    update: countCalls,
    delete: countTrue
  },
  batch: {
    insert: call => `${call}; count += items.length`,
    get: countAbsentAnswers,
    miss: countAbsentAnswers,
    update: call => `count += ${call}`,
    delete: call => `count += ${call}`
  },
  'handle-batch': {
    insert: call => `const made = ${call}; for (let j = 0; j < made.length; j++) handles[count++] = made[j]`,
    get: countAbsentAnswers,
    delete: call => `count += ${call}`
  }
}

/** The call of the adapter that an operation measures, where the names differ. */
const CALLS = { miss: 'get' }

const IN_SCOPE = 'const { map, keys, values, fresh, missing, order, handles, handleBatches, dead, batches } = life'

/**
 * The loop of one contender and operation, `(life, from, to) => count`; undefined where the contender has no such
 * operation.
 */
function loopOf(contender, operation) {
  const call = contender[CALLS[operation] ?? operation]
  if (call === undefined) return undefined
  const steps =
    operation === 'iterate'
      ? call
      : `for (let i = from; i < to; i++) { ${STEPS[contender.item][operation]}; ` +
        `${COUNTS[contender.item][operation](call)} }`
  // The name makes the text unique: V8 shares compiled code, and what it has learned, between equal texts.
  const source = `// ${contender.name}\n${IN_SCOPE}\nlet count = 0\n${steps}\nreturn count`
  return compileFunction(source, ['life', 'from', 'to'], { filename: `benchmark/${contender.name}/${operation}` })
}

/** `(life, i) => the answer for entry i`, for checking. */
function answerOf(contender) {
  const item = {
    key: 'const key = life.keys[i]; return ',
    handle: 'const handle = life.handles[i]; return ',
    batch: 'const items = [life.keys[i]]; return ',
    'handle-batch': 'const items = [life.handles[i]]; return '
  }[contender.item]
  const one = contender.item.endsWith('batch') ? `(${contender.get})[0]` : contender.get
  return compileFunction(`const { map } = life; ${item}${one}`, ['life', 'i'])
}

module.exports = { loopOf, answerOf }
