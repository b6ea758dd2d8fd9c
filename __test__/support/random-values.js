'use strict'

// Random values that JSON takes, made twice alike: as JSON would see them, and as a map does. Plans of objects come
// back, so that they get a shape; what fills them is random. Among them is whatever an object can be that JSON treats
// in a way of its own.

const { Random } = require('./random.js')

const NAMES = ['a', 'b', 'host', 'port', 'id', 'constructor', 'toString', '__proto__', '', 'é', '日本', '😀', '7']
const MORE_NAMES = ['1', '42', '4294967295', '-1', '01', 'a b', '"', 'length', '\ud800', 'then ', 'x'.repeat(70)]
const TEXTS = [
  '',
  'a',
  'localhost',
  'é',
  'ÿ',
  'Ā',
  '日本語',
  '😀',
  '\ud800',
  '\udc00',
  '\ud83d',
  '\0',
  '"\\\n',
  '{"a":1}'
]
const NUMBERS = [0, -0, 1, -1, -16, -17, 111, 112, 127, 128, 255, 256, 32_767, 32_768, -32_768, -32_769, 2 ** 31 - 1]
const MORE_NUMBERS = [2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53, 0.1, 0.5, 1e21, 1e-7, 5e-324, 3.4e38, Number.NaN]
const DEEPEST = 5

class Point {
  x = 1
  #y = 2
  get y() {
    return this.#y
  }
}

/**
 * A plan of a value: a function that makes one, given a source of random numbers and a list that takes what the code
 * of the value did.
 *
 * @typedef {(random: import('./random.js').Random, log: string[]) => any} Plan
 */

/** @param {import('./random.js').Random} random @returns {Plan} */
function leafPlan(random) {
  switch (random.below(9)) {
    case 0:
      return () => null
    case 1:
      return r => r.oneIn(2)
    case 2:
      return r => r.pick(NUMBERS)
    case 3:
      return r => r.pick(MORE_NUMBERS)
    case 4:
      return r => Math.floor((r.next() - 0.5) * 10 ** r.below(12))
    case 5:
      return r => (r.next() - 0.5) * 10 ** r.below(20)
    case 6:
      return r => r.pick(TEXTS)
    case 7:
      return r => {
        const most = r.oneIn(81) ? 15_000 : r.oneIn(9) ? 400 : 12
        return `${r.pick(TEXTS)}${'text '.repeat(r.below(most))}${r.pick(TEXTS)}`
      }
    default:
      return r => r.pick([undefined, null, Number.POSITIVE_INFINITY, Symbol('s'), () => 1, false, 'mixed', 8])
  }
}

/** @param {import('./random.js').Random} random @returns {Plan} */
function listPlan(random) {
  const kind = random.below(8)
  const element = leafPlan(random)
  const scale = 10 ** random.below(8)
  return (r, log) => {
    const length = r.below(r.oneIn(20) ? 300 : 9)
    const list = Array.from({ length }, () => {
      if (kind === 0) return Math.floor((r.next() - 0.5) * scale)
      if (kind === 1) return Math.fround(r.next())
      if (kind === 2) return r.next() * scale
      if (kind === 3) return r.pick(TEXTS)
      return element(r, log)
    })
    // What makes an array one that the fast way has to notice.
    if (length > 0 && r.oneIn(6)) list[r.below(length)] = r.pick([undefined, Number.NaN, -0, 'x', null, {}, [1]])
    if (length > 0 && r.oneIn(20)) delete list[r.below(length)]
    if (r.oneIn(30)) Object.assign(list, { extra: 1 })
    return list
  }
}

/** @param {import('./random.js').Random} random @param {number} depth @returns {Plan} */
function rowsPlan(random, depth) {
  const row = objectPlan(random, depth + 1)
  return (r, log) => {
    const rows = Array.from({ length: r.below(6) }, () => row(r, log))
    if (rows.length > 0 && r.oneIn(6)) {
      rows[r.below(rows.length)] = r.pick([undefined, null, 1, 'x', {}, [], { other: 1 }, new Date(0), { a: [{}] }])
    }
    return rows
  }
}

