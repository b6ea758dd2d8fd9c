'use strict'

require('../support/sound.js')
const { after, before, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { countWords } = require('../../examples/word-count/count-words.js')
const { runExample, startExample } = require('../support/examples.js')

const LINES = 2_000
const WORDS = ['map', 'thread', 'entry', 'naïve', "don't", 'well-known']

/** Lines in which the n-th word stands n + 1 times. */
const text = `${WORDS.flatMap((word, n) => Array(n + 1).fill(word)).join(' ')}\n`.repeat(LINES)

const expected = WORDS.map((word, n) => [word, (n + 1) * LINES]).reverse()

const rowsOf = stdout =>
  stdout
    .trimEnd()
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .map(([count, word]) => [word, Number(count)])

describe('examples/word-count', { timeout: 120_000 }, () => {
  let folder
  let file

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'word-count-'))
    file = path.join(folder, 'text')
    writeFileSync(file, text)
  })

  after(() => rmSync(folder, { recursive: true, force: true }))

  it('loses no word, in whatever pieces the text comes', async () => {
    const pieces = async function* () {
      for (let at = 0; at < text.length; at += 997) yield text.slice(at, at + 997)
    }
    const counts = await countWords(pieces(), { name: 'word-count spec' })
    assert.deepEqual(
      [...counts].sort(([, one], [, other]) => other - one),
      expected
    )
    counts.close()
  })

  it('a text without spaces is counted, too', async () => {
    const counts = await countWords(
      (async function* () {
        for (let i = 0; i < 30; i++) yield 'a,'.repeat(50_000)
      })(),
      { name: 'word-count spec' }
    )
    assert.deepEqual([...counts], [['a', 1_500_000]])
    counts.close()
  })

  it('rejects with the error of the text', async () => {
    const broken = async function* () {
      yield 'one '
      throw new RangeError('no more')
    }
    await assert.rejects(countWords(broken(), { name: 'word-count spec' }), { message: 'no more' })
  })

  it('lists the words of files, most frequent first', async () => {
    const { status, stdout, stderr } = await runExample('word-count', ['--top', '0', file, file])
    assert.equal(status, 0, stderr)
    assert.deepEqual(
      rowsOf(stdout),
      expected.map(([word, count]) => [word, 2 * count])
    )
    assert.match(stderr, /^84,000 words, 6 different$/m)
  })

  it('reads standard input, and lists as many as asked for', async () => {
    const { status, stdout } = await runExample('word-count', ['--top', '1', '--workers', '2'], {
      input: 'A b a.\nB a'
    })
    assert.equal(status, 0)
    assert.deepEqual(rowsOf(stdout), [['a', 3]])
  })

  it('a word ends with its file', async () => {
    const { stdout } = await runExample('word-count', ['-', '-'], { input: 'end' })
    assert.deepEqual(rowsOf(stdout), [['end', 1]])
  })

  it('names files that it cannot read, and counts the others', async () => {
    const missing = path.join(folder, 'missing')
    const { status, stdout, stderr } = await runExample('word-count', [missing, file, folder])
    assert.equal(status, 1)
    assert.deepEqual(rowsOf(stdout), expected)
    assert.ok(stderr.includes(`${missing}: no such file or directory`), stderr)
    assert.ok(stderr.includes(`${folder}: `), stderr)
  })

  for (const [args, problem] of [
    [['--top', 'ten'], /--top must be a whole number from 0 to \d+, not 'ten'/],
    [['--workers', '0'], /--workers must be a whole number from 1 to 64, not '0'/],
    [['--tpo', '3'], /--tpo/]
  ]) {
    it(`${args.join(' ')} is refused, with the usage`, async () => {
      const { status, stdout, stderr } = await runExample('word-count', args)
      assert.deepEqual([status, stdout], [2, ''])
      assert.match(stderr, problem)
      assert.match(stderr, /--help/)
      assert.doesNotMatch(stderr, /^\s+at /m)
    })
  }

  it('says how it is used', async () => {
    const { status, stdout, stderr } = await runExample('word-count', ['--help'])
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(stdout, /--top N/)
  })

  it('Ctrl-C lists what has been counted by then', { skip: process.platform === 'win32' }, async () => {
    const example = startExample('word-count')
    example.child.stdin.write('one two two\n'.repeat(100_000))
    // What is written first has been read once the pipe takes more than it holds.
    await new Promise(resolve => example.child.stdin.write('\n', resolve))
    example.child.kill('SIGINT')
    const { status, stdout, stderr } = await example.ended
    assert.equal(status, 130, stderr)
    assert.deepEqual(new Set(rowsOf(stdout).map(([word]) => word)), new Set(['one', 'two']))
  })
})
