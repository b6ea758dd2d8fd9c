'use strict'

// The scratch array: each native operation writes its own columns and no others. So the columns of one may be read
// until another writes the same ones, and user code may run only after they were read.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { binding, scratch, scratchFloats } = require('../../lib/native/attach.js')
const layout = require('../../lib/native/layout.js')

require('../support/sound.js')

const { BATCH_ROW, KIND, REMOVAL_ROW, SCRATCH, SCRATCH_TTL, STEP_ROW, WALK_ROW, WANT } = layout

/** No operation writes this number. */
const UNTOUCHED = 0xdeadbeef

const NAMES = new Map(Object.entries(SCRATCH).map(([name, column]) => [column, name]))
const FLOATS = {
  TTL: SCRATCH_TTL,
  STEP_BY: layout.STEP_BY,
  STEP_INITIAL: layout.STEP_INITIAL,
  STEP_MIN: layout.STEP_MIN,
  STEP_MAX: layout.STEP_MAX,
  STEP_TTL: layout.STEP_TTL,
  STEP_VALUE: layout.STEP_VALUE,
  LOAD_TICKET: layout.LOAD_TICKET,
  LOAD_TOKEN: layout.LOAD_TOKEN
}
for (const [name, index] of Object.entries(FLOATS)) for (const half of [0, 1]) NAMES.set(2 * index + half, name)

/** What says all about an entry. */
const ROW = ['STATE', 'VERSION', 'SHARD', 'SLOT', 'GENERATION', 'CHUNK', 'WORD', 'TYPE', 'SIZE']
const ABSENT = ['STATE']
const NOTHING = []
const WRITE = [...ROW, 'REPLACED', 'TTL']
const BATCH = ['WRITTEN', 'PASSED', 'TTL']

/** A step of a counter: what it is asked for, which stays, and what it says. */
const ASKED = ['STEP_BY', 'STEP_INITIAL', 'STEP_MIN', 'STEP_MAX', 'STEP_TTL']
const STEP = [...WRITE, ...ASKED, 'STEP_VALUE']

/** Asks for a step. @param {(...target: any[]) => any} run */
const asked =
  run =>
  (...given) => {
    scratchFloats[layout.STEP_BY] = 1
    scratchFloats[layout.STEP_INITIAL] = 0
    scratchFloats[layout.STEP_MIN] = -5
    scratchFloats[layout.STEP_MAX] = 5
    scratchFloats[layout.STEP_TTL] = 1
    return run(...given)
  }

const [TEXT, STRING] = ['text', KIND.String]
const table = () => {
  const words = new Uint32Array(4 * BATCH_ROW)
  for (let row = 0; row < 4; row++) words[row * BATCH_ROW + SCRATCH.STATE] = KIND.True
  return words
}
const states = row => new Uint32Array(4 * row)

