'use strict'

// Queries of whole maps: what they give is in query.spec.js; here is how they are asked, and what ends them. EXITS is
// how many processes exit with jobs running, TERMINATIONS how many workers are terminated.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { Handle, TypedMap } = require('../..')
const { rejectsTyped } = require('../support/errors.js')
const { runNode } = require('../support/processes.js')
const { inWorker, nextMessage, startWorker } = require('../support/workers.js')

require('../support/sound.js')

const EXITS = Number(process.env.EXITS ?? 4)
const TERMINATIONS = Number(process.env.TERMINATIONS ?? 8)

const filled = (count, options) => {
  const map = new TypedMap(options)
  map.setMany(Array.from({ length: count }, (_, n) => [`key ${n}`, { n, parity: n % 2 === 0 ? 'even' : 'odd' }]))
  return map
}

const numbersOf = handles => handles.map(handle => handle.get().n).sort((a, b) => a - b)

/** A map and a query that takes milliseconds for each of its hundred entries. */
function slow(conditions) {
  const map = new TypedMap()
  const long = Array.from({ length: 20_000 }, (_, n) => `text ${n}`)
  for (let n = 0; n < 100; n++) map.set(n, long)
  return { map, query: { where: { or: Array.from({ length: conditions }, (_, n) => ({ '': { contains: `${n}` } })) } } }
}

/** The methods that ask a query of all entries. */
const METHODS = ['find', 'count', 'deleteWhere']

describe('find', () => {
  it('gives live handles of the entries that a query asks for', async () => {
    const map = filled(1_000)
    const keyless = map.insert({ n: 7_000 }, { type: 'Large' })
    const handles = await map.find({ where: { '/n': { gte: 990 } } })
    assert.ok(handles.every(handle => handle instanceof Handle && map.has(handle)))
    assert.deepEqual(numbersOf(handles), [990, 991, 992, 993, 994, 995, 996, 997, 998, 999, 7_000])
    assert.deepEqual(
      (await map.find({}, { type: 'Large' })).map(({ id }) => id),
      [keyless.id]
    )
    assert.deepEqual(await map.find({}, { type: 'Unknown' }), [])
    assert.deepEqual(
      await map.find({ key: 'key 99?', where: { '/parity': 'odd' } }).then(numbersOf),
      [991, 993, 995, 997, 999]
    )
    map.set(handles[0], { n: -1 })
    assert.equal(handles[0].get().n, -1)
    assert.deepEqual(await new TypedMap().find({}), [])
  })

  it('ends with its limit', async () => {
    const map = filled(5_000)
    for (const limit of [1, 7, 1_024, 4_999, 5_000, 5_001, Number.MAX_SAFE_INTEGER]) {
      const handles = await map.find({}, { limit })
      assert.equal(new Set(handles.map(({ id }) => id)).size, Math.min(limit, 5_000))
    }
  })

  it('gives many handles without stopping the event loop', async () => {
    const map = new TypedMap()
    const count = 200_000
    for (let from = 0; from < count; from += 10_000) {
      map.setMany(Array.from({ length: 10_000 }, (_, n) => [from + n, from + n]))
    }
    let turns = 0
    const timer = setInterval(() => turns++)
    const handles = await map.find({})
    clearInterval(timer)
    assert.equal(new Set(handles.map(({ shard, slot }) => slot * 4_096 + shard)).size, count)
    assert.ok(turns > 3, `${turns} turns`)
  })

  it('sees entries whose values are long, of each kind, and none that has expired', async () => {
    const map = new TypedMap()
    const text = 'é'.repeat(300_000)
    map.set('text', { text, last: 1 })
    map.set('array', [text, 'end'])
    map.set('string', `${text}!`)
    map.set('bytes', new Uint8Array(1_000_000))
    map.set('k'.repeat(40_000), 1)
    assert.equal((await map.find({ where: { '/last': 1 } })).length, 1)
    assert.equal(await map.count({ where: { '/text': { startsWith: 'éé' }, '/last': { lt: 2 } } }), 1)
    assert.equal(await map.count({ where: { '': { contains: 'end' } } }), 1)
    assert.equal(await map.count({ where: { '': { contains: 'é!' } } }), 1)
    assert.equal(await map.count({ key: 'kkk*' }), 1)
    assert.equal(await map.count({}), 5)
    const expiring = filled(100, { ttl: 1 })
    await new Promise(resolve => setTimeout(resolve, 5))
    assert.equal(await expiring.count({}), 0)
  })
})

