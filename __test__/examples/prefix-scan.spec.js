'use strict'

require('../support/sound.js')
const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { SharedListing, globOf } = require('../../examples/prefix-scan/shared-listing.js')
const { TypedMap } = require('../..')
const { runExample } = require('../support/examples.js')

const NAME = 'prefix-scan spec'
const ROWS = 5_000

const keysOf = stdout => stdout.split('\n').filter(Boolean).sort()

async function* rows() {
  for (let i = 0; i < ROWS; i++) yield [`${i % 2 === 0 ? 'user' : 'order'}:${i}`, String(i)]
}

describe('examples/prefix-scan', { timeout: 120_000 }, () => {
  it('each entry that matches is on one page, whichever worker answers and whatever else comes and goes', async () => {
    const listing = new SharedListing({ name: NAME })
    const map = TypedMap.open(NAME)
    await listing.fill(rows())
    assert.equal(listing.size, ROWS)

    const seen = []
    let pages = 0
    for await (const page of listing.pages({ match: 'user:*', count: 50 })) {
      pages++
      seen.push(...page)
      for (let i = 0; i < 200; i++) map.set(`user:passing ${pages} ${i}`, '')
      for (let i = 0; i < 200; i++) map.delete(`user:passing ${pages} ${i}`)
    }
    assert.ok(pages > 4, `${pages} pages`)
    const stayed = seen.filter(([key]) => !key.includes('passing'))
    assert.deepEqual(
      stayed.map(([key, value]) => `${key} ${value}`).sort(),
      Array.from({ length: ROWS / 2 }, (_, i) => `user:${2 * i} ${2 * i}`).sort()
    )
    map.close()
    await listing.close()
  })

  it('a prefix is meant as it is', async () => {
    assert.equal(globOf('a*b?[c]\\'), 'a\\*b\\?\\[c]\\\\*')
    const input = 'a*b\na*\nacb\n[x]1\nx1\n\\1\n'
    assert.deepEqual(keysOf((await runExample('prefix-scan', ['a*'], { input })).stdout), ['a*', 'a*b'])
    assert.deepEqual(keysOf((await runExample('prefix-scan', ['[x]'], { input })).stdout), ['[x]1'])
    assert.deepEqual(keysOf((await runExample('prefix-scan', ['\\'], { input })).stdout), ['\\1'])
  })

  it('--glob takes a glob', async () => {
    const input = 'user:1:name\tAda\nuser:2:name\nuser:2:mail\ta@b\tc\n\nsession:1\n'
    const { status, stdout, stderr } = await runExample('prefix-scan', ['--glob', 'user:[1-2]:*a[im]*'], { input })
    assert.equal(status, 0, stderr)
    assert.deepEqual(keysOf(stdout), ['user:1:name\tAda', 'user:2:mail\ta@b\tc', 'user:2:name'])
    assert.match(stderr, /^3 of 4 keys/)
  })

  it('finds nothing: status 1', async () => {
    const { status, stdout, stderr } = await runExample('prefix-scan', ['user:'], { input: 'session:1\n' })
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /^0 of 1 keys/)
  })

  for (const [args, problem] of [
    [[], /a PREFIX is missing/],
    [['a', 'b', 'c'], /not also 'c'/],
    [['--count', '0', 'a'], /--count must be a whole number from 1 to 4096, not '0'/],
    [['--workers', 'x', 'a'], /--workers/],
    [['--globb', 'a'], /--globb/],
    [['a', 'no such file'], /no such file: no such file or directory/],
    [['--glob', 'a'.repeat(1_025)], /a glob of at most 1024 characters/]
  ]) {
    it(`${args.join(' ').slice(0, 40) || 'no argument'} is refused with a sentence`, async () => {
      const { status, stdout, stderr } = await runExample('prefix-scan', args)
      assert.deepEqual([status, stdout], [2, ''])
      assert.match(stderr, problem)
      assert.doesNotMatch(stderr, /^\s+at /m)
    })
  }

  it('says how it is used', async () => {
    const { status, stdout, stderr } = await runExample('prefix-scan', ['--help'])
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(stdout, /--glob/)
  })
})
