'use strict'

// Runs the spec files and the tests of the store as programs of other platforms, in an emulator, and writes what
// passed into __test__/platforms.md. A run in pieces adds up: results are kept in target/platforms/results.

const { spawn, spawnSync } = require('node:child_process')
const { createHash } = require('node:crypto')
const {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} = require('node:fs')
const path = require('node:path')
const process = require('node:process')
const { parseArgs } = require('node:util')
const { EMULATORS, FOLDER, root } = require('./emulators.js')
const { writeTable } = require('./platforms-table.js')
const { HERE_ONLY } = require('../__test__/platform-differences.js')
const { tally } = require('./tap.js')
const { toolchainFor } = require('./toolchain.js')

const HELP = `npm run test:platforms [-- --only NAME,… --files WORD,… --skip-rust --skip-specs --again --minutes N]

Runs the spec files, and the tests of the store in Rust, for ${Object.keys(EMULATORS).join(' and ')} in an emulator,
with the addons that \`npm run build:all\` made, and writes __test__/platforms.md. Takes hours: qemu is ten to
thirty times slower than this machine. What has passed with the same addon is not run again, unless --again says so.

  --only    platforms
  --files   spec files with one of these words in their path
  --minutes for one spec file, 30 unless given
`

/** Debian's linkers for other platforms. */
const LINKERS = {
  CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER: 'aarch64-linux-gnu-gcc',
  CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER: 'x86_64-w64-mingw32-gcc'
}

/** For all tests of the store. */
const RUST_TIMEOUT_MS = 3 * 3_600_000

/** @typedef {import('./emulators.js').Runner} Runner */
/** @typedef {import('./tap.js').Tally} Tally */
/** @typedef {Tally & { ended: string, seconds: number, addon: string }} Result */

const options = /** @type {const} */ ({
  only: { type: 'string' },
  files: { type: 'string' },
  'skip-rust': { type: 'boolean' },
  'skip-specs': { type: 'boolean' },
  again: { type: 'boolean' },
  minutes: { type: 'string', default: '30' },
  help: { type: 'boolean' }
})

/**
 * Runs a program with its output in a file, because a pipe of an emulated process may lose what it wrote last. Returns
 * how it ended.
 *
 * @param {readonly string[]} command
 * @param {{ log: string, env: NodeJS.ProcessEnv, timeoutMs: number }} options
 * @returns {Promise<string>}
 */
function run([program = '', ...args], { log, env, timeoutMs }) {
  const out = openSync(log, 'w')
  return new Promise(resolve => {
    // A group of its own, so that what it started ends with it.
    const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', out, out], detached: true })
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      endGroup(child.pid)
    }, timeoutMs)
    child.once('error', error => resolve(error.message))
    child.once('close', (status, signal) => {
      clearTimeout(timer)
      closeSync(out)
      endGroup(child.pid)
      if (isLate) resolve('time limit')
      else resolve(signal ? `signal ${signal}` : `status ${status}`)
    })
  })
}

/** @param {number | undefined} pid */
function endGroup(pid) {
  try {
    if (pid) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

/** What tells one build of an addon from another. @param {string} file */
function mark(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 12)
}

function specFiles() {
  const files = /** @type {string[]} */ (readdirSync(path.join(root, '__test__'), { recursive: true }))
  const specs = files.filter(file => /^[a-z]+\/[^/]+\.spec\.\w+$/.test(file)).map(file => `__test__/${file}`)
  return specs.filter(file => !HERE_ONLY.includes(file)).sort()
}

/** @param {string} name */
const resultsOf = name => path.join(FOLDER, 'results', `${name}.json`)

/** @param {string} name */
function readResults(name) {
  const file = resultsOf(name)
  /** @type {{ by: string, node: string, files: Record<string, Result>, rust?: Result }} */
  const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { by: '', node: '', files: {} }
  return results
}

/** @param {string} name @param {ReturnType<typeof readResults>} results */
function keep(name, results) {
  mkdirSync(path.dirname(resultsOf(name)), { recursive: true })
  writeFileSync(resultsOf(name), `${JSON.stringify(results, null, 2)}\n`)
}

/** @param {string} file @param {Runner} runner @param {string} addon @param {string} logs @param {number} timeoutMs */
async function runSpec(file, runner, addon, logs, timeoutMs) {
  const base = path.join(logs, path.basename(file))
  const tap = `${base}.tap`
  rmSync(tap, { force: true })
  const env = { ...process.env, ...runner.env }
  const flags = ['--expose-gc', '--test-reporter=tap', `--test-reporter-destination=${runner.pathOf(tap)}`]
  const begin = performance.now()
  const command = runner.command(runner.node, [...flags, runner.pathOf(path.join(root, file))])
  const ended = await run(command, { log: `${base}.log`, env, timeoutMs })
  const seconds = Math.round((performance.now() - begin) / 1000)
  return { ...tally(existsSync(tap) ? readFileSync(tap, 'utf8') : ''), ended, seconds, addon: mark(addon) }
}

/** Builds the tests of the store for a target; the program. @param {string} target */
function buildRust(target) {
  const toolchain = toolchainFor(target)
  if (!toolchain) return undefined
  const args = ['test', '--release', '--no-default-features', '--lib', '--no-run', '--message-format=json']
  args.push('--target', target)
  if (toolchain.buildsStd) args.push('-Zbuild-std=std,panic_unwind')
  const env = {
    ...process.env,
    ...LINKERS,
    RUSTC: toolchain.rustc,
    // Fast to run and to build, with the assertions of a debug build.
    CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS: 'true',
    CARGO_PROFILE_RELEASE_LTO: 'off',
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
    CARGO_TARGET_DIR: path.join(FOLDER, 'tests'),
    ...(toolchain.buildsStd && { RUSTC_BOOTSTRAP: '1' })
  }
  const stdio = /** @type {const} */ (['ignore', 'pipe', 'inherit'])
  const built = spawnSync(toolchain.cargo, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: [...stdio],
    env
  })
  return built.status === 0 ? /"executable":"([^"]+)"/.exec(built.stdout)?.[1] : undefined
}

