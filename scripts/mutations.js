'use strict'

// Breaks the protocols of the map on purpose, one line at a time, and runs the test that has to notice: `npm run
// test:mutations`, with words of a sentence or of a test to run only those. `__test__/mutations.js` is the list.
//
// Works on a copy of the tree in target/mutations, which also has the builds, so the next run is faster. First every
// test that is needed has to pass on the copy as it is. Then each mutation is made alone. It is *caught* if the test
// fails, or hangs where the same test passed; it *survives* if the test passes. A mutation that does not compile
// proves nothing, unless `types` is the test: there the compiler has to refuse it. Exits with 1 unless all are caught.

const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { MUTATIONS, TESTS } = require('../__test__/mutations.js')

const root = path.join(__dirname, '..')
const home = path.join(root, 'target', 'mutations')
const tree = path.join(home, 'tree')

/** A test that hangs is ended after so many times what it takes, and not before so many seconds. */
const PATIENCE = 10
const LEAST_PATIENCE_S = 300

const LINE = 120

/** The addon is built for speed of building. */
const ENVIRONMENT = {
  ...process.env,
  CARGO_PROFILE_RELEASE_LTO: 'off',
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
  CARGO_PROFILE_RELEASE_INCREMENTAL: 'true',
  HISTORIES_SECONDS: process.env.HISTORIES_SECONDS ?? '30'
}

/** @typedef {import('../__test__/mutations.js').Mutation} Mutation */
/** @typedef {import('../__test__/mutations.js').Test} Test */

/** Builds with other flags have a folder of their own, or each would build everything anew. */
const targetOf = (/** @type {Record<string, string>} */ { RUSTFLAGS = '' }) =>
  path.join(home, `cargo${RUSTFLAGS.replace(/\W+/g, '-')}`)

/**
 * Runs a command in the copy. Returns whether it succeeded, whether it hung, how long it took, and its output. One that
 * hangs is killed with all that it started: a test runs in a process of its own.
 *
 * @param {readonly string[]} line
 * @param {Record<string, string>} [environment]
 * @param {number} [timeoutS]
 * @returns {Promise<{ isGood: boolean, hung: boolean, seconds: number, said: string }>}
 */
function run([command = '', ...args], environment = {}, timeoutS = 3_600) {
  const begin = performance.now()
  const child = spawn(command, args, {
    cwd: tree,
    env: { ...ENVIRONMENT, CARGO_TARGET_DIR: targetOf(environment), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true
  })
  let said = ''
  let hung = false
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      said += text
    })
  }
  const killAll = () => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }
  const onInterrupt = () => {
    killAll()
    process.exit(130)
  }
  process.once('SIGINT', onInterrupt)
  const timer = setTimeout(() => {
    hung = true
    killAll()
  }, timeoutS * 1_000)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', status => {
      clearTimeout(timer)
      process.off('SIGINT', onInterrupt)
      resolve({ isGood: status === 0, hung, seconds: (performance.now() - begin) / 1_000, said })
    })
  })
}

/** Copies what git knows or would add, where it differs: cargo builds what is newer. */
function copyTree() {
  const { stdout } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8'
  })
  const files = new Set(stdout.split('\0').filter(file => file !== '' && fs.existsSync(path.join(root, file))))
  for (const file of files) {
    const content = fs.readFileSync(path.join(root, file))
    const to = path.join(tree, file)
    if (fs.existsSync(to) && fs.readFileSync(to).equals(content)) continue
    fs.mkdirSync(path.dirname(to), { recursive: true })
    fs.writeFileSync(to, content)
  }
  for (const folder of ['src', 'lib', 'types', '__test__', 'benchmark']) {
    for (const file of fs.readdirSync(path.join(tree, folder), { recursive: true })) {
      const name = path.join(folder, String(file))
      const isOurs = files.has(name) || name === path.join('lib', 'addon', 'binding.d.ts') || name.endsWith('.node')
      if (!isOurs && fs.statSync(path.join(tree, name)).isFile()) fs.rmSync(path.join(tree, name))
    }
  }
  const modules = path.join(tree, 'node_modules')
  if (!fs.existsSync(modules)) fs.symlinkSync(path.join(root, 'node_modules'), modules)
}

