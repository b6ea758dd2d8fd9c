'use strict'

// `npm run bench:stalls` measures the own time of every public method. This spec checks that none is missing.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const api = require('../..')
const { ROWS, publicSurface } = require('../../benchmark/stalls/rows.js')

require('../support/sound.js')

describe('stalls: rows', () => {
  it('there is one for everything public', () => {
    const surface = publicSurface(api)
    const missing = surface.filter(name => !(name in ROWS))
    assert.deepEqual(missing, [], 'public, and not measured: add a row to benchmark/stalls/rows.js')
    const gone = Object.keys(ROWS).filter(name => !surface.includes(name))
    assert.deepEqual(gone, [], 'measured, and not public')
  })

  it('a method that is added is missed', () => {
    class Grown extends api.TypedMap {}
    Object.defineProperty(Grown.prototype, 'brandNew', { value() {} })
    const surface = publicSurface({ ...api, TypedMap: Grown })
    assert.ok(surface.includes('TypedMap.prototype.brandNew'))
    assert.ok(!('TypedMap.prototype.brandNew' in ROWS))
  })

  it('each can be called', () => {
    const map = new api.TypedMap({ maxEntries: 10_000 })
    for (let key = 0; key < 5_000; key++) map.set(key, key)
    for (const [name, rows] of Object.entries(ROWS)) {
      // Values of 100 MB take long and are measured only.
      for (const row of rows.filter(({ what = '' }) => !what.includes('100 MB'))) {
        const own = row.spends ? new api.TypedMap([[0, 0]]) : map
        assert.doesNotThrow(() => row.call(own, 1, row.before?.(own, 1) ?? {}), `${name} ${row.what ?? ''}`)
      }
    }
    map.close()
    api.TypedMap.open('stalls').destroy()
  })
})
