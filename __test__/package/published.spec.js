'use strict'

// The package as it is published: a main package without a binary, and a package with one for each platform. Both are
// installed from their tarballs, with no network, no cache and no compiler.

const { after, before, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync
} = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const process = require('node:process')
const { platformName } = require('../../lib/addon/system.js')
const { TARGETS } = require('../../scripts/targets.js')
const { version } = require('../../package.json')
const { MAJORS, nodeOf } = require('../support/node-versions.js')
const { findNpm, run } = require('../support/processes.js')
const { PACKAGE } = require('../support/workers.js')

/** A port that nothing listens at: whatever asks a registry fails. */
const DEAD = 'http://127.0.0.1:9/'
const SCRIPT = `
  const map = new TypedMap([['a', { b: 1 }]])
  const handle = map.insert([1, 2])
  console.log(JSON.stringify([map.get('a'), map.get(handle), map.size]))`
const REQUIRE = `const { TypedMap } = require('typed-superdashmap')\n${SCRIPT}`
const IMPORT = `import { TypedMap } from 'typed-superdashmap'\n${SCRIPT}`
const SHARE = `
  const { Worker } = require('node:worker_threads')
  const { TypedMap } = require('typed-superdashmap')
  const map = TypedMap.open('shared')
  new Worker("require('typed-superdashmap').TypedMap.open('shared').set('n', 1)", { eval: true }).once('exit', code =>
    console.log(code, map.get('n')))`

