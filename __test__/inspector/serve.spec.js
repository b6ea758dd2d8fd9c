'use strict'

require('../support/sound.js')
const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { once } = require('node:events')
const net = require('node:net')
const { runInNewContext } = require('node:vm')
const { TypedMap } = require('../../index.js')
const { registerSource, serveInspector } = require('../../inspector.js')
const { run } = require('../support/processes.js')
const { PACKAGE, startWorker, nextMessage } = require('../support/workers.js')

/** Serves while `work` runs, which is given what asks the inspector. */
async function serving(options, work) {
  const inspector = await serveInspector({ interval: 100, ...options })
  const ask = async target => {
    const headers = inspector.token === false ? {} : { Authorization: `Bearer ${inspector.token}` }
    const response = await fetch(new URL(target, inspector.url), { headers })
    return response.headers.get('content-type').startsWith('application/json') ? response.json() : response.text()
  }
  try {
    await work(ask, inspector)
  } finally {
    await inspector.close()
  }
}

/** Asks until an answer is as it should be: figures change with the next look. */
async function until(ask, isRight) {
  for (;;) {
    const answer = await ask()
    if (isRight(answer)) return answer
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

describe('serveInspector', () => {
  it('serves the figures of each named map, without holding it open', async () => {
    const map = TypedMap.open('served', { maxEntries: 100 })
    map.set('a', 1)
    await serving({}, async ask => {
      const { maps, process } = await until(
        () => ask('/stats'),
        ({ maps }) => maps.served?.entries === 1
      )
      assert.equal(maps.served.limits.maxEntries, 100)
      assert.equal(maps.served.threads, 1, 'a look is none of the threads')
      assert.equal(process.pid, globalThis.process.pid)
      const metrics = await ask('/metrics')
      assert.match(metrics, /^typed_superdashmap_cache_size\{map="served"\} 1$/m)
      assert.match(metrics, /^typed_superdashmap_cache_opens\{map="served"\} 1$/m)
      assert.ok(metrics.endsWith('\n# EOF\n'))
      map.set('b', 1)
      await until(
        () => ask('/stats'),
        ({ maps }) => maps.served.entries === 2
      )
      map.close()
      await until(
        () => ask('/stats'),
        ({ maps }) => maps.served === undefined
      )
    })
    assert.ok(!TypedMap.names().includes('served'))
  })

  it('gives the history of one map, from a time on, and the log of all', async () => {
    const map = TypedMap.open('served: history')
    await serving({}, async ask => {
      const state = () => ask('/state?map=served:%20history')
      const { map: shown } = await until(state, ({ map }) => map?.history.time.length > 2)
      const { history, instance } = shown
      for (const column of Object.values(history)) assert.equal(column.length, history.time.length)
      const since = history.time.at(-2)
      const more = await ask(`/state?map=served:%20history&instance=${instance}&since=${since}`)
      assert.ok(more.map.history.time.every(time => time > since))
      const all = await ask(`/state?map=served:%20history&instance=1&since=${since}`)
      assert.ok(all.map.history.time.includes(since), 'a page that saw another map of this name has nothing of it')
      map.set('a', 1)
      map.clear()
      const isOurs = line => line.map === 'served: history' && line.code === 'map.cleared'
      const { lines } = await until(state, ({ lines }) => lines.some(isOurs))
      const { number, details } = lines.find(isOurs)
      assert.equal(details.entries, 1)
      assert.deepEqual((await ask(`/state?after=${number}`)).lines.filter(isOurs), [])
    })
    map.close()
  })

  it('describes an entry and finds keys; values only if that was asked for', async () => {
    const map = TypedMap.open('served: entries')
    map.set('user:1', { password: 'do-not-show' })
    map.set(7, 'do-not-show')
    map.set('[*]', 1, { ttl: 60_000 })
    const of = (path, query) => `/${path}?${new URLSearchParams({ map: 'served: entries', ...query })}`
    await serving({}, async ask => {
      const found = await ask(of('entry', { key: 'user:1' }))
      const handle = map.getHandle('user:1')
      assert.equal(found.isFound, true)
      assert.deepEqual([found.shard, found.slot], [handle.shard, handle.slot])
      assert.equal(found.bytes, map.memoryUsage('user:1'))
      assert.equal(found.ttlMs, null)
      assert.ok((await ask(of('entry', { key: '[*]' }))).ttlMs <= 60_000)
      assert.equal((await ask(of('entry', { key: '7', type: 'number' }))).isFound, true)
      assert.equal((await ask(of('entry', { key: '7' }))).isFound, false)
      assert.match((await ask(of('entry', { key: 'x', type: 'bigint' }))).error, /no key of type bigint/)
      for (const key of ['constructor', '__proto__', 'toString', 'yes', '']) {
        assert.match((await ask(of('entry', { key, type: 'boolean' }))).error, /no key of type boolean/, key)
      }
      assert.match((await ask('/entry?map=none&key=x')).error, /no such map/)
      assert.deepEqual(await ask(of('keys', { match: 'user' })), {
        keys: [{ type: 'string', text: 'user:1' }],
        isComplete: true
      })
      assert.equal((await ask(of('keys', { match: '[*' }))).keys.length, 1, 'what is typed is no pattern')
      for (const match of ['x'.repeat(1_024), '*'.repeat(513), 'x'.repeat(3_000)]) {
        assert.deepEqual(await ask(of('keys', { match })), { keys: [], isComplete: false }, 'it is too long for a glob')
      }
      for (const path of [
        of('entry', { key: 'user:1' }),
        of('keys', { match: '' }),
        '/stats',
        '/log',
        '/state?map=served:%20entries'
      ]) {
        assert.doesNotMatch(JSON.stringify(await ask(path)), /do-not-show/)
      }
    })
    await serving({ values: true }, async ask => {
      assert.match((await ask(of('entry', { key: 'user:1' }))).value, /do-not-show/)
    })
    map.close()
  })

  it('gives the log of all maps, or what came after a line', async () => {
    const map = TypedMap.open('served: log')
    await serving({}, async ask => {
      const ofMap = ({ lines }) => lines.filter(({ map }) => map === 'served: log')
      map.set('a', 1)
      map.clear()
      const first = ofMap(
        await until(
          () => ask('/log'),
          answer => ofMap(answer).length === 1
        )
      )[0]
      assert.deepEqual([first.code, first.details], ['map.cleared', { entries: 1 }])
      map.clear()
      const { time, lines } = await until(
        () => ask(`/log?after=${first.number}`),
        ({ lines }) => lines.length > 0
      )
      assert.ok(time >= lines[0].time && lines.every(({ number }) => number > first.number))
    })
    map.close()
  })

  it('asks the program for its figures, in whatever thread, and says what does not answer', async () => {
    const end = registerSource('figures', () => ({ waiting: 3, label: 'x'.repeat(500), inner: {} }))
    const endFailing = registerSource('failing', async () => {
      throw new Error('out of order')
    })
    const worker = startWorker(async ({ port }) => {
      const { registerSource } = require(`${process.cwd()}/inspector.js`)
      const { threadId } = require('node:worker_threads')
      registerSource('worker', () => ({ number: threadId }))
      port.postMessage(threadId)
      await new Promise(resolve => port.once('message', resolve))
    })
    const number = await nextMessage(worker)
    await serving({}, async ask => {
      const named = ({ threads }, name) => threads.find(source => source.name === name)
      const all = await until(
        () => ask('/stats'),
        state => ['figures', 'failing', 'worker'].every(name => named(state, name))
      )
      assert.deepEqual(named(all, 'figures').figures, { waiting: 3, label: 'x'.repeat(200), inner: 'object' })
      assert.equal(named(all, 'failing').error, 'out of order')
      assert.deepEqual(named(all, 'worker').figures, { number })
      assert.ok(all.threads.some(({ thread, name }) => thread === number && name === null))
      end()
      await until(
        () => ask('/stats'),
        state => named(state, 'figures') === undefined
      )
      worker.postMessage('end')
      await worker.exit
      await until(
        () => ask('/stats'),
        ({ threads }) => !threads.some(({ thread }) => thread === number)
      )
    })
    endFailing()
  })

  it('shows what a source throws, whatever that is', async () => {
    const unreadable = () => {
      throw new Error('no such table')
    }
    const thrown = {
      text: 'out of paper',
      'of another realm': runInNewContext('new Error("of another realm")'),
      nothing: undefined,
      'without words': new Error(''),
      'a getter that throws': Object.defineProperty(new Error('x'), 'message', { get: unreadable }),
      'no text': Object.assign(new Error('x'), { message: { toString: unreadable } }),
      'a proxy that throws': new Proxy({}, { get: unreadable, getPrototypeOf: unreadable })
    }
    const ends = Object.entries(thrown).map(([name, what]) =>
      registerSource(name, () => {
        throw what
      })
    )
    await serving({}, async ask => {
      const { threads } = await until(
        () => ask('/stats'),
        state => Object.keys(thrown).every(name => state.threads.some(source => source.name === name))
      )
      const errors = Object.fromEntries(threads.map(({ name, error }) => [name, error]))
      assert.equal(errors.text, 'out of paper')
      assert.equal(errors['of another realm'], 'of another realm')
      for (const name of Object.keys(thrown).slice(2)) assert.equal(errors[name], 'the source threw', name)
    })
    for (const end of ends) end()
  })

  it('has no source that was removed, although its answer comes after that', async () => {
    let answer
    const end = registerSource('late', () => new Promise(resolve => (answer = resolve)))
    await serving({}, async ask => {
      while (answer === undefined) await new Promise(setImmediate)
      end()
      answer({ waiting: 3 })
      // What was asked after the answer is answered after it.
      const endLater = registerSource('later', () => ({}))
      const { threads } = await until(
        () => ask('/stats'),
        state => state.threads.some(({ name }) => name === 'later')
      )
      endLater()
      assert.ok(!threads.some(({ name }) => name === 'late'))
    })
  })

  it('asks a source that has not answered no second time, and shows that it does not answer', async () => {
    let [calls, answer] = [0, undefined]
    const end = registerSource('hangs', () => {
      calls++
      return new Promise(resolve => (answer = resolve))
    })
    await serving({}, async ask => {
      const source = ({ threads }) => threads.find(({ name }) => name === 'hangs')
      const silent = await until(
        () => ask('/stats'),
        state => source(state)?.isSilent
      )
      assert.equal(source(silent).error, 'the source has not answered yet')
      assert.equal(calls, 1)
      answer({ waiting: 3 })
      const { threads } = await until(
        () => ask('/stats'),
        state => source(state).figures !== undefined
      )
      assert.deepEqual(source({ threads }).figures, { waiting: 3 })
      assert.equal(source({ threads }).error, undefined)
      while (calls < 2) await new Promise(setImmediate)
    })
    end()
    answer({})
  })

  it('answers while the main thread is blocked, and shows for how long', async () => {
    const inspector = await serveInspector({ interval: 100 })
    const shared = new SharedArrayBuffer(4)
    const worker = startWorker(
      async ({ data: { url, token, shared } }) => {
        const headers = { Authorization: `Bearer ${token}` }
        const blocked = new Int32Array(shared)
        const answer = async () => (await fetch(new URL('/stats', url), { headers })).json()
        const main = ({ threads }) => threads.find(({ thread, name }) => thread === 0 && name === null)
        for (;;) if (main(await answer()) !== undefined) break
        Atomics.store(blocked, 0, 1)
        try {
          for (;;) {
            const { agoMs } = main(await answer())
            if (agoMs > 1_000) return agoMs
          }
        } finally {
          Atomics.store(blocked, 0, 2)
          Atomics.notify(blocked, 0)
        }
      },
      { url: inspector.url, token: inspector.token, shared }
    )
    const blocked = new Int32Array(shared)
    while (Atomics.load(blocked, 0) === 0) await new Promise(resolve => setTimeout(resolve, 5))
    // This thread does nothing else until the other one has seen it.
    Atomics.wait(blocked, 0, 1)
    assert.ok((await worker.result) > 1_000)
    await worker.exit
    await inspector.close()
  })

  it('tells the thread that serves it which one was blocked, itself too', async () => {
    const lines = []
    const inspector = await serveInspector({ interval: 100, onLog: line => lines.push(line) })
    const headers = { Authorization: `Bearer ${inspector.token}` }
    const isAsked = ({ threads }) => threads.some(({ thread, name }) => thread === 0 && name === null)
    await until(async () => (await fetch(new URL('/stats', inspector.url), { headers })).json(), isAsked)
    while (lines.length < 2) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500)
      await new Promise(resolve => setTimeout(resolve, 500))
    }
    const [{ time, message, ...blocked }, answers] = lines
    const { silentMs } = blocked.details
    assert.deepEqual(blocked, {
      level: 'warn',
      target: 'typedmap.performance',
      code: 'thread.blocked',
      details: { thread: 0, silentMs }
    })
    assert.ok(silentMs >= 1_500 && time <= answers.time)
    assert.deepEqual([answers.code, answers.level, answers.details.thread], ['thread.answers', 'info', 0])
    await inspector.close()
  })

  it('keeps no process alive, and ends with its close', async () => {
    const script = `
      const { serveInspector } = require('./inspector.js')
      serveInspector().then(({ url }) => console.log(url))`
    const { status, stdout } = await run(process.execPath, ['--eval', script], { cwd: PACKAGE, timeout: 60_000 })
    assert.equal(status, 0)
    assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}\n$/)
    const { url, close } = await serveInspector()
    await close()
    await close()
    const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
    const [error] = await once(socket, 'error')
    assert.equal(error.code, 'ECONNREFUSED')
  })

  it('makes a token for each, and does without where only this machine reaches it', async () => {
    const [one, other] = await Promise.all([serveInspector(), serveInspector()])
    assert.notEqual(one.token, other.token)
    await Promise.all([one.close(), other.close()])
    for (const host of ['127.0.0.1', 'localhost']) {
      await serving({ token: false, host }, async (ask, { url, token }) => {
        assert.equal(token, false)
        assert.doesNotMatch(url, /token/)
        assert.equal(typeof (await ask('/stats')).time, 'number')
      })
    }
  })

  it('refuses options that are none, without showing a token', async () => {
    for (const options of [
      { token: false, host: '0.0.0.0' },
      { token: false, host: '10.1.2.3' },
      { token: 'short' },
      { token: `${'x'.repeat(20)} y` },
      { token: 7 },
      { port: -1 },
      { port: '80' },
      { host: 'a b' },
      { host: 7 },
      { values: 1 },
      { interval: 1 },
      { allowedHosts: 'x' },
      { allowedHosts: ['a/b'] },
      { logLevel: 'loud' },
      { logTargets: ['typedmap.other'] },
      { onLog: 'console' },
      { other: 1 },
      null
    ]) {
      await assert.rejects(serveInspector(options), error => {
        assert.equal(error.code, 'ERR_INVALID_OPTION')
        assert.doesNotMatch(error.message, /short|xxxx/)
        return true
      })
    }
  })

  it('says why it cannot listen', async () => {
    await serving({}, async (_, { url }) => {
      await assert.rejects(serveInspector({ port: Number(new URL(url).port) }), { code: 'EADDRINUSE' })
    })
  })

  it('refuses sources that are none', () => {
    const end = registerSource('once', () => ({}))
    for (const [name, fn] of [
      ['once', () => ({})],
      ['', () => ({})],
      ['x'.repeat(65), () => ({})],
      [7, () => ({})],
      ['other', 7]
    ]) {
      assert.throws(() => registerSource(name, fn), { code: 'ERR_INVALID_OPTION' })
    }
    end()
    end()
    registerSource('once', () => ({}))()
    const fn = () => ({})
    const endFirst = registerSource('once', fn)
    endFirst()
    const endSecond = registerSource('once', fn)
    endFirst()
    assert.throws(() => registerSource('once', fn), { code: 'ERR_INVALID_OPTION' }, 'the second is still there')
    endSecond()
  })
})