/** The whole file with the mutation made. @param {Mutation} mutation */
function mutated({ file, from, to }) {
  const parts = fs.readFileSync(path.join(tree, file), 'utf8').split(from)
  return parts.length === 2 ? parts.join(to) : null
}

/** What became of a mutation: one of CAUGHT, or why it is not. */
const CAUGHT = ['caught', 'caught (hung)', 'refused by the compiler']

/**
 * Makes a mutation in the copy, runs its test and takes the mutation back.
 *
 * @param {Mutation} mutation
 * @param {number} baseline seconds that the test takes without it
 */
async function outcome(mutation, baseline) {
  const content = mutated(mutation)
  if (content === null) return { what: 'NOT FOUND once in its file', seconds: 0, said: '' }
  const place = path.join(tree, mutation.file)
  const original = fs.readFileSync(place)
  const { build, test, environment } = TESTS[mutation.test] ?? {}
  fs.writeFileSync(place, content)
  try {
    const built = build === undefined ? { isGood: true, seconds: 0, said: '' } : await run(build, environment)
    if (test === undefined) return { ...built, what: built.isGood ? 'SURVIVED: it compiles' : CAUGHT[2] }
    if (!built.isGood) return { ...built, what: 'DOES NOT COMPILE' }
    const tested = await run(test, environment, Math.max(LEAST_PATIENCE_S, PATIENCE * baseline))
    const seconds = built.seconds + tested.seconds
    if (tested.hung) return { ...tested, seconds, what: CAUGHT[1] }
    return { ...tested, seconds, what: tested.isGood ? 'SURVIVED' : CAUGHT[0] }
  } finally {
    fs.writeFileSync(place, original)
  }
}

/** Runs a test on the copy as it is. Returns seconds of its last command, or null if it fails. @param {Test} test */
async function baselineOf({ build, test, environment }) {
  const built = build === undefined ? { isGood: true, seconds: 0, said: '' } : await run(build, environment)
  const last = built.isGood && test !== undefined ? await run(test, environment) : built
  if (!last.isGood) console.error(last.said.slice(-4_000))
  return last.isGood ? last.seconds : null
}

const row = (/** @type {string} */ name, /** @type {string} */ what, /** @type {number} */ seconds) =>
  console.log(`${name.slice(0, LINE).padEnd(LINE)} ${what} (${seconds.toFixed(0)} s)`)

/** @param {readonly string[]} words */
async function main(words) {
  const chosen = MUTATIONS.filter(({ name, test }) => words.every(word => `${name} [${test}]`.includes(word)))
  copyTree()
  const baselines = new Map()
  for (const name of new Set(chosen.map(({ test }) => test))) {
    const seconds = await baselineOf(TESTS[name] ?? {})
    row(`${name}, unchanged`, seconds === null ? 'FAILS' : 'passes', seconds ?? 0)
    if (seconds === null) return 1
    baselines.set(name, seconds)
  }
  let lost = 0
  for (const [index, mutation] of chosen.entries()) {
    const { what, seconds, said } = await outcome(mutation, baselines.get(mutation.test))
    row(`${String(index + 1).padStart(2)}/${chosen.length} ${mutation.name} [${mutation.test}]`, what, seconds)
    if (CAUGHT.includes(what)) continue
    lost++
    console.error(`   ${mutation.file}: ${JSON.stringify(mutation.from)}\n${said.slice(-1_500)}`)
  }
  console.log(`${chosen.length - lost} of ${chosen.length} mutations are caught.`)
  return lost === 0 ? 0 : 1
}

main(process.argv.slice(2)).then(process.exit)
