'use strict'

// Nothing that is passed to the native functions may end the process, or touch memory that is not theirs.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const path = require('node:path')
const { BATCH_ROW, KIND, SCRATCH, STEP_ROW } = require('../../lib/native/layout.js')
const { runNode } = require('../support/processes.js')
const { seededRandom } = require('../support/random.js')
const { attachRaw, loaded } = require('../support/raw-binding.js')

require('../support/sound.js')

const FUZZ = path.join(__dirname, '..', 'support', 'raw-fuzz.js')
const CALLS = 10_000

/** Takes the memory of a table away. What native code still writes to where it was shows in the result. */
const steal = table => new Uint32Array(structuredClone(table.buffer, { transfer: [table.buffer] }))

/** A table in which each item is a key, or has a value of the kind. */
function tableOf(rows, kind = 0) {
  const table = new Uint32Array(rows * BATCH_ROW)
  for (let row = 0; row < rows; row++) table[row * BATCH_ROW + SCRATCH.STATE] = kind
  return table
}

/** An array of which reading the element `at` runs `act` first. */
function withGetter(array, at, act) {
  return Object.defineProperty(array, at, {
    enumerable: true,
    configurable: true,
    get() {
      act()
      return 'from a getter'
    }
  })
}

describe('raw binding: code of the user that runs in the middle of a call', () => {
  const KEYS = ['a', 'b', 'c']
  const TAKES = {
    getMany: (raw, id, items, table) => raw.getMany(id, items, table),
    deleteMany: (raw, id, items, table) => raw.deleteMany(id, items, table),
    'setMany, from its keys': (raw, id, items, table) => raw.setMany(id, items, ['{}', '{}', '{}'], table),
    'setMany, from its values': (raw, id, items, table) => raw.setMany(id, KEYS, items, table),
    'updateMany, from its items': (raw, id, items, table) => raw.updateMany(id, items, ['{}', '{}', '{}'], table),
    'updateMany, from its values': (raw, id, items, table) => raw.updateMany(id, KEYS, items, table),
    insertMany: (raw, id, items, table) => raw.insertMany(id, 3, items, undefined, table)
  }
  for (const [name, call] of Object.entries(TAKES)) {
    it(`${name} does not touch a table that was taken away`, () => {
      const raw = attachRaw()
      const { id } = raw.opened(null)
      for (const key of KEYS) raw.set(id, key, 1, KIND.Int)
      const table = tableOf(3, KIND.Json)
      table[BATCH_ROW + SCRATCH.VERSION] = 0xabcd
      const before = [...table]
      let stolen
      const items = withGetter([...KEYS], 1, () => {
        stolen = steal(table)
      })
      assert.throws(() => call(raw, id, items, table), /table has too few rows|kind/)
      assert.deepEqual([...stolen], before)
    })

    it(`${name} of a map that is closed meanwhile`, () => {
      const raw = attachRaw()
      const { id } = raw.opened(null)
      const items = withGetter([...KEYS], 2, () => {
        raw.close(id)
      })
      try {
        call(raw, id, items, tableOf(3, KIND.Json))
      } catch (error) {
        assert.ok(error instanceof Error)
      }
      assert.throws(() => raw.size(id), { number: 1010 })
    })
  }

  it('getMany does not touch a table that is taken away while it makes values', () => {
    const table = tableOf(2_000)
    let stolen
    let copy
    const raw = attachRaw({
      append(array, ...values) {
        array.push(...values)
        if (stolen !== undefined) return
        copy = [...table]
        stolen = steal(table)
      }
    })
    const { id } = raw.opened(null)
    const keys = Array.from({ length: 2_000 }, (_, n) => n)
    for (const key of keys) raw.set(id, key, 'text', KIND.String)
    raw.getMany(id, keys, table)
    assert.deepEqual([...stolen], copy)
  })

  it('walk does not touch arrays that are taken away while it makes values', () => {
    const table = new Uint32Array(2_000 * STEP_ROW)
    let stolen
    let copy
    const raw = attachRaw({
      append(array, ...values) {
        array.push(...values)
        if (stolen !== undefined) return
        copy = [...table]
        stolen = steal(table)
      }
    })
    const { id } = raw.opened(null)
    // Each of these is a cell of its own, so that cells are made before all rows are.
    for (let key = 0; key < 2_000; key++) raw.set(id, key, 'täxt', KIND.String)
    raw.walk(id, 0, 2_000, 3, table, 0)
    assert.equal(raw.scratch[SCRATCH.COUNT], 2_000)
    assert.deepEqual([...stolen], copy)
  })

  it('a buffer that shrinks is read no further than it goes', {
    skip: ArrayBuffer.prototype.resize === undefined
  }, () => {
    const raw = attachRaw()
    const { id } = raw.opened(null)
    const buffer = new ArrayBuffer(3 * BATCH_ROW * 4, { maxByteLength: 1 << 20 })
    const table = new Uint32Array(buffer)
    const items = withGetter(['a', 'b', 'c'], 1, () => {
      buffer.resize(4)
    })
    assert.throws(() => raw.getMany(id, items, table), /too few rows/)
  })
})

