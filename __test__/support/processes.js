'use strict'

const { spawn } = require('node:child_process')
const { existsSync } = require('node:fs')
const path = require('node:path')
const { PACKAGE } = require('./workers.js')

/** Runs a program; returns its exit status and output. */
function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', text => {
      stderr += text
    })
    child.once('error', reject)
    child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr }))
  })
}

/** Runs `script` in a Node process of its own, where `TypedMap` and the rest of the package are in scope. */
function runNode(script, { flags = [], env = {}, timeout = 300_000 } = {}) {
  const source = `const { TypedMap, TypedMapError, Handle } = require(${JSON.stringify(PACKAGE)})\n${script}`
  return run(process.execPath, [...flags, '--eval', source], { env: { ...process.env, ...env }, timeout })
}

/** npm without the PATH: the script that its command starts. */
function findNpm() {
  if (process.env.npm_execpath && existsSync(process.env.npm_execpath)) return process.env.npm_execpath
  const beside = path.dirname(process.execPath)
  const places = [
    path.join(beside, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    path.join(beside, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    path.join(beside, '..', 'share', 'nodejs', 'npm', 'bin', 'npm-cli.js')
  ]
  return places.find(place => existsSync(place))
}

module.exports = { findNpm, run, runNode }
