'use strict'

// Runs the package in the tools that people use: `npm run test:tools`, with `-- --only NAME,…` only those fixtures.
// Writes `__test__/tools/results.json` and the table in the README; rows of fixtures that did not run stay. Exits with
// 1 where one fails.
//
// `--broken` asks the opposite: each fixture has to fail with a package that is broken on purpose, and nothing is
// written. `--keep` leaves the folders of the fixtures.

const fs = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const process = require('node:process')
const { parseArgs } = require('node:util')
const { readFixtures } = require('./tools/fixtures.js')
const { BREAKS, breakPackage, packAll, serve } = require('./tools/pack.js')
const { readRows, writeRows } = require('./tools/table.js')
const { runFixture } = require('./tools/workspace.js')
const { version } = require('../package.json')

/** Groups in which threads share a map. */
const SHARING = new Set(['runner', 'pool'])

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    broken: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false }
  }
})

/** @typedef {import('./tools/fixtures.js').NamedFixture} NamedFixture */
/** @typedef {import('./tools/pack.js').Registry} Registry */
/** @typedef {import('./tools/pack.js').Packed} Packed */

function selected() {
  const fixtures = readFixtures()
  if (options.only === undefined) return fixtures
  const names = options.only.split(',')
  const unknown = names.filter(name => fixtures.every(fixture => fixture.name !== name))
  if (unknown.length > 0) {
    throw new Error(`no fixture ${unknown.join(', ')}; there are ${fixtures.map(({ name }) => name).join(', ')}`)
  }
  return fixtures.filter(({ name }) => names.includes(name))
}

const seconds = (/** @type {number} */ begin) => `${((performance.now() - begin) / 1_000).toFixed(0)} s`

/** Runs fixtures one by one; returns their rows. @param {NamedFixture[]} fixtures @param {Registry} registry */
async function runAll(fixtures, registry) {
  /** @type {import('./tools/table.js').Rows} */
  const rows = {}
  for (const [at, fixture] of fixtures.entries()) {
    const { name, title, group, needs, packages } = fixture
    process.stdout.write(`[${at + 1}/${fixtures.length}] ${name} … `)
    const begin = performance.now()
    let node = process.versions.node
    let passes = true
    try {
      node = await runFixture(fixture, registry, options.keep)
      process.stdout.write(`works, ${seconds(begin)}\n`)
    } catch (error) {
      passes = false
      process.stdout.write(`fails, ${seconds(begin)}\n${/** @type {Error} */ (error).stack}\n`)
    }
    rows[name] = { group, title, packages, node, system: `${process.platform} ${process.arch}`, version, passes, needs }
  }
  return rows
}

/** Which fixtures pass although the package is broken. @param {NamedFixture[]} fixtures @param {Packed[]} packages */
async function blindOf(fixtures, packages, /** @type {string} */ home) {
  const blind = []
  for (const how of /** @type {(keyof typeof BREAKS)[]} */ (Object.keys(BREAKS))) {
    const broken = await serve(breakPackage(packages, how, home))
    for (const fixture of fixtures) {
      if (how === 'sharing' && !SHARING.has(fixture.group)) continue
      process.stdout.write(`${fixture.name} with broken ${how} … `)
      const notices = await runFixture(fixture, broken, options.keep).then(
        () => null,
        error => String(error.message)
      )
      process.stdout.write(notices === null ? 'PASSES\n' : 'notices\n')
      if (notices === null) blind.push(`${fixture.name} (${how})`)
      else process.stdout.write(`${notices.replace(/^/gm, '    ').slice(0, 1_500)}\n`)
    }
    await broken.close()
  }
  return blind
}

/** Rows of earlier runs, unless their fixture is gone; those of this run; in the order of the table. */
function merged(/** @type {import('./tools/table.js').Rows} */ rows) {
  const all = { ...readRows(), ...rows }
  return Object.fromEntries(readFixtures().flatMap(({ name }) => (all[name] === undefined ? [] : [[name, all[name]]])))
}

async function main() {
  const fixtures = selected()
  const home = fs.mkdtempSync(path.join(tmpdir(), 'typed-superdashmap-tools-'))
  try {
    const packages = await packAll(home)
    if (options.broken) {
      const blind = await blindOf(fixtures, packages, home)
      if (blind.length > 0) throw new Error(`these fixtures cannot fail: ${blind.join(', ')}`)
      return
    }
    const registry = await serve(packages)
    const rows = await runAll(fixtures, registry)
    await registry.close()
    writeRows(merged(rows))
    const failed = Object.keys(rows).filter(name => rows[name]?.passes === false)
    if (failed.length > 0) throw new Error(`failed: ${failed.join(', ')}`)
  } finally {
    fs.rmSync(home, { recursive: true, force: true })
  }
}

main().catch(error => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
