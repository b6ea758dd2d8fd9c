'use strict'

// `getStats().errors`: each number is caused here, by this thread and by others.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { binding } = require('../../lib/native/attach.js')
const { throwsTyped } = require('../support/errors.js')
const { inWorker } = require('../support/workers.js')

require('../support/sound.js')

let names = 0
const newName = () => `error stats ${process.pid} ${++names}`
const NONE = { total: 0, byCode: {}, allocationFailures: 0, corruptionDetections: 0 }

describe('getStats().errors', () => {
  it('counts by code what this thread was refused', () => {
    const map = new TypedMap({ maxEntries: 1, oomStrategy: 'reject', maxValueBytes: 100 })
    assert.deepEqual(map.getStats().errors, NONE)
    map.set('text', 'no number')
    for (let n = 0; n < 3; n++) throwsTyped(() => map.set('b', 1), 'ERR_MEMORY_LIMIT')
    throwsTyped(() => map.set('text', 'x'.repeat(200)), 'ERR_VALUE_TOO_LARGE')
    throwsTyped(() => map.increment('text'), 'ERR_WRONG_TYPE')
    const byCode = { ERR_WRONG_TYPE: 1, ERR_MEMORY_LIMIT: 3, ERR_VALUE_TOO_LARGE: 1 }
    assert.deepEqual(map.getStats().errors, { ...NONE, total: 5, byCode })
    map.close()
  })

  it('adds up all threads, those that ended too', async () => {
    const name = newName()
    const map = TypedMap.open(name)
    map.set('text', 'no number')
    const fail = ({ TypedMap, data }) => {
      const map = TypedMap.open(data)
      for (let n = 0; n < 10; n++) {
        try {
          map.increment('text')
        } catch {}
      }
    }
    await Promise.all([inWorker(fail, name), inWorker(fail, name), inWorker(fail, name)])
    throwsTyped(() => map.increment('text'), 'ERR_WRONG_TYPE')
    assert.deepEqual(map.getStats().errors, { ...NONE, total: 31, byCode: { ERR_WRONG_TYPE: 31 } })
    map.close()
  })

  it('counts that the map broke, and the calls that it refused', async () => {
    const name = newName()
    const map = TypedMap.open(name)
    const { id } = binding.open(name, '{}')
    throwsTyped(() => binding.panicForTest(id), 'ERR_BROKEN')
    binding.close(id)
    throwsTyped(() => map.get('a'), 'ERR_BROKEN')
    await map.recover()
    const { errors } = map.getStats()
    assert.deepEqual(errors, { ...NONE, total: 2, byCode: { ERR_BROKEN: 2 }, corruptionDetections: 1 })
    map.close()
  })
})
