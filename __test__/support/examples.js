'use strict'

const { spawn } = require('node:child_process')
const { text } = require('node:stream/consumers')
const path = require('node:path')
const { PACKAGE } = require('./workers.js')

/** What a process prints, and how it ends. It may end without having read its input. */
async function endOf(child) {
  child.stdin.on('error', () => {})
  const closed = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status, signal) => resolve({ status, signal }))
  })
  const [stdout, stderr, end] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  return { stdout, stderr, ...end }
}

/**
 * Starts `examples/NAME/index.js` as its user would.
 *
 * @param {string} name
 * @param {string[]} [args]
 * @param {object} [options] of the process
 */
function startExample(name, args = [], options = {}) {
  const child = spawn(process.execPath, [path.join(PACKAGE, 'examples', name, 'index.js'), ...args], {
    cwd: PACKAGE,
    timeout: 100_000,
    ...options
  })
  const ended = endOf(child)
  return { child, ended }
}

/** Runs an example to its end. `input` is what it reads. */
function runExample(name, args, { input = '', ...options } = {}) {
  const { child, ended } = startExample(name, args, options)
  child.stdin.end(input)
  return ended
}

module.exports = { endOf, runExample, startExample }
