'use strict'

// One thread may evaluate the package more than once: test runners do for each file, in realms of their own or not,
// and each bundle brings its own. All of them work, at the same time, and are collected when nothing reaches them.

const { after, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const first = require('../..')
const { evaluateAgain, evaluateInRealm } = require('../support/evaluations.js')
const { runNode } = require('../support/processes.js')
const { until } = require('../support/turns.js')
const { PACKAGE } = require('../support/workers.js')

require('../support/sound.js')

let names = 0
const freshName = () => `evaluations ${process.pid} ${++names}`

/** A map that is full, and a write that it refuses. */
function refused(TypedMap) {
  const map = new TypedMap([['a', 1]], { maxEntries: 1, oomStrategy: 'reject' })
  try {
    map.set('b', 1)
  } catch (error) {
    return { map, error }
  }
  throw new Error('it was not refused')
}

for (const [how, evaluate] of [
  ['in the same realm', evaluateAgain],
  ['in a realm of its own', evaluateInRealm]
]) {
  describe(`a second evaluation ${how}`, { timeout: 300_000 }, () => {
    const second = evaluate()
    const third = evaluate()
    const all = [first, second, third]
    const maps = []
    after(() => {
      for (const map of maps) map.close()
    })

    it('works next to the first, call by call', () => {
      assert.notEqual(first.TypedMap, second.TypedMap)
      const own = all.map(({ TypedMap }, n) => new TypedMap([['a', { n }]]))
      maps.push(...own)
      for (let round = 0; round < 3; round++) {
        for (const [n, map] of own.entries()) {
          assert.equal(map.get('a').n, n)
          map.set('b', round).set('a', { n, round })
          assert.deepEqual(Object.keys(map.get('a')), ['n', 'round'])
          assert.equal(map.get('a'), map.get('a'))
          assert.equal(map.peek('b'), round)
          assert.equal(map.size, 2)
          assert.equal([...map.keys()].join(), 'a,b')
        }
      }
      const many = own.map((map, n) =>
        map
          .setMany([
            ['x', n],
            ['y', { n }]
          ])
          .getMany(['x', 'y', 'z'])
      )
      for (const [n, [x, y, z]] of many.entries()) assert.deepEqual([x, y.n, z], [n, n, undefined])
    })

    it('has its own near caches: they share no copies', () => {
      const name = freshName()
      const open = all.map(({ TypedMap }) => TypedMap.open(name))
      maps.push(...open)
      for (let n = 0; n < 50; n++) {
        open[n % 3].set('a', { n })
        for (const map of open) assert.equal(map.get('a').n, n)
      }
    })

    it('throws errors of its own classes', () => {
      for (const { TypedMap, TypedMapError } of all) {
        const { map, error } = refused(TypedMap)
        assert.ok(error instanceof TypedMapError)
        assert.equal(Object.getPrototypeOf(error), TypedMapError.prototype)
        assert.equal(error.code, 'ERR_MEMORY_LIMIT')
        map.close()
        // A closed map throws the error of its own evaluation, also in less frequent calls.
        for (const use of [() => map.get('a'), () => map.clear(), () => map.getStats(), () => map.evict()]) {
          assert.throws(use, error => error.code === 'ERR_CLOSED' && error instanceof TypedMapError)
        }
      }
    })

    it('knows the handles of the others', () => {
      const name = freshName()
      const open = all.map(({ TypedMap }) => TypedMap.open(name))
      maps.push(...open)
      assert.equal(second.Handle, first.Handle)
      const handles = open.map((map, n) => map.insert({ n }))
      for (const map of open) {
        for (const [n, handle] of handles.entries()) {
          assert.equal(map.get(handle).n, n)
          assert.equal(map.get(map.handle(structuredClone(handle))).n, n)
          assert.ok(map.has(handle))
        }
      }
      open[1].replace(handles[0], { n: 'changed' })
      for (const map of open) assert.equal(map.get(handles[0]).n, 'changed')
      assert.ok(open[2].delete(handles[0]))
      for (const map of open) assert.equal(map.get(handles[0]), undefined)
    })

    it('a handle asks the evaluation that made it, and no other', () => {
      const name = freshName()
      const open = all.map(({ TypedMap }) => TypedMap.open(name))
      const handles = open.map((map, n) => map.insert({ n }))
      for (let round = 0; round < 3; round++) {
        for (const [n, handle] of handles.entries()) {
          const value = handle.get()
          assert.equal(value.n, n)
          assert.equal(handle.get(), value)
          assert.equal(open[n].get(handle), value)
          assert.equal(open[(n + 1) % 3].handle(handle).get().n, n)
        }
      }
      const hits = open.map(map => map.getStats().nearCache.hits)
      assert.ok(
        hits.every(count => count === hits[0] && count >= 8),
        `${hits}`
      )
      open[1].close()
      assert.throws(
        () => handles[1].get(),
        error => error instanceof second.TypedMapError && error.code === 'ERR_CLOSED'
      )
      for (const n of [0, 2]) assert.equal(handles[n].get().n, n)
      assert.equal(open[0].handle(handles[1]).get().n, 1)
      for (const n of [0, 2]) open[n].close()
    })

    it('has listeners of its own, which all hear of one map', async () => {
      const name = freshName()
      const heard = []
      const open = all.map(({ TypedMap }) =>
        TypedMap.open(name, { maxEntries: 1, shards: 1, evictionStrategy: 'fifo' })
      )
      const changes = []
      for (const [n, map] of open.entries()) {
        map.onEvict(({ key }) => heard.push(`${key} in ${n}`))
        map.onChange(({ key }) => changes.push(`${key} in ${n}`), { causes: ['created'] })
      }
      open[1].set('a', 1).set('b', 2)
      await until(() => heard.length === 3)
      assert.deepEqual(heard.sort(), ['a in 0', 'a in 1', 'a in 2'])
      open[1].close()
      open[0].set('c', 3)
      await until(() => heard.length === 5)
      assert.deepEqual(heard.slice(3).sort(), ['b in 0', 'b in 2'])
      await until(() => changes.length === 8)
      assert.deepEqual(changes.slice(6).sort(), ['c in 0', 'c in 2'])
      for (const map of open) map.close()
    })

    it('returns objects of its own realm', () => {
      const [map] = [
        new second.TypedMap([
          ['bytes', new Uint8Array([1, 2])],
          ['text', 'x']
        ])
      ]
      maps.push(map)
      const bytes = map.get('bytes')
      map.set('object', { list: [1] })
      const { constructor: OwnArray } = map.get('object').list
      const realm = new OwnArray().constructor.constructor('return globalThis')()
      assert.equal(Object.getPrototypeOf(bytes), realm.Uint8Array.prototype)
      assert.ok(second.TypedMap.names() instanceof OwnArray)
      assert.ok(map.getMany(['text']) instanceof OwnArray)
    })
  })
}

describe('evaluations that nothing reaches', { timeout: 300_000 }, () => {
  /** Evaluates the package many times in realms, uses each as `use` says, and returns the heap bytes that one keeps. */
  const script = use => `
    const { evaluateInRealm } = require(${JSON.stringify(require.resolve('../support/evaluations.js'))})
    ;(async () => {
      const collect = async () => {
        for (let round = 0; round < 4; round++) {
          gc()
          await new Promise(resolve => setTimeout(resolve, 5))
        }
      }
      const alive = new Set()
      const gone = new FinalizationRegistry(n => alive.delete(n))
      const once = n => {
        const evaluation = evaluateInRealm()
        alive.add(n)
        gone.register(evaluation.TypedMap, n)
        ;(${use})(evaluation.TypedMap, n)
      }
      for (let n = 0; n < 30; n++) {
        once(n)
        if (n % 10 === 9) await collect()
      }
      // Finalizers run in turns of the event loop.
      for (let looks = 0; alive.size > 3 && looks < 10; looks++) await collect()
      console.log(JSON.stringify({ alive: alive.size, names: TypedMap.names() }))
    })().catch(error => { console.error(error); process.exit(1) })`
  const outcome = async use => {
    const { status, stdout, stderr } = await runNode(script(use), { flags: ['--expose-gc'] })
    assert.equal(stderr, '')
    assert.equal(status, 0)
    return JSON.parse(stdout)
  }

  it('are collected with their maps, and named maps stay in the thread', async () => {
    const { alive, names } = await outcome(`(TypedMap, n) => {
      new TypedMap([['a', { n }]]).get('a')
      TypedMap.open('of all').set(n, { n })
      const map = new TypedMap()
      map.onEvict(() => {})()
      map.onChange(() => {})()
      map.onError(() => {})()
      map.close()
    }`)
    assert.ok(alive <= 3, `${alive} of 30 are alive`)
    assert.deepEqual(names, ['of all'])
  })

  for (const method of ['onEvict', 'onChange']) {
    it(`stay as long as they listen by ${method}`, async () => {
      const { alive } = await outcome(`(TypedMap, n) => {
        TypedMap.open('listened to').${method}(() => {})
      }`)
      assert.equal(alive, 30)
    })
  }
})

describe('an addon that is loaded a second time in a thread', { timeout: 300_000 }, () => {
  it('shares names, and handles by their data, in the main thread and in a worker that is terminated', async () => {
    const { status, signal, stdout, stderr } = await runNode(`
      const { Worker } = require('node:worker_threads')
      const { once } = require('node:events')
      const PACKAGE = ${JSON.stringify(PACKAGE)}
      const twice = \`
        const first = require(\${JSON.stringify(PACKAGE)})
        for (const file of Object.keys(require.cache)) delete require.cache[file]
        const both = [first, require(\${JSON.stringify(PACKAGE)})]
        const maps = both.map(({ TypedMap }) => TypedMap.open('twice'))
        let heard = 0
        for (const map of maps) map.onEvict(() => heard++, { causes: ['explicit'] })\`
      const use = new Function('require', twice + \`
        maps[0].set('a', { n: 1 })
        const handle = maps[0].getHandle('a')
        const seen = [maps[1].get('a').n, maps[1].get(maps[1].handle(handle)).n]
        maps[1].delete('a')
        return { maps, seen, heard: () => heard }\`)
      ;(async () => {
        const { maps, seen, heard } = use(require)
        while (heard() < 2) await new Promise(resolve => setTimeout(resolve, 1))
        console.log(seen.join(), heard())
        for (let round = 0; round < 5; round++) {
          const worker = new Worker(\`\${twice}
            for (const map of maps) map.set('b', 1).delete('b')
            require('node:worker_threads').parentPort.postMessage('ready')
            setInterval(() => { for (const map of maps) map.set('b', 1).delete('b') }, 0)\`, { eval: true })
          await once(worker, 'message')
          await worker.terminate()
        }
        console.log(maps[0].getStats().threads)
      })().catch(error => { console.error(error); process.exit(1) })`)
    assert.equal(stderr, '')
    assert.equal(signal, null)
    assert.equal(status, 0)
    assert.equal(stdout, '1,1 2\n2\n')
  })
})

describe('the raw operations of an evaluation', { timeout: 300_000 }, () => {
  it('outlive whatever a program does with what belongs to them', async () => {
    const { status, signal, stdout, stderr } = await runNode(
      `
      const loaded = require(${JSON.stringify(require.resolve('../../lib/addon/load.js'))})
      const raised = []
      const attach = () => loaded.attach(
        (number, details) => Object.assign(new Error(details), { number }),
        () => {},
        (receive, array, from, to) => { raised.push(receive); receive(...array.slice(from, to)) },
        (array, ...values) => array.push(...values),
        {}
      )
      const attempt = job => {
        try { return job() } catch (error) { return error.number ?? error.code ?? error.name }
      }
      const settle = async () => {
        for (let round = 0; round < 5; round++) {
          gc()
          await new Promise(resolve => setTimeout(resolve, 5))
        }
      }
      ;(async () => {
        // Arguments that make no sense.
        for (const given of [[], [1, 2, 3, 4, 5], [() => {}], [{}, {}, {}, {}, {}]]) {
          attempt(() => loaded.attach(...given))
        }
        // A scratch array that is sent away, where Node lets that happen.
        const { get, set, size, getMany, evaluation, scratch } = attach()
        const { id } = loaded.open(evaluation, null, '{}')
        set(id, 'a', 1, 5)
        attempt(() => void structuredClone(scratch.buffer, { transfer: [scratch.buffer] }))
        await settle()
        console.log(get(id, 'a'), size(id))
        // What an operation needs stays with it, alone and whatever is done to it.
        console.log(attempt(() => { 'use strict'; delete get.kept }), attempt(() => { 'use strict'; get.kept = 1 }))
        // Ids that are of no map, and of another evaluation.
        const other = attach()
        console.log([0, 1, id + 1, 2 ** 32 - 1, -1, 'x', undefined].map(id => attempt(() => get(id, 'a'))).join())
        console.log(
          attempt(() => other.get(id, 'a')),
          attempt(() => loaded.clear(7)),
          attempt(() => loaded.stats(other.evaluation))
        )
        // The function that is passed to spread, after its call and after its evaluation.
        getMany(id, ['a'], new Uint32Array(12))
        await settle()
        for (const receive of raised) receive(1, 2, 3)
        console.log('alive')
      })().catch(error => { console.error(error); process.exit(1) })`,
      { flags: ['--expose-gc'] }
    )
    assert.equal(stderr, '')
    assert.equal(signal, null)
    assert.equal(status, 0)
    const lines = stdout.trim().split('\n')
    assert.deepEqual(lines, [
      '1 1',
      'TypeError TypeError',
      '1010,1010,1010,1010,1010,ERR_INTERNAL,ERR_INTERNAL',
      '1010 GenericFailure 1010',
      'alive'
    ])
  })
})
