'use strict'

// Queries as native code evaluates them, against an evaluator that is as plain as it can be.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { binding } = require('../../lib/native/attach.js')
const { seededRandom } = require('../support/random.js')

require('../support/sound.js')

const ROUNDS = Number(process.env.QUERY_ROUNDS ?? 400)
const MISSING = Symbol('missing')

// ---- The plain evaluator

const isObject = value => typeof value === 'object' && value !== null && !Array.isArray(value)

function equal(one, other) {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((element, at) => equal(element, other[at]))
  }
  if (isObject(one) && isObject(other)) {
    const names = Object.keys(one)
    return (
      names.length === Object.keys(other).length &&
      names.every(name => Object.hasOwn(other, name) && equal(one[name], other[name]))
    )
  }
  return one === other
}

function at(value, pointer) {
  if (pointer === '') return value
  let found = value
  for (const written of pointer.slice(1).split('/')) {
    const token = written.replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(found) && /^(0|[1-9]\d*)$/.test(token) && Number(token) < found.length) found = found[token]
    else if (isObject(found) && Object.hasOwn(found, token)) found = found[token]
    else return MISSING
  }
  return found
}

const areOrdered = (one, other) => typeof one === typeof other && (typeof one === 'number' || typeof one === 'string')

const OPERATORS = {
  eq: equal,
  ne: (value, operand) => !equal(value, operand),
  gt: (value, operand) => areOrdered(value, operand) && value > operand,
  gte: (value, operand) => areOrdered(value, operand) && value >= operand,
  lt: (value, operand) => areOrdered(value, operand) && value < operand,
  lte: (value, operand) => areOrdered(value, operand) && value <= operand,
  in: (value, operands) => operands.some(operand => equal(value, operand)),
  startsWith: (value, operand) => typeof value === 'string' && value.startsWith(operand),
  contains: (value, operand) =>
    (typeof value === 'string' && typeof operand === 'string' && value.includes(operand)) ||
    (Array.isArray(value) && value.some(element => equal(element, operand))),
  exists: (_, operand) => operand
}

function test(value, operators) {
  return Object.entries(isObject(operators) ? operators : { eq: operators }).every(([name, operand]) => {
    if (value === MISSING) return name === 'ne' || (name === 'exists' && !operand)
    return OPERATORS[name](value, operand)
  })
}

function holds(value, where) {
  return Object.entries(where).every(([name, condition]) => {
    if (name === 'and') return condition.every(part => holds(value, part))
    if (name === 'or') return condition.some(part => holds(value, part))
    if (name === 'not') return !holds(value, condition)
    return test(at(value, name), condition)
  })
}

// ---- Random values and queries

const NAMES = ['a', 'b', 'c', 'é', 'x/y', '~t', 'to"m', '日', '0', '']
const TEXTS = [
  '',
  'open',
  'opened',
  'é',
  'ö"\\\n',
  '日本',
  '😀',
  '\uff61',
  'x'.repeat(70),
  '\u0100\u0100',
  '1',
  '\u0001'
]
const NUMBERS = [0, 1, 2, -1, 7, 200, 1_000, 70_000, 2 ** 40, 0.5, -0.25, 1e300, 12.375, 1 / 3]

class Maker {
  #random

  constructor(random) {
    this.#random = random
  }

  scalar() {
    const random = this.#random
    const kind = random.below(10)
    if (kind < 4) return random.pick(NUMBERS)
    if (kind < 8) return random.pick(TEXTS)
    return random.pick([null, true, false])
  }

  value(depth) {
    const random = this.#random
    const kind = random.below(depth === 0 ? 6 : 12)
    const list = make => Array.from({ length: random.below(4) }, make)
    if (kind < 6) return this.scalar()
    if (kind === 6) return list(() => random.pick(NUMBERS))
    if (kind === 7) return list(() => random.pick(TEXTS))
    if (kind === 8) return list(() => this.value(depth - 1))
    if (kind === 9) return list(n => ({ id: n, name: random.pick(TEXTS), in: { x: this.scalar() } }))
    return this.object(depth - 1)
  }

  object(depth) {
    const names = NAMES.filter(() => this.#random.oneIn(3))
    return Object.fromEntries(names.map(name => [name, this.value(depth)]))
  }

