'use strict'

// What a map looks like to tools that look at objects: the console, deep equality, cloning.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { inspect, isDeepStrictEqual } = require('node:util')
const worker = require('node:worker_threads')
const { TypedMap } = require('../..')
const { binding } = require('../../lib/native/attach.js')
const { throwsTyped } = require('../support/errors.js')

require('../support/sound.js')

describe('inspect', () => {
  it('shows name, size, memory and a few entries', () => {
    const map = TypedMap.open('inspected', { memoryLimit: '64mb' })
    map.set('a', 1).set('b', { deep: { er: { and: { deeper: 1 } } } })
    map.insert('keyless')
    const text = inspect(map)
    assert.match(text, /^TypedMap\(3\) 'inspected' <[\d.]+ KB of 64 MB> \{/)
    assert.match(text, /'a' => 1/)
    assert.match(text, /'b' => \{ deep: \{ er: \[Object\] \} \}/)
    assert.match(text, /Handle \{[\s\S]*\} => 'keyless'/)
    map.close()
  })

  it('of a map without name, entries or limit shows less', () => {
    const map = new TypedMap()
    assert.match(inspect(map), /^TypedMap\(0\) <[\d.]+ KB> \{\}$/)
    map.close()
  })

  it('shows how well reads hit, once there were any', () => {
    const map = new TypedMap([['a', { n: 1 }]], { memoryLimit: '64mb' })
    assert.ok(!inspect(map).includes('hits'))
    for (let n = 0; n < 7; n++) map.get('a')
    map.get('b')
    assert.match(inspect(map), /^TypedMap\(1\) <[\d.]+ KB of 64 MB, 88 % hits> \{ 'a' => \{ n: 1 \} \}$/)
    assert.deepEqual([map.getStats().hits, map.getStats().misses], [7, 1])
    map.close()
  })

  it('goes by the options of inspect', () => {
    const map = new TypedMap(Array.from({ length: 8 }, (_, n) => [n, { list: [n, n], more: { n } }]))
    const shown = options => inspect(map, options).replace(/<.*?>/, '<>')
    assert.equal(inspect(map, { depth: -1 }), '[TypedMap]')
    assert.match(shown({ depth: 0 }), /^TypedMap\(8\) <> \{\n {2}0 => \[Object\],\n/)
    assert.match(shown({ depth: 1 }), /\n {2}0 => \{ list: \[Array\], more: \[Object\] \},\n/)
    assert.match(shown({ depth: null }), /\n {2}0 => \{ list: \[ 0, 0 \], more: \{ n: 0 \} \},\n/)
    assert.match(shown({ depth: 0, breakLength: Number.POSITIVE_INFINITY }), /^[^\n]*, \.\.\. 3 more items \}$/)
    assert.match(
      shown({ depth: 1, compact: false }),
      /\n {2}0 => \{\n {4}list: \[Array\],\n[\s\S]*\n {2}\.\.\. 3 more items\n\}$/
    )
    const counted = most =>
      [shown({ maxArrayLength: most, depth: 0 })].map(text => [
        text.match(/=>/g)?.length ?? 0,
        ...text.match(/\d+ more items?/g)
      ])[0]
    assert.deepEqual(counted(2), [2, '6 more items'])
    assert.deepEqual(counted(0), [0, '8 more items'])
    assert.deepEqual(counted(null), [5, '3 more items'])
    assert.deepEqual(counted(Number.POSITIVE_INFINITY), [5, '3 more items'])
    assert.ok(inspect(map, { colors: true }).includes(`${inspect(0, { colors: true })} => `))
    map.close()
  })

  it('is short, however much there is, and decodes nothing that is large', () => {
    const map = new TypedMap()
    for (let n = 0; n < 1_000; n++) map.set(n, n)
    assert.match(
      inspect(map),
      /^TypedMap\(1000\) <.*> \{ 0 => 0, 1 => 1, 2 => 2, 3 => 3, 4 => 4, \.\.\. 995 more items \}$/
    )
    map.clear()
    map
      .set('small', 1)
      .set('large', 'x'.repeat(3_000_000))
      .set('document', { list: Array(100_000).fill(1) })
    const text = inspect(map)
    assert.match(text, /'large' => <2\.9 MB>/)
    assert.match(text, /'document' => <19\d(\.\d)? KB>/)
    assert.ok(text.length < 200)
    map.close()
  })

  it('fits into lines and into other objects', () => {
    const map = new TypedMap(Array.from({ length: 9 }, (_, n) => [`a key of some length ${n}`, { n }]))
    const text = inspect({ inside: map })
    assert.match(text, /^\{\n {2}inside: TypedMap\(9\) <.*> \{\n {4}'a key of some length 0' => \{ n: 0 \},\n/)
    assert.match(text, /\n {4}\.\.\. 4 more items\n {2}\}\n\}$/)
    assert.match(inspect({ a: { b: { c: map } } }), /c: \[TypedMap\]/)
    assert.match(inspect(map, { compact: false }), /4 more items/)
    map.close()
  })

  it('never throws, whatever became of the map', () => {
    const closed = new TypedMap([['a', 1]])
    closed.close()
    assert.equal(inspect(closed), 'TypedMap <ERR_CLOSED> {}')
    const [destroyed, other] = [1, 2].map(() => TypedMap.open('inspected: destroyed'))
    other.destroy()
    for (const map of [destroyed, other]) assert.equal(inspect(map), "TypedMap 'inspected: destroyed' <ERR_CLOSED> {}")
    destroyed.close()
    const broken = TypedMap.open('inspected: broken')
    const { id } = binding.open('inspected: broken', '{}')
    throwsTyped(() => binding.panicForTest(id), 'ERR_BROKEN')
    binding.close(id)
    assert.equal(inspect(broken), "TypedMap 'inspected: broken' <ERR_BROKEN> {}")
    broken.close()
    const map = new TypedMap([['a', 1]])
    for (const like of [Object.create(map), new Proxy(map, {}), TypedMap.prototype, TypedMap]) {
      assert.equal(typeof inspect(like), 'string')
    }
    map.close()
  })

  it('shows the class that it is', () => {
    class Sessions extends TypedMap {}
    const map = new Sessions([['a', 1]])
    assert.match(inspect(map), /^Sessions\(1\) /)
    map.close()
  })

  it('counts as no read and evicts nothing', () => {
    const map = new TypedMap([['a', { b: 1 }]], { maxEntries: 10 })
    const before = map.getStats()
    inspect(map)
    const after = map.getStats()
    assert.deepEqual([after.hits, after.misses, after.evictions], [before.hits, before.misses, before.evictions])
    map.close()
  })
})

describe('deep equality', () => {
  it('distinguishes different maps, and finds one map equal to itself', () => {
    const [one, other] = [new TypedMap([[1, 2]]), new TypedMap([[1, 2]])]
    assert.equal(isDeepStrictEqual(one, other), false)
    assert.throws(() => assert.deepStrictEqual(one, other), assert.AssertionError)
    assert.equal(isDeepStrictEqual({ map: one }, { map: one }), true)
    const named = [1, 2].map(() => TypedMap.open(`deep equality ${process.pid}`))
    assert.equal(isDeepStrictEqual(...named), true)
    for (const map of [one, other, ...named]) map.close()
  })

  it('looks at a property that cannot be changed, and adds none that has a name', () => {
    const map = new TypedMap()
    assert.deepEqual(Object.keys(map), [])
    const [symbol, ...others] = Reflect.ownKeys(map)
    assert.equal(typeof symbol, 'symbol')
    assert.deepEqual(others, [])
    assert.equal(Reflect.set(map, symbol, 1), false)
    assert.equal(Reflect.deleteProperty(map, symbol), false)
    map.close()
  })
})

describe('a map that is cloned', {
  skip: worker.markAsUncloneable === undefined && 'Node cannot forbid it here'
}, () => {
  it('is an error, not an empty object', () => {
    const map = new TypedMap([['a', 1]])
    const { port1 } = new MessageChannel()
    for (const clone of [structuredClone, value => port1.postMessage(value)]) {
      assert.throws(() => clone(map), { name: 'DataCloneError' })
      assert.throws(() => clone({ inside: [map] }), { name: 'DataCloneError' })
    }
    port1.close()
    map.close()
  })
})
