'use strict'

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { Worker } = require('node:worker_threads')
const { TypedMap } = require('typed-superdashmap')

describe('a map', () => {
  it('gives what was put in', () => {
    const map = new TypedMap([['a', { b: 1 }]])
    assert.deepEqual(map.get('a'), { b: 1 })
  })

  it('is shared with a worker', async () => {
    const map = TypedMap.open('mocha')
    const body = `require('typed-superdashmap').TypedMap.open('mocha').set('from', 'a worker')`
    await once(new Worker(body, { eval: true }), 'exit')
    assert.equal(map.get('from'), 'a worker')
  })
})
