'use strict'

// The code blocks of the README run as they stand, and return what their comments say:
//
//   map.get('a') //=> { b: 1 }     the value of the expression on this line
//   //=> text                      the next line that the code before it printed
//
// Each block is a file of its own, in a folder that has the package installed. Links and contents are checked too.

const { after, before, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { inspect } = require('node:util')
const { run } = require('../support/processes.js')
const { PACKAGE } = require('../support/workers.js')

const text = readFileSync(path.join(PACKAGE, 'README.md'), 'utf8')

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

describe('README', () => {
  const found = blocks(text)
  let folder

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'readme-'))
    mkdirSync(path.join(folder, 'node_modules'))
    symlinkSync(PACKAGE, path.join(folder, 'node_modules', 'typed-superdashmap'), 'junction')
    // What an example uses beside it.
    for (const name of ['@opentelemetry', 'pino', 'zod']) {
      symlinkSync(path.join(PACKAGE, 'node_modules', name), path.join(folder, 'node_modules', name), 'junction')
    }
  })

  after(() => rmSync(folder, { recursive: true, force: true }))

  it('has code', () => {
    assert.ok(found.length > 0)
  })

  for (const { code, isModule, line } of found) {
    it(`the block at line ${line} runs and returns what it says`, async () => {
      const body = checked(code)
      const source = isModule
        ? [
            `import { createRequire } from 'node:module'`,
            'const require = createRequire(import.meta.url)',
            PRELUDE,
            body
          ]
        : [PRELUDE, ';(async () => {', body, '})().catch(error => { console.error(error); process.exit(1) })']
      const file = path.join(folder, `line-${line}.${isModule ? 'mjs' : 'js'}`)
      writeFileSync(file, source.join('\n'))
      const { status, stderr } = await run(process.execPath, [file], { cwd: folder, timeout: 300_000 })
      assert.equal(status, 0, `${stderr}\n${code}`)
    })
  }

  it('says in its first screen what to install, in ten lines what it does, and what it is not for', () => {
    const screen = text.split('\n').slice(0, 40).join('\n')
    assert.match(screen, /^npm install typed-superdashmap$/m)
    assert.ok(blocks(screen)[0].code.trim().split('\n').length <= 10)
    assert.match(screen, /\*\*It is not for\*\*/)
    assert.match(screen, /^npm ci && npm test/m)
  })

  it('has every section in its contents, in their order', () => {
    const sections = [...text.matchAll(/^## (.*)$/gm)].map(([, title]) => anchorOf(title))
    const contents = text.slice(text.indexOf('**Start:**'), text.indexOf('\n## '))
    const linked = [...contents.matchAll(/\(#([\w-]+)\)/g)].map(([, anchor]) => anchor)
    assert.deepEqual([...linked, 'license'], sections)
  })
})

/** The anchor of a heading, as the pages of repositories make it. @param {string} heading */
const anchorOf = heading =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')

describe('links', () => {
  /** Headings outside of code. @param {string} markdown */
  const anchorsIn = markdown =>
    [...markdown.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm)].map(([, title]) => anchorOf(title))

  for (const file of ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'benchmark/README.md', '__test__/README.md']) {
    it(`of ${file} lead to files and headings that are there`, () => {
      const markdown = readFileSync(path.join(PACKAGE, file), 'utf8')
      for (const [, link] of markdown.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(link)) continue
        const [name, anchor] = link.split('#')
        const target = name ? path.join(PACKAGE, path.dirname(file), name) : path.join(PACKAGE, file)
        assert.ok(existsSync(target), link)
        if (anchor) assert.ok(anchorsIn(readFileSync(target, 'utf8')).includes(anchor), link)
      }
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
