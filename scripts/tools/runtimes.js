'use strict'

// Runtimes besides Node.js: how each runs a spec file, how its report is read, and what came of it.

const fs = require('node:fs')
const path = require('node:path')
const { FOLDER } = require('./fixtures.js')

const RESULTS = path.join(FOLDER, 'runtimes.json')

/** @typedef {{ passed: number, failed: string[] }} Counted tests, the failed ones by name */
/** @typedef {Counted & { isEnded: boolean }} FileResult */
/** @typedef {{ version: string, passed: number, failed: number, files: Record<string, FileResult> }} RuntimeResult */

/**
 * Of Bun: a line for each test, `(pass) suite > name [12.00ms]`.
 *
 * @param {string} stdout @param {string} stderr @returns {Counted}
 */
function readBun(stdout, stderr) {
  const lines = `${stdout}\n${stderr}`.split('\n')
  const failed = lines.flatMap(line => /^\(fail\) (.*?)(?: \[[\d.]+m?s\])?$/.exec(line)?.[1] ?? [])
  // Failures are listed a second time, at the end.
  return { passed: lines.filter(line => line.startsWith('(pass) ')).length, failed: [...new Set(failed)] }
}

/**
 * Of Deno: a line for each test and step, indented as they are nested, `name ... ok (12ms)`. Suites end with a line of
 * their own after their tests; a test that prints has its outcome on a line of its own, too.
 *
 * @param {string} stdout @returns {Counted}
 */
function readDeno(stdout) {
  const text = stdout.split(/^ (?:ERRORS|FAILURES) $/m)[0] ?? ''
  const outcomes = [...text.matchAll(/^( *)(\S.*?) \.\.\. (ok|FAILED)(| \(.*\))$/gm)]
  const suites = new Set([...text.matchAll(/^( *)(\S.*?) \.\.\.$/gm)].map(([, indent, name]) => `${indent}${name}`))
  const tests = outcomes.filter(([, indent, name, , detail], at) => {
    // A suite: it fails because of its tests, or the outcome before it is of a test within it.
    if (detail?.includes('due to')) return false
    const before = outcomes[at - 1]
    return !(suites.has(`${indent}${name}`) && before && (before[1] ?? '').length > (indent ?? '').length)
  })
  return {
    passed: tests.filter(([, , , outcome]) => outcome === 'ok').length,
    failed: tests.flatMap(([, , name, outcome]) => (outcome === 'FAILED' ? [name ?? ''] : []))
  }
}

/** A test may take as long as in Node.js. */
const TEST_TIMEOUT_MS = 120_000

const RUNTIMES = {
  bun: { title: 'Bun', packages: { bun: '1.4.5' }, args: ['test', `--timeout=${TEST_TIMEOUT_MS}`], read: readBun },
  deno: { title: 'Deno', packages: { deno: '2.9.6' }, args: ['test', '--allow-all', '--no-check'], read: readDeno }
}

/** @returns {Record<string, RuntimeResult>} */
const readRuntimes = () => (fs.existsSync(RESULTS) ? JSON.parse(fs.readFileSync(RESULTS, 'utf8')) : {})

/** What the README says of them. */
function sentenceOf() {
  const parts = Object.entries(readRuntimes()).map(([name, { version, passed, failed }]) => {
    const { title } = RUNTIMES[/** @type {keyof typeof RUNTIMES} */ (name)]
    return `${title} ${version} passes ${passed} of ${passed + failed}`
  })
  return `Of the tests of the map itself ${parts.join(', ')};\n[which not, and why](__test__/README.md#runtimes).`
}

module.exports = { RESULTS, RUNTIMES, readBun, readDeno, readRuntimes, sentenceOf }
