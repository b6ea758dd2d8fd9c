'use strict'

// Makes lib/native/layout.js of what the addon says that it was built with: `npm run build` does so.

const { readFileSync, writeFileSync } = require('node:fs')
const path = require('node:path')

const FILE = path.join(__dirname, '..', 'lib', 'native', 'layout.js')

/** @typedef {{ name: string, doc?: string, value: number }} Row */

/** What a group of numbers is. @type {Record<string, string>} */
const GROUPS = {
  SCRATCH: 'Index in the scratch array, in which a native call leaves what it has to say besides its result.',
  WANT: 'What `walk` is asked for.',
  WAKE: 'What waits for a subscription that rang.',
  STEPPED: 'What became of a step of a counter inside of an object.',
  IN_TEXT: 'Where a string of a walk is.',
  KEY: 'What a key is. An entry without one is `Keyless`.',
  KIND: 'How a value is stored. Kinds of bytes start at `Uint8Array`.',
  MARKING:
    'What a near-cache hit has to record, as `open` says it: nothing, or the hit in order; any other number is ' +
    'the limit of the access word.',
  CAUSE: 'Why an entry, or a value of it, is gone.',
  WRITTEN_BY: 'What became of an entry that is there: numbers that no cause has.',
  LEVEL: 'Numbers of log levels, in rising order; a listener gets its own level and everything above.',
  TARGET: 'What log lines are about: the names follow `typedmap.`.',
  SHARD_FIGURES: 'Index of a figure of a shard, among those of the shard.'
}

const WIDTH = 120

/** A comment, in as many lines as it takes. @param {string} text @param {string} indent */
function comment(text, indent) {
  if (indent.length + text.length + '/**  */'.length <= WIDTH) return `${indent}/** ${text} */\n`
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1] ?? ''
    if (last !== '' && indent.length + ` * ${last} ${word}`.length > WIDTH) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return `${indent}/**\n${lines.map(line => `${indent} * ${line}\n`).join('')}${indent} */\n`
}

/** @param {Row} row @param {string} indent */
const documented = ({ doc }, indent) => (doc === undefined ? '' : comment(doc, indent))

/** @param {string} group @param {Row[]} rows */
function groupText(group, rows) {
  const members = rows.map(row => `${documented(row, '  ')}  ${row.name}: ${row.value}`)
  return `${comment(GROUPS[group] ?? '', '')}const ${group} = Object.freeze({\n${members.join(',\n')}\n})\n`
}

/** The text of lib/native/layout.js, as `addon.layout()` describes it. @param {string} layout */
function layoutText(layout) {
  const { SIZES, ...groups } = /** @type {Record<string, Row[]>} */ (JSON.parse(layout))
  const names = [...SIZES.map(({ name }) => name), ...Object.keys(groups)]
  return [
    `'use strict'\n`,
    '// Made of `src/binding/layout.rs` by `npm run build`: numbers that JavaScript and Rust agree on.\n',
    ...SIZES.map(row => `${documented(row, '')}const ${row.name} = ${row.value}\n`),
    ...Object.entries(groups).map(([group, rows]) => groupText(group, rows)),
    `module.exports = {\n${names.map(name => `  ${name}`).join(',\n')}\n}\n`
  ].join('\n')
}

/** Writes the file if it says something else. */
function writeLayout() {
  const text = layoutText(require('../lib/addon/load.js').layout())
  if (readFileSync(FILE, 'utf8') !== text) writeFileSync(FILE, text)
}

module.exports = { FILE, layoutText, writeLayout }
