'use strict'

// The table of what the specification asks for: each file, each title and each row of a benchmark that it names is
// there, and a figure is as far met as it says.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { existsSync, readFileSync } = require('node:fs')
const path = require('node:path')
const { isMet } = require('../../benchmark/harness/question.js')

const PACKAGE = path.join(__dirname, '..', '..')

/** The tests of section 11.1, and how many figures 11.2 has rows for at least. */
const TESTS = `
  hashtable_creation memory_pool_integration insert_operations lookup_operations remove_operations
  concurrent_access rwlock_performance lock_contention
  operation_timing memory_efficiency hash_distribution load_factor_management
  plugin_hashtable history_deduplication key_sequence_management display_system_integration
  memory_allocation_failure lock_failure_recovery data_corruption_detection
  high_load_performance memory_pressure_handling concurrent_stress
`
const FIGURES = ['Insert operations', 'Lookup operations', 'Remove operations', 'Memory overhead', 'Load factor']
const FIGURE_OF_LOCKS = 'Thread safety'

const readme = readFileSync(path.join(__dirname, '..', 'README.md'), 'utf8')
const section = /^## The tests of the specification\n(.*?)^## /ms.exec(readme)[1]

/** The cells of each row of a table that begins with such a head. */
function rowsAfter(head) {
  const [, table] = section.split(`${head}\n`)
  const rows = table.split('\n\n')[0].split('\n').slice(1)
  return rows.map(row =>
    row
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim())
  )
}

/** Whether a file has a test of this title, which may be made of parts. */
function hasTest(file, title) {
  const place = file.startsWith('src/') ? path.join(PACKAGE, file) : path.join(__dirname, '..', file)
  if (!existsSync(place)) return false
  const text = readFileSync(place, 'utf8')
  return file.startsWith('src/')
    ? text.includes(`fn ${title}()`)
    : new RegExp(`\\b(it|test)\\([^\\n]*${literal(title)}`).test(text)
}

const literal = text => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

function targetOf(question, what) {
  const file = path.join(PACKAGE, 'benchmark', 'results', `${question}.json`)
  assert.ok(existsSync(file), `${question} is no question with a result`)
  const { targets } = JSON.parse(readFileSync(file, 'utf8'))
  const target = targets.find(target => target.what === what)
  assert.ok(target, `${question} has no row *${what}*`)
  return target
}

describe('what the specification asks for', () => {
  const rows = rowsAfter('| asked for | kept by |')

  it('has a row for each test', () => {
    const names = TESTS.trim().split(/\s+/)
    assert.deepEqual(
      rows.map(([name]) => name),
      names.map(name => `\`test_${name}\``)
    )
  })

  for (const [name, keptBy] of rows) {
    it(`${name}: each spec and each row that keeps it is there`, () => {
      const references = keptBy.split('; ')
      for (const reference of references) {
        const [, kind = '', place, title] = /^(benchmark )?`([^`]+)`: \*(.+)\*$/.exec(reference) ?? []
        assert.ok(place, `no reference: ${reference}`)
        if (kind !== '') targetOf(place, title)
        else assert.ok(hasTest(place, title), `${place} has no test *${title}*`)
      }
    })
  }

  const figures = rowsAfter('| figure | benchmark and row | result |')

  it('has a row for each figure', () => {
    for (const name of [...FIGURES, FIGURE_OF_LOCKS]) {
      assert.ok(
        figures.some(([figure]) => figure.startsWith(name)),
        name
      )
    }
  })

  for (const [figure, row, result] of figures) {
    it(`${figure}, ${row}: the result is what was measured`, () => {
      const [, question, what] = /^`([^`]+)`: \*(.+)\*$/.exec(row)
      assert.equal(result.split(' ')[0], isMet(targetOf(question, what)) ? 'met' : 'missed')
    })
  }
})