  /** Another value of the same shape. */
  like(value) {
    if (Array.isArray(value)) return this.#random.oneIn(2) ? value : value.toReversed()
    if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, this.like(part)]))
    return this.#random.oneIn(2) ? value : this.scalar()
  }

  /** A pointer into a value, or one that leads nowhere. */
  pointer(value) {
    const random = this.#random
    let [pointer, found] = ['', value]
    while (typeof found === 'object' && found !== null && !random.oneIn(4)) {
      const names = Object.keys(found)
      if (names.length === 0) break
      const name = random.pick(names)
      pointer += `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
      found = found[name]
    }
    if (random.oneIn(8)) pointer += random.pick(['/a', '/0', '/', '/-1', '/00', '/length'])
    return pointer
  }

  /** An operand that a value may equal, or a part of it. */
  operand(value) {
    const random = this.#random
    if (value === MISSING || random.oneIn(3)) return this.value(1)
    if (typeof value === 'number' && random.oneIn(3)) return value + random.pick([-1, 1, 0.5])
    if (isObject(value) && random.oneIn(2)) return Object.fromEntries(Object.entries(value).toReversed())
    return value
  }

  operators(value) {
    const random = this.#random
    const operators = {}
    for (let count = 1 + random.below(2); count > 0; count--) {
      const name = random.pick(Object.keys(OPERATORS))
      const part = random.oneIn(2) && typeof value === 'string' ? value.slice(0, random.below(3)) : undefined
      if (name === 'exists') operators.exists = random.oneIn(2)
      else if (name === 'in') operators.in = [this.operand(value), this.scalar()]
      else if (name === 'startsWith') operators.startsWith = well(part ?? random.pick(TEXTS))
      else if (name === 'contains' && Array.isArray(value) && value.length > 0) operators.contains = random.pick(value)
      else if (name === 'contains') operators.contains = typeof part === 'string' ? well(part) : this.operand(value)
      else if (['eq', 'ne'].includes(name)) operators[name] = this.operand(value)
      else operators[name] = ['number', 'string'].includes(typeof value) ? this.ordered(value) : random.pick(NUMBERS)
    }
    return operators
  }

  ordered(value) {
    const operand = this.operand(value)
    return ['number', 'string'].includes(typeof operand) ? operand : value
  }

  where(value, depth) {
    const random = this.#random
    const where = {}
    if (depth > 0 && random.oneIn(3)) where.and = [this.where(value, depth - 1), this.where(value, depth - 1)]
    if (depth > 0 && random.oneIn(3)) where.or = [this.where(value, depth - 1), this.where(value, depth - 1)]
    if (depth > 0 && random.oneIn(4)) where.not = this.where(value, depth - 1)
    for (let count = random.below(3); count > 0; count--) {
      const pointer = this.pointer(value)
      const found = at(value, pointer)
      const plain = this.operand(found)
      where[pointer] = random.oneIn(3) && !isObject(plain) ? plain : this.operators(found)
    }
    return where
  }
}

/** Half of a pair of surrogates is no text of a query. */
const well = text => text.toWellFormed().replaceAll('\ufffd', '')

describe('queries', () => {
  it('are evaluated natively as by a plain evaluator, whether values are records or text', t => {
    const random = seededRandom(t)
    const maker = new Maker(random)
    const sums = { asked: 0, held: 0, shapes: 0 }
    const name = `queries ${process.pid}`
    const map = TypedMap.open(name)
    const { id } = binding.open(name, '{}')
    for (let round = 0; round < ROUNDS; round++) {
      const pattern = maker.object(3)
      for (let n = 0; n < 6; n++) {
        const value = n === 5 ? maker.value(2) : n < 2 ? pattern : maker.like(pattern)
        map.set('user:1', value)
        const stored = map.peek('user:1')
        for (let query = 0; query < 6; query++) {
          const where = maker.where(stored, 2)
          const text = JSON.stringify({ where })
          const found = binding.matchesForTest(id, text, 'user:1')
          const expected = holds(stored, where)
          assert.equal(found, expected, `${text} of ${JSON.stringify(stored)}`)
          sums.asked++
          sums.held += Number(expected)
        }
      }
    }
    sums.shapes = map.getStats().shapes.count
    t.diagnostic(JSON.stringify(sums))
    binding.close(id)
    map.close()
    assert.ok(sums.held > sums.asked / 10 && sums.held < sums.asked * 0.9)
  })
})
