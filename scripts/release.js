'use strict'

// Checks that a tag can be released, and prints what the changelog says of its version: node scripts/release.js v1.2.3

const { readFileSync } = require('node:fs')
const path = require('node:path')
const process = require('node:process')

/**
 * The notes of a version.
 *
 * @param {string} tag
 * @param {(file: string) => string} read the text of a file of the package
 */
function notesOf(tag, read) {
  const version = tag.replace(/^v/, '')
  if (tag === version) throw new Error(`the tag of a version begins with v: v${version}`)
  const found = {
    'package.json': JSON.parse(read('package.json')).version,
    'package-lock.json': JSON.parse(read('package-lock.json')).version,
    'lib/addon/platforms.js': /^const VERSION = '(.*)'$/m.exec(read('lib/addon/platforms.js'))?.[1],
    'Cargo.toml': /^version = "(.*)"$/m.exec(read('Cargo.toml'))?.[1],
    'Cargo.lock': /^name = "typed-superdashmap"\nversion = "(.*)"$/m.exec(read('Cargo.lock'))?.[1]
  }
  for (const [file, other] of Object.entries(found)) {
    if (other !== version) throw new Error(`${file} has version ${other}, and the tag is ${tag}`)
  }
  const heading = `\n## ${version}`
  const section = read('CHANGELOG.md')
    .split(/(?=\n## )/)
    .find(text => text === heading || text.startsWith(`${heading}\n`) || text.startsWith(`${heading} `))
  const notes = section?.slice(1).split('\n').slice(1).join('\n').trim()
  if (!notes) throw new Error(`CHANGELOG.md says nothing under "## ${version}"`)
  return notes
}

if (require.main === module) {
  try {
    console.log(notesOf(process.argv[2] ?? '', file => readFileSync(path.join(__dirname, '..', file), 'utf8')))
  } catch (error) {
    console.error(`Not released: ${/** @type {Error} */ (error).message}.`)
    process.exitCode = 1
  }
}

module.exports = { notesOf }
