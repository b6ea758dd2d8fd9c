'use strict'

// Runs a command for a fixture, and ends it with all that it started when it takes too long.

const { spawn } = require('node:child_process')
const process = require('node:process')

const TIMEOUT_S = 300
/** Characters of output that an error shows. */
const SHOWN = 6_000

/**
 * Runs a command to its end, and throws unless it exits with `status`.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('./fixtures.js').RunOptions & { cwd: string }} options
 * @returns {Promise<import('./fixtures.js').Output>}
 */
async function runCommand(command, args, options) {
  const { status = 0, timeoutS = TIMEOUT_S } = options
  const { stdout, stderr, ended, isEnded } = await outcomeOf(command, args, options)
  if (ended === status && isEnded) return { stdout, stderr }
  const what = isEnded ? `ended with ${ended}, not ${status}` : `did not end within ${timeoutS} s`
  throw new Error(`${[command, ...args].join(' ')} ${what}\n${`${stdout}${stderr}`.slice(-SHOWN)}`)
}

/**
 * Runs a command to its end, whatever that is: its status or signal, and whether it ended by itself.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('./fixtures.js').RunOptions & { cwd: string }} options
 * @returns {Promise<import('./fixtures.js').Output & { ended: number | string, isEnded: boolean }>}
 */
async function outcomeOf(command, args, { cwd, env = {}, timeoutS = TIMEOUT_S }) {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', text => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    output.stderr += text
  })
  let isEnded = true
  const timer = setTimeout(() => {
    isEnded = false
    endGroup(child.pid)
  }, timeoutS * 1_000)
  const ended = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? code))
  }).finally(() => clearTimeout(timer))
  return { ...output, ended, isEnded }
}

/** @param {number | undefined} pid of the first process of a group */
function endGroup(pid) {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}

module.exports = { outcomeOf, runCommand }
