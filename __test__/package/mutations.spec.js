'use strict'

// The list of mutations keeps up with the source: what each of them changes is still there, once, and so is the test
// that catches it. Whether it catches it is for `npm run test:mutations`, which takes minutes.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { MUTATIONS, TESTS } = require('../mutations.js')

const root = path.join(__dirname, '..', '..')
const read = file => fs.readFileSync(path.join(root, file), 'utf8')

/** All Rust source, for names of tests. */
const rust = fs
  .readdirSync(path.join(root, 'src'), { recursive: true })
  .filter(file => String(file).endsWith('.rs'))
  .map(file => read(path.join('src', String(file))))
  .join('\n')

describe('mutations', () => {
  for (const { name, file, from, to, test } of MUTATIONS) {
    it(`${name}: its line is there, once`, () => {
      assert.equal(read(file).split(from).length - 1, 1, `${file} should have this once:\n${from}`)
      assert.notEqual(from, to)
      assert.ok(Object.hasOwn(TESTS, test), `there is no test ${test}`)
    })
  }

  it('have names of their own', () => {
    assert.equal(new Set(MUTATIONS.map(({ name }) => name)).size, MUTATIONS.length)
  })

  it('have tests that exist', () => {
    for (const [name, { rust: filter, spec }] of Object.entries(TESTS)) {
      if (filter !== undefined) assert.match(rust, new RegExp(`(fn|mod) ${filter.split('::').at(-1)}\\b`), name)
      if (spec !== undefined) assert.ok(fs.existsSync(path.join(root, spec)), name)
    }
  })
})
