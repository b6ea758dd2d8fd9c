'use strict'

const { spawn } = require('node:child_process')
const { text } = require('node:stream/consumers')
const path = require('node:path')
const { PACKAGE } = require('./workers.js')

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
  // It may end without having read its input.
  child.stdin.on('error', () => {})
  const ended = Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (status, signal) => resolve({ status, signal }))
    })
  ]).then(([stdout, stderr, end]) => ({ stdout, stderr, ...end }))
  return { child, ended }
}

/** Runs an example to its end. `input` is what it reads. */
function runExample(name, args, { input = '', ...options } = {}) {
  const { child, ended } = startExample(name, args, options)
  child.stdin.end(input)
  return ended
}

module.exports = { runExample, startExample }
