'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { TypedMap } = require('../..')

require('../support/sound.js')

const SOUND = { ok: true, problems: [] }

test('a map is sound whatever was done with it', async () => {
  for (const options of [
    {},
    { maxEntries: 500 },
    { memoryLimit: '1mb', evictionStrategy: 'lru', shards: 4 },
    { ttl: 5, sliding: true }
  ]) {
    const map = new TypedMap(options)
    assert.deepEqual(await map.validate(), SOUND)
    for (let n = 0; n < 3_000; n++) {
      map.set(`key-${n % 900}`, 'x'.repeat(n % 7 === 0 ? 4_000 : n % 60))
      if (n % 3 === 0) map.insert({ n }, { type: 'Number' })
      if (n % 5 === 0) map.delete(`key-${(n * 7) % 900}`)
      map.get(`key-${(n * 3) % 900}`)
    }
    assert.deepEqual(await map.validate(), SOUND)
    map.clear()
    assert.deepEqual(await map.validate(), SOUND)
    map.close()
  }
})

test('goes on beside writes, and several at a time', async () => {
  const map = new TypedMap()
  for (let n = 0; n < 300_000; n++) map.set(n, n)
  const looks = [map.validate(), map.validate()]
  let isDone = false
  const done = Promise.all(looks).finally(() => {
    isDone = true
  })
  let written = 0
  while (!isDone) {
    map.set(written++, 'another')
    await new Promise(resolve => setImmediate(resolve))
  }
  assert.deepEqual(await done, [SOUND, SOUND])
  assert.ok(written > 2)
  map.close()
})

test('a closed map is a rejection', async () => {
  const map = new TypedMap()
  for (let n = 0; n < 50_000; n++) map.set(n, n)
  const look = map.validate()
  map.close()
  await assert.rejects(look, { code: 'ERR_CLOSED' })
  await assert.rejects(map.validate(), { code: 'ERR_CLOSED' })
})
