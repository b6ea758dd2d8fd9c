'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { TypedMap } = require('../..')
const { until } = require('../support/turns.js')

require('../support/sound.js')

const long = n => `${n}-`.padEnd(4_000, 't')

test('names of types take part in the limit and go with their entries', async () => {
  const map = new TypedMap({ memoryLimit: '2mb', evictionStrategy: 'lru', nearCache: false })
  for (let n = 0; n < 3_000; n++) map.insert(n, { type: long(n) })
  assert.ok(map.size > 100 && map.size < 600, `${map.size} entries`)
  const { types, total } = map.getStats().memory
  assert.ok(types > 1_000_000 && total <= 2 * 1024 ** 2, `${types} of ${total} bytes`)
  assert.deepEqual(await map.validate(), { ok: true, problems: [] })
  map.clear()
  assert.deepEqual(await map.validate(), { ok: true, problems: [] })
  assert.ok(map.getStats().memory.types < 600_000)
  const handle = map.insert(1, { type: 'Config' })
  assert.equal(map.get(handle, 'Config'), 1)
  assert.throws(() => map.get(handle, 'Other'), {
    code: 'ERR_WRONG_TYPE',
    details: { expected: 'Other', found: 'Config' }
  })
  map.close()
})

test('a removed entry is reported with its type, however many there are', async () => {
  const map = new TypedMap({ maxEntries: 10 })
  const told = []
  map.onEvict(({ value, type }) => told.push([value, type]))
  for (let n = 0; n < 1_000; n++) map.insert(n, { type: `type ${n}` })
  await until(() => told.length >= 990)
  assert.equal(told.length, 990)
  for (const [value, type] of told) assert.equal(type, `type ${value}`)
  map.close()
})

test('a name that is too long is refused', () => {
  const map = new TypedMap()
  const allowed = /4096 bytes/
  for (const type of ['t'.repeat(4_097), 'é'.repeat(2_049), 't'.repeat(2 ** 28)]) {
    assert.throws(() => map.insert(1, { type }), { name: 'RangeError', code: 'ERR_INVALID_OPTION', message: allowed })
    assert.throws(() => map.insertMany([1, 2], { type }), { name: 'RangeError', code: 'ERR_INVALID_OPTION' })
  }
  for (const name of ['n'.repeat(65_537), 'é'.repeat(32_769)]) {
    assert.throws(() => TypedMap.open(name), { name: 'RangeError', code: 'ERR_INVALID_OPTION', message: /65536 bytes/ })
  }
  assert.equal(map.size, 0)
  assert.equal(map.get(map.insert(7, { type: 'é'.repeat(2_048) }), 'é'.repeat(2_048)), 7)
  map.close()
})
