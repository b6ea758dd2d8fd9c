'use strict'

// Checks what is compiled in and what is installed: licenses, sources and banned crates always (`npm run lint`), with
// --advisories also known vulnerabilities, which takes a network (`npm run audit`).

const { spawnSync } = require('node:child_process')
const { existsSync } = require('node:fs')
const path = require('node:path')
const process = require('node:process')

const root = path.join(__dirname, '..')
const installed = path.join(root, 'target', 'lint-tools', 'bin', 'cargo-deny')
const advisories = process.argv.includes('--advisories')

/** @param {string} command @param {string[]} args */
function run(command, args, shell = false) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell })
  if (!error && status !== 0) process.exitCode = 1
  return !error
}

const checks = advisories ? [] : ['bans', 'licenses', 'sources']
const found = run(existsSync(installed) ? installed : 'cargo-deny', [
  '--log-level',
  'warn',
  '--all-features',
  '--locked',
  'check',
  ...checks
])
if (!found) {
  const text = 'no cargo-deny, which checks licenses and sources of crates: scripts/lint-tools.sh installs it'
  console.error(text)
  if (advisories || process.env.REQUIRE_LINTERS) process.exitCode = 1
}
if (advisories) {
  const windows = process.platform === 'win32'
  run(windows ? 'npm.cmd' : 'npm', ['audit'], windows)
}
