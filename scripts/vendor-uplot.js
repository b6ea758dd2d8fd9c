'use strict'

// Copies the chart library of the inspector's page into the package: node scripts/vendor-uplot.js. The package has no
// dependencies, and the page needs two files of it. npm has checked the package against the lock file; this checks that
// they are the files that were looked at.

const { createHash } = require('node:crypto')
const { copyFileSync, mkdirSync, readFileSync } = require('node:fs')
const path = require('node:path')

const VERSION = '1.6.32'

/** SHA-256 of each file, by its place in the package. */
const FILES = {
  'dist/uPlot.iife.min.js': '19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f',
  'dist/uPlot.min.css': 'df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04',
  LICENSE: '8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd'
}

const source = path.join(__dirname, '..', 'node_modules', 'uplot')
const target = path.join(__dirname, '..', 'lib', 'inspector', 'page', 'vendor')

/** @param {string} file */
const hashOf = file => createHash('sha256').update(readFileSync(file)).digest('hex')

/** Where the copy of a file lies. @param {string} file */
const copyOf = file => path.join(target, path.basename(file) === 'LICENSE' ? 'uPlot.LICENSE' : path.basename(file))

/** Copies them, if they are what they should be. */
function vendor() {
  const { version } = JSON.parse(readFileSync(path.join(source, 'package.json'), 'utf8'))
  if (version !== VERSION) throw new Error(`uplot ${version} is installed; this is for ${VERSION}`)
  mkdirSync(target, { recursive: true })
  for (const [file, hash] of Object.entries(FILES)) {
    const found = hashOf(path.join(source, file))
    if (found !== hash) throw new Error(`${file} of uplot has the hash ${found}, not ${hash}`)
    copyFileSync(path.join(source, file), copyOf(file))
  }
}

if (require.main === module) vendor()

module.exports = { FILES, VERSION, copyOf, hashOf, vendor }
