'use strict'

// Runs the spec files in other runtimes than Node.js: `npm run test:runtimes`, with `-- --only bun` one of them, with
// `--spec map/values.spec.js,…` only those files, while what is known of the others stays. Writes
// `__test__/tools/runtimes.json` and `runtimes.md`: how many tests passed, and which did not. That a test does not pass
// is no error here; that a runtime passes fewer than are written down is.

const fs = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const process = require('node:process')
const { parseArgs } = require('node:util')
const { outcomeOf } = require('./tools/process.js')
const { RESULTS, RUNTIMES, readRuntimes } = require('./tools/runtimes.js')
const { readRows, writeRows } = require('./tools/table.js')

const ROOT = path.join(__dirname, '..')
const SPECS = path.join(ROOT, '__test__')
const PAGE = path.join(SPECS, 'tools', 'runtimes.md')

/** What `package/` asks is asked of files and of Node.js itself. */
const ROOMS = ['map', 'entries', 'queries', 'session', 'near', 'observe', 'threads', 'native']

/** Per file. The histories alone take a minute and a half beside other work. */
const TIMEOUT_S = 150

const { values: options } = parseArgs({ options: { only: { type: 'string' }, spec: { type: 'string' } } })

/** @typedef {import('./tools/runtimes.js').FileResult} FileResult */
/** @typedef {import('./tools/runtimes.js').RuntimeResult} RuntimeResult */

/** Runs spec files in Node.js. */
const OF_NODE = 'native/refused-memory.spec.js'

const specs = ROOMS.flatMap(room =>
  fs
    .readdirSync(path.join(SPECS, room))
    .filter(name => name.endsWith('.spec.js'))
    .map(name => `${room}/${name}`)
).filter(name => name !== OF_NODE)

/** @param {keyof typeof RUNTIMES} name @param {string} folder where the runtime is installed */
async function testRuntime(name, folder) {
  const { packages, args, read } = RUNTIMES[name]
  const bin = path.join(folder, 'node_modules', '.bin')
  /** @type {Record<string, FileResult>} */
  const files = {}
  const known = options.spec === undefined ? {} : readRuntimes()[name]?.files
  for (const spec of specs) {
    const before = known?.[spec]
    if (before && !options.spec?.split(',').includes(spec)) {
      files[spec] = before
      continue
    }
    const command = path.join(bin, name)
    const { stdout, stderr, isEnded } = await outcomeOf(command, [...args, `./__test__/${spec}`], {
      cwd: ROOT,
      env: { NO_COLOR: '1', PATH: [bin, process.env.PATH].join(path.delimiter) },
      timeoutS: TIMEOUT_S
    })
    const counted = read(stdout, stderr)
    files[spec] = { ...counted, isEnded }
    process.stdout.write(`${name} ${spec}: ${counted.passed} passed, ${counted.failed.length} failed\n`)
  }
  const all = Object.values(files)
  return {
    version: Object.values(packages)[0] ?? '',
    passed: all.reduce((sum, { passed }) => sum + passed, 0),
    failed: all.reduce((sum, { failed }) => sum + failed.length, 0),
    files
  }
}

/** @param {Record<string, RuntimeResult>} results */
function pageOf(results) {
  const lines = ['# The spec files in other runtimes', '']
  lines.push('Written by `npm run test:runtimes`. What it means is in [../README.md](../README.md#runtimes).', '')
  lines.push('| runtime | version | passed | failed | files that pass whole |', '|---|---|--:|--:|--:|')
  const isWhole = (/** @type {FileResult} */ { failed, isEnded }) => failed.length === 0 && isEnded
  for (const [name, { version, passed, failed, files }] of Object.entries(results)) {
    const all = Object.values(files)
    lines.push(`| ${name} | ${version} | ${passed} | ${failed} | ${all.filter(isWhole).length} of ${all.length} |`)
  }
  for (const [name, { files }] of Object.entries(results)) {
    lines.push('', `## ${name}`, '', '| spec file | passed | failed |', '|---|--:|---|')
    for (const [spec, one] of Object.entries(files)) {
      if (isWhole(one)) continue
      const failed = one.isEnded ? one.failed : [...one.failed, `(did not end in ${TIMEOUT_S} s)`]
      lines.push(`| ${spec} | ${one.passed} | ${failed.join('<br>').replaceAll('|', '\\|')} |`)
    }
  }
  return `${lines.join('\n')}\n`
}

/**
 * Writes what a runtime made of the tests; returns how many passed before.
 *
 * @param {keyof typeof RUNTIMES} name @param {RuntimeResult} result
 */
function write(name, result) {
  const results = readRuntimes()
  const before = results[name]?.passed ?? 0
  const known = Object.keys(RUNTIMES).filter(one => one === name || results[one] !== undefined)
  const all = Object.fromEntries(known.map(one => [one, one === name ? result : results[one]]))
  fs.writeFileSync(RESULTS, `${JSON.stringify(all, null, 2)}\n`)
  fs.writeFileSync(PAGE, pageOf(/** @type {Record<string, RuntimeResult>} */ (all)))
  // The README has the figures.
  writeRows(readRows())
  return before
}

async function main() {
  const names = /** @type {(keyof typeof RUNTIMES)[]} */ (options.only?.split(',') ?? Object.keys(RUNTIMES))
  const worse = []
  for (const name of names) {
    const folder = fs.mkdtempSync(path.join(tmpdir(), `typed-superdashmap-${name}-`))
    try {
      fs.writeFileSync(path.join(folder, 'package.json'), '{ "name": "runtimes", "private": true }')
      const wanted = Object.entries(RUNTIMES[name].packages).map(([of, version]) => `${of}@${version}`)
      await outcomeOf('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...wanted], {
        cwd: folder,
        timeoutS: 600
      })
      const result = await testRuntime(name, folder)
      const before = write(name, result)
      if (result.passed < before) worse.push(`${name} passes ${result.passed} tests, and passed ${before}`)
    } finally {
      fs.rmSync(folder, { recursive: true, force: true })
    }
  }
  if (worse.length > 0) throw new Error(worse.join('; '))
}

main().catch(error => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