/** What each operation writes. `map` has the key `a`, `handle` is that of its entry, `dead` of none. */
const OPERATIONS = {
  'get of an entry': [ROW, ({ id }) => binding.get(id, 'a')],
  'get of nothing': [ABSENT, ({ id }) => binding.get(id, 'none')],
  'get that throws': [NOTHING, ({ id }) => binding.get(id, {})],
  'getByHandle of an entry': [ROW, ({ id, handle }) => binding.getByHandle(id, ...handle)],
  'getByHandle of nothing': [ABSENT, ({ id, dead }) => binding.getByHandle(id, ...dead)],
  'peek of an entry': [ROW, ({ id }) => binding.peek(id, 'a')],
  'peek of nothing': [ABSENT, ({ id }) => binding.peek(id, 'none')],
  'peek by handle of an entry': [ROW, ({ id, handle }) => binding.peek(id, ...handle)],
  'field of an entry': [ROW, ({ id }) => binding.field(id, '/a', 0, 'a')],
  'field of nothing': [ABSENT, ({ id }) => binding.field(id, '/a', 0, 'none')],
  'field by handle of an entry': [ROW, ({ id, handle }) => binding.field(id, '', 0, ...handle)],
  'getHandle of an entry': [ROW, ({ id }) => binding.getHandle(id, 'a')],
  'getHandle of nothing': [NOTHING, ({ id }) => binding.getHandle(id, 'none')],
  has: [NOTHING, ({ id }) => binding.has(id, 'a')],
  isOneKey: [NOTHING, ({ id }) => binding.isOneKey(id, 'a', 'A')],
  hasHandle: [NOTHING, ({ id, handle }) => binding.hasHandle(id, ...handle)],
  'set of a new key': [WRITE, ({ id }) => binding.set(id, 'b', TEXT, STRING)],
  'set of a present key': [WRITE, ({ id }) => binding.set(id, 'a', TEXT, STRING)],
  'set that throws': [['TTL'], ({ id }) => binding.set(id, {}, TEXT, STRING)],
  insert: [WRITE, ({ id }) => binding.insert(id, TEXT, STRING, undefined)],
  replace: [WRITE, ({ id, handle }) => binding.replace(id, ...handle, TEXT, STRING)],
  'replace that throws': [['TTL'], ({ id, dead }) => binding.replace(id, ...dead, TEXT, STRING)],
  'getOrInsert of a new key': [WRITE, ({ id }) => binding.getOrInsert(id, 'b', TEXT, STRING)],
  'getOrInsert of a present key': [[...ROW, 'TTL'], ({ id }) => binding.getOrInsert(id, 'a', TEXT, STRING)],
  increment: [STEP, asked(({ id }) => binding.increment(id, 'new'))],
  incrementByHandle: [STEP, asked(({ id, number }) => binding.incrementByHandle(id, ...number))],
  'increment that throws': [[...ASKED, 'TTL'], asked(({ id }) => binding.increment(id, 'a'))],
  incrementBigInt: [STEP, asked(({ id }) => binding.incrementBigInt(id, 1n, 0n, undefined, undefined, 'new'))],
  'incrementAt of a field': [STEP, asked(({ id, object }) => binding.incrementAt(id, '/a', ...object))],
  'incrementAt of a new field': [
    [...ASKED, ...ROW, 'SEEN_VERSION', 'STEP_VALUE', 'TTL'],
    asked(({ id, object }) => binding.incrementAt(id, '/b', ...object))
  ],
  'incrementAt of nothing': [[...ASKED, 'STEP_VALUE', 'TTL'], asked(({ id }) => binding.incrementAt(id, '/a', 'none'))],
  'incrementAt that throws': [[...ASKED, 'TTL'], asked(({ id }) => binding.incrementAt(id, '/a', 'a'))],
  'peekVersion of an entry': [[...ROW, 'SEEN_VERSION'], ({ id }) => binding.peekVersion(id, 'a')],
  'peekVersion of nothing': [ABSENT, ({ id }) => binding.peekVersion(id, 'none')],
  'getVersion of an entry': [[...ROW, 'SEEN_VERSION'], ({ id }) => binding.getVersion(id, 'a')],
  'getVersion of nothing': [ABSENT, ({ id }) => binding.getVersion(id, 'none')],
  replaceIf: [WRITE, ({ id, handle, version }) => binding.replaceIf(id, ...handle, TEXT, STRING, version)],
  'replaceIf of what changed': [['TTL'], ({ id, handle }) => binding.replaceIf(id, ...handle, TEXT, STRING, 1)],
  removeIf: [NOTHING, ({ id, handle, version }) => binding.removeIf(id, ...handle, version)],
  'beginLoad of a key that is there': [NOTHING, ({ id }) => binding.beginLoad(id, 'a', 1)],
  'beginLoad that owns it': [['LOAD_TOKEN'], ({ id }) => binding.beginLoad(id, 'b', 1)],
  'beginLoad that joins another': [['LOAD_TICKET'], ({ id, loading }) => binding.beginLoad(id, loading.key, 2)],
  'beginRefresh of a fresh entry': [NOTHING, ({ id }) => binding.beginRefresh(id, 'a', 2, 60_000)],
  'beginRefresh of nothing': [NOTHING, ({ id }) => binding.beginRefresh(id, 'none', 2, 60_000)],
  'completeLoad that stores': [
    WRITE,
    ({ id, loading }) => binding.completeLoad(id, loading.key, TEXT, STRING, loading.token, 1, 60_000, 0)
  ],
  'completeLoad that stores nothing': [
    ['TTL'],
    ({ id, loading }) => binding.completeLoad(id, loading.key, TEXT, STRING, loading.token, 0, 0, 0)
  ],
  failLoad: [NOTHING, ({ id, loading }) => binding.failLoad(id, loading.key, loading.token, '{}')],
  wantLoad: [NOTHING, ({ id, loading }) => binding.wantLoad(id, loading.key, 1, 2, 0)],
  'takeLoad of nothing': [['NOTICE', 'LOAD_TICKET'], ({ id }) => binding.takeLoad(id)],
  'compareAndSet that swaps': [WRITE, ({ id }) => binding.compareAndSet(id, TEXT, STRING, 1, KIND.Int, 'a')],
  'compareAndSet by handle': [
    WRITE,
    ({ id, handle }) => binding.compareAndSet(id, TEXT, STRING, 1, KIND.Int, ...handle)
  ],
  'compareAndSet of another value': [
    [...ROW, 'REPLACED', 'TTL'],
    ({ id }) => binding.compareAndSet(id, 'other', STRING, 1, KIND.Int, 'a')
  ],
  'compareAndSet of nothing': [
    ['STATE', 'REPLACED', 'TTL'],
    ({ id }) => binding.compareAndSet(id, TEXT, STRING, 1, KIND.Int, 'none')
  ],
  remove: [ROW, ({ id }) => binding.remove(id, 'a')],
  'remove of nothing': [ABSENT, ({ id }) => binding.remove(id, 'none')],
  'remove by handle': [ROW, ({ id, handle }) => binding.remove(id, ...handle)],
  delete: [NOTHING, ({ id }) => binding.delete(id, 'a')],
  'delete by handle': [NOTHING, ({ id, handle }) => binding.delete(id, ...handle)],
  touch: [['TTL'], ({ id }) => binding.touch(id, 'a')],
  'touch by handle': [['TTL'], ({ id, handle }) => binding.touch(id, ...handle)],
  ttlOf: [NOTHING, ({ id }) => binding.ttlOf(id, 'a')],
  keyOf: [['STATE'], ({ id, handle }) => binding.keyOf(id, ...handle)],
  'keyOf of nothing': [['STATE'], ({ id, dead }) => binding.keyOf(id, ...dead)],
  sampleNear: [NOTHING, ({ id }) => binding.sampleNear(id, 'a')],
  explain: [NOTHING, ({ id }) => binding.explain(id, 'a')],
  weight: [NOTHING, ({ id }) => binding.weight(id, 'a')],
  getMany: [NOTHING, ({ id }) => binding.getMany(id, ['a', 'none'], table())],
  setMany: [BATCH, ({ id }) => binding.setMany(id, ['a', 'b'], [], table())],
  updateMany: [BATCH, ({ id }) => binding.updateMany(id, ['a', 'b'], [], table())],
  insertMany: [BATCH, ({ id }) => binding.insertMany(id, 2, [], undefined, table())],
  hasMany: [NOTHING, ({ id }) => binding.hasMany(id, ['a', 'none'], table())],
  deleteMany: [NOTHING, ({ id }) => binding.deleteMany(id, ['a', 'b'], table())],
  walk: [['COUNT'], ({ id }) => binding.walk(id, 0, 4, WANT.ENTRIES, states(STEP_ROW), 0)],
  'walk of a type': [['COUNT'], ({ id, type }) => binding.walk(id, 0, 4, WANT.ENTRIES, states(STEP_ROW), type)],
  'getOfType of an entry': [ROW, ({ id, type }) => binding.getOfType(id, type, 'typed')],
  'getOfType of another type': [ABSENT, ({ id, type }) => binding.getOfType(id, type, 'a')],
  'getOfType by handle': [ABSENT, ({ id, type, handle }) => binding.getOfType(id, type, ...handle)],
  hasOfType: [NOTHING, ({ id, type }) => binding.hasOfType(id, type, 'typed')],
  setOfType: [WRITE, ({ id, type }) => binding.setOfType(id, type, TEXT, STRING, 'typed')],
  'setOfType by handle': [WRITE, ({ id, type, handle }) => binding.setOfType(id, type, TEXT, STRING, ...handle)],
  'setOfType that throws': [['TTL'], ({ id, type }) => binding.setOfType(id, type + 1, TEXT, STRING, 'typed')],
  deleteOfType: [NOTHING, ({ id, type }) => binding.deleteOfType(id, type, 'typed')],
  sizeOfType: [NOTHING, ({ id, type }) => binding.sizeOfType(id, type)],
  scan: [
    ['COUNT', 'NEXT_SHARD', 'NEXT_SLOT'],
    ({ id }) => binding.scan(id, 0, 0, 4, undefined, undefined, states(STEP_ROW))
  ],
  matchesForTest: [NOTHING, ({ id }) => binding.matchesForTest(id, '{}', 'a')],
  draw: [['COUNT'], ({ id }) => binding.draw(id, 1, 2, WANT.ENTRIES, states(STEP_ROW))],
  candidates: [['COUNT'], ({ id }) => binding.candidates(id, 4, states(WALK_ROW))],
  takeRemovals: [['COUNT', 'DROPPED'], ({ id }) => binding.takeRemovals(id, 4, states(REMOVAL_ROW), 1_000)],
  listenChanges: [NOTHING, ({ id }) => binding.listenChanges(id, 0xff, 'a*')],
  takeChanges: [
    ['COUNT', 'DROPPED', 'HAS_MORE'],
    ({ id }) => binding.takeChanges(id, binding.listenChanges(id, 0xff, undefined), 4, states(REMOVAL_ROW), 1_000)
  ],
  endChanges: [NOTHING, ({ id }) => binding.endChanges(id, binding.listenChanges(id, 0xff, undefined))],
  evictEntry: [NOTHING, ({ id, handle }) => binding.evictEntry(id, ...handle)],
  size: [NOTHING, ({ id }) => binding.size(id)],
  clear: [NOTHING, ({ id }) => binding.clear(id)]
}

