'use strict'

require('../support/sound.js')
const { after, before, beforeEach, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const v = require('valibot')
const { merge } = require('../../examples/config-registry/merge.js')
const { ConfigError, ConfigRegistry } = require('../../examples/config-registry/registry.js')
const { runExample, startExample } = require('../support/examples.js')
const { startWorker, nextMessage } = require('../support/workers.js')

const MODULE = require.resolve('../../examples/config-registry/registry.js')

const layer = (origin, values) => ({ origin, values })
const text = (origin, values) => ({ origin, values, isText: true })

describe('examples/config-registry: merge', () => {
  it('lays later layers over earlier ones, name by name', () => {
    const { values, origins, warnings } = merge([
      layer('one', { a: 1, table: { b: 1, c: [1, 2] }, kept: null }),
      layer('two', { a: 2, table: { c: [3], d: { e: 5 } } })
    ])
    assert.deepEqual(values, { a: 2, table: { b: 1, c: [3], d: { e: 5 } }, kept: null })
    assert.deepEqual(Object.fromEntries(origins), {
      a: 'two',
      'table.b': 'one',
      'table.c': 'two',
      'table.d.e': 'two',
      kept: 'one'
    })
    assert.deepEqual(warnings, [])
  })

  it('edits lists, removals first, and adds nothing twice', () => {
    const { values, origins, warnings } = merge([
      layer('one', { list: ['a', 'b', { c: 1 }], t: {} }),
      layer('two', { list_add: ['d', 'a', 'd'], list_remove: [{ c: 1 }, 'b'], t: { made_add: 'x' } }),
      layer('three', { list_remove: ['a'], list_add: ['a'] })
    ])
    assert.deepEqual(values, { list: ['d', 'a'], t: { made: ['x'] } })
    assert.equal(origins.get('list'), 'one + two + three')
    assert.equal(origins.get('t.made'), 'two')
    assert.deepEqual(warnings, [])
  })

  it('warns of what is odd, and goes on', () => {
    const { values, warnings } = merge([
      layer('one', { list: ['a'], text: 'x', table: { a: 1 } }),
      layer('two', { list_remove: ['b'], text_add: ['y'], missing_remove: [1], table: 3, text: { b: 1 } }),
      layer('three', JSON.parse('{ "__proto__": { "polluted": true }, "__proto___add": [1] }'))
    ])
    assert.deepEqual(values, { list: ['a'], text: { b: 1 }, table: 3, missing: [] })
    assert.equal({}.polluted, undefined)
    assert.deepEqual(warnings, [
      'two: table: 3 takes the place of a table (one)',
      'two: text: a table takes the place of "x" (one)',
      'two: list_remove: "b" is not in list',
      'two: missing_remove: 1 is not in missing',
      'two: text_add: text is no list, but a table',
      'three: __proto__: is no name for a setting'
    ])
  })

  it('text is JSON where it can be, and text where text was', () => {
    const { values } = merge([
      layer('file', { port: 1, name: 'x', list: [] }),
      text('env', { port: '2', name: '3', list_add: '["a", 4]', other: 'yes', more_add: 'plain', flag: 'true' })
    ])
    assert.deepEqual(values, { port: 2, name: '3', list: ['a', 4], other: 'yes', more: ['plain'], flag: true })
  })
})

describe('examples/config-registry', { timeout: 120_000 }, () => {
  const schemas = {
    server: v.strictObject({
      host: v.optional(v.string(), 'localhost'),
      port: v.pipe(v.number(), v.integer())
    }),
    plugins: v.object({ enabled: v.optional(v.array(v.string()), []) })
  }

  let root
  let inner
  let names = 0
  /** @type {ConfigRegistry<any>[]} */
  let open = []

  const file = (name, content) => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true })
    // As editors do, so that no reader sees a part of it.
    writeFileSync(path.join(root, `${name}~`), content)
    renameSync(path.join(root, `${name}~`), path.join(root, name))
  }
  const make = (options = {}) => {
    const registry = new ConfigRegistry(schemas, { name: `config spec ${names}`, ...options })
    open.push(registry)
    return registry
  }
  const load = (registry, sources = {}) => {
    registry.load({ folder: inner, env: {}, ...sources })
    return registry
  }
  /** A text without the folder of the test, and with slashes. */
  const tidy = text => text.replaceAll(root + path.sep, '').replaceAll(path.sep, '/')
  const problemsOf = action => {
    try {
      action()
    } catch (error) {
      assert.ok(error instanceof ConfigError, error)
      return error.problems.map(tidy)
    }
    return assert.fail('nothing was thrown')
  }

  before(() => {
    root = realpathSync(mkdtempSync(path.join(tmpdir(), 'config-registry-')))
    inner = path.join(root, 'a', 'b')
  })

  beforeEach(() => {
    for (const registry of open) registry.close()
    open = []
    names++
    rmSync(path.join(root, 'a'), { recursive: true, force: true })
    mkdirSync(inner, { recursive: true })
    file('a/app.toml', 'root = true\n[server]\nport = 80\n[plugins]\nenabled = ["one", "two"]\n')
  })

  after(() => {
    for (const registry of open) registry.close()
    rmSync(root, { recursive: true, force: true })
  })

  it('reads files up the folders, profiles, the environment and arguments, in this order', () => {
    file('app.toml', '[server]\nhost = "beyond the root"')
    file('a/b/app.yaml', 'server:\n  host: inner\nprofiles:\n  live:\n    server: { port: 443 }\n')
    assert.deepEqual(load(make()).get('server'), { host: 'inner', port: 80 })
    const live = load(make(), { profile: 'live' })
    assert.deepEqual(live.get('server'), { host: 'inner', port: 443 })
    assert.deepEqual(live.get('plugins'), { enabled: ['one', 'two'] })

    const env = { APP_PROFILE: 'live', APP_SERVER__PORT: '1', APP_PLUGINS__ENABLED_ADD: '["three"]', OTHER: 'x' }
    const registry = load(make(), { env, overrides: ['server.port=2', 'plugins.enabled_remove=one'] })
    assert.deepEqual(
      [...registry.explain()].map(({ path: at, value, origin }) => [at, value, tidy(origin)]),
      [
        ['server.host', 'inner', 'a/b/app.yaml'],
        ['server.port', 2, '--set'],
        ['plugins.enabled', ['two', 'three'], 'a/app.toml + APP_PLUGINS__ENABLED_ADD + --set']
      ]
    )
    assert.deepEqual(registry.warnings, [])
  })

  it('says where a value is from that is in no source', () => {
    const rows = [...load(make()).explain()]
    assert.deepEqual(rows[0], { path: 'server.host', value: 'localhost', origin: 'the schema' })
  })

  it('several formats of one folder lie over each other, with a warning', () => {
    file('a/b/app.toml', '[server]\nport = 1\nhost = "toml"')
    file('a/b/app.json', '{ "server": { "port": 2 } }')
    const registry = load(make())
    assert.deepEqual(registry.get('server'), { host: 'toml', port: 2 })
    assert.equal(registry.warnings.length, 1)
    assert.match(tidy(registry.warnings[0]), /^a\/b\/app\.toml: lies under app\.json of the same folder$/)
  })

  for (const [name, content, problem] of [
    ['app.toml', '[server]\nport = ', /^a\/b\/app\.toml:2:\d+: Invalid TOML document: /],
    ['app.yaml', 'server: {\nport: ]', /^a\/b\/app\.yaml:2:\d+: /],
    ['app.json', '{ "server": }', /^a\/b\/app\.json: /],
    ['app.yaml', '- a list', /^a\/b\/app\.yaml: has to be a table of settings$/],
    ['app.yaml', 'profiles: 3', /^a\/b\/app\.yaml: profiles has to be a table$/]
  ]) {
    it(`an error in ${name} says where: ${content.replaceAll('\n', ' ')}`, () => {
      file(`a/b/${name}`, content)
      const problems = problemsOf(() => load(make()))
      assert.equal(problems.length, 1)
      assert.match(problems[0], problem)
    })
  }

  it('a folder in the place of a file is an error, an empty file is none', () => {
    file('a/b/app.yaml', '# nothing\n')
    assert.equal(load(make()).get('server').port, 80)
    mkdirSync(path.join(inner, 'app.json'))
    assert.match(problemsOf(() => load(make()))[0], /^a\/b\/app\.json: EISDIR/)
  })

  it('what does not fit its schema is an error that names its source', () => {
    file('a/b/app.yaml', 'server: { port: eighty, hots: x }\nplugins: { enabled: [1] }\n')
    assert.deepEqual(
      problemsOf(() => load(make())),
      [
        'server.port: Invalid type: Expected number but received "eighty" (a/b/app.yaml)',
        'server.hots: Invalid key: Expected never but received "hots" (a/b/app.yaml)',
        'plugins.enabled.0: Invalid type: Expected string but received 1'
      ]
    )
  })

  it('warnings are errors where it is strict', () => {
    const odd = { profile: 'none', env: { APP_SEVRER__PORT: '1' } }
    const expected = ["no file has the profile 'none'", 'sevrer: there is no such section']
    assert.deepEqual(load(make(), odd).warnings, expected)
    names++
    assert.deepEqual(
      problemsOf(() => load(make(), { ...odd, startupFlags: { strict: true } })),
      expected
    )
  })

  it('startup flags are those of the first load, also in other threads, and the environment can be left out', () => {
    const env = { APP_SERVER__PORT: '1' }
    const first = load(make(), { env, startupFlags: { environment: false } })
    assert.equal(first.get('server').port, 80)
    const second = load(make(), { env, startupFlags: { environment: true } })
    assert.deepEqual(second.startupFlags, { strict: false, environment: false })
    assert.equal(second.get('server').port, 80)
    assert.ok(Object.isFrozen(second.startupFlags))
  })

  it('names that do not exist are refused', () => {
    const registry = load(make({ flags: { quiet: false } }))
    assert.deepEqual(
      problemsOf(() => registry.get('sever')),
      ["no section is named 'sever'; there are: server, plugins"]
    )
    assert.deepEqual(
      problemsOf(() => registry.handle('toString')),
      ["no section is named 'toString'; there are: server, plugins"]
    )
    assert.deepEqual(
      problemsOf(() => registry.setFlag('loud', true)),
      ["no flag is named 'loud'; there are: quiet"]
    )
    assert.deepEqual(
      problemsOf(() => load(make(), { overrides: ['port'] })),
      ['--set port: has to be PATH=VALUE, such as server.port=8080']
    )
    assert.deepEqual(
      problemsOf(() => load(make(), { overrides: ['a..b=1'] })),
      ["--set: 'a..b' has an empty name"]
    )
    names++
    assert.deepEqual(
      problemsOf(() => make().handle('server')),
      ['server: has not been loaded']
    )
  })

  it('a handle is the same entry after each reload, and its object changes only with the section', () => {
    const registry = load(make())
    const handle = registry.handle('server')
    const value = handle.get()
    file('a/b/app.yaml', 'plugins: { enabled_add: [three] }')
    registry.reload()
    assert.equal(handle.get(), value)
    assert.deepEqual(registry.get('plugins'), { enabled: ['one', 'two', 'three'] })
    file('a/b/app.yaml', 'server: { port: 8080 }')
    registry.reload()
    assert.deepEqual(handle.get(), { host: 'localhost', port: 8080 })
    assert.deepEqual(registry.get('plugins'), { enabled: ['one', 'two'] })
  })

  it('a reload that does not fit keeps that section, and writes the others', () => {
    const registry = load(make())
    file('a/b/app.yaml', 'server: { port: none }\nplugins: { enabled: [] }')
    assert.deepEqual(
      problemsOf(() => registry.reload()),
      ['server.port: Invalid type: Expected number but received "none" (a/b/app.yaml)']
    )
    assert.deepEqual([registry.get('server').port, registry.get('plugins').enabled], [80, []])
    file('a/b/app.yaml', 'server: [')
    problemsOf(() => registry.reload())
    assert.deepEqual([registry.get('server').port, registry.get('plugins').enabled], [80, []])
    const causes = registry
      .audit()
      .map(({ what, cause, changes, problems }) => [what, cause, changes.length, problems.length])
    assert.deepEqual(causes, [
      ['server', 'load', 1, 0],
      ['plugins', 'load', 1, 0],
      ['server', 'reload', 0, 1],
      ['plugins', 'reload', 1, 0]
    ])
  })

  it('a worker sees the next value at its next read, by a handle that it was sent once', async () => {
    const registry = load(make({ flags: { quiet: false } }))
    const turn = new Int32Array(new SharedArrayBuffer(4))
    const worker = startWorker(
      ({ data, port }) => {
        const { ConfigRegistry } = require(data.module)
        const { schemas } = require(data.schemas)
        const registry = new ConfigRegistry({ server: schemas.server }, { name: data.name, flags: { quiet: false } })
        const handle = registry.handle('server')
        const seen = [handle.get().port]
        port.postMessage('ready')
        for (let round = 1; round <= data.rounds; round++) {
          // Once the main thread says that it has written, no older value may be read.
          while (Atomics.load(data.turn, 0) < 2 * round - 1);
          seen.push(handle.get().port)
          Atomics.add(data.turn, 0, 1)
          Atomics.notify(data.turn, 0)
        }
        registry.setFlag('quiet', true)
        registry.close()
        return seen
      },
      {
        module: MODULE,
        schemas: require.resolve('../../examples/config-registry/schemas.js'),
        name: `config spec ${names}`,
        turn,
        rounds: 50
      }
    )
    await nextMessage(worker)
    const expected = [80]
    for (let round = 1; round <= 50; round++) {
      expected.push(1_000 + round)
      file('a/b/app.yaml', `server: { port: ${1_000 + round} }`)
      registry.reload()
      Atomics.add(turn, 0, 1)
      Atomics.wait(turn, 0, 2 * round - 1)
    }
    assert.deepEqual(await worker.result, expected)

    // What the worker did is in the trail of this thread, too.
    assert.deepEqual(registry.flags, { quiet: true })
    const { thread, what, changes } = registry.audit().at(-1)
    assert.notEqual(thread, 0)
    assert.deepEqual([what, changes], ['runtime flags', [{ path: 'quiet', from: false, to: true }]])
  })

  it('the trail in memory keeps the latest thousand, a file keeps all', () => {
    const auditFile = path.join(root, 'a', 'audit')
    const registry = load(make({ flags: { quiet: false }, auditFile }))
    for (let i = 1; i <= 1_100; i++) registry.setFlag('quiet', i % 2 === 1)
    const records = registry.audit()
    assert.equal(records.length, 1_000)
    const lines = readFileSync(auditFile, 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    assert.equal(lines.length, 1_102)
    assert.deepEqual(records, lines.slice(-1_000))
  })

  it('files are read again when they change', async () => {
    const registry = load(make())
    let reloads = []
    let heard = () => {}
    const end = registry.watch({
      onReload: error => {
        reloads.push(error?.problems.length)
        heard()
      }
    })
    // A file system may tell of one change several times, and of a change before this.
    const until = async condition => {
      while (!condition()) await new Promise(resolve => (heard = resolve))
      reloads = []
    }
    file('a/b/app.yaml', 'server: { port: 1 }')
    await until(() => registry.get('server').port === 1)
    file('a/b/app.yaml', 'server: { port: x }')
    await until(() => reloads.includes(1))
    assert.equal(registry.get('server').port, 1)
    file('a/app.toml', 'root = true\nserver.port = 5\n')
    file('a/b/app.yaml', '')
    await until(() => registry.get('server').port === 5)
    end()
  })

  it('the program shows the sample', async () => {
    const { status, stdout, stderr } = await runExample('config-registry', [], { env: {} })
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(tidy(stdout), /^server\.port = 8080 +examples\/config-registry\/sample\/service\/app\.yaml$/m)
    assert.match(stdout, /^plugins\.enabled = \["metrics","auth","search"\] /m)
    const live = await runExample('config-registry', ['--profile', 'production'], { env: { APP_SERVER__PORT: '99' } })
    assert.match(live.stdout, /^server\.port = 99 +APP_SERVER__PORT$/m)
    assert.match(
      tidy(live.stdout),
      /^server\.tls = true +examples\/config-registry\/sample\/app\.toml \[production\]$/m
    )
    const without = await runExample('config-registry', ['--no-environment'], { env: { APP_SERVER__PORT: '99' } })
    assert.match(without.stdout, /^server\.port = 8080 /m)
  })

  for (const [args, status, problem] of [
    [['--set', 'server.port=x'], 1, /^config-registry: server\.port: Invalid type: .* \(--set\)$/m],
    [['--set', 'server'], 1, /^config-registry: --set server: has to be PATH=VALUE/m],
    [['--strict', '--profile', 'none'], 1, /^config-registry: no file has the profile 'none'$/m],
    [['--folder', '/no/such/folder'], 1, /^config-registry: server\.port: /m],
    [['--audit', '/no/such/folder/file'], 1, /^config-registry: ENOENT: /m],
    [['--workers', '-1'], 2, /--workers/],
    [['--workers', 'x'], 2, /--workers must be a whole number from 0 to 64, not 'x'/],
    [['--wach'], 2, /--wach/],
    [['extra'], 2, /extra/]
  ]) {
    it(`${args.join(' ')} is refused with a sentence`, async () => {
      const result = await runExample('config-registry', args, { env: {} })
      assert.equal(result.status, status, result.stderr)
      assert.match(result.stderr, problem)
      assert.doesNotMatch(result.stderr, /^\s+at /m)
    })
  }

  it('says how it is used', async () => {
    const { status, stdout, stderr } = await runExample('config-registry', ['--help'])
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(stdout, /--profile NAME/)
  })

  it('follows files and lines until Ctrl-C, with workers', { skip: process.platform === 'win32' }, async () => {
    const { child, ended } = startExample('config-registry', ['--watch', '--folder', inner])
    let printed = ''
    let heard = () => {}
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', data => {
        printed += data
        heard()
      })
    }
    let hasEnded = false
    ended.then(() => {
      hasEnded = true
      heard()
    })
    const until = async pattern => {
      while (!pattern.test(printed)) {
        if (hasEnded) assert.fail(`it has ended without ${pattern}:\n${printed}`)
        await new Promise(resolve => (heard = resolve))
      }
    }
    await until(/^Following/m)
    file('a/b/app.yaml', 'server: { port: 8080 }')
    await until(/^server\.port: 80 -> 8080$/m)
    await until(/(^a worker saw server [\d.]+ ms after it was written\n[\s\S]*){2}/m)
    file('a/b/app.yaml', 'server: { port: x }')
    await until(/^config-registry: server\.port: Invalid type/m)
    child.stdin.write('verbose on\nloud on\nnothing\n')
    await until(/^runtime flags: verbose: false -> true$/m)
    await until(/^config-registry: no flag is named 'loud'/m)
    await until(/^config-registry: a line has to be like 'maintenance on', not 'nothing'$/m)
    child.kill('SIGINT')
    const { status, signal } = await ended
    assert.deepEqual([status, signal], [130, null])
  })
})
