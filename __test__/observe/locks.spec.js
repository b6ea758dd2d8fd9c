'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { startWorker } = require('../support/workers.js')

require('../support/sound.js')

const NONE = { acquisitions: 0, waits: 0, waitNs: 0, meanWaitNs: 0, longestWaitNs: 0, waiting: 0, contentionRatio: 0 }

/** Holds the lock of the only shard until this thread waits for it; resolves when it has been released. */
function heldElsewhere(name) {
  return startWorker(
    ({ TypedMap, data, port }) => {
      const { binding } = require(`${data.package}/lib/native/attach.js`)
      const map = TypedMap.open(data.name, { shards: 1 })
      const { id } = binding.open(data.name, '{}')
      port.postMessage('holding')
      const wasWaitedFor = binding.holdShardForTest(id, 0)
      binding.close(id)
      map.close()
      return wasWaitedFor
    },
    { name, package: require('node:path').join(__dirname, '..', '..') }
  )
}

describe('locks', () => {
  it('of a new map were never taken, and a look at them does not count', () => {
    const map = new TypedMap({ shards: 8 })
    map.getStats()
    assert.deepEqual(map.getStats().locks, NONE)
  })

  it('are not counted where entries are only looked at, for advice or a draw', () => {
    const map = new TypedMap({ shards: 8 })
    for (let n = 0; n < 100; n++) map.set(n, n)
    const { locks } = map.getStats()
    map.advise()
    map.randomEntry()
    assert.deepEqual(map.getStats().locks, locks)
  })

  it('are taken once for each write, and for no read', () => {
    const map = new TypedMap({ shards: 8 })
    for (let n = 0; n < 100; n++) map.set(n, n)
    for (let n = 0; n < 50; n++) map.delete(n)
    for (let n = 0; n < 100; n++) map.get(n)
    assert.deepEqual(map.getStats().locks, { ...NONE, acquisitions: 150 })
  })

  it('are counted in all threads, those that ended included', async () => {
    const name = 'locks: threads'
    const map = TypedMap.open(name, { shards: 1 })
    const workers = Array.from({ length: 2 }, () =>
      startWorker(({ TypedMap, data }) => {
        const map = TypedMap.open(data, { shards: 1 })
        for (let n = 0; n < 5_000; n++) map.set(n, n)
        map.close()
      }, name)
    )
    for (let n = 0; n < 5_000; n++) map.set(n, n)
    await Promise.all(workers.map(worker => worker.exit))
    const { acquisitions, waits, contentionRatio, waiting } = map.getStats().locks
    // A worker that leaves looks once for loads of its own.
    assert.ok(acquisitions >= 15_000 && acquisitions <= 15_010, `${acquisitions}`)
    assert.equal(contentionRatio, waits / acquisitions)
    assert.equal(waiting, 0)
    map.destroy()
  })

  it('count a wait for a shard that another thread holds', async () => {
    const name = 'locks: contended'
    const map = TypedMap.open(name, { shards: 1 })
    const worker = heldElsewhere(name)
    await new Promise(resolve => worker.once('message', resolve))
    let isOver = false
    worker.result.finally(() => {
      isOver = true
    })
    // Writes alone: a look at the statistics would wait for the lock, too, and is not counted.
    while (!isOver) {
      map.set('key', 1)
      await new Promise(setImmediate)
    }
    assert.equal(await worker.result, true)
    const locks = map.getStats().locks
    assert.equal(locks.waits, 1)
    assert.ok(locks.waitNs > 0)
    assert.equal(locks.meanWaitNs, locks.waitNs)
    assert.equal(locks.longestWaitNs, locks.waitNs)
    assert.equal(locks.contentionRatio, 1 / locks.acquisitions)
    map.destroy()
  })
})
