'use strict'

// What the fixtures of bundlers share: the program that is bundled, and how its bundle is run.

const assert = require('node:assert/strict')
const { cpSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { OWN, packageOf } = require('./installations.js')

/** @typedef {import('../../scripts/tools/fixtures.js').Context} Context */

/** Two threads share a map; each has the whole program. */
const BODY = `
const map = TypedMap.open('bundled')
if (isMainThread) {
  map.set('main', { n: 1 })
  const worker = new Worker(process.argv[1])
  worker.once('exit', code => console.log(JSON.stringify([code, map.get('main'), map.get('worker')])))
} else {
  map.set('worker', { seen: map.get('main').n })
}
`

const PROGRAMS = {
  'main.mjs': `import { Worker, isMainThread } from 'node:worker_threads'
import { TypedMap } from 'typed-superdashmap'
${BODY}`,
  // A bundle that is an ES module cannot require it.
  'main.cjs': `const { Worker, isMainThread } = process.getBuiltinModule('node:worker_threads')
const { TypedMap } = require('typed-superdashmap')
${BODY}`
}

/** Names of the programs. */
const SOURCES = Object.keys(PROGRAMS)

/** Writes `main.mjs`, which imports the package, and `main.cjs`, which requires it. @param {string} folder */
function writePrograms(folder) {
  for (const [name, text] of Object.entries(PROGRAMS)) writeFileSync(path.join(folder, name), text)
}

/** What the program prints. @param {{ stdout: string, stderr: string }} output */
function assertOutput({ stdout, stderr }) {
  assert.equal(stderr, '')
  assert.deepEqual(JSON.parse(stdout), [0, { n: 1 }, { seen: 1 }])
}

/** Runs a bundle where the package is installed. @param {Context} context @param {string} file */
async function assertRuns({ run }, file) {
  assertOutput(await run('node', [file]))
}

/**
 * Runs a copy of a bundle's folder where nothing is installed.
 *
 * @param {Context} context
 * @param {string} file
 * @param {{ withAddon?: boolean }} [options] whether the addon is copied beside it, as the README says
 */
async function assertRunsElsewhere({ folder, run }, file, { withAddon = true } = {}) {
  const elsewhere = mkdtempSync(path.join(tmpdir(), 'typed-superdashmap-bundle-'))
  try {
    cpSync(path.join(folder, path.dirname(file)), elsewhere, { recursive: true })
    if (withAddon) {
      const addon = path.join(folder, 'node_modules', packageOf(OWN), 'typed-superdashmap.node')
      cpSync(addon, path.join(elsewhere, `typed-superdashmap.${OWN}.node`))
    }
    assertOutput(await run('node', [path.join(elsewhere, path.basename(file))], { cwd: elsewhere }))
  } finally {
    rmSync(elsewhere, { recursive: true, force: true })
  }
}

/** Bundlers print nothing that worries. @param {{ stdout: string, stderr: string }} output */
function assertNoWarnings({ stdout, stderr }) {
  assert.doesNotMatch(`${stdout}${stderr}`, /warn|⚠|error|unresolved|can't resolve/i)
}

module.exports = { SOURCES, assertNoWarnings, assertOutput, assertRuns, assertRunsElsewhere, writePrograms }
