'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { TypedMap } = require('typed-superdashmap')

test('faked timers do not stop the map', t => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'] })
  const map = new TypedMap({ maxEntries: 2, ttl: 60_000 })
  map.set('a', 1).set('b', 2).set('c', 3)
  assert.equal(map.size, 2)
  assert.equal(map.get('c'), 3)
})

test('a deadline passes without a timer of the process', async () => {
  const map = new TypedMap({ ttl: 5 })
  map.set('a', 1)
  while (map.has('a')) await new Promise(resolve => setTimeout(resolve, 1))
  assert.equal(map.get('a'), undefined)
})
