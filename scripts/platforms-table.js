'use strict'

// Writes __test__/platforms.md: what was run as a program of another platform, what passed, and what differs.

const { readFileSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { DIFFERENCES, NOT_RUN } = require('../__test__/platform-differences.js')

const FILE = path.join(__dirname, '..', '__test__', 'platforms.md')

/**
 * @typedef {object} Result
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {readonly { name: string, why: string }[]} failures
 * @property {string} ended
 *
 * @typedef {{ by: string, node: string, files: Record<string, Result>, rust?: Result }} Results
 */

/** @param {Result} result */
const isWhole = ({ failed, ended }) => failed === 0 && ended === 'status 0'

/** Why a file, or all tests of the store, may differ on a platform. @param {string} name @param {string} subject */
const reasonFor = (name, subject) =>
  Object.entries(DIFFERENCES[name] ?? {}).find(([part]) => subject.includes(part))?.[1]

/** @param {readonly string[]} cells */
const row = cells => `| ${cells.join(' | ')} |`

/** @param {Results} results */
function totals({ files }) {
  const all = Object.values(files)
  const sum = (/** @type {'passed' | 'failed' | 'skipped'} */ what) =>
    all.reduce((total, result) => total + result[what], 0)
  return {
    files: all.length,
    whole: all.filter(isWhole).length,
    passed: sum('passed'),
    failed: sum('failed'),
    skipped: sum('skipped')
  }
}

/** @param {string} name @param {Results} results @param {number} all */
function summary(name, results, all) {
  const { files, whole, passed, failed, skipped } = totals(results)
  const { rust } = results
  const store = rust ? `${rust.passed} of ${rust.passed + rust.failed}` : 'not run'
  const specs = `${whole} of ${files}${files < all ? ` that were run, of ${all}` : ''}`
  return row([`\`${name}\``, results.by, results.node, specs, `${passed}`, `${failed}`, `${skipped}`, store])
}

/** The part of the page about one platform. @param {string} name @param {Results} results */
function details(name, results) {
  const subjects = [
    ...Object.entries(results.files),
    ...(results.rust ? [/** @type {const} */ (['the store in Rust', results.rust])] : [])
  ]
  const rows = subjects.flatMap(([subject, result]) => {
    if (isWhole(result)) return []
    const end = result.ended === 'status 0' || result.ended === 'status 1' ? '' : `, ${result.ended}`
    const counts = `${result.passed} passed, ${result.failed} failed${end}`
    const why = reasonFor(name, subject) ?? '**not explained**'
    return row([subject.replace('__test__/', ''), counts, why])
  })
  if (rows.length === 0) return ''
  const table = [row(['file', 'result', 'why']), '|---|---|---|', ...rows]
  return `\n## What differs on \`${name}\`\n\n${table.join('\n')}\n`
}

/**
 * Writes the page; returns whether something failed that has no reason in `__test__/platform-differences.js`.
 *
 * @param {readonly string[]} names
 * @param {(name: string) => Results} read
 * @param {readonly string[]} files The spec files that there are.
 */
function writeTable(names, read, files) {
  const run = names.map(name => ({ name, results: read(name) })).filter(({ results }) => results.by !== '')
  for (const { results } of run) {
    for (const file of Object.keys(results.files))
      if (!files.includes(file)) Reflect.deleteProperty(results.files, file)
  }
  const present = new Set(run.map(({ name }) => name))
  const absent = names.filter(name => !present.has(name)).map(name => [name, 'not run last time'])
  const head = [
    'platform',
    'run by',
    'Node.js',
    'spec files that passed whole',
    'tests passed',
    'failed',
    'skipped',
    'tests of the store in Rust'
  ]
  const rows = run.map(({ name, results }) => summary(name, results, files.length))
  const table = [row(head), `|---|---|---|${'--:|'.repeat(5)}`, ...rows]
  const page = `# Other platforms

What \`npm run test:platforms\` found. It runs what \`npm run build:all\` made, in emulators on Linux x64.

${table.join('\n')}

An emulator on x86-64 keeps the order of stores and loads that x86-64 keeps, which is stricter than what an arm64
processor may do. So these runs say nothing of memory order there; the loom models do (\`npm run test:loom\`).

Only built, and checked for the symbols and libraries that they need:

${[...absent, ...Object.entries(NOT_RUN)].map(([name, why]) => `* \`${name}\`: ${why}`).join('\n')}
${run.map(({ name, results }) => details(name, results)).join('')}`
  writeFileSync(FILE, page)
  console.log(`\n${readFileSync(FILE, 'utf8')}`)
  return run.some(({ name, results }) =>
    [
      ...Object.entries(results.files),
      ...(results.rust ? Object.entries({ 'the store in Rust': results.rust }) : [])
    ].some(([subject, result]) => !isWhole(result) && reasonFor(name, subject) === undefined)
  )
}

module.exports = { writeTable }
