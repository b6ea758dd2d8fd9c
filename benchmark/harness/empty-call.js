'use strict'

/* Builds and loads the addon of empty_call.rs. */

const { spawnSync } = require('node:child_process')
const { join } = require('node:path')

const BUILD = ['build', '--release', '--example', 'empty_call', '--message-format', 'json-render-diagnostics']

/** Where cargo put it: the library among the artifacts that it lists. */
function builtFile() {
  const built = spawnSync('cargo', BUILD, {
    cwd: join(__dirname, '..', '..'),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 26,
    shell: process.platform === 'win32'
  })
  if (built.status !== 0) {
    process.stderr.write(String(built.stderr ?? built.error))
    return undefined
  }
  return built.stdout
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line))
    .find(message => message.reason === 'compiler-artifact' && message.target.name === 'empty_call')?.filenames[0]
}

/** `{ call }`, or `{ leftOut }` where there is no Rust toolchain. */
function loadEmptyCall() {
  const file = builtFile()
  if (file === undefined) {
    return { leftOut: { contender: 'an empty native call', why: 'it could not be built with cargo' } }
  }
  const addon = { exports: {} }
  process.dlopen(addon, file)
  return { call: addon.exports.call }
}

module.exports = { loadEmptyCall }
