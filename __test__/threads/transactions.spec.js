'use strict'

// Transactions among threads. The promises: transfers between accounts keep their sum, at every moment that a thread
// can see with one `getMany`, with one transaction, or with copies; no step is lost; and what a transaction reads is of
// one moment, whatever else it does with it.
//
//   WORKER_OPS=n  transfers per test over all workers, 40,000 unless given

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { startWorker } = require('../support/workers.js')

require('../support/sound.js')

const OPS = Number(process.env.WORKER_OPS ?? 40_000)
const WRITERS = 2
const ACCOUNTS = 8
const BALANCE = 1_000

const MAPS = {
  plain: {},
  'one shard': { shards: 1 },
  'without a near cache': { nearCache: false },
  'with deadlines': { ttl: 3_600_000 },
  'with an eviction policy': { maxEntries: 10_000, evictionStrategy: 'lru' }
}

let names = 0

/** Moves money between accounts until it has done its share; the accounts are numbers or objects. */
function transfer({ TypedMap, data }) {
  const { name, options, transfers, accounts, seed } = data
  const map = TypedMap.open(name, options)
  let state = seed
  const below = limit => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
  const of = value => (typeof value === 'number' ? value : value.balance)
  const like = (value, balance) => (typeof value === 'number' ? balance : { balance })
  for (let n = 0; n < transfers; n++) {
    const [from, to, amount] = [below(accounts), below(accounts), below(100)]
    map.transaction(tx => {
      const before = tx.get(from)
      tx.set(from, like(before, of(before) - amount))
      const other = tx.get(to)
      tx.set(to, like(other, of(other) + amount))
    })
  }
  map.close()
}

/** Adds all accounts up again and again, in the way it is told, until the writers are done. */
function watch({ TypedMap, data, assert }) {
  const { name, options, accounts, sum, done, how } = data
  const map = TypedMap.open(name, options)
  const keys = Array.from({ length: accounts }, (_, key) => key)
  const handles = keys.map(key => map.getHandle(key))
  const of = value => (typeof value === 'number' ? value : value.balance)
  let seen = 0
  while (Atomics.load(done, 0) === 0 || seen === 0) {
    if (how === 'warm') for (const key of keys.filter(key => (key + seen) % 3 === 0)) map.get(key)
    const values =
      how === 'transaction'
        ? map.transaction(tx => keys.map(key => tx.get(key)))
        : map.getMany(how === 'handles' ? handles : keys)
    assert.equal(
      values.reduce((total, value) => total + of(value), 0),
      sum
    )
    seen++
  }
  map.close()
  return seen
}

describe('transactions of several threads', () => {
  for (const [what, options] of Object.entries(MAPS)) {
    for (const isObject of [false, true]) {
      it(`transfers keep their sum, whoever reads: ${what}, ${isObject ? 'objects' : 'numbers'}`, async () => {
        const name = `transfers ${process.pid} ${++names}`
        const map = TypedMap.open(name, options)
        for (let key = 0; key < ACCOUNTS; key++) map.set(key, isObject ? { balance: BALANCE } : BALANCE)
        const done = new Int32Array(new SharedArrayBuffer(4))
        const shared = { name, options, accounts: ACCOUNTS, sum: ACCOUNTS * BALANCE, done }
        const writers = Array.from({ length: WRITERS }, (_, seed) =>
          startWorker(transfer, { ...shared, transfers: Math.ceil(OPS / WRITERS / 10), seed: seed + 1 })
        )
        const watchers = ['cold', 'warm', 'handles', 'transaction'].map(how => startWorker(watch, { ...shared, how }))
        try {
          await Promise.all(writers.map(worker => worker.result))
        } finally {
          Atomics.store(done, 0, 1)
        }
        const seen = await Promise.all(watchers.map(worker => worker.result))
        assert.ok(seen.every(times => times > 0))
        await Promise.all([...writers, ...watchers].map(worker => worker.exit))
        const values = Array.from({ length: ACCOUNTS }, (_, key) => map.get(key))
        const total = values.reduce((sum, value) => sum + (isObject ? value.balance : value), 0)
        assert.equal(total, ACCOUNTS * BALANCE)
        map.destroy()
      })
    }
  }

  it('no step is lost among transactions, increments and updates of one key', async () => {
    const name = `steps ${process.pid}`
    const map = TypedMap.open(name)
    map.set('n', 0)
    const steps = Math.ceil(OPS / 20)
    const workers = ['transaction', 'transaction', 'increment', 'update'].map(how =>
      startWorker(
        ({ TypedMap, data }) => {
          const map = TypedMap.open(data.name)
          for (let n = 0; n < data.steps; n++) {
            if (data.how === 'increment') map.increment('n')
            else if (data.how === 'update') map.update('n', value => value + 1, { retries: 1_000_000 })
            else {
              map.transaction(tx => tx.set('n', tx.get('n') + 1), { retries: 1_000_000 })
            }
          }
          map.close()
        },
        { name, how, steps }
      )
    )
    await Promise.all(workers.map(worker => worker.result))
    await Promise.all(workers.map(worker => worker.exit))
    assert.equal(map.get('n'), 4 * steps)
    map.destroy()
  })

  it('entries come and go together: no thread sees one of a pair', async () => {
    const name = `pairs ${process.pid}`
    const map = TypedMap.open(name)
    const done = new Int32Array(new SharedArrayBuffer(4))
    const watcher = startWorker(
      ({ TypedMap, data, assert }) => {
        const map = TypedMap.open(data.name)
        let seen = 0
        while (Atomics.load(data.done, 0) === 0 || seen === 0) {
          const [left, right] =
            seen % 2 ? map.getMany(['left', 'right']) : map.transaction(tx => [tx.get('left'), tx.get('right')])
          assert.equal(left, right)
          seen++
        }
        map.close()
      },
      { name, done }
    )
    for (let n = 0; n < OPS / 10; n++) {
      map.transaction(tx => {
        if (n % 2 === 0) tx.set('left', n).set('right', n)
        else {
          tx.delete('left')
          tx.delete('right')
        }
      })
      if (n % 100 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    Atomics.store(done, 0, 1)
    await watcher.result
    await watcher.exit
    map.destroy()
  })
})
