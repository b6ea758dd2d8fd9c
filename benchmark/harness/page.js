'use strict'

/* Targets beside what was measured: as rows of a table, and as the page with those of all committed results. */

const { writeFileSync } = require('node:fs')
const { join, relative, sep } = require('node:path')
const { QUESTIONS } = require('../questions.js')
const { describeMachine } = require('./machine.js')
const { isMet } = require('./question.js')
const { readResults } = require('./results.js')
const { markdownTable, significant } = require('./table.js')

const TARGET_HEADER = ['what', 'target', 'measured', '']

/** Where targets come from: the questions, and the replay of traces. */
const SOURCES = [...QUESTIONS, 'traces']

function targetRow(target) {
  const { what, atLeast, got, unit, note } = target
  const limit = atLeast === undefined ? `≤ ${target.atMost}` : `≥ ${atLeast}`
  const verdict = isMet(target) ? 'met' : 'missed'
  return [what, limit + unit, significant(got) + unit, note === undefined ? verdict : `${verdict} (${note})`]
}

/** The page with all targets: of this run, and of earlier ones where this one asked only some questions. */
function writePage(directory) {
  const parts = readResults(directory, SOURCES).map(({ title, date, machine: where, versions: what, targets }) =>
    [
      `## ${title}`,
      markdownTable(TARGET_HEADER, targets.map(targetRow)),
      `${date}, ${describeMachine(where)}, Node.js ${what.node}, typed-superdashmap ${what['typed-superdashmap']}`
    ].join('\n\n')
  )
  const readme = relative(directory, join(__dirname, '..', 'README.md')).replaceAll(sep, '/')
  const head =
    '# Targets\n\nWritten by `npm run bench:targets` and `npm run bench:traces`.\n' +
    `How the numbers are made is in [${readme}](${readme}).`
  writeFileSync(join(directory, 'targets.md'), `${[head, ...parts].join('\n\n')}\n`)
}

module.exports = { TARGET_HEADER, targetRow, writePage }
