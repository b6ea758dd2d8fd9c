'use strict'

// Records and checks histories for long: an hour in Node and an hour in Rust, unless HISTORIES_SECONDS says another
// time. SEED repeats a run.

const { spawnSync } = require('node:child_process')

const env = { ...process.env, HISTORIES_SECONDS: process.env.HISTORIES_SECONDS ?? '3600' }
const cargo = ['test', '--release', '--no-default-features', '--lib', 'tests::histories', '--', '--nocapture']

/** @type {[string, string[]][]} */
const commands = [
  [process.execPath, ['--test', '__test__/threads/histories.spec.js']],
  ['cargo', cargo]
]
for (const [command, args] of commands) {
  const { status } = spawnSync(command, args, { stdio: 'inherit', env })
  if (status !== 0) process.exit(status ?? 1)
}
