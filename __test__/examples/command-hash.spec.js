'use strict'

require('../support/sound.js')
const { after, before, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { execFileSync, spawn } = require('node:child_process')
const { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { CommandHash } = require('../../examples/command-hash/command-hash.js')
const { Shell } = require('../../examples/command-hash/shell.js')
const { quote, wordsOf } = require('../../examples/command-hash/words.js')
const { endOf, runExample, startExample } = require('../support/examples.js')
const { seededRandom } = require('../support/random.js')
const { FIRST_LINES, SEARCH_PATHS, changeOf, layOut, randomSession } = require('../support/shell-sessions.js')
const { PACKAGE, inWorker } = require('../support/workers.js')

const PROGRAM = path.join(PACKAGE, 'examples', 'command-hash', 'index.js')

const SESSIONS = Number(process.env.SHELL_SESSIONS ?? 15)
const LINES = 60

const BASH = findBash()
/** Has bash look again for files that are gone. */
const CHECKING = ['-O', 'checkhash']
/** Older ones quote less in what `-l` prints. */
const noOracle = BASH === undefined && 'there is no bash 5.2 or newer on this machine'

function findBash() {
  try {
    const version = execFileSync('bash', ['-c', 'type -P bash; echo $BASH_VERSION'])
    const [file, numbers] = String(version).split('\n')
    const [major, minor] = numbers.split('.').map(Number)
    return major > 5 || (major === 5 && minor >= 2) ? file : undefined
  } catch {
    return undefined
  }
}

/** Rows of the table are in an order of their own in bash. */
const sorted = text => text.split('\n').sort().join('\n')

/** What the example prints for each line, with its status. */
function inExample(lines, name, searchPath) {
  const table = new CommandHash({ name, searchPath })
  const printed = { out: '', error: '' }
  const shell = new Shell(table, {
    print: text => {
      printed.out += text
    },
    printError: text => {
      printed.error += text
    }
  })
  const results = lines.map(({ line, make }, i) => {
    printed.out = ''
    printed.error = ''
    make?.()
    const status = make === undefined ? (shell.run(line, `bash: line ${2 * i + 1}: `) ?? 0) : 0
    return { line, status, out: sorted(printed.out), error: printed.error }
  })
  table.close()
  return results
}

/** The same from bash. */
async function inBash(lines, root, searchPath) {
  const MARK = '\x1f'
  const script = lines
    .map(({ line }) => `${line}\nstatus=$?; printf '${MARK}%s${MARK}' $status; printf '${MARK}' >&2\n`)
    .join('')
  const { stdout, stderr } = await runScript([BASH, ...CHECKING], script, root, searchPath)
  const errors = stderr.split(MARK)
  const results = stdout.split(MARK)
  return lines.map(({ line }, i) => ({
    line,
    status: Number(results[2 * i + 1]),
    out: sorted(results[2 * i]),
    error: errors[i].replaceAll(/^[^ ]*bash: line/gm, 'bash: line')
  }))
}

/** Runs a program that reads `script`, in `root`. */
function runScript([command, ...args], script, root, searchPath) {
  const child = spawn(command, args, {
    cwd: root,
    env: { PATH: searchPath, HOME: path.join(root, 'home'), LC_ALL: 'C.UTF-8' }
  })
  const ended = endOf(child)
  child.stdin.end(script)
  return ended
}

describe('examples/command-hash', { timeout: 300_000, skip: process.platform === 'win32' }, () => {
  const { HOME } = process.env
  let root
  let searchPath

  before(() => {
    root = realpathSync(mkdtempSync(path.join(tmpdir(), 'command-hash-')))
    searchPath = `${root}/first:${root}/second`
    layOut(root)
    process.chdir(root)
    process.env.HOME = path.join(root, 'home')
  })

  after(() => {
    process.chdir(PACKAGE)
    process.env.HOME = HOME
    rmSync(root, { recursive: true, force: true })
  })

  /** Runs lines in bash and in the example, and compares. */
  async function compare(name, lines, given) {
    layOut(root)
    const expected = await inBash(lines, root, given)
    layOut(root)
    const actual = inExample(lines, name, given)
    for (const [i, result] of actual.entries()) {
      const history = lines.slice(0, i + 1).map(({ line }) => line)
      assert.deepEqual(result, expected[i], `PATH=${given}\n${history.join('\n')}`)
    }
  }

  it('prints what bash prints, and has its exit status, whatever the lines', { skip: noOracle }, async t => {
    const random = seededRandom(t)
    for (let session = 0; session < SESSIONS; session++) {
      const given = random.pick(SEARCH_PATHS).replaceAll('ROOT', root)
      await compare(`session ${session}`, randomSession(random, root, LINES), given)
    }
  })

  it('asks the current folder again where it comes before, as bash does', { skip: noOracle }, async () => {
    const lines = ['two', 'hash', 'hash -t two', 'two', 'hash'].map(line => ({ line }))
    const session = [
      ...FIRST_LINES,
      changeOf('deny', 'two', root),
      ...lines,
      changeOf('allow', 'two', root),
      ...lines,
      changeOf('deny', 'two', root),
      ...lines
    ]
    for (const given of [`:${root}/second`, `${root}/first:.:${root}/second`, `./first::${root}/second`]) {
      await compare('session of the current folder', session, given)
    }
  })

  it('reads lines as bash does, and ends with the status of the last', { skip: noOracle }, async () => {
    const script = 'hash\none\nhash one two missing\none\n\nhash -t one\n# a comment\nhash -l\nmissing\n'
    const expected = await runScript([BASH, ...CHECKING], script, root, searchPath)
    const actual = await runScript([process.execPath, PROGRAM], script, root, searchPath)
    assert.equal(sorted(actual.stdout), sorted(expected.stdout))
    assert.equal(actual.stderr, expected.stderr.replaceAll(/^[^ ]*bash: /gm, 'command-hash: '))
    assert.deepEqual([actual.status, expected.status], [127, 127])
  })

  it('a list with -l, read as input, makes the same table', async () => {
    const made = `hash -p '/a b' 'c d'\nhash -p $'/\\t' ''\nhash -p "/quo'te" '$x'\nhash -p '' gone\nhash -l\n`
    const first = await runScript([process.execPath, PROGRAM], made, root, searchPath)
    assert.equal(first.stdout.split('\n').length, 5)
    const second = await runScript([process.execPath, PROGRAM], `${first.stdout}hash -l\n`, root, searchPath)
    assert.deepEqual(second, first)
  })

  it('workers use one table, and each use is counted, also where all look a command up at once', async () => {
    const WORKERS = 4
    const USES = 3
    const names = Array.from({ length: 100 }, (_, i) => `command${i}`)
    const folder = path.join(root, 'many')
    mkdirSync(folder)
    for (const file of names) writeFileSync(path.join(folder, file), '', { mode: 0o755 })
    const data = {
      module: require.resolve('../../examples/command-hash/command-hash.js'),
      options: { name: 'command-hash of workers', searchPath: folder },
      arrived: new Int32Array(new SharedArrayBuffer(4 * names.length)),
      names,
      WORKERS,
      USES
    }
    const table = new CommandHash(data.options)
    const run = ({ data }) => {
      const { CommandHash } = require(data.module)
      const table = new CommandHash(data.options)
      const found = data.names.map((name, i) => {
        // All begin together.
        if (Atomics.add(data.arrived, i, 1) + 1 === data.WORKERS) Atomics.notify(data.arrived, i)
        for (let seen = 0; seen < data.WORKERS; seen = Atomics.load(data.arrived, i))
          Atomics.wait(data.arrived, i, seen)
        return Array.from({ length: data.USES }, () => table.lookUp(name)).join()
      })
      table.close()
      return found
    }
    const found = await Promise.all(Array.from({ length: WORKERS }, () => inWorker(run, data)))
    const expected = names.map(name => Array(USES).fill(`${folder}/${name}`).join())
    assert.deepEqual(found, Array(WORKERS).fill(expected))
    for (const [name, { hits }] of table) assert.equal(hits, WORKERS * USES, name)
    table.close()
  })

  it('workers that look a file up again, which is gone, agree on the next one', async () => {
    layOut(root)
    const name = 'command-hash of a lost file'
    const table = new CommandHash({ name, searchPath })
    table.assign('one', `${root}/gone`)
    const files = await Promise.all(
      Array.from({ length: 4 }, () =>
        inWorker(
          ({ data }) => {
            const { CommandHash } = require(data.module)
            const table = new CommandHash({ name: data.name, searchPath: data.searchPath })
            const found = table.lookUp('one')
            table.close()
            return found
          },
          { module: require.resolve('../../examples/command-hash/command-hash.js'), name, searchPath }
        )
      )
    )
    assert.deepEqual(files, Array(4).fill(`${root}/first/one`))
    const [[, { path: remembered, hits }]] = table
    assert.equal(remembered, `${root}/first/one`)
    assert.ok(hits >= 1 && hits <= 4, `${hits} uses`)
    table.close()
  })

  it('words are quoted so that they are read as they were', async t => {
    const random = seededRandom(t)
    const characters = [...'ab \'"\\$`|&;()<>!{}*[]?^~#=:,é\n\t\x01\x1b\x7f01']
    for (let i = 0; i < 2_000; i++) {
      const words = Array.from({ length: 3 }, () =>
        Array.from({ length: random.below(6) }, () => random.pick(characters)).join('')
      )
      assert.deepEqual(wordsOf(words.map(quote).join(' ')), words)
    }
  })

  for (const [line, problem] of [
    ['one | two', /`\|' has to be quoted/],
    ['one; two', /`;' has to be quoted/],
    ['$HOME/x', /`\$' has to be quoted/],
    ['"$HOME"', /nothing is expanded/],
    ["'one", /unexpected EOF while looking for matching `''/],
    ['"one', /unexpected EOF while looking for matching `"'/],
    ["$'one", /unexpected EOF while looking for matching `''/],
    ['one\\', /unexpected EOF/]
  ]) {
    it(`${line} is refused, because this is not a whole shell`, async () => {
      const { status, stdout, stderr } = await runExample('command-hash', [], { input: `${line}\n` })
      assert.deepEqual([status, stdout], [2, ''])
      assert.match(stderr, problem)
      assert.match(stderr, /^command-hash: line 1: /)
      assert.doesNotMatch(stderr, /^\s+at /m)
    })
  }

  it('the builtin has a help, and so has the program', async () => {
    const builtin = await runExample('command-hash', [], { input: 'hash --help\n' })
    assert.deepEqual([builtin.status, builtin.stderr], [2, ''])
    assert.match(builtin.stdout, /^hash: hash \[-lr\] \[-p pathname\] \[-dt\] \[name \.\.\.\]$/m)
    const program = await runExample('command-hash', ['--help'])
    assert.deepEqual([program.status, program.stderr], [0, ''])
    assert.match(program.stdout, /standard input/)
  })

  it('takes no arguments', async () => {
    for (const argument of ['--list', 'one']) {
      const { status, stdout, stderr } = await runExample('command-hash', [argument])
      assert.deepEqual([status, stdout], [2, ''])
      assert.ok(stderr.includes(argument), stderr)
      assert.doesNotMatch(stderr, /^\s+at /m)
    }
  })

  it('Ctrl-C ends it', async () => {
    const { child, ended } = startExample('command-hash', [], { env: { ...process.env, PATH: searchPath } })
    child.stdin.write('one\n')
    await new Promise(resolve => child.stdout.once('data', resolve))
    child.kill('SIGINT')
    const { status, stdout, stderr } = await ended
    assert.deepEqual([status, stdout, stderr], [130, `${root}/first/one\n`, ''])
  })
})
