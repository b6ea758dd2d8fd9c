'use strict'

// Sessions of a shell's `hash`: lines that bash and `examples/command-hash` both run, in folders that both find alike.

const { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { quote } = require('../../examples/command-hash/words.js')

/** Prints its own path when bash executes it, as a look-up of the example does. */
const PROGRAM = '#!/bin/sh\nprintf "%s\\n" "$0"\n'

/** Names of commands, some of them hard to quote. */
const NAMES = [
  'one',
  'two',
  'three',
  'nowhere',
  'plain',
  'folder',
  'with space',
  "quo'te",
  'dol$lar',
  'com,ma',
  'naïve',
  '#hash',
  '~tilde',
  'x~y',
  'tab\there',
  'new\nline',
  'bell\x07',
  'esc\x1b?',
  '-dash',
  'a=~b',
  'back\\slash',
  'sta*r',
  'bra[c]e{t}',
  '!bang'
]

/** Where some of them are: folder to names. */
const PROGRAMS = {
  first: ['one', 'with space', "quo'te", '#hash', 'new\nline', 'x~y'],
  second: ['one', 'two', 'plain', 'dol$lar', 'com,ma', 'naïve', '-dash', 'a=~b', 'bra[c]e{t}', 'folder'],
  'home/bin': ['three', '~tilde', 'tab\there', 'bell\x07', 'esc\x1b?', 'back\\slash', 'sta*r', '!bang'],
  '.': ['two', 'three', 'here']
}

/** Search paths, in which ROOT stands for the folder that holds all. */
const SEARCH_PATHS = [
  'ROOT/first:ROOT/second',
  'ROOT/second/:ROOT/first:ROOT/home/bin',
  'ROOT/first:~/bin',
  ':ROOT/first',
  'ROOT/first::ROOT/second',
  'ROOT/first:.:ROOT/second',
  'ROOT/second:first',
  './first:second',
  'ROOT/missing:ROOT/first/one:ROOT/second',
  ''
]

/** Makes what is in the folder anew. @param {string} root */
function layOut(root) {
  for (const name of readdirSync(root)) rmSync(path.join(root, name), { recursive: true })
  for (const [folder, names] of Object.entries(PROGRAMS)) {
    mkdirSync(path.join(root, folder), { recursive: true })
    for (const name of names) writeFileSync(path.join(root, folder, name), PROGRAM, { mode: 0o755 })
  }
  for (const name of ['plain', 'two']) writeFileSync(path.join(root, 'first', name), PROGRAM, { mode: 0o644 })
  mkdirSync(path.join(root, 'first', 'folder'))
}

/** A change of a file, as bash and as this process makes it. */
const CHANGES = {
  remove: { bash: file => `/bin/rm -f ${file}`, make: file => rmSync(file) },
  deny: { bash: file => `/bin/chmod 644 ${file}`, make: file => chmodSync(file, 0o644) },
  allow: { bash: file => `/bin/chmod 755 ${file}`, make: file => chmodSync(file, 0o755) }
}

const OPTIONS = ['-r', '-l', '', '-lr', '-r one', '-rt one', '-', '--', '-d', '-t', '-dt', '-p', '-x', '-ly', '--hlp']

/** A line that changes a file, if it is there. */
const changeOf = (change, file, root) => ({
  line: `[ ! -e ${file} ] || ${CHANGES[change].bash(file)}`,
  make: () => existsSync(path.join(root, file)) && CHANGES[change].make(path.join(root, file))
})

const PLAIN_FILES = ['first/one', 'second/one', 'second/two', 'first/two', 'first/plain', 'second/plain', 'two']

/**
 * A line of a session. `make` changes the files as the line does in bash, and takes the place of running it.
 *
 * @param {import('./random.js').Random} random
 * @param {string} root
 * @returns {{ line: string, make?: () => void }}
 */
function randomLine(random, root) {
  const pick = list => random.pick(list)
  const name = () => quote(pick(NAMES))
  const names = () => Array.from({ length: 1 + random.below(3) }, name).join(' ')
  const file = () => pick(PLAIN_FILES)
  const lines = [
    () => name(),
    () => name(),
    () => pick(['one', 'two', 'three', 'here']),
    () => `hash ${names()}`,
    () => `hash -t ${names()}`,
    () => `hash -lt ${pick(['one', 'two', 'nowhere one', 'naïve two'])}`,
    () => `hash -d ${names()}`,
    () => `hash -p ${quote(`${root}/${file()}`)} ${names()}`,
    () => `hash -p${pick(['/nowhere', 'first/one', './two', './missing', '../x'])} ${names()}`,
    () => `hash -p ${quote(root)} ${names()}`,
    () => `hash -l -- ${name()}`,
    () => `hash ${pick(OPTIONS)}`,
    () => 'hash',
    () => 'hash -l',
    () => `builtin hash ${pick(['-t one', '', 'two'])}`,
    () =>
      pick(['builtin', 'builtin nothing', '', '# a comment', 'first/one', './first/plain', './missing', 'first', './']),
    () => pick([`"one"`, "'o'ne", 'o\\ne', `"o"'n'e # so`, `$'\\x6f\\156e'`, `"with space"`, 'first/one/x']),
    () => {
      const change = pick(Object.keys(CHANGES))
      const changed = change === 'remove' ? file() : pick(['first/plain', 'second/plain', 'first/two', 'two'])
      return changeOf(change, changed, root)
    }
  ]
  const made = pick(lines)()
  return typeof made === 'string' ? { line: made } : made
}

/** Makes the table: as long as there is none, `hash -d` succeeds in bash. */
const FIRST_LINES = [{ line: 'hash -p /nowhere one' }, { line: 'hash -r' }]

/** @param {import('./random.js').Random} random @param {string} root @param {number} count */
const randomSession = (random, root, count) => [
  ...FIRST_LINES,
  ...Array.from({ length: count }, () => randomLine(random, root))
]

module.exports = { FIRST_LINES, SEARCH_PATHS, changeOf, layOut, randomSession }
