'use strict'

// What the fixtures of runtimes share: one program, in `runtime/`.

const assert = require('node:assert/strict')
const { cpSync } = require('node:fs')
const path = require('node:path')

const CHECKS = ['values', 'worker', 'expiry', 'eviction', 'errors', 'terminated', 'near']

/**
 * Runs the program in a runtime, and asserts that each of its checks was made.
 *
 * @param {import('../../scripts/tools/fixtures.js').Context} context
 * @param {readonly string[]} command of the runtime, with its flags
 * @param {readonly string[]} [left] names of the maps that stay open when a busy worker is terminated
 */
async function assertChecks({ folder, run }, [runtime, ...flags], left = []) {
  cpSync(path.join(__dirname, 'runtime'), folder, { recursive: true })
  const { stdout } = await run(runtime, [...flags, 'main.mjs', ...left], { timeoutS: 60 })
  assert.equal(stdout, CHECKS.map(name => `${name} ok\n`).join(''))
}

module.exports = { assertChecks }
