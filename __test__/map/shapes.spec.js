'use strict'

require('../support/sound.js')

// Shapes come and go below values that stay: an object whose shape made room for another is written as text, and a
// record whose shape is gone is read again. What users see is the same in each case.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const v8 = require('node:v8')
const { runInNewContext } = require('node:vm')
const { TypedMap } = require('../../index.js')
const { Shapes } = require('../../lib/codec/shapes.js')
const { RECORD_AREA_BYTES } = require('../../lib/native/layout.js')

/** Shapes that a map knows at most. */
const MOST_SHAPES = 4_095

/** Writes until objects with this name are records. */
function publish(map, name) {
  for (let n = 0; n < 3; n++) map.set('passing', { [name]: n })
}

/** A map whose table is full, and in which the first shapes made room for the last. */
function crowdedMap() {
  const map = new TypedMap({ nearCache: false })
  for (let n = 0; n < MOST_SHAPES + 300; n++) publish(map, `name ${n}`)
  map.delete('passing')
  return map
}

describe('shapes', { timeout: 300_000 }, () => {
  it('an object is stored without its names from the second of its kind on', () => {
    const map = new TypedMap({ nearCache: false })
    const named = n => ({ aRatherLongName: n, anotherRatherLongName: `${n}` })
    for (let n = 0; n < 100; n++) map.set(n, named(n))
    assert.deepEqual([map.getStats().shapes.count, map.getStats().shapes.values], [1, 99])
    assert.ok(map.memoryUsage(99) < map.memoryUsage(0))
    for (let n = 0; n < 100; n++) assert.deepEqual(map.get(n), named(n))
    map.close()
  })

  it('statistics say how many objects are text, and why', () => {
    const map = new TypedMap()
    for (let n = 0; n < 4; n++) map.set('small', { n })
    for (let n = 0; n < 3; n++) map.set('large', { text: 'x'.repeat(70_000) })
    map.set('mixed', [1, 'x']).set('names', ['a', 'b']).set('numbers', [1, 2]).set('date', new Date(0))
    assert.deepEqual(map.getStats().shapes.texts, { first: 2, names: 0, refused: 0, large: 2, other: 3 })
    for (let n = 0; n < 1_000; n++) map.set('dictionary', { [`name ${n}`]: n })
    const { first, names } = map.getStats().shapes.texts
    assert.ok(names > 500 && first + names === 1_002, `${first} and ${names}`)
    map.close()
  })

  it('a dictionary with a name per user does not fill the table, nor the memory of the thread', () => {
    const map = new TypedMap({ nearCache: false })
    for (let n = 0; n < 20_000; n++) map.set(n % 100, { [`user ${n}`]: n, [`other ${n}`]: { [`inner ${n}`]: 1 } })
    assert.equal(map.getStats().shapes.count, 0)
    for (let n = 0; n < 100; n++) map.set(n, { known: n })
    assert.ok(map.getStats().shapes.count === 1, 'what comes back still gets a shape')
    map.close()
  })

  it('one object does not fill the tree of names: of a huge one only the first are learnt', () => {
    const map = new TypedMap({ nearCache: false })
    const wide = Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`name ${n}`, n]))
    map.set('wide', wide)
    assert.deepEqual(map.getStats().shapes.texts, { first: 0, names: 1, refused: 0, large: 0, other: 0 })
    assert.deepEqual(map.get('wide'), wide)
    map.close()
  })

  it('beyond the bound nothing fails: objects are text', () => {
    const map = new TypedMap({ nearCache: false })
    for (let n = 0; n < MOST_SHAPES + 200; n++) {
      for (let again = 0; again < 3; again++) map.set(n, { [`name ${n}`]: n })
    }
    const { count, texts } = map.getStats().shapes
    assert.ok(count === MOST_SHAPES && texts.refused > 200, `${count} shapes, ${texts.refused} refused`)
    for (let n = 0; n < MOST_SHAPES + 200; n++) assert.deepEqual(map.get(n), { [`name ${n}`]: n })
    map.close()
  })

  it('an object whose shape made room for another is written all the same, in every way', async () => {
    const ways = {
      set: (map, value) => map.set('key', value).get('key'),
      getOrInsert: (map, value) => map.getOrInsert('key', value),
      getOrInsertComputed: (map, value) => map.getOrInsertComputed('key', () => value),
      insert: (map, value) => map.get(map.insert(value)),
      insertWithHandle: (map, value) => map.get(map.insertWithHandle('key', value)),
      replace: (map, value) => {
        const handle = map.insert(1)
        return map.replace(handle, value).get(handle)
      },
      setMany: (map, value) =>
        map
          .setMany([
            ['a', 'x'],
            ['key', value],
            ['b', { name: 1 }]
          ])
          .get('key'),
      updateMany: (map, value) => {
        map.set('key', 1)
        assert.equal(
          map.updateMany([
            ['none', value],
            ['key', value]
          ]),
          1
        )
        return map.get('key')
      },
      insertMany: (map, value) => map.get(map.insertMany([1, 'x', value, { name: 1 }, value])[4])
    }
    for (const [way, write] of Object.entries(ways)) {
      const map = crowdedMap()
      const { count } = map.getStats().shapes
      assert.equal(count, MOST_SHAPES)
      for (let n = 0; n < 3; n++) {
        assert.deepEqual(write(map, { [`name ${n}`]: n }), { [`name ${n}`]: n }, way)
        map.delete('key')
      }
      // The names are known as those of shapes that have gone, until one of them is found out.
      publish(map, 'name 0')
      assert.deepEqual(write(map, { 'name 1': 'again' }), { 'name 1': 'again' }, way)
      assert.deepEqual(await map.validate(), { ok: true, problems: [] })
      map.close()
    }
  })

  it('a record whose shape is gone by the time it is decoded is read again, in every way', () => {
    const { layoutOf } = Shapes.prototype
    const value = { host: 'a', port: 1 }
    const map = new TypedMap({ nearCache: false })
    map.setMany(Array.from({ length: 5 }, (_, n) => [n, value]))
    map.setMany(Array.from({ length: 5 }, (_, n) => [n, value]))
    const handle = map.getHandle(3)
    const ways = [
      () => map.get(3),
      () => map.get(handle),
      () => handle.get(),
      () => map.get(3, { copy: true }),
      () => map.get(handle, { copy: true }),
      () => map.get(3, { at: '' }),
      () => map.get(handle, { at: '', copy: true }),
      () => map.peek(3),
      () => map.getOrInsert(3, 1),
      () => map.getOrInsertComputed(3, () => 1),
      () => map.getMany([handle])[0],
      () => map.getMany([1, 3])[1],
      () => [...map.values()][3],
      () => [...map][3][1]
    ]
    try {
      for (const read of ways) {
        let misses = 2
        Shapes.prototype.layoutOf = function (number) {
          return misses-- > 0 ? undefined : layoutOf.call(this, number)
        }
        assert.deepEqual(read(), value, String(read))
        assert.ok(misses < 1, String(read))
      }
    } finally {
      Shapes.prototype.layoutOf = layoutOf
    }
    map.close()
  })

  it('records of a batch outlast writes by the code of its values, and by functions that make room', () => {
    const map = new TypedMap({ nearCache: false, maxEntries: 50, evictionStrategy: candidates => candidates[0] })
    const plain = n => ({ host: `host ${n}`, port: n })
    for (let n = 0; n < 3; n++) map.set('passing', plain(n))
    const meddling = n => ({
      host: `host ${n}`,
      get port() {
        for (let m = 0; m < 5; m++) map.set('passing', plain(-m))
        return n
      }
    })
    const entries = Array.from({ length: 40 }, (_, n) => [n, n % 3 === 0 ? meddling(n) : plain(n)])
    map.setMany(entries)
    for (let n = 0; n < 40; n++) assert.deepEqual(map.get(n), plain(n))
    map.close()

    const full = new TypedMap({
      nearCache: false,
      maxEntries: 10,
      evictionStrategy: candidates => {
        full.peek(candidates[0].key)
        for (const key of full.keys()) full.set(key, plain(-1))
        return candidates.find(({ key }) => key !== 'last')
      }
    })
    for (let n = 0; n < 30; n++) full.set(n, plain(n))
    full.set('last', plain('last'))
    assert.deepEqual(full.get('last'), plain('last'))
    const handles = full.insertMany([plain('a'), plain('b')])
    assert.deepEqual(full.get(handles[1]), plain('b'))
    full.close()
  })

  it('one batch after the other is stored as records, in every way to write one', () => {
    const plain = n => ({ host: `host ${n}`, port: n })
    const entries = Array.from({ length: 100 }, (_, n) => [n, plain(n)])
    const values = entries.map(([, value]) => value)
    const full = { maxEntries: 50, evictionStrategy: candidates => candidates[0].key }
    for (const [how, write, options] of [
      ['setMany', map => map.setMany(entries)],
      ['updateMany', map => map.updateMany(entries)],
      ['insertMany', map => map.insertMany(values)],
      ['setMany into a full map', map => map.setMany(entries), full]
    ]) {
      const map = new TypedMap({ nearCache: false, ...options })
      map.setMany(entries)
      // Ten times what the memory through which records cross has room for.
      for (let bytes = 0; bytes < 10 * RECORD_AREA_BYTES; bytes += 100 * 10) write(map)
      const { large, other, names, refused } = map.getStats().shapes.texts
      assert.deepEqual({ large, other, names, refused }, { large: 0, other: 0, names: 0, refused: 0 }, how)
      map.destroy()
    }
  })

  it('names that objects inherit are set where a program has frozen what is inherited', () => {
    const code = `
      const assert = require('node:assert')
      const { TypedMap } = require(${JSON.stringify(require.resolve('../../index.js'))})
      Object.freeze(Object.prototype)
      const map = new TypedMap({ nearCache: false })
      const text = '{"toString":1,"constructor":"x","a":{"valueOf":2,"__proto__":{"b":3}}}'
      for (let n = 0; n < 5; n++) map.set(n, JSON.parse(text))
      assert.equal(map.getStats().shapes.values, 4)
      for (let n = 0; n < 5; n++) assert.equal(JSON.stringify(map.get(n)), text)`
    const { status, stderr } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
  })

  it('a field that a program keeps does not keep a long value alive', () => {
    v8.setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc')
    const map = new TypedMap({ nearCache: false })
    const long = 'x'.repeat(30_000)
    const kept = []
    const heap = () => {
      gc()
      return process.memoryUsage().heapUsed
    }
    const value = n => ({ title: `a title of some length ${n}`, body: long + n })
    for (let n = 0; n < 5; n++) map.set('key', value(n))
    const before = heap()
    for (let n = 0; n < 1_000; n++) {
      map.set('key', value(n))
      kept.push(map.get('key').title)
    }
    const grown = heap() - before
    assert.equal(map.getStats().shapes.values, 1)
    assert.equal(kept[999], 'a title of some length 999')
    assert.ok(grown < 3_000_000, `${grown} bytes for 1,000 titles`)
    map.close()
  })

  it('the same map in several threads, and in two evaluations of the package, has one table', async () => {
    const { Worker } = require('node:worker_threads')
    const map = TypedMap.open('shapes of several threads', { nearCache: false })
    const code = `
      const { TypedMap } = require(${JSON.stringify(require.resolve('../../index.js'))})
      const map = TypedMap.open('shapes of several threads', { nearCache: false })
      for (let n = 0; n < 500; n++) map.set(n, { host: 'h' + n, port: n, ['own ' + n % 3]: { deep: [n, n + 1] } })
      map.close()`
    await Promise.all(
      Array.from({ length: 3 }, () => {
        const worker = new Worker(code, { eval: true })
        return new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
      })
    )
    assert.equal(map.getStats().shapes.count, 3)
    for (let n = 0; n < 500; n++) {
      assert.deepEqual(map.get(n), { host: `h${n}`, port: n, [`own ${n % 3}`]: { deep: [n, n + 1] } })
    }
    map.close()
  })
})
