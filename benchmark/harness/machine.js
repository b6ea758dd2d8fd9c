'use strict'

/* What a result was measured on. Nothing that names a person, a host or a path. */

const os = require('node:os')
const { readFileSync } = require('node:fs')
const { join } = require('node:path')

const root = join(__dirname, '..', '..')
const readJson = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8'))

/** The versions that are installed of these development dependencies. */
const versionsOf = names =>
  Object.fromEntries(names.map(name => [name, readJson('node_modules', name, 'package.json').version]))

function machine() {
  const cpus = os.cpus()
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    os: `${os.type()} ${os.release().split('-')[0]} ${os.arch()}`
  }
}

function versions() {
  return {
    'typed-superdashmap': readJson('package.json').version,
    node: process.versions.node,
    v8: process.versions.v8,
    ...versionsOf(['tinybench', 'lru-cache', 'quick-lru', 'mnemonist', 'lmdb', 'sharedmap'])
  }
}

/** One line for people. */
function describeMachine({ cpu, cores, memoryGb, os: system }) {
  return `${cpu}, ${cores} cores, ${memoryGb} GB, ${system}`
}

function describeVersions(all) {
  return Object.entries(all)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')
}

module.exports = { machine, versions, describeMachine, describeVersions }
