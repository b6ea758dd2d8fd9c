'use strict'

// Where the stack ends, a call fails with an error, and the process lives. Each call is made at each depth from the
// end of the stack upwards, so that it runs out of stack in each of its parts.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { readFileSync, readdirSync } = require('node:fs')
const path = require('node:path')
const { runNode } = require('../support/processes.js')

/** Depths above the end of the stack at which a call is made. One level is a small frame, about a hundred bytes. */
const LEVELS = 1_000

/** Run in a process of its own: what it tests would end it. */
const PRELUDE = `
  const assert = require('node:assert/strict')
  function atTheEnd(call) {
    let above = 0
    const failures = new Map()
    function descend() {
      try {
        descend()
      } catch {}
      if (above++ > ${LEVELS}) return
      try {
        call()
      } catch (error) {
        const name = error?.code ?? error?.name ?? String(error)
        failures.set(name, (failures.get(name) ?? 0) + 1)
      }
    }
    descend()
    return failures
  }
  const named = 'stack-end'
  const map = TypedMap.open(named, { maxEntries: 100, ttl: 60_000 })
  const fill = () => { for (let n = 0; n < 50; n++) map.set(n, n % 2 === 0 ? { n, list: [n, { n }] } : 'text ' + n) }
  fill()
  const handle = map.insert({ a: 1 }, { type: 'A' })
  const dead = map.insert(1)
  map.delete(dead)
  const full = new TypedMap({ maxEntries: 1, oomStrategy: 'reject' })
  full.set('a', 1)
  const asked = new TypedMap({ maxEntries: 1, oomStrategy: map => { map.clear() } })
  const coded = new TypedMap({ maxEntries: 100, codec: 'v8' })
  coded.set(0, new Map([[1, new Date(5)]]))
  const closed = new TypedMap()
  closed.close()
  const checkSound = async () => {
    for (const one of [map, full, asked, coded]) assert.deepEqual(await one.validate(), { ok: true, problems: [] })
  }
`

const CALLS = {
  reads: `
    map.get(0), map.get('none'), map.get(handle), map.get(handle, 'A'),
    map.get(0, { copy: true }), map.has(0), map.peek(0),
    map.getByHandle(handle), map.getMany([0, 1, handle, 'none']), map.getHandle(1), map.ttlOf(0),
    map.memoryUsage(0), map.size`,
  writes: `
    map.set(0, { a: [1, { b: 2 }] }), map.set('text', 'x'.repeat(100)), map.insert([1]), map.replace(handle, { a: 2 }),
    map.getOrInsert('new', { a: 1 }), map.getOrInsertComputed('new 2', () => ({ a: 1 })), map.insertWithHandle('b', 1n),
    map.touch(0, { ttl: 5_000 }), map.delete('text'), map.remove(1)`,
  batches: `
    map.setMany([[1, 1], ['two', { two: 2 }], [3n, 'x']]), map.insertMany([1, { a: 1 }], { type: 'B' }),
    map.updateMany([[1, 2], [handle, { a: 3 }]]), map.deleteMany([3n, 'none'])`,
  walks: `void [...map].length, map.forEach(() => {}), [...map.keys()].length`,
  'limits and statistics': `
    map.getStats(), map.setLimits({ maxEntries: 100 }), map.evict(1), map.purgeExpired(), map.reserve(10),
    map.shrinkToFit()`,
  making: `
    new TypedMap({ memoryLimit: '1.5 mb', ttl: 5 }).close(), new TypedMap([[1, { a: 1 }]]).close(),
    TypedMap.open(named, { maxEntries: 100 }).close(), TypedMap.names(), TypedMap.groupBy([1, 2], n => n % 2).close()`,
  listeners: `
    map.onEvict(() => {})(), map.onError(() => {})(), map.onLog(() => {})(), map.onPressure(() => {})(),
    map.onChange(() => {}, { match: 'a*' })()`,
  'reads with a codec': `
    coded.get(0), coded.peek(0), coded.getMany([0, 'none']), [...coded.values()].length, coded.scan('0').cursor`,
  'writes with a codec': `
    coded.set(0, new Map([[1, new Date(5)]])), coded.setMany([[1, new Set([1n])]]), coded.insert([1]),
    coded.getOrInsert('new', /x/), coded.update(0, value => value), coded.remove('new')`,
  functions: `asked.set('a', 1), asked.set('b', 2)`,
  clearing: `map.clear()`
}

