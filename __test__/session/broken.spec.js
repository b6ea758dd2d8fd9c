'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { binding } = require('../../lib/native/attach.js')
const { throwsTyped } = require('../support/errors.js')
const { inWorker } = require('../support/workers.js')
const { runNode } = require('../support/processes.js')

require('../support/sound.js')

/** A map whose native part has panicked under a lock. */
function brokenMap(name) {
  const map = TypedMap.open(name)
  map.set('a', { b: 1 })
  const handle = map.insert([1])
  // Copies are at hand, and shall not be read any more.
  assert.deepEqual([map.get('a'), map.get(handle)], [{ b: 1 }, [1]])
  const { id } = binding.open(name, '{}')
  throwsTyped(() => binding.panicForTest(id), 'ERR_BROKEN')
  binding.close(id)
  return { map, handle }
}

describe('a panic in Rust', () => {
  it('breaks the map it happened in, which refuses further use', () => {
    const { map, handle } = brokenMap('broken: every use')
    const uses = {
      get: () => map.get('a'),
      size: () => map.size,
      'get of another key': () => map.get('b'),
      'get by handle': () => map.get(handle),
      getByHandle: () => map.getByHandle(handle),
      has: () => map.has('a'),
      'has by handle': () => map.has(handle),
      set: () => map.set('a', 2),
      insert: () => map.insert(1),
      insertWithHandle: () => map.insertWithHandle('c', 1),
      replace: () => map.replace(handle, 1),
      delete: () => map.delete('a'),
      'delete by handle': () => map.delete(handle),
      remove: () => map.remove('a'),
      clear: () => map.clear(),
      getHandle: () => map.getHandle('a'),
      getOrInsert: () => map.getOrInsert('a', 1),
      getOrInsertComputed: () => map.getOrInsertComputed('c', () => 1),
      getMany: () => map.getMany(['a']),
      setMany: () => map.setMany([['a', 1]]),
      insertMany: () => map.insertMany([1]),
      deleteMany: () => map.deleteMany(['a']),
      updateMany: () => map.updateMany([['a', 1]]),
      peek: () => map.peek('a'),
      'peek by handle': () => map.peek(handle),
      ttlOf: () => map.ttlOf('a'),
      touch: () => map.touch(handle),
      memoryUsage: () => map.memoryUsage(),
      'memoryUsage of an entry': () => map.memoryUsage('a'),
      explain: () => map.explain('a'),
      purgeExpired: () => map.purgeExpired(),
      evict: () => map.evict(),
      setLimits: () => map.setLimits({ maxValueBytes: 5 }),
      onEvict: () => map.onEvict(() => {}),
      onChange: () => map.onChange(() => {}),
      onPressure: () => map.onPressure(() => {}),
      iteration: () => [...map],
      forEach: () => map.forEach(() => {})
    }
    for (const [name, use] of Object.entries(uses)) {
      const error = throwsTyped(use, 'ERR_BROKEN')
      assert.equal(error.number, 1020, name)
    }
    map.close()
  })

  it('does not affect other maps, and frees the name once all have closed', () => {
    const other = new TypedMap([['a', 1]])
    const { map } = brokenMap('broken: others')
    assert.equal(other.get('a'), 1)
    other.set('b', 2)
    assert.equal(other.size, 2)
    map.close()
    const next = TypedMap.open('broken: others')
    assert.equal(next.size, 0)
    next.set('a', 1)
    assert.equal(next.get('a'), 1)
    next.close()
  })

  it('is reported to every thread that has the map open', async () => {
    const { map } = brokenMap('broken: threads')
    const codes = await inWorker(({ TypedMap }) => {
      const map = TypedMap.open('broken: threads')
      const codeOf = use => {
        try {
          use()
          return 'none'
        } catch (error) {
          return error.code
        }
      }
      return [codeOf(() => map.get('a')), codeOf(() => map.set('b', 1)), codeOf(() => map.clear())]
    })
    assert.deepEqual(codes, ['ERR_BROKEN', 'ERR_BROKEN', 'ERR_BROKEN'])
    map.close()
  })

  it('does not end the process, and writes nothing of its own to the console', async () => {
    const { status, signal, stdout } = await runNode(`
      const { binding } = require(${JSON.stringify(require.resolve('../../lib/native/attach.js'))})
      const map = TypedMap.open('broken')
      const { id } = binding.open('broken', '{}')
      try {
        binding.panicForTest(id)
      } catch (error) {
        console.log(error.code)
      }
      map.destroy()
      console.log('alive')`)
    assert.equal(signal, null)
    assert.equal(status, 0)
    assert.equal(stdout, 'ERR_BROKEN\nalive\n')
  })
})
