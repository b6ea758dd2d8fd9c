'use strict'

/* Where results are written: one JSON file per command or question, with the machine and the versions in it. */

const { existsSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { machine, versions } = require('./machine.js')

/** The version of Node.js whose results the pages quote. */
const QUOTED_NODE = 20
const NODE = Number.parseInt(process.versions.node, 10)
const HOME = join(__dirname, '..', 'results')

/** Committed results: those of another version of Node.js in a folder of their own. */
const RESULTS = NODE === QUOTED_NODE ? HOME : join(HOME, `node-${NODE}`)
/** Quick runs are too short to be kept. */
const QUICK_RESULTS = join(HOME, 'quick')

function writeResult(directory, name, result) {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, `${name}.json`)
  const whole = { date: new Date().toISOString().slice(0, 10), machine: machine(), versions: versions(), ...result }
  writeFileSync(file, `${JSON.stringify(whole, null, 2)}\n`)
  return file
}

/** The results of these names that there are. */
function readResults(directory, names) {
  return names
    .map(name => ({ name, file: join(directory, `${name}.json`) }))
    .filter(({ file }) => existsSync(file))
    .map(({ name, file }) => ({ name, ...JSON.parse(readFileSync(file, 'utf8')) }))
}

module.exports = { RESULTS, QUICK_RESULTS, readResults, writeResult }
