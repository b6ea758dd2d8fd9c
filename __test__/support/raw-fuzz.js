'use strict'

// Calls each native function with what no program would: run in a process of its own, which must live. With TRACE set,
// each call is written to stderr before it is made.

const { writeSync } = require('node:fs')
const { setImmediate } = require('node:timers/promises')
const { SCRATCH_LENGTH } = require('../../lib/native/layout.js')
const { Random } = require('./random.js')
const { attachRaw } = require('./raw-binding.js')

const OPTIONS = [
  {},
  { maxEntries: 50, evictionStrategy: 'lru' },
  { maxEntries: 50, evictionStrategy: 's3-fifo' },
  { memoryLimit: 1_000_000, evictionStrategy: 'w-tinylfu', ttl: 60_000 },
  { memoryLimit: 1_000_000, oomStrategy: 'reject', sliding: true, ttl: 5 },
  { maxEntries: 9, evictionStrategy: 'function' },
  { manualClock: true, ttl: 1_000 }
]

/** Functions that take many arguments in a certain form, with one that may pass. */
const SHAPES = {
  open: ['evaluation', 'name', 'options'],
  changes: ['id'],
  field: ['id', 'pointer', 'number', 'any'],
  walk: ['id', 'number', 'number', 'number', 'words', 'number'],
  holdViewType: ['id', 'text'],
  setOfType: ['id', 'number', 'any', 'number', 'any'],
  getOfType: ['id', 'number', 'any'],
  hasOfType: ['id', 'number', 'any'],
  deleteOfType: ['id', 'number', 'any'],
  sizeOfType: ['id', 'number'],
  candidates: ['id', 'number', 'words'],
  takeRemovals: ['id', 'number', 'words', 'number'],
  listenChanges: ['id', 'number', 'text'],
  takeChanges: ['id', 'number', 'number', 'words', 'number'],
  endChanges: ['id', 'number'],
  getMany: ['id', 'array', 'words'],
  deleteMany: ['id', 'array', 'words'],
  setMany: ['id', 'array', 'array', 'words'],
  updateMany: ['id', 'array', 'array', 'words'],
  insertMany: ['id', 'number', 'array', 'text', 'words'],
  set: ['id', 'any', 'any', 'number'],
  getOrInsert: ['id', 'any', 'any', 'number'],
  incrementAt: ['id', 'pointer', 'any'],
  compareAndSet: ['id', 'any', 'number', 'any', 'number', 'any'],
  insert: ['id', 'any', 'number', 'text'],
  replace: ['id', 'number', 'number', 'number', 'any', 'number'],
  beginLoad: ['id', 'any', 'number'],
  beginRefresh: ['id', 'any', 'number', 'number'],
  completeLoad: ['id', 'any', 'any', 'number', 'number', 'number', 'number', 'number'],
  failLoad: ['id', 'any', 'number', 'text'],
  wantLoad: ['id', 'any', 'number', 'number', 'number'],
  listenPressure: ['id', 'thresholds'],
  setLimits: ['id', 'options'],
  giveUp: ['id', 'text'],
  watch: ['evaluation', 'name', 'number', 'number']
}

/** Not called: what makes further evaluations, which the test of hostile helpers does. */
const EVALUATIONS = ['attach', 'share', 'opened', 'evaluation', 'scratch', 'MapEvent', 'Opened']
/** Nor what waits for another thread, half a minute where there is none. */
const LEFT_OUT = new Set([...EVALUATIONS, 'holdShardForTest'])

class Fuzz {
  #random
  #raw
  #names
  /** Ids of maps that are open, as far as that is known. */
  #ids = []
  #depth = 0
  calls = 0
  failures = 0

  /** @param {number} seed @param {boolean} hostile */
  constructor(seed, hostile) {
    this.#random = new Random(seed)
    this.#raw = attachRaw(hostile ? this.#helpers() : {})
    this.#names = Object.keys(this.#raw).filter(name => !LEFT_OUT.has(name))
  }

