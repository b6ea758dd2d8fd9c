'use strict'

// The table of tools is the one that was measured: fixtures, results and README agree. What the fixtures run is
// `npm run test:tools`, which takes minutes and a registry.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const { GROUPS, readFixtures } = require('../../scripts/tools/fixtures.js')
const { readBun, readDeno } = require('../../scripts/tools/runtimes.js')
const { README, readRows, sectionIn, sectionOf } = require('../../scripts/tools/table.js')

const fixtures = readFixtures()
const rows = readRows()

describe('the table of tools', () => {
  it('has a row for each fixture, in its order', () => {
    assert.ok(fixtures.length > 0)
    assert.deepEqual(
      Object.keys(rows),
      fixtures.map(({ name }) => name)
    )
  })

  for (const { name, title, group, needs, packages, run } of fixtures) {
    it(`says of ${name} what its fixture says, and that it works`, () => {
      assert.ok(GROUPS.includes(group), `${group} is none of ${GROUPS}`)
      assert.equal(typeof run, 'function')
      for (const version of Object.values(packages))
        assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, 'exact versions')
      const row = rows[name]
      assert.deepEqual(
        { title: row?.title, group: row?.group, needs: row?.needs, packages: row?.packages },
        { title, group, needs, packages },
        `run npm run test:tools -- --only ${name}`
      )
      assert.ok(row.passes, `${name} fails`)
    })
  }

  it('stands in the README as it was written', () => {
    assert.equal(sectionIn(readFileSync(README, 'utf8')), sectionOf(rows))
  })

  it('would not pass with another table in the README', () => {
    const [first] = Object.keys(rows)
    const changed = { ...rows, [first]: { ...rows[first], passes: !rows[first].passes } }
    assert.notEqual(sectionIn(readFileSync(README, 'utf8')), sectionOf(changed))
  })
})

describe('the reports of other runtimes', () => {
  it('of Bun are read, failures once', () => {
    const text =
      '(pass) a > b [2.00ms]\n(pass) a > c\n(fail) a > d [5.00ms]\n\n1 tests failed:\n(fail) a > d [5.00ms]\n'
    assert.deepEqual(readBun('', text), { passed: 2, failed: ['a > d'] })
  })

  it('of Deno are read, tests within suites and those that print', () => {
    const text = [
      'running 3 tests from ./a.spec.js',
      'a ...',
      '  one ... ok (2ms)',
      '  inner ...',
      '    two ... FAILED (1ms)',
      '  inner ... FAILED (due to 1 failed step) (2ms)',
      '  three ...',
      '------- output -------',
      'SEED=1',
      '----- output end -----',
      '  three ... ok (500ms)',
      'a ... FAILED (due to 1 failed step) (1s)',
      'alone ... ok (1ms)',
      '',
      ' ERRORS ',
      '',
      'a ... inner ... two ... FAILED (1ms)'
    ]
    assert.deepEqual(readDeno(text.join('\n')), { passed: 3, failed: ['two'] })
  })
})
