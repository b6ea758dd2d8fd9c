'use strict'

/* Where results are written: one JSON file per command or question, with the machine and the versions in it. */

const { existsSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { machine, versions } = require('./machine.js')

/** Committed results, and those of quick runs, which are too short to be kept. */
const RESULTS = join(__dirname, '..', 'results')
const QUICK_RESULTS = join(RESULTS, 'quick')

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