/** Runs the tests of the store. @param {Runner} runner @param {string} logs @returns {Promise<Result | undefined>} */
async function runRust({ rust = '', command, env }, logs) {
  const program = buildRust(rust)
  if (!program) return undefined
  const log = path.join(logs, 'rust.log')
  const begin = performance.now()
  const ended = await run(command(program, []), { log, env: { ...process.env, ...env }, timeoutMs: RUST_TIMEOUT_MS })
  const text = readFileSync(log, 'utf8')
  const counts = /(\d+) passed; (\d+) failed; (\d+) ignored/.exec(text) ?? []
  const [passed = 0, failed = 0, skipped = 0] = counts.slice(1).map(Number)
  const failures = [...text.matchAll(/^test (\S+) \.\.\. FAILED/gm)].map(([, name]) => ({ name: `${name}`, why: '' }))
  const seconds = Math.round((performance.now() - begin) / 1000)
  return { passed, failed, skipped, failures, ended, seconds, addon: '' }
}

/** @param {Result} result */
const describe = ({ passed, failed, skipped, ended, seconds }) =>
  `${passed} passed, ${failed} failed, ${skipped} skipped, ${ended}, ${seconds} s`

/** @param {string} name @param {ReturnType<typeof parse>} asked */
async function test(name, asked) {
  const runner = EMULATORS[name]?.()
  if (!runner) throw new TypeError(`no emulator for "${name}", only for ${Object.keys(EMULATORS).join(', ')}`)
  if ('missing' in runner) return console.log(`${name}: ${runner.missing}`)
  const addon = path.join(FOLDER, name, 'typed-superdashmap.node')
  if (!existsSync(addon)) return console.log(`${name}: no addon, \`npm run build:all -- --only ${name}\` makes it`)
  // Where a build for the platform would put it, and only as long as this runs: `npm pack` takes what is there.
  const placed = path.join(root, 'lib', 'addon', `typed-superdashmap.${name}.node`)
  // A process that has loaded an earlier one keeps it.
  rmSync(placed, { force: true })
  copyFileSync(addon, placed)
  process.once('exit', () => rmSync(placed, { force: true }))
  const results = readResults(name)
  Object.assign(results, { by: runner.by, node: runner.version })
  const logs = path.join(FOLDER, 'logs', name)
  mkdirSync(logs, { recursive: true })
  const files = asked.skipSpecs ? [] : specFiles()
  const wanted = files.filter(file => asked.files.some(word => file.includes(word)))
  for (const [index, file] of wanted.entries()) {
    const before = results.files[file]
    const hasPassed = before?.addon === mark(addon) && before.failed === 0 && before.ended === 'status 0'
    if (hasPassed && !asked.again) continue
    process.stdout.write(`${name} [${index + 1} of ${wanted.length}] ${file}: `)
    const result = await runSpec(file, runner, addon, logs, asked.timeoutMs)
    console.log(describe(result))
    results.files[file] = result
    keep(name, results)
  }
  if (asked.skipRust || !runner.rust) return
  console.log(`${name}: the tests of the store`)
  const rust = await runRust(runner, logs)
  if (!rust) return console.log(`${name}: the tests of the store could not be built`)
  console.log(describe(rust))
  results.rust = rust
  keep(name, results)
}

function parse() {
  const { values } = parseArgs({ options })
  return {
    help: values.help,
    names: values.only?.split(',') ?? Object.keys(EMULATORS),
    files: values.files?.split(',') ?? [''],
    skipRust: values['skip-rust'],
    skipSpecs: values['skip-specs'],
    again: values.again,
    timeoutMs: Number(values.minutes) * 60_000
  }
}

async function main() {
  const asked = parse()
  if (asked.help) return console.log(HELP)
  for (const name of asked.names) await test(name, asked)
  const differs = writeTable(Object.keys(EMULATORS), readResults, specFiles())
  if (differs) process.exitCode = 1
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
main()
