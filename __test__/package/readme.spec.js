'use strict'

// The code blocks of the README run as they stand, and return what their comments say:
//
//   map.get('a') //=> { b: 1 }     the value of the expression on this line
//   //=> text                      the next line that the code before it printed
//
// Blocks follow each other: a block that declares nothing that it uses goes on where the one before it ended.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { existsSync, readFileSync } = require('node:fs')
const path = require('node:path')
const { inspect } = require('node:util')
const { run } = require('../support/processes.js')
const { PACKAGE } = require('../support/workers.js')

const README = path.join(PACKAGE, 'README.md')
const text = existsSync(README) ? readFileSync(README, 'utf8') : ''

/** The fenced blocks of JavaScript, with the line each begins at. */
function blocks(markdown) {
  return [...markdown.matchAll(/^```(js|javascript|mjs)\n([\s\S]*?)^```$/gm)].map(
    ({ 1: language, 2: code, index }) => ({
      code,
      isModule: language === 'mjs' || /^import .* from /m.test(code),
      line: markdown.slice(0, index).split('\n').length
    })
  )
}

/**
 * Turns each `expression //=> expected` into a check. An expected value that is no JavaScript, such as `Error …`, is
 * compared with what `inspect` writes.
 */
function checked(code) {
  return code
    .split('\n')
    .map((line, at) => {
      const printed = /^\s*\/\/=> (.*)$/.exec(line)
      if (printed) return `$printed(${JSON.stringify(printed[1])}, ${at + 1})`
      const result = /^(\s*)((?:const|let|var) [^=]+= )?(.*?);?\s*\/\/=> (.*)$/.exec(line)
      if (!result) return line
      const [, indent, declaration = '', expression, expected] = result
      return `${indent}${declaration}$is((${expression}), ${JSON.stringify(expected)}, ${at + 1})`
    })
    .join('\n')
}

const PRELUDE = `
const $assert = require('node:assert/strict')
const { inspect: $inspect } = require('node:util')
const $vm = require('node:vm')
const $lines = []
console.log = (...args) => {
  $lines.push(...require('node:util').format(...args).split('\\n'))
}
function $plain(value) {
  return $inspect(value, { depth: null, breakLength: Infinity, sorted: true })
}
function $is(actual, expected, line) {
  let wanted = expected
  try {
    wanted = $plain($vm.runInThisContext('(' + expected + ')'))
  } catch {}
  $assert.equal($plain(actual), wanted, 'line ' + line + ' of the block')
  return actual
}
function $printed(expected, line) {
  $assert.equal($lines.shift(), expected, 'line ' + line + ' of the block')
}
`

describe('README', { skip: text === '' && 'there is no README yet' }, () => {
  const found = blocks(text)

  it('has code', () => {
    assert.ok(found.length > 0)
  })

  for (const { code, isModule, line } of found) {
    it(`the block at line ${line} runs and returns what it says`, async () => {
      // The package finds itself by its own name, through its exports.
      const body = checked(code)
      const source = isModule
        ? [
            `import { createRequire } from 'node:module'`,
            `const require = createRequire(${JSON.stringify(README)})`,
            PRELUDE,
            body
          ].join('\n')
        : `${PRELUDE}\n;(async () => {\n${body}\n})().catch(error => { console.error(error); process.exit(1) })`
      const { status, stderr } = await run(
        process.execPath,
        [`--input-type=${isModule ? 'module' : 'commonjs'}`, '--eval', source],
        { cwd: PACKAGE, timeout: 300_000 }
      )
      assert.equal(status, 0, `${stderr}\n${code}`)
    })
  }
})

describe('README checker', () => {
  // A checker that passes everything would be worse than none.
  const outcome = async code => {
    const source = `${PRELUDE}\n${checked(code)}`
    return (await run(process.execPath, ['--eval', source], { cwd: PACKAGE })).status
  }

  it('passes what is right', async () => {
    const code =
      "const a = [1, { b: 'x' }] //=> [1, { b: 'x' }]\na.length //=> 2\nconsole.log('text')\n//=> text\n" +
      'undefined //=> undefined'
    assert.equal(await outcome(code), 0)
  })

  it('fails what is wrong', async () => {
    for (const code of [
      'const a = 1 //=> 2',
      "'a' //=> 'b'",
      "console.log('a')\n//=> b",
      '({ a: 1 }) //=> { a: 1, b: 2 }',
      'undefined //=> null',
      'throw new Error("x")'
    ]) {
      assert.notEqual(await outcome(code), 0, code)
    }
  })

  it('sees values as inspect writes them', () => {
    assert.equal(inspect([undefined], { depth: null }), '[ undefined ]')
  })
})