describe('count', () => {
  it('says how many entries a query asks for', async () => {
    const map = filled(10_001)
    map.insert({ parity: 'even' }, { type: 'Keyless' })
    assert.equal(await map.count({}), 10_002)
    assert.equal(await map.count({ where: { '/parity': 'even' } }), 5_002)
    assert.equal(await map.count({ where: { '/parity': 'even' } }, { type: 'Keyless' }), 1)
    assert.equal(await map.count({ where: { not: { '/n': { exists: true } } } }), 1)
    assert.equal(await new TypedMap().count({}), 0)
  })

  it('counts no reads, and no thread', async () => {
    const map = filled(100)
    const before = map.getStats()
    await map.count({ where: { '/n': 1 } })
    const { hits, misses, threads } = map.getStats()
    assert.deepEqual({ hits, misses, threads }, { hits: before.hits, misses: before.misses, threads: before.threads })
  })
})

describe('queries of whole maps', () => {
  it('reject what is no query, and say where', async () => {
    const map = filled(10)
    const faults = [
      [undefined, ''],
      [null, ''],
      ['key', ''],
      [[], ''],
      [{ keys: 'a' }, '/keys'],
      [{ key: 1 }, '/key'],
      [{ key: 'x'.repeat(2_000) }, '/key'],
      [{ where: [] }, '/where'],
      [{ where: { n: 1 } }, '/where/n'],
      [{ where: { '/n': {} } }, '/where/~1n'],
      [{ where: { '/n': undefined } }, '/where/~1n'],
      [{ where: { '/n': { gt: true } } }, '/where/~1n/gt'],
      [{ where: { '/n': { gt: 1n } } }, '/where/~1n/gt'],
      [{ where: { '/n': { in: [1, Number.NaN] } } }, '/where/~1n/in/1'],
      [{ where: { '/n': { eq: [new Date()] } } }, '/where/~1n/eq/0'],
      [{ where: { '/n': { eq: new Map() } } }, '/where/~1n/eq'],
      [{ where: { '/n': { eq: 'x'.repeat(70_000) } } }, ''],
      [{ where: { '/m~n': 1 } }, '/where/~1m~0n'],
      [{ where: { or: [{ '/n': 1 }, { '/m~0/': { near: 1 } }] } }, '/where/or/1/~1m~00~1/near'],
      [{ where: { '/n': { eq: 'lone \ud800' } } }, '']
    ]
    const cycle = { and: [] }
    cycle.and.push(cycle)
    for (const [query, at] of [...faults, [{ where: cycle }, `/where${'/and/0'.repeat(7)}/and`]]) {
      for (const method of METHODS) {
        const error = await rejectsTyped(map[method](query), 'ERR_INVALID_QUERY', { kind: TypeError })
        assert.equal(error.details.at, at)
        assert.ok(error.details.allowed.length > 3)
      }
    }
    const thrown = new Error('thrown')
    const getter = {
      get key() {
        throw thrown
      }
    }
    await assert.rejects(map.count(getter), error => error === thrown)
  })

  it('reject other options', async () => {
    const map = filled(1)
    const options = [{ type: '' }, { type: 1 }, { signal: {} }, { onProgress: 1 }, { most: 1 }, null, 'x', []]
    for (const given of options) {
      for (const method of METHODS) await rejectsTyped(map[method]({}, given), 'ERR_INVALID_OPTION')
    }
    for (const limit of [0, -1, 1.5, '1', Number.POSITIVE_INFINITY, null]) {
      await rejectsTyped(map.find({}, { limit }), 'ERR_INVALID_OPTION')
    }
    await rejectsTyped(map.count({}, { limit: 1 }), 'ERR_INVALID_OPTION')
  })

  it('end with their signal, with the reason of that', async () => {
    const map = filled(50_000)
    const reason = new Error('enough')
    for (const method of METHODS) {
      await assert.rejects(map[method]({}, { signal: AbortSignal.abort(reason) }), error => error === reason)
      const controller = new AbortController()
      const ended = map[method]({}, { signal: controller.signal })
      controller.abort(reason)
      await assert.rejects(ended, error => error === reason)
    }
    // A signal that many calls share: no listener of theirs is left, and no warning is printed.
    const controller = new AbortController()
    const warned = []
    const warn = warning => warned.push(warning)
    process.on('warning', warn)
    await Promise.all(Array.from({ length: 20 }, () => map.count({}, { signal: controller.signal })))
    await new Promise(resolve => setImmediate(resolve))
    process.off('warning', warn)
    assert.deepEqual(warned, [])
    controller.abort(reason)
  })

  it('reject once their map is closed or destroyed, by whatever thread', async () => {
    for (const method of METHODS) {
      for (const end of ['close', 'destroy']) {
        const map = filled(20_000)
        const waiting = map[method]({})
        map[end]()
        await rejectsTyped(waiting, 'ERR_CLOSED')
        await rejectsTyped(map[method]({}), 'ERR_CLOSED')
      }
    }
    const name = `destroyed while asked ${process.pid}`
    const map = TypedMap.open(name)
    map.setMany(Array.from({ length: 20_000 }, (_, n) => [n, n]))
    const worker = startWorker(({ TypedMap, data }) => TypedMap.open(data).destroy(), name)
    const rejected = rejectsTyped(
      (async () => {
        for (;;) await map.count({})
      })(),
      'ERR_CLOSED'
    )
    await worker.result
    await rejected
  })

  it('report how far they are, at most ten times a second, and no more once they are settled', async () => {
    const { map, query } = slow(100)
    const reports = []
    const controller = new AbortController()
    const start = performance.now()
    const onProgress = progress => {
      reports.push(progress)
      if (reports.length === 2) controller.abort()
    }
    await assert.rejects(map.count(query, { onProgress, signal: controller.signal }), { name: 'AbortError' })
    const before = reports.length
    assert.ok(before <= (performance.now() - start) / 100 + 1)
    for (const { seen, found, total } of reports) assert.ok(seen <= total && found === 0 && total === 100)
    await new Promise(resolve => setTimeout(resolve, 150))
    assert.equal(reports.length, before)
  })

  it('of more than 64 at a time are refused, and go on when there is room', async () => {
    const { map, query } = slow(10)
    const controller = new AbortController()
    const options = { signal: controller.signal }
    // Jobs of the tests before may still have places.
    const waiting = Array.from({ length: 64 }, () => map.count(query, options).catch(({ name }) => name))
    for (let n = 0; n < 16; n++) {
      const { details } = await rejectsTyped(map.count({}), 'ERR_TOO_MANY_JOBS', { says: [/64 jobs/] })
      assert.deepEqual(details, { limit: 64 })
    }
    controller.abort()
    const ended = await Promise.all(waiting)
    assert.ok(ended.filter(name => name === 'AbortError').length > 32, `${ended}`)
    for (;;) {
      // Jobs that nothing waits for any more leave when it is their turn.
      const count = await map.count({}).catch(({ code }) => code)
      if (count !== 'ERR_TOO_MANY_JOBS') {
        assert.equal(count, 100)
        break
      }
    }
  })

  it('keep the process alive until they are done, and their map from being collected', async () => {
    const script = `
      const begin = () => {
        const map = new TypedMap()
        const long = Array.from({ length: 20_000 }, (_, n) => 'text ' + n)
        for (let n = 0; n < 100; n++) map.set(n, long)
        const where = { or: Array.from({ length: 20 }, (_, n) => ({ '': { contains: n } })) }
        return map.find({ where: { not: where } }, { limit: 90 })
      }
      begin().then(handles => console.log('found', handles.length))
      gc()`
    const { stdout, status } = await runNode(script, { flags: ['--expose-gc'] })
    assert.equal(stdout.trim(), 'found 90')
    assert.equal(status, 0)
  })

  it('do not keep the process alive once they are settled', async () => {
    const script = `
      const map = TypedMap.open('settled')
      map.set('a', 1)
      const controller = new AbortController()
      map.count({}, { signal: controller.signal }).catch(({ name }) => console.log(name))
      controller.abort()
      map.count({}).then(console.log)`
    const { stdout, status } = await runNode(script, { timeout: 60_000 })
    assert.deepEqual(stdout.trim().split('\n'), ['AbortError', '1'])
    assert.equal(status, 0)
  })

  it('see an entry exactly once that is there all the while, beside threads that change others', async () => {
    const name = `asked beside others ${process.pid}`
    const map = TypedMap.open(name, { shards: 4 })
    const steady = 5_000
    map.setMany(Array.from({ length: steady }, (_, n) => [`steady ${n}`, { n, steady: true }]))
    const change = ({ TypedMap, data, port }) => {
      const map = TypedMap.open(data.name)
      let [n, isOver] = [data.seed, false]
      port.once('message', () => {
        isOver = true
      })
      port.postMessage('begun')
      return new Promise(resolve => {
        const turn = () => {
          for (let step = 0; step < 500; step++) {
            n = (Math.imul(n, 1_103_515_245) + 12_345) >>> 0
            const key = (n >>> 8) % 20_000
            if (n % 3 === 0) map.delete(`coming ${key}`)
            else if (n % 3 === 1) map.set(`coming ${key}`, { text: 'x'.repeat(key % 200) })
            else map.set(`steady ${key % 5_000}`, { n: key % 5_000, steady: true, text: 'y'.repeat(key % 90) })
          }
          if (isOver) resolve()
          else setImmediate(turn)
        }
        turn()
      })
    }
    const workers = [1, 2].map(seed => startWorker(change, { name, seed }))
    await Promise.all(workers.map(nextMessage))
    for (let round = 0; round < 20; round++) {
      const [handles, count] = await Promise.all([
        map.find({ where: { '/steady': true } }),
        map.count({ key: 'steady *' })
      ])
      assert.equal(new Set(handles.map(({ id }) => id)).size, handles.length)
      assert.deepEqual(
        numbersOf(handles),
        Array.from({ length: steady }, (_, n) => n)
      )
      assert.equal(count, steady)
    }
    for (const worker of workers) worker.postMessage('enough')
    await Promise.all(workers.map(({ result }) => result))
    map.destroy()
  })

  it('of a thread that ends are dropped, and the map goes on', async () => {
    const name = `asked by a thread that ends ${process.pid}`
    const map = TypedMap.open(name)
    map.setMany(Array.from({ length: 50_000 }, (_, n) => [n, { n }]))
    const ask = ({ TypedMap, data, port }) => {
      const map = TypedMap.open(data)
      const again = () => map.find({ where: { '/n': { gte: 0 } } }).then(again)
      for (let n = 0; n < 4; n++) again()
      port.postMessage('asking')
      return new Promise(() => {})
    }
    for (let round = 0; round < TERMINATIONS; round++) {
      const worker = startWorker(ask, name)
      await nextMessage(worker)
      await new Promise(resolve => setTimeout(resolve, round % 8))
      worker.terminate()
      await worker.exit
    }
    assert.equal(await map.count({}), 50_000)
    assert.equal(await inWorker(({ TypedMap, data }) => TypedMap.open(data).count({}), name), 50_000)
    assert.equal(map.getStats().threads, 1)
    map.destroy()
  })

  it('of a process that exits end with it', async () => {
    const script = `
      const map = new TypedMap()
      map.setMany(Array.from({ length: 20_000 }, (_, n) => [n, { n }]))
      for (let n = 0; n < 8; n++) map.find({}).then(() => {})
      setTimeout(() => process.exit(7), Math.random() * 4)`
    for (let round = 0; round < EXITS; round++) {
      const { status, signal, stderr } = await runNode(script)
      assert.deepEqual({ status, signal, stderr }, { status: 7, signal: null, stderr: '' })
    }
  })
})