describe('scratch array', () => {
  for (const [name, [columns, run]] of Object.entries(OPERATIONS)) {
    it(`${name} writes ${columns.join(', ') || 'nothing'}`, () => {
      const { id } = binding.open(null, '{}')
      binding.listenRemovals(id, 0xff)
      binding.set(id, 'a', TEXT, STRING)
      const handle = [SCRATCH.SHARD, SCRATCH.SLOT, SCRATCH.GENERATION].map(column => scratch[column])
      binding.getVersion(id, 'a')
      const version = scratch[SCRATCH.SEEN_VERSION]
      binding.set(id, 'number', 1, KIND.Int)
      const number = [SCRATCH.SHARD, SCRATCH.SLOT, SCRATCH.GENERATION].map(column => scratch[column])
      binding.set(id, 'object', '{"a":1}', KIND.Json)
      const object = [SCRATCH.SHARD, SCRATCH.SLOT, SCRATCH.GENERATION].map(column => scratch[column])
      const dead = [...handle.slice(0, 2), handle[2] + 1]
      binding.listenLoads(id, true)
      binding.beginLoad(id, 'loading', 1)
      const loading = { key: 'loading', token: scratchFloats[layout.LOAD_TOKEN] }
      const type = binding.holdViewType(id, 'Type')
      binding.setOfType(id, type, TEXT, STRING, 'typed')
      scratch.fill(UNTOUCHED)
      try {
        run({ id, handle, number, object, dead, version, loading, type })
      } catch (error) {
        if (!name.endsWith('that throws')) throw error
      }
      const written = [...scratch].flatMap((number, at) => (number === UNTOUCHED ? [] : [NAMES.get(at) ?? at]))
      assert.deepEqual([...new Set(written)].sort(), columns.toSorted())
      if (columns.includes('TTL')) assert.deepEqual([...scratch.subarray(2 * SCRATCH_TTL, 2 * SCRATCH_TTL + 2)], [0, 0])
      binding.close(id)
    })
  }
})