  #helpers() {
    const random = this.#random
    const misbehave = () => {
      switch (random.below(8)) {
        case 0:
          throw new Error('a helper threw')
        case 1:
          this.call()
          break
        case 2:
          this.#close()
          break
      }
    }
    let last
    return {
      makeError: (number, details) => {
        misbehave()
        return random.oneIn(4) ? number : new Error(details)
      },
      onWake: misbehave,
      spread: (receive, array, from, to) => {
        misbehave()
        if (random.oneIn(8)) last?.('late')
        last = receive
        if (random.oneIn(8)) return receive(...Array(random.below(2_000)).fill('x'))
        receive(...Array.prototype.slice.call(array, from, Math.min(to, from + 2_000)))
        if (random.oneIn(8)) receive('once more')
        misbehave()
      },
      append: (array, ...values) => {
        misbehave()
        array.push(...values)
      }
    }
  }

  #close() {
    if (this.#ids.length > 0) this.#raw.close(this.#ids.splice(this.#random.below(this.#ids.length), 1)[0])
  }

  #open() {
    const random = this.#random
    const name = random.oneIn(3) ? `raw ${random.below(3)}` : null
    try {
      this.#ids.push(this.#raw.opened(name, random.pick(OPTIONS)).id)
    } catch {}
  }

  #id() {
    if (this.#ids.length < 4) this.#open()
    return this.#random.oneIn(20) || this.#ids.length === 0 ? this.#number() : this.#random.pick(this.#ids)
  }

  #number() {
    const random = this.#random
    const numbers = [0, -0, 1, 2, 3, 9, 255, 0.5, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    const large = [2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 1e300, -1e300]
    return random.oneIn(3) ? random.below(300) : random.pick(random.oneIn(3) ? large : numbers)
  }

  #text() {
    const random = this.#random
    const texts = ['', 'a', '{}', '[1', 'set', '\0', '\ud800', '\ufffd', 'ü', '{"maxEntries":1e999}', 'x'.repeat(5_000)]
    return random.oneIn(3) ? `key ${random.below(50)}` : random.pick(texts)
  }

  #options() {
    const random = this.#random
    const names = ['memoryLimit', 'maxEntries', 'maxValueBytes', 'ttl', 'initialCapacity', 'maxLoadFactor', 'seed']
    const others = ['evictionStrategy', 'oomStrategy', 'sliding', 'ttlOnUpdate', 'enableSIMD', 'none', 'hash']
    const keys = ['caseInsensitiveKeys', 'normalizeKey']
    const values = [
      0,
      1,
      4_096,
      70_000,
      1e6,
      2 ** 32,
      1e18,
      1.5,
      -1,
      1e300,
      null,
      true,
      'lru',
      'function',
      '7',
      'xxh3',
      {},
      []
    ]
    if (random.oneIn(5)) return this.#text()
    const count = random.below(4)
    return JSON.stringify(
      Object.fromEntries(
        Array.from({ length: count }, () => [
          random.pick(random.oneIn(3) ? [...others, ...keys] : names),
          random.pick(values)
        ])
      )
    )
  }

  /** An array of numbers that may be too short, of another kind, or without memory. */
  #words(Type) {
    const random = this.#random
    const length = random.pick([0, 1, 9, 120, 5_000])
    switch (random.below(8)) {
      case 0: {
        const array = new Type(length)
        structuredClone(array.buffer, { transfer: [array.buffer] })
        return array
      }
      case 1:
        return random.pick([
          new Uint8Array(64),
          new Float64Array(64),
          new Int32Array(64),
          new DataView(new ArrayBuffer(8))
        ])
      case 2:
        return new Type(new SharedArrayBuffer(length * Type.BYTES_PER_ELEMENT))
      case 3:
        return this.#any()
      default: {
        const array = new Type(length)
        if (random.oneIn(2)) for (let at = 0; at < length; at++) array[at] = random.below(20)
        return array
      }
    }
  }

  /** An array that may be long, have holes, or run code when it is read. */
  #array(table) {
    const random = this.#random
    const array = Array.from({ length: random.pick([0, 1, 3, 10, 600, 1_200]) }, (_, at) => at)
    for (let times = 0; times < Math.min(9, array.length); times++) {
      array[random.below(array.length)] = random.oneIn(2) ? this.#text() : this.#any(false)
    }
    switch (random.below(12)) {
      case 0:
        return Object.assign([], { length: random.pick([0xffff_ffff, 100_000]), 1: 1 })
      case 1:
        return new Proxy(array, {})
      case 2:
        return this.#any()
      case 3:
      case 4:
        if (array.length > 0) {
          Object.defineProperty(array, random.below(array.length), {
            get: () => {
              this.#interfere(array, table)
              return this.#any()
            }
          })
        }
    }
    return array
  }

  /** Does in the middle of a call what its arguments do not expect. */
  #interfere(array, table) {
    switch (this.#random.below(6)) {
      case 0:
        if (ArrayBuffer.isView(table) && table.buffer instanceof ArrayBuffer) {
          structuredClone(table.buffer, { transfer: [table.buffer] })
        }
        break
      case 1:
        this.#close()
        break
      case 2:
        array.length = 0
        break
      case 3:
        throw new Error('a getter threw')
      case 4:
        this.call()
        break
      case 5:
        if (this.#random.oneIn(9)) globalThis.gc?.()
    }
  }

  /** @param {boolean} [withArrays] */
  #any(withArrays = true) {
    const random = this.#random
    const makers = [
      () => undefined,
      () => null,
      () => true,
      () => this.#number(),
      () => this.#text(),
      () => Symbol('s'),
      () => 2n ** 200n,
      () => -1n,
      () => ({}),
      () => () => {},
      () => [1],
      () => new Proxy({}, {}),
      () => new Date(),
      () => new Uint8Array(random.below(20)),
      () => new Uint8Array(new SharedArrayBuffer(8)),
      () => new Float32Array(3),
      () => new ArrayBuffer(8),
      () => {
        const array = new Uint8Array(9)
        structuredClone(array.buffer, { transfer: [array.buffer] })
        return array
      },
      () => this.#words(Uint32Array),
      () => this.#array(undefined)
    ]
    return makers[random.below(withArrays ? makers.length : makers.length - 2)]()
  }

  #argument(shape, table) {
    switch (shape) {
      case 'id':
        return this.#id()
      case 'evaluation':
        return this.#random.oneIn(5) ? this.#number() : this.#raw.evaluation
      case 'number':
        return this.#number()
      case 'name':
        return this.#random.oneIn(2) ? null : this.#text()
      case 'text':
        return this.#random.oneIn(4) ? this.#any() : this.#text()
      case 'pointer':
        return this.#random.pick(['', '/', '/a', '/a/0', '/~1', '//', '/\ud800', '/a'.repeat(5_000), this.#text()])
      case 'options':
        return this.#options()
      case 'thresholds':
        return this.#random.pick(['[0.5,0.9]', '[]', '[1e308,-1,0]', '["x"]', this.#text(), this.#array(table)])
      case 'words':
        return table
      case 'floats':
        return this.#words(Float64Array)
      case 'array':
        return this.#array(table)
      default:
        return this.#any()
    }
  }

  #arguments(name) {
    const random = this.#random
    const table = this.#words(Uint32Array)
    const shape = SHAPES[name]
    if (shape !== undefined && !random.oneIn(10)) return shape.map(one => this.#argument(one, table))
    return Array.from({ length: random.below(7) }, (_, at) =>
      at === 0 && !random.oneIn(9) ? this.#id() : random.oneIn(3) ? this.#any() : this.#number()
    )
  }

  /** Makes one call. */
  call() {
    if (this.#depth > 5) return
    this.#depth++
    const name = this.#random.pick(this.#names)
    try {
      const given = this.#arguments(name)
      // A map is refused after a panic; few are enough.
      if (name === 'panicForTest' && !this.#random.oneIn(50)) return
      // Room for so many entries is there, and would be filled with zeros.
      if (
        (name === 'reserve' || name === 'advanceClockForTest') &&
        typeof given[1] === 'number' &&
        given[1] > 1e6 &&
        !this.#random.oneIn(5)
      )
        return
      if (process.env.TRACE) writeSync(2, `${this.calls} ${'  '.repeat(this.#depth)}${name} ${describe(given)}\n`)
      this.calls++
      if (name === 'close' || name === 'abandon' || name === 'destroy')
        this.#ids = this.#ids.filter(id => id !== given[0])
      const result = this.#raw[name](...given)
      this.#scribble(name, result)
    } catch {
      this.failures++
    } finally {
      this.#depth--
    }
  }

  /** Writes to memory that native code shares with JavaScript. */
  #scribble(name, result) {
    const random = this.#random
    if (name === 'open' && typeof result?.id === 'number') this.#ids.push(result.id)
    if ((name === 'words' || name === 'hitLog' || name === 'changes') && result instanceof Uint32Array) {
      for (let times = 0; times < 9; times++) result[random.below(result.length)] = this.#number()
    }
    if (random.oneIn(20)) this.#raw.scratch[random.below(SCRATCH_LENGTH)] = this.#number()
  }

  closeAll() {
    for (const id of this.#ids) this.#raw.close(id)
  }
}

/** @param {unknown[]} given */
function describe(given) {
  return given
    .map(value =>
      typeof value === 'object' || typeof value === 'function'
        ? Object.prototype.toString.call(value)
        : String(value).slice(0, 30)
    )
    .join(', ')
}

/** @param {number} seed @param {number} calls @param {boolean} hostile */
async function fuzz(seed, calls, hostile) {
  process.on('uncaughtException', () => {})
  const fuzz = new Fuzz(seed, hostile)
  while (fuzz.calls < calls) {
    fuzz.call()
    if (fuzz.calls % 1_000 === 0) await setImmediate()
  }
  fuzz.closeAll()
  globalThis.gc?.()
  await setImmediate()
  process.stdout.write(`lived: ${fuzz.calls} calls, ${fuzz.failures} failed\n`)
}

module.exports = { fuzz }
