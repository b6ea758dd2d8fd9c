'use strict'

const process = require('node:process')
const { run } = require('./processes.js')

const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx'

/** Majors of Node.js that the package supports. */
const MAJORS = [20, 22, 24, 26]

/**
 * What a script prints that is run beside the command of an npm package, which npx keeps.
 *
 * @returns {Promise<string | undefined>} undefined where the package cannot be had, which is an error in CI
 */
async function beside(wanted, script) {
  const args = ['--yes', '--package', wanted, '--call', script]
  const found = await run(npx, args, { shell: process.platform === 'win32', timeout: 300_000 })
  if (found.status === 0) return found.stdout.trim()
  if (process.env.CI) throw new Error(`${wanted} cannot be had: ${found.stderr}`)
  return undefined
}

/** Path of a Node.js of that major version: this one if it is, else npm's package of it. */
async function nodeOf(major) {
  if (Number.parseInt(process.versions.node, 10) === major) return process.execPath
  return beside(`node@${major}`, 'node --print process.execPath')
}

/** Path of the command `name` of an npm package. */
const programOf = (wanted, name) => beside(wanted, `${process.platform === 'win32' ? 'where' : 'command -v'} ${name}`)

module.exports = { MAJORS, nodeOf, programOf }