const FAILURES = {
  'a key that is none': `map.get({})`,
  'a value that is none': `map.set('a', { b: [1, { c: 1n }] })`,
  'a promise': `map.set('a', { b: Promise.resolve(1) })`,
  'a cycle': `(() => { const cycle = { a: [] }; cycle.a.push(cycle); map.set('a', cycle) })()`,
  'a toJSON that throws': `map.set('a', { toJSON() { throw new Error('no') } })`,
  'a value that a codec refuses': `coded.set('a', { b: () => 1 })`,
  'a field of a value of a codec': `coded.get(0, { at: '/a' })`,
  'a dead handle': `map.replace(dead, 1)`,
  'another type': `map.get(handle, 'B')`,
  'another map': `full.replace(handle, 1)`,
  'a full map': `full.set('b', 1)`,
  'a batch that stops': `full.setMany([['a', 1], ['b', 2], ['c', 3]])`,
  'a closed map': `closed.get('a')`,
  'an unknown option': `new TypedMap({ maxEntrees: 1 })`,
  'an option out of range': `new TypedMap({ memoryLimit: '-5mb' })`,
  'an option that differs': `TypedMap.open(named, { maxEntries: 5 })`,
  'a name that is none': `TypedMap.open('\\ud800')`,
  'a handle that is none': `map.handle({ map: 1, shard: 'x' })`
}

describe('at the end of the stack', () => {
  for (const [what, calls] of Object.entries(CALLS)) {
    it(`${what} fail with an error and work again after`, async () => {
      const { status, signal, stdout, stderr } = await runNode(`${PRELUDE}
        const failures = atTheEnd(() => { ${calls} })
        assert.ok(failures.size > 0, 'the stack was long enough for everything')
        ${calls}
        ;(async () => {
          await checkSound()
          map.clear()
          map.set('after', { a: [1] })
          assert.deepEqual(map.get('after'), { a: [1] })
          assert.deepEqual([...map], [['after', { a: [1] }]])
          console.log('lived', [...failures])
        })()`)
      assert.equal(status, 0, `${signal} ${stdout} ${stderr}`)
      assert.match(stdout, /lived/)
    })
  }

  for (const [what, call] of Object.entries(FAILURES)) {
    it(`${what} is an error`, async () => {
      const { status, signal, stdout, stderr } = await runNode(`${PRELUDE}
        const failures = atTheEnd(() => { ${call} })
        assert.ok(failures.size > 0)
        assert.throws(() => { ${call} }, TypedMapError)
        map.set('after', { a: [1] })
        assert.deepEqual(map.get('after'), { a: [1] })
        checkSound().then(() => console.log('lived', [...failures]))`)
      assert.equal(status, 0, `${signal} ${stdout} ${stderr}`)
      assert.match(stdout, /lived/)
    })
  }

  // What is called where exactly the stack ends follows from its size.
  for (const kilobytes of [600, 700, 800, 900, 984, 1_000]) {
    it(`a value that writes itself until there is no stack left is an error, in ${kilobytes} KB`, async () => {
      const script = `
        const map = new TypedMap()
        let depth = 0
        const value = {
          toJSON() {
            if (depth++ < 40_000) map.set('key ' + depth, value)
            return depth
          }
        }
        try {
          map.set('a', value)
        } catch (error) {
          console.log('threw', error.name)
        }
        map.set('after', { a: [1] })
        console.log(map.get('after'))`
      const { status, signal, stdout, stderr } = await runNode(script, { flags: [`--stack-size=${kilobytes}`] })
      assert.equal(status, 0, `${signal} ${stdout} ${stderr}`)
      assert.match(stdout, /threw (RangeError|TypeError)\n\{ a: \[ 1 \] \}/)
    })
  }

  it('lib/ uses no regular expression, which V8 would compile there and abort', () => {
    const folder = path.join(__dirname, '..', '..', 'lib')
    // Those that answer requests of the inspector do so at the bottom of a stack, in a thread of its own.
    const answering = ['entry.js', 'guard.js'].map(file => path.join('inspector', file))
    // What a browser runs is no part of it either.
    const page = path.join('inspector', 'page')
    const isCalled = file => file.endsWith('.js') && !answering.includes(file) && !file.startsWith(page)
    const files = readdirSync(folder, { recursive: true }).filter(isCalled)
    assert.ok(files.length > 20, `only ${files.length} files`)
    for (const file of files) {
      const source = readFileSync(path.join(folder, file), 'utf8')
      assert.doesNotMatch(
        source,
        /[=(,:?[] *\/[^/*\s].*\/[dgimsuvy]*[\s.,;)\]]|RegExp\(|\.(match|matchAll|search)\(/,
        file
      )
    }
  })
})