describe('raw binding: numbers and arrays out of any range', () => {
  it('walk asks for no more than there is room for', () => {
    const raw = attachRaw()
    const { id } = raw.opened(null)
    for (let key = 0; key < 10; key++) raw.set(id, key, key, KIND.Int)
    const table = new Uint32Array(4 * STEP_ROW)
    for (const count of [0xffff_ffff, 2 ** 31, 5]) {
      raw.walk(id, 0, count, 3, table, 0)
      assert.equal(raw.scratch[SCRATCH.COUNT], 4)
    }
    for (const short of [new Uint32Array(0), new Uint32Array(STEP_ROW - 1)]) {
      assert.throws(() => raw.walk(id, 0, 0xffff_ffff, 3, short, 0), /no room/)
    }
    assert.throws(() => raw.walk(id, 0, 0xffff_ffff))
    assert.throws(() => raw.candidates(id, 0xffff_ffff, table), /no room/)
    assert.throws(() => raw.takeRemovals(id, 0xffff_ffff, table, 0xffff_ffff), /no room/)
    const number = raw.listenChanges(id, 0xff, undefined)
    assert.throws(() => raw.takeChanges(id, number, 0xffff_ffff, table, 0xffff_ffff), /no room/)
    assert.throws(() => raw.takeChanges(id, number + 1, 1, table, 1), /no such listener/)
  })

  it('invalid helpers throw', () => {
    for (const helper of [undefined, null, 1, 'x', {}]) {
      assert.throws(() => loaded.attach(helper, helper, helper, helper, helper).open(null))
    }
  })

  it('a scratch array that is taken away is still there for native code', () => {
    const raw = attachRaw()
    const { id } = raw.opened(null)
    try {
      structuredClone(raw.scratch.buffer, { transfer: [raw.scratch.buffer] })
    } catch (error) {
      // Some versions of Node.js, 22.23 among them, transfer no memory that is not their own.
      assert.equal(error.name, 'DataCloneError')
    }
    assert.ok(Object.isFrozen(raw.get.kept), 'the object that keeps its memory is frozen')
    raw.set(id, 'a', 1, KIND.Int)
    assert.equal(raw.get(id, 'a'), 1)
  })
})

describe('raw binding: anything at all', () => {
  for (const hostile of [false, true]) {
    it(`${hostile ? 'with helpers that misbehave, ' : ''}is an answer or an error`, async t => {
      const { seed } = seededRandom(t)
      const script = `require(${JSON.stringify(FUZZ)}).fuzz(${seed}, ${CALLS}, ${hostile})`
      const { status, signal, stdout, stderr } = await runNode(script, { flags: ['--expose-gc'], timeout: 600_000 })
      assert.equal(status, 0, `seed ${seed}: ${signal} ${stdout.slice(-2_000)} ${stderr.slice(-4_000)}`)
      assert.match(stdout, /lived/)
    })
  }
})
