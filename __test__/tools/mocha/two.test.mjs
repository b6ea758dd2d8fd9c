import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { TypedMap } from 'typed-superdashmap'

describe('an imported map', () => {
  it('is the one that is required', () => {
    assert.equal(createRequire(import.meta.url)('typed-superdashmap').TypedMap, TypedMap)
  })

  it('expires', async () => {
    const map = new TypedMap({ ttl: 5 })
    map.set('a', 1)
    while (map.has('a')) await new Promise(resolve => setTimeout(resolve, 1))
    assert.equal(map.get('a'), undefined)
  })
})
