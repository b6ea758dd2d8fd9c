'use strict'

// Lines of prose and code end before column 120, tables aside.

const { it } = require('node:test')
const assert = require('node:assert/strict')
const { readFileSync, readdirSync } = require('node:fs')
const path = require('node:path')
const { PACKAGE } = require('../support/workers.js')

const FOLDERS = ['.ci', '.github', '__test__', 'benchmark', 'examples', 'lib', 'scripts', 'src', 'types']
const KINDS = new Set(['.js', '.mjs', '.ts', '.mts', '.rs', '.md', '.yml'])
/** What a build makes. */
const MADE = new Set(['lib/addon/binding.d.ts'])
const WIDTH = 120

const inFolders = FOLDERS.flatMap(folder =>
  readdirSync(path.join(PACKAGE, folder), { recursive: true }).map(file => path.posix.join(folder, String(file)))
)
/** What others wrote, as they did. */
const VENDORED = 'lib/inspector/page/vendor/'
const isOurs = file =>
  KINDS.has(path.extname(file)) &&
  !MADE.has(file) &&
  !file.startsWith('benchmark/results/') &&
  !file.startsWith(VENDORED)
const files = [...readdirSync(PACKAGE), ...inFolders].filter(isOurs)

it(`lines end before column ${WIDTH}, tables aside`, () => {
  assert.ok(files.length > 200, `${files.length} files`)
  const long = files.flatMap(file =>
    readFileSync(path.join(PACKAGE, file), 'utf8')
      .split('\n')
      .flatMap((line, at) => ([...line].length > WIDTH && !line.startsWith('|') ? [`${file}:${at + 1}`] : []))
  )
  assert.deepEqual(long, [])
})
