'use strict'

/** What a shell would do more with than this program does, if it is not quoted. */
const OPERATORS = '|&;()<>`'

/** Escapes between `$'` and `'`. */
const ESCAPES = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '?': '?'
}

/** Control characters to their escapes; of the two of Escape, the later. */
const NAMES = new Map(Object.entries(ESCAPES).map(([letter, character]) => [character, `\\${letter}`]))

/** What each form of quoting looks like: all of it, with what is quoted as the first group. */
const FORMS = {
  single: /'([^']*)'/y,
  double: /"((?:[^"\\]|\\.)*)"/sy,
  dollar: /\$'((?:[^'\\]|\\.)*)'/sy,
  escaped: /\\(.)/sy,
  plain: /([^\s'"\\$]+)/y
}

/**
 * Splits a line into words as a shell does, with its four ways of quoting. Nothing is expanded.
 *
 * @param {string} line
 * @returns {string[]}
 * @throws {SyntaxError} for what is not quoted and has a meaning in shells
 */
function wordsOf(line) {
  const words = []
  let word
  let at = 0
  const take = form => {
    FORMS[form].lastIndex = at
    const match = FORMS[form].exec(line)
    if (match === null) return undefined
    at += match[0].length
    return match[1]
  }
  const quoted = (form, quote) => {
    const text = take(form)
    if (text === undefined) throw new SyntaxError(`unexpected EOF while looking for matching \`${quote}'`)
    return text
  }

  while (at < line.length) {
    const character = line[at]
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
      at++
      continue
    }
    if (character === '#' && word === undefined) break
    word ??= ''
    if (character === "'") word += quoted('single', "'")
    else if (character === '"') word += fromDouble(quoted('double', '"'))
    else if (character === '\\') word += quoted('escaped', '\\')
    else if (line.startsWith("$'", at)) word += fromDollar(quoted('dollar', "'"))
    else word += plain(take('plain') ?? character)
  }
  if (word !== undefined) words.push(word)
  return words
}

/** The same text, unless a shell would not take it as it is. */
function plain(text) {
  const special = [...text].find(character => character === '$' || OPERATORS.includes(character))
  if (special !== undefined) throw new SyntaxError(`\`${special}' has to be quoted: this is not a whole shell`)
  return text
}

function fromDouble(text) {
  if (/(?<!\\)(?:\\\\)*[$`]/.test(text)) throw new SyntaxError('nothing is expanded: this is not a whole shell')
  return text.replace(/\\([$`"\\])/g, '$1').replace(/\\\n/g, '')
}

function fromDollar(text) {
  return text.replace(/\\(?:([0-7]{1,3})|x([\da-fA-F]{1,2})|(.))/gs, (all, octal, hex, letter) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8))
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    return ESCAPES[letter] ?? all
  })
}

/** A word so that a shell, and `wordsOf`, reads it as this text. */
function quote(word) {
  const shown = printable(word)
  const needsQuotes = shown === word && /^$|[\s'"\\|&;()<>!{}*[\]?^$`]|^[~#]|[=:]~/.test(word)
  return needsQuotes ? `'${word.replaceAll("'", "'\\''")}'` : shown
}

/** A word as messages show it: with escapes if a terminal would not show all of it. */
function printable(word) {
  if (![...word].some(isControl)) return word
  return `$'${[...word].map(escaped).join('')}'`
}

const isControl = character => character < ' ' || character === '\x7f'

function escaped(character) {
  if (!isControl(character)) return /[\\']/.test(character) ? `\\${character}` : character
  return NAMES.get(character) ?? `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`
}

module.exports = { printable, quote, wordsOf }