describe('the published packages', { timeout: 600_000 }, () => {
  let folder
  const staged = name => path.join(folder, 'packages', name)
  const manifestOf = name => JSON.parse(readFileSync(path.join(staged(name), 'package.json'), 'utf8'))
  const ownPackage = `binding-${platformName()}`

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'typed-superdashmap-'))
    // What the workflow that publishes it is told by its system.
    const workflow = { GITHUB_SERVER_URL: 'https://code.invalid', GITHUB_REPOSITORY: 'some/where' }
    const packed = await run(process.execPath, [path.join(PACKAGE, 'scripts', 'pack.js'), folder], {
      env: { ...process.env, ...workflow }
    })
    assert.equal(packed.status, 0, packed.stderr)
    assert.match(packed.stdout, /^typed-superdashmap +\d+ kB packed +\d+ kB unpacked$/m)
    // Whatever was not built is named, with what builds it.
    for (const name of Object.keys(TARGETS)) {
      if (existsSync(staged(`binding-${name}`))) continue
      assert.match(packed.stdout, new RegExp(`^binding-${name} +missing: npm run build:all -- --only ${name}$`, 'm'))
    }
    assert.ok(existsSync(staged(ownPackage)), packed.stdout)
    // CI tries the one that is published, not what `npm run build` made.
    if ((process.env.REQUIRE_PLATFORMS ?? '').split(',').includes(platformName())) {
      assert.match(packed.stdout, new RegExp(`^${ownPackage} +\\d+ kB packed +\\d+ kB unpacked$`, 'm'))
    }
  })

  after(() => rmSync(folder, { recursive: true, force: true }))

  it('the main one asks for each platform, of its own version', () => {
    const wanted = Object.keys(TARGETS).map(name => [`@typed-superdashmap/binding-${name}`, version])
    assert.equal(wanted.length, 8)
    const { optionalDependencies, dependencies, scripts, devDependencies } = manifestOf('typed-superdashmap')
    assert.deepEqual(optionalDependencies, Object.fromEntries(wanted))
    assert.deepEqual([dependencies, devDependencies, scripts], [undefined, undefined, undefined])
  })

  it('name the repository whose workflow packs them', () => {
    for (const name of ['typed-superdashmap', ownPackage]) {
      const { homepage, repository, bugs } = manifestOf(name)
      assert.deepEqual(repository, { type: 'git', url: 'git+https://code.invalid/some/where.git' })
      assert.deepEqual(
        [homepage, bugs],
        ['https://code.invalid/some/where#readme', 'https://code.invalid/some/where/issues']
      )
    }
  })

  it('the main one has no binary', () => {
    const files = readdirSync(staged('typed-superdashmap'), { recursive: true }).map(String)
    assert.ok(files.includes('index.js'))
    assert.deepEqual(
      files.filter(name => name.endsWith('.node')),
      []
    )
  })

  it('one of a platform has a binary, and is installed on that platform alone', () => {
    assert.deepEqual(readdirSync(staged(ownPackage)).sort(), [
      'LICENSE',
      'README.md',
      'package.json',
      'typed-superdashmap.node'
    ])
    const { os, cpu, libc, main, version: own } = manifestOf(ownPackage)
    const [system, processor, library] = platformName().split('-')
    assert.deepEqual([os, cpu, libc], [[system], [processor], library && [library === 'gnu' ? 'glibc' : library]])
    assert.deepEqual([main, own], ['./typed-superdashmap.node', version])
  })

  it('publishing them would say no word of warning', async () => {
    const settings = path.join(folder, 'npmrc')
    writeFileSync(settings, `${DEAD.replace('http:', '')}:_authToken=none\n`)
    for (const name of readdirSync(path.join(folder, 'packages'))) {
      const args = ['publish', '--dry-run', '--fetch-retries=0', '--registry', DEAD, '--userconfig', settings]
      const { status, stdout, stderr } = await run(process.execPath, [findNpm(), ...args], { cwd: staged(name) })
      assert.equal(status, 0, stderr)
      assert.match(stdout, new RegExp(`${name}@${version}`))
      assert.doesNotMatch(stderr, /npm (warn|error)/i)
    }
  })

  it('the folder that they are made from is not published, with a word on what is', async () => {
    const publish = (...args) => run(process.execPath, [findNpm(), 'run', 'prepublishOnly', ...args], { cwd: PACKAGE })
    const refused = await publish()
    assert.equal(refused.status, 1)
    assert.match(
      refused.stderr,
      /^Not published from here: .*npm run build:all.*npm run pack:all -- FOLDER --complete/m
    )
    assert.equal((await publish('--dry-run')).status, 0)
  })

  for (const major of MAJORS) {
    it(`are installed from their tarballs alone, and work with Node.js ${major}`, async t => {
      const node = await nodeOf(major)
      if (!node) return t.skip(`Node.js ${major} is not here and cannot be had`)
      const project = path.join(folder, `node-${major}`)
      const bare = path.join(project, 'bin')
      mkdirSync(bare, { recursive: true })
      symlinkSync(node, path.join(bare, 'node'))
      writeFileSync(path.join(project, 'package.json'), '{ "name": "empty", "version": "1.0.0", "private": true }')
      const tarballs = readdirSync(folder).filter(
        name => name.endsWith('.tgz') && (!name.includes('-binding-') || name.includes(ownPackage))
      )
      assert.equal(tarballs.length, 2)
      const here = { cwd: project, env: { PATH: bare, HOME: project }, timeout: 300_000 }
      const settings = ['--registry', DEAD, '--cache', path.join(project, 'cache'), '--offline']
      const files = tarballs.map(name => path.join(folder, name))
      const quietly = ['--no-audit', '--no-fund', ...settings]
      const installed = await run(node, [findNpm(), 'install', ...quietly, ...files], here)
      assert.equal(installed.status, 0, `${installed.stdout}${installed.stderr}`)

      const required = await run(node, ['--eval', REQUIRE], here)
      assert.deepEqual([required.stdout, required.stderr], ['[{"b":1},[1,2],2]\n', ''])
      const imported = await run(node, ['--input-type=module', '--eval', IMPORT], here)
      assert.deepEqual([imported.stdout, imported.stderr], ['[{"b":1},[1,2],2]\n', ''])
      const shared = await run(node, ['--eval', SHARE], here)
      assert.deepEqual([shared.stdout, shared.stderr], ['0 1\n', ''])
    })
  }
})