/** @param {import('./random.js').Random} random @param {number} depth @returns {Plan} */
function objectPlan(random, depth) {
  const count = random.below(random.oneIn(10) ? 40 : 6)
  const names = new Set()
  while (names.size < count) {
    names.add(random.oneIn(4) ? random.pick(MORE_NAMES) : random.oneIn(5) ? `n${random.below(99)}` : random.pick(NAMES))
    if (names.size === NAMES.length + MORE_NAMES.length) break
  }
  /** @type {[string, Plan, number][]} */
  const members = [...names].map(name => [name, valuePlan(random, depth + 1), random.below(40)])
  return (r, log) => {
    /** @type {any} */
    const object = {}
    for (const [name, plan, oddity] of members) {
      const value = plan(r, log)
      const way = { value, enumerable: true, writable: true, configurable: true }
      if (oddity === 0) {
        Object.defineProperty(object, name, {
          get() {
            log.push(`get ${name}`)
            return value
          },
          enumerable: true,
          configurable: true
        })
      } else if (oddity === 1) Object.defineProperty(object, name, { ...way, enumerable: false })
      else Object.defineProperty(object, name, way)
    }
    return odd(object, r, log)
  }
}

/**
 * Now and then an object that JSON treats in a way of its own.
 *
 * @param {any} object
 * @param {import('./random.js').Random} r
 * @param {string[]} log
 */
function odd(object, r, log) {
  switch (r.below(120)) {
    case 0:
      return Object.assign(Object.create({ inherited: 1 }), { own: object })
    case 1:
      return Object.assign(Object.create(null), { own: object })
    case 2:
      return Object.assign(new Point(), { own: 1 })
    case 3:
      return new Date(r.below(1e9))
    case 4:
      return Object.assign(object, { [Symbol('s')]: 1 })
    case 5:
      return {
        toJSON(/** @type {string} */ name) {
          log.push(`toJSON ${name}`)
          return object
        }
      }
    case 6:
      return { toJSON: () => r.pick([1, 'x', null, undefined, [1, 2], true, Number.NaN]) }
    case 7:
      return Object(r.pick([1, 'wrapped', false]))
    case 8:
      return new Proxy(object, {})
    case 9:
      return Object.freeze(object)
    case 10: {
      // Changes while it is read.
      const changing = { first: 1, last: 2 }
      Object.defineProperty(changing, 'first', {
        get() {
          log.push('changes')
          return 3
        },
        enumerable: true
      })
      return changing
    }
    default:
      return object
  }
}

/** @param {import('./random.js').Random} random @param {number} depth @returns {Plan} */
function valuePlan(random, depth) {
  const kind = random.below(10)
  if (depth >= DEEPEST || kind < 5) return leafPlan(random)
  if (kind < 7) return listPlan(random)
  return kind < 8 ? rowsPlan(random, depth) : objectPlan(random, depth)
}

/** Plans that come back, among which a new one takes the place of another now and then. */
class RandomValues {
  #random
  /** @type {Plan[]} */
  #plans

  /** @param {import('./random.js').Random} random */
  constructor(random) {
    this.#random = random
    this.#plans = Array.from({ length: 40 }, () => this.#newPlan())
  }

  #newPlan() {
    return this.#random.oneIn(12) ? listPlan(this.#random) : objectPlan(this.#random, 0)
  }

  /**
   * A function that makes the next value, the same each time, and what its code did.
   *
   * @returns {() => { value: any, log: string[] }}
   */
  next() {
    const random = this.#random
    if (random.oneIn(50)) this.#plans[random.below(this.#plans.length)] = this.#newPlan()
    const plan = random.pick(this.#plans)
    const seed = random.below(2 ** 32)
    return () => {
      /** @type {string[]} */
      const log = []
      return { value: plan(new Random(seed), log), log }
    }
  }
}

module.exports = { RandomValues }
