'use strict'

// The table of tools: its rows in `__test__/tools/results.json`, and as Markdown in the README.

const fs = require('node:fs')
const path = require('node:path')
const { FOLDER, GROUPS, NOTHING } = require('./fixtures.js')
const { RUNTIMES, sentenceOf } = require('./runtimes.js')

const RESULTS = path.join(FOLDER, 'results.json')
const README = path.join(FOLDER, '..', '..', 'README.md')
const BEGIN = '<!-- tools: begin (npm run test:tools) -->'
const END = '<!-- tools: end -->'

/**
 * @typedef {object} Row
 * @property {typeof GROUPS[number]} group
 * @property {string} title
 * @property {Record<string, string>} packages name to version, the tool first
 * @property {string} node version
 * @property {string} system
 * @property {string} version of our package
 * @property {boolean} passes
 * @property {string} needs
 */

/** @typedef {Record<string, Row>} Rows by the name of the fixture, in the order of the table */

/** @returns {Rows} */
function readRows() {
  return fs.existsSync(RESULTS) ? JSON.parse(fs.readFileSync(RESULTS, 'utf8')) : {}
}

/** The first package is the tool. Without any the tool is a part of Node.js. @param {Row} row */
const versionOf = ({ packages }) => Object.values(packages)[0] ?? 'of Node.js'

/** @param {Rows} rows */
function tableOf(rows) {
  const lines = ['| | tool | version | Node.js | result | needs |', '|---|---|---|---|---|---|']
  for (const group of GROUPS) {
    const members = Object.entries(rows).filter(([, row]) => row.group === group)
    members.forEach(([name, row], at) => {
      const node = name in RUNTIMES ? '' : row.node
      const result = row.passes ? 'works' : '**fails**'
      const needs = row.needs === NOTHING ? '' : row.needs
      lines.push(
        `| ${at === 0 ? `${group}s` : ''} | ${row.title} | ${versionOf(row)} | ${node} | ${result} | ${needs} |`
      )
    })
  }
  return lines.join('\n')
}

/** What stands between the markers. @param {Rows} rows */
function sectionOf(rows) {
  const of = (/** @type {'system' | 'version'} */ field) =>
    [...new Set(Object.values(rows).map(row => row[field]))].join(', ')
  const source = `\`npm run test:tools\`, version ${of('version')}, ${of('system')}.`
  return [BEGIN, tableOf(rows), '', source, '', sentenceOf(), END].join('\n')
}

/** @param {string} text of the README */
function sectionIn(text) {
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`README.md has no lines '${BEGIN}' and '${END}'`)
  return text.slice(begin, end + END.length)
}

/** Writes both. @param {Rows} rows */
function writeRows(rows) {
  fs.writeFileSync(RESULTS, `${JSON.stringify(rows, null, 2)}\n`)
  const text = fs.readFileSync(README, 'utf8')
  fs.writeFileSync(
    README,
    text.replace(sectionIn(text), () => sectionOf(rows))
  )
}

module.exports = { README, readRows, sectionIn, sectionOf, writeRows }
