'use strict'

require('../support/sound.js')
const { afterEach, beforeEach, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { TypedMapError } = require('../..')
const { History } = require('../../examples/line-editor/history.js')
const { Keys } = require('../../examples/line-editor/keys.js')
const { PluginError, Plugins } = require('../../examples/line-editor/plugins.js')
const { Sequences, shown } = require('../../examples/line-editor/sequences.js')
const { Session } = require('../../examples/line-editor/session.js')
const { Tables } = require('../../examples/line-editor/tables.js')
const { runExample, startExample } = require('../support/examples.js')
const { seededRandom } = require('../support/random.js')
const { PACKAGE, inWorker } = require('../support/workers.js')

const SAMPLE = path.join(PACKAGE, 'examples', 'line-editor', 'sample.keys')

describe('examples/line-editor', { timeout: 120_000 }, () => {
  let names = 0
  let name
  /** @type {{ close(): void }[]} */
  let open
  /** @type {string[]} */
  let log
  /** @type {Tables} */
  let tables
  let counters

  beforeEach(() => {
    name = `line-editor spec ${++names}`
    open = []
    log = []
    tables = new Tables({ name, log: line => log.push(line) })
    open.push(tables)
    counters = tables.create('counters')
  })

  afterEach(() => {
    for (const one of open) one.close()
  })

  const counted = () => Object.fromEntries(counters)

  /** A session whose output is in `lines`. */
  function makeSession(options = {}) {
    const lines = []
    const session = new Session({ name: `${name}, session`, print: line => lines.push(line), ...options })
    open.push(session)
    const press = keys => session.editor.keys.feed(Buffer.from(keys))
    const line = () => Object.values(session.editor.line).join('|')
    return { session, lines, press, line }
  }

  describe('sequences', () => {
    it('say what keys mean, and whether more may follow', () => {
      const sequences = new Sequences(tables, counters)
      assert.deepEqual(sequences.lookUp('\x1b'), { action: undefined, wait: false })
      assert.equal(sequences.bind('\x1b[A', 'up'), undefined)
      sequences.bind('\x1b[B', 'down')
      sequences.bind('\x1b', 'escape')
      assert.deepEqual(sequences.lookUp('\x1b'), { action: 'escape', wait: true })
      assert.deepEqual(sequences.lookUp('\x1b['), { action: undefined, wait: true })
      assert.deepEqual(sequences.lookUp('\x1b[A'), { action: 'up', wait: false })
      assert.deepEqual(sequences.lookUp('\x1b[C'), { action: undefined, wait: false })
      assert.equal(sequences.bind('\x1b[A', 'previous'), 'up')
      assert.deepEqual(
        sequences.list().map(([keys, action]) => `${shown(keys)}: ${action}`),
        ['ESC: escape', 'ESC [ A: previous', 'ESC [ B: down']
      )
      assert.equal(sequences.unbind('\x1b[A'), 'previous')
      assert.equal(sequences.unbind('\x1b[A'), undefined)
      assert.equal(sequences.unbind('\x1b['), undefined)
      assert.deepEqual(sequences.lookUp('\x1b['), { action: undefined, wait: true })
      sequences.unbind('\x1b[B')
      assert.deepEqual(sequences.lookUp('\x1b'), { action: 'escape', wait: false })
      assert.deepEqual(counted(), { 'sequence look-ups': 7, 'sequence matches': 3, 'sequence beginnings': 3 })
      assert.throws(() => sequences.bind('', 'nothing'), /1 to 32 characters/)
      assert.throws(() => sequences.bind('x'.repeat(33), 'nothing'), /1 to 32 characters/)
    })

    it('answer as a list of them does, whatever is bound and unbound', t => {
      const random = seededRandom(t)
      const sequences = new Sequences(tables, counters)
      const model = new Map()
      const keys = () => Array.from({ length: 1 + random.below(4) }, () => random.pick(['a', 'b', 'c'])).join('')
      for (let step = 0; step < 2_000; step++) {
        const some = keys()
        if (random.oneIn(2)) {
          assert.equal(sequences.bind(some, String(step)), model.get(some))
          model.set(some, String(step))
        } else {
          assert.equal(sequences.unbind(some), model.get(some))
          model.delete(some)
        }
        const asked = keys()
        const wait = [...model.keys()].some(other => other !== asked && other.startsWith(asked))
        assert.deepEqual(sequences.lookUp(asked), { action: model.get(asked), wait })
      }
      for (const some of model.keys()) sequences.unbind(some)
      assert.equal(tables.report().tables.find(table => table.name === 'sequences').entries, 0)
    })
  })

  describe('keys', () => {
    /** What the bytes of `keys` become, with what is bound. */
    function makeKeys(bound, options = {}) {
      const sequences = new Sequences(tables, counters)
      for (const [keys, action] of Object.entries(bound)) sequences.bind(keys, action)
      const taken = []
      const keys = new Keys(sequences, counters, {
        onAction: action => taken.push(`<${action}>`),
        onText: text => taken.push(text),
        timeoutMs: 10_000,
        ...options
      })
      return { keys, taken: () => taken.join(''), feed: bytes => keys.feed(Buffer.from(bytes)) }
    }

    it('are actions and text, however they are cut', () => {
      const bytes = Buffer.from('aé\x1b[A😀\x1b[Bz')
      const all = makeKeys({ '\x1b[A': 'up', '\x1b[B': 'down', '\x1b': 'escape' })
      all.feed(bytes)
      assert.equal(all.taken(), 'aé<up>😀<down>z')
      for (const byte of bytes) all.keys.feed([byte])
      assert.equal(all.taken(), 'aé<up>😀<down>zaé<up>😀<down>z')
    })

    it('a beginning waits, and is what it is by itself when no key comes', async () => {
      const { feed, taken, keys } = makeKeys({ '\x1b[A': 'up', '\x1b': 'escape' }, { timeoutMs: 5 })
      feed('\x1b')
      assert.equal(taken(), '')
      while (taken() === '') await new Promise(resolve => setTimeout(resolve, 5))
      assert.equal(taken(), '<escape>')
      feed('\x1b[')
      keys.expire()
      assert.equal(taken(), '<escape><escape>[')
      keys.expire()
      assert.equal(counters.get('sequence timeouts'), 2)
    })

    it('that turn out to be no sequence are the longest that they begin with, and the others anew', () => {
      const { feed, taken, keys } = makeKeys({ ab: '1', abcd: '2', cx: '3', bq: '4' })
      feed('abcx')
      assert.equal(taken(), '<1><3>')
      feed('bqabcabcd')
      assert.equal(taken(), '<1><3><4><1>c<2>')
      feed('abc')
      keys.expire()
      assert.equal(taken(), '<1><3><4><1>c<2><1>c')
    })

    it('without a meaning are counted and left out', () => {
      const { feed, taken } = makeKeys({ a: '1' })
      feed('\x00b\x7f\x1b')
      assert.equal(taken(), 'b')
      assert.equal(counters.get('unknown keys'), 3)
    })
  })

  describe('history', () => {
    it('has each command once, in its latest spelling and at its latest place', () => {
      const history = new History(tables, counters)
      assert.deepEqual(history.add('ls -l'), { isDuplicate: false })
      assert.deepEqual(history.add('git\tstatus'), { isDuplicate: false })
      assert.deepEqual(history.add('  LS \t -l '), { isDuplicate: true })
      assert.deepEqual(history.add('  LS \t -l '), { isDuplicate: true })
      assert.equal(history.add(' \t '), undefined)
      assert.deepEqual(history.list(), [
        { id: 2, text: 'git\tstatus', uses: 1 },
        { id: 4, text: '  LS \t -l ', uses: 3 }
      ])
      assert.deepEqual(counted(), {
        commands: 4,
        'unique commands': 2,
        'duplicate commands': 2,
        'collisions of spellings': 1
      })
    })

    it('loses no command of several threads', async () => {
      const history = new History(tables, counters)
      await Promise.all(
        Array.from({ length: 4 }, (_, i) =>
          inWorker(
            ({ data }) => {
              const { History } = require(`${data.folder}/history.js`)
              const { Tables } = require(`${data.folder}/tables.js`)
              const tables = new Tables({ name: data.name })
              const counters = tables.create('counters')
              const history = new History(tables, counters)
              for (let n = 0; n < 200; n++) {
                history.add(data.i % 2 === 0 ? `command ${n % 20}` : `COMMAND   ${n % 20}`)
              }
              tables.close()
            },
            { folder: path.dirname(SAMPLE), name, i }
          )
        )
      )
      assert.equal(history.list().length, 20)
      assert.ok(history.list().every(({ uses }) => uses === 40))
      const { commands, 'unique commands': unique, 'duplicate commands': duplicates } = counted()
      assert.deepEqual([commands, unique, duplicates], [800, 20, 780])
    })
  })

  describe('plugins', () => {
    const plugin = (name, keys = {}, actions = {}) => ({ name, version: '1', description: '', keys, actions })
    /** @type {Plugins} */
    let plugins
    let sequences

    beforeEach(() => {
      sequences = new Sequences(tables, counters)
      plugins = new Plugins(tables, sequences)
    })

    it('are found by their names in any case, and listed in order', () => {
      for (const one of ['beta', 'Alpha', 'gamma', 'Éclair', 'delta']) plugins.register(plugin(one))
      assert.deepEqual(
        plugins.list().map(({ name }) => name),
        ['Alpha', 'beta', 'delta', 'Éclair', 'gamma']
      )
      assert.equal(plugins.get('ALPHA').name, 'Alpha')
      assert.equal(plugins.get('éCLAIR').name, 'Éclair')
      assert.throws(() => plugins.register(plugin('BETA')), new PluginError("'BETA' is registered already, as 'beta'"))
      assert.throws(() => plugins.get('none'), new PluginError("there is no plugin named 'none'"))
      assert.throws(() => plugins.register(plugin('two words')), /cannot be the name of a plugin/)
      assert.equal(plugins.unregister('BETA'), true)
      assert.equal(plugins.unregister('beta'), false)
      assert.throws(() => plugins.get('beta'), PluginError)
    })

    it('bind their keys while they are loaded', () => {
      const run = () => {}
      plugins.register(plugin('One', { '\x1b1': 'first', '\x1b2': 'second' }, { first: run }))
      plugins.register(plugin('Two', { '\x1b2': 'other' }))
      assert.equal(plugins.actionNamed('first'), undefined)
      assert.equal(plugins.load('ONE'), 'One')
      assert.equal(sequences.lookUp('\x1b1').action, 'first')
      assert.equal(plugins.actionNamed('first'), run)
      assert.throws(() => plugins.load('one'), /'One' is loaded already/)
      assert.throws(() => plugins.load('two'), /'Two' binds "\\u001b2", which is taken/)
      assert.equal(plugins.get('two').loaded, false)
      assert.equal(plugins.unload('one'), 'One')
      assert.deepEqual(sequences.list(), [])
      assert.throws(() => plugins.unload('one'), /'One' is not loaded/)
      plugins.load('two')
      plugins.unregister('two')
      assert.deepEqual(sequences.list(), [])
    })
  })

  describe('tables', () => {
    it('are known by name, to all threads', async () => {
      tables.create('zebra', { purpose: 'stripes' })
      assert.deepEqual(tables.names(), ['counters', 'zebra'])
      assert.throws(() => tables.create('zebra'), /there is a table named 'zebra' already/)
      const elsewhere = await inWorker(
        ({ data }) => {
          const { Tables } = require(data.module)
          const tables = new Tables({ name: data.name })
          tables.create('zebra').set('seen', 1)
          const names = tables.names()
          tables.close()
          return names
        },
        { module: require.resolve('../../examples/line-editor/tables.js'), name }
      )
      assert.deepEqual(elsewhere, ['counters', 'zebra'])
      assert.equal(tables.report().tables.find(table => table.name === 'zebra').entries, 1)
    })

    it('give up what is not needed when memory is low, and evict when it is nearly gone', async () => {
      const low = []
      const map = tables.create('full', { memoryLimit: '128kb', onLow: () => low.push(map.size) })
      const fillTo = async share => {
        while (map.memoryUsage() < share * 131_072) map.set(`key ${map.size}`, 'x'.repeat(50))
        const calls = () => Object.values(tables.report().pressure).reduce((sum, count) => sum + count, 0)
        const before = calls()
        // Listeners are called some time later.
        while (calls() === before) await new Promise(resolve => setTimeout(resolve, 1))
      }
      await fillTo(0.82)
      assert.equal(low.length, 1)
      assert.deepEqual(tables.report().pressure, { low: 1, emergency: 0 })
      await fillTo(0.92)
      assert.equal(tables.report().pressure.emergency, 1)
      while (map.memoryUsage() > 0.9 * 131_072) await new Promise(resolve => setTimeout(resolve, 1))
      assert.match(log[0], /^full is 8\d % full: giving up what is not needed$/)
      assert.match(log[1], /^full is 9\d % full: evicting$/)
    })

    it('write again with more room, and give up what never fits', () => {
      const map = tables.create('small', { memoryLimit: '128kb', oomStrategy: 'reject' })
      for (let i = 0; i < 3_000; i++) assert.ok(tables.write('small', () => map.set(i, 'x'.repeat(40))))
      const { recovery } = tables.report()
      assert.ok(recovery.recovered > 0)
      assert.equal(recovery.lost, 0)
      assert.equal(recovery.attempts, recovery.allocationFailures)

      const fail = error => () => {
        throw error
      }
      assert.equal(tables.write('small', fail(new TypedMapError('ERR_MEMORY_LIMIT', 'no room'))), undefined)
      assert.equal(tables.report().recovery.attempts, recovery.attempts + 4)
      assert.equal(tables.report().recovery.lost, 1)
      assert.equal(log.at(-1), 'small: no room')

      assert.equal(tables.report().recovery.otherErrors, 0)
      const writeHuge = () => map.set('huge', 'x'.repeat(100_000))
      assert.equal(tables.write('small', writeHuge), undefined)
      assert.match(log.at(-1), /^small: /)
      assert.deepEqual([tables.report().recovery.otherErrors, tables.report().recovery.lost], [1, 2])
      assert.throws(() => tables.write('small', fail(new RangeError('a bug'))), /a bug/)
    })

    it('are emptied and made anew if they are damaged', async () => {
      const map = tables.create('damaged')
      map.set('lost', 1)
      const rebuild = { damaged: () => map.set('made anew', 2) }
      assert.deepEqual(await tables.check(rebuild), [])
      assert.deepEqual([...map.keys()], ['lost'])
      // No use of a map damages it, so the test says that it is.
      const validate = async other =>
        other === map ? { ok: false, problems: [{ shard: 0, slot: 1, what: 'torn' }] } : { ok: true, problems: [] }
      assert.deepEqual(await tables.check(rebuild, validate), ['damaged: torn'])
      assert.deepEqual([...map.keys()], ['made anew'])
      assert.equal(tables.report().recovery.corruptions, 1)
    })
  })

  describe('the editor', () => {
    for (const [keys, expected] of [
      ['abc', 'abc|'],
      ['abc\x1b[D\x1b[D', 'a|bc'],
      ['abc\x01x\x05y', 'xabcy|'],
      ['one two\x17', 'one |'],
      ['one two\x1bb\x1bb\x1bf', 'one| two'],
      ['abc\x02\x0b', 'ab|'],
      ['abc\x02\x15', '|c'],
      ['ab\x7fc', 'ac|'],
      ['ab\x02\x1b[3~c', 'ac|'],
      ['ab\x02\x04', 'a|'],
      // A family, a flag and an e with an accent are each one character.
      ['👨‍👩‍👧🇫🇷e\u0301\x7f\x7f', '👨‍👩‍👧|'],
      ['e\u0301x\x02\x02y', 'y|e\u0301x']
    ]) {
      it(`${JSON.stringify(keys)} makes ${expected}`, () => {
        const { press, line } = makeSession()
        press(keys)
        assert.equal(line(), expected)
      })
    }

    it('goes through the history and comes back to the line', () => {
      const { press, line, lines } = makeSession()
      press('one\rtwo\rONE\rnew')
      press('\x1b[A')
      assert.equal(line(), 'ONE|')
      press('\x1b[A\x1b[A\x1b[A')
      assert.equal(line(), 'two|')
      press('\x0e\x0e\x0e')
      assert.equal(line(), 'new|')
      press('\r')
      assert.deepEqual(lines, ['> one', '> two', '> ONE', '> new'])
    })

    it('runs actions of plugins, and leaves keys of others alone', () => {
      const { press, line, lines } = makeSession()
      press('word\x1bu')
      // Escape discards the line, and u is text.
      assert.equal(line(), 'u|')
      press('\x15:load upcase\rword\x1bu')
      assert.deepEqual([lines.pop(), line()], ['Upcase is loaded', 'WORD|'])
    })

    it('answers wrong commands with a sentence', () => {
      const { press, lines } = makeSession()
      press(':nothing\r:load none\r:constructor\r:load\r')
      assert.deepEqual(lines, [
        'there is no command :nothing; :help lists them',
        "there is no plugin named 'none'",
        'there is no command :constructor; :help lists them',
        "there is no plugin named ''"
      ])
    })

    it('goes on with its keys and plugins after a table was damaged', async () => {
      const { session, press, line, lines } = makeSession()
      press(':load upcase\rone\r')
      let damaged
      const validate = async map => ({ ok: map !== damaged, problems: [{ shard: 0, slot: 1, what: 'torn' }] })
      damaged = session.tables.get('sequences')
      await session.check(validate)
      press('\x1b[A\x1bu')
      assert.equal(line(), 'ONE|')
      damaged = session.tables.get('plugins')
      await session.check(validate)
      press('\x15:load upcase\r')
      assert.deepEqual(lines, [
        'Upcase is loaded',
        '> one',
        'sequences: torn',
        'damaged tables were emptied',
        'plugins: torn',
        'damaged tables were emptied',
        'Upcase is loaded'
      ])
    })

    it('ends by command, at the end of input, and when it is interrupted', () => {
      for (const [keys, ended] of [
        [':quit\r', 'quit'],
        ['\x04', 'quit'],
        ['text\x03', 'interrupted'],
        ['text', undefined]
      ]) {
        const { session, press } = makeSession()
        press(keys)
        assert.equal(session.ended, ended)
        session.close()
        open.pop()
      }
    })
  })

  describe('the program', () => {
    let folder

    beforeEach(() => {
      folder = mkdtempSync(path.join(tmpdir(), 'line-editor-'))
    })
    afterEach(() => rmSync(folder, { recursive: true, force: true }))

    it('plays the sample', async () => {
      const { status, stdout, stderr } = await runExample('line-editor', ['--script', SAMPLE])
      assert.deepEqual([status, stderr], [0, ''])
      const lines = stdout.split('\n')
      assert.deepEqual(lines.slice(0, 13), [
        '> ls -l',
        '> git  status',
        '> LS   -l',
        '2  git  status',
        '3  LS   -l  (2x)',
        '> sudo git  status',
        '  Arrows 0.9: ESC [ 1 ; 5 C and D: a word to the right and to the left',
        '  transpose 1.1: ^T: the two characters before the cursor change places',
        '  Upcase 1.0: ESC u: the word before the cursor in capitals',
        'Upcase is loaded',
        "'Upcase' is loaded already",
        'Arrows is loaded',
        '> make -j2 ALL'
      ])
      for (const line of [
        'ESC [ 1 ; 5 C word-right',
        'collisions of spellings: 1',
        'duplicate commands: 1',
        'unique commands: 4',
        'sequence timeouts: 2',
        'all tables are sound'
      ]) {
        assert.ok(lines.includes(line), line)
      }
      assert.match(stdout, /^history +4 /m)
    })

    it('takes bytes from standard input', async () => {
      const { status, stdout } = await runExample('line-editor', [], { input: 'echo é\r\x1b[A\x1b[Dx\rend\x1b' })
      assert.deepEqual([status, stdout], [0, '> echo é\n> echo xé\n'])
      const interrupted = await runExample('line-editor', [], { input: 'one\r\x03two\r' })
      assert.deepEqual([interrupted.status, interrupted.stdout], [130, '> one\n'])
    })

    it('says what happens where memory is short, and goes on', async () => {
      const script = path.join(folder, 'many.keys')
      const keys = Array.from({ length: 1_500 }, (_, i) => JSON.stringify(`command ${i} ${'x'.repeat(40)}\r`))
      writeFileSync(script, [...keys, '":report\\r"', '":check\\r"'].join('\n'))
      const args = ['--script', script, '--history-memory', '128kb', '--verbose']
      const { status, stdout, stderr } = await runExample('line-editor', args)
      assert.deepEqual([status, stderr], [0, ''])
      assert.equal(stdout.match(/^> command /gm).length, 1_500)
      assert.match(stdout, /^pressure: low \d+, emergency \d+$/m)
      assert.match(stdout, /^history is \d+ % full: (giving up what is not needed|evicting)$/m)
      assert.match(stdout, /^all tables are sound$/m)
      assert.match(stdout, /lost 0$/m)
    })

    it('a script with a line that is none is refused, with its place', async () => {
      const script = path.join(folder, 'bad.keys')
      for (const line of ['keys', '3', 'wait', 'wait -1', '"open']) {
        writeFileSync(script, `# a comment\n\n${line}\n`)
        const { status, stdout, stderr } = await runExample('line-editor', ['--script', script])
        assert.deepEqual([status, stdout], [2, ''])
        assert.equal(stderr, `line-editor: ${script}:3: has to be a JSON string or 'wait MS', not ${line}\n`)
      }
    })

    for (const [args, problem] of [
      [['--script', 'no such file'], /^line-editor: no such file: no such file or directory$/m],
      [['--history-memory', '1kb'], /^line-editor: --history-memory 1kb: .*at least \d+ bytes/m],
      [['--history-memory', 'much'], /^line-editor: --history-memory much: /m],
      [['--timeout', 'soon'], /--timeout must be a whole number from 0 to 10000, not 'soon'/],
      [['--scirpt'], /--scirpt/]
    ]) {
      it(`${args.join(' ')} is refused with a sentence`, async () => {
        const { status, stdout, stderr } = await runExample('line-editor', args)
        assert.deepEqual([status, stdout], [2, ''])
        assert.match(stderr, problem)
        assert.doesNotMatch(stderr, /^\s+at /m)
      })
    }

    it('says how it is used', async () => {
      const { status, stdout, stderr } = await runExample('line-editor', ['--help'])
      assert.deepEqual([status, stderr], [0, ''])
      assert.match(stdout, /--script FILE/)
    })

    it('a signal ends it', { skip: process.platform === 'win32' }, async () => {
      const { child, ended } = startExample('line-editor')
      child.stdin.write('one\r')
      await new Promise(resolve => child.stdout.once('data', resolve))
      child.kill('SIGINT')
      const { status, stdout, stderr } = await ended
      assert.deepEqual([status, stdout, stderr], [130, '> one\n', ''])
    })
  })
})
