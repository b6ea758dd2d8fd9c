'use strict'

// What the release workflow runs: the check of a tag, and the publishing of tarballs, with a command `npm` whose
// registry is a file.

const { afterEach, beforeEach, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const { createHash } = require('node:crypto')
const { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const process = require('node:process')
const { notesOf } = require('../../scripts/release.js')
const { run } = require('../support/processes.js')
const { PACKAGE } = require('../support/workers.js')

describe('the tag of a release', () => {
  const files = {
    'package.json': '{ "version": "1.2.3" }',
    'package-lock.json': '{ "version": "1.2.3" }',
    'lib/addon/platforms.js': "const VERSION = '1.2.3'\n",
    'Cargo.toml': '[package]\nversion = "1.2.3"\n',
    'Cargo.lock': 'name = "typed-superdashmap"\nversion = "1.2.3"\n',
    'CHANGELOG.md': '# Changelog\n\n## 1.2.3 (2026-12-01)\n\n- Faster.\n\n## 1.2.2\n\n- First.\n'
  }
  const notes = (tag, changed = {}) => notesOf(tag, file => ({ ...files, ...changed })[file])

  it('has the notes of its version', () => {
    assert.equal(notes('v1.2.3'), '- Faster.')
  })

  it('is that of every file that names the version', () => {
    for (const file of Object.keys(files).filter(name => name !== 'CHANGELOG.md')) {
      const other = { [file]: files[file].replace('1.2.3', '1.2.4') }
      assert.throws(() => notes('v1.2.3', other), { message: `${file} has version 1.2.4, and the tag is v1.2.3` })
    }
  })

  it('is refused without notes, and without its v', () => {
    const unreleased = { 'CHANGELOG.md': '# Changelog\n\n## Unreleased\n\n- Faster.\n' }
    assert.throws(() => notes('v1.2.3', unreleased), /CHANGELOG\.md says nothing under "## 1\.2\.3"/)
    assert.throws(() => notes('1.2.3'), /v1\.2\.3/)
  })

  it('finds the version of this package in all of them', () => {
    const { version } = require('../../package.json')
    const changelog = `\n## ${version}\n\n- This.\n`
    const read = file => (file === 'CHANGELOG.md' ? changelog : readFileSync(path.join(PACKAGE, file), 'utf8'))
    assert.equal(notesOf(`v${version}`, read), '- This.')
  })
})

/** An npm with a registry in the file FAKE_REGISTRY, which is late by FAKE_DELAY looks and refuses FAKE_REFUSED. */
const FAKE_NPM = `#!${process.execPath}
const fs = require('node:fs')
const { execFileSync } = require('node:child_process')
const { createHash } = require('node:crypto')
const file = process.env.FAKE_REGISTRY
const state = JSON.parse(fs.readFileSync(file, 'utf8'))
const [command, subject, ...rest] = process.argv.slice(2)
state.calls.push([command, subject, ...rest].join(' '))
if (command === 'config') console.log('https://registry.invalid/')
if (command === 'view') {
  const found = state.packages[subject]
  if (!found || found.hidden-- > 0) {
    console.error('npm error code E404')
    process.exitCode = 1
  } else console.log(found.integrity)
}
if (command === 'publish') {
  const { name, version } = JSON.parse(execFileSync('tar', ['-xzOf', subject, 'package/package.json']))
  state.settings = process.env.npm_config_userconfig && fs.readFileSync(process.env.npm_config_userconfig, 'utf8')
  if (process.env.FAKE_REFUSED === name) {
    console.error('npm error code E503')
    process.exitCode = 1
  } else {
    const integrity = 'sha512-' + createHash('sha512').update(fs.readFileSync(subject)).digest('base64')
    state.packages[name + '@' + version] = { integrity, hidden: Number(process.env.FAKE_DELAY ?? 0) }
    state.published.push(name)
  }
}
fs.writeFileSync(file, JSON.stringify(state))
`

// The workflow publishes on Linux.
describe('publishing', { skip: process.platform === 'win32' && 'the fake npm is a script' }, () => {
  const PLATFORMS = ['@typed-superdashmap/binding-a', '@typed-superdashmap/binding-b']
  let folder
  let registry

  /** @param {string} name @param {object} manifest */
  function pack(name, manifest) {
    const staged = path.join(folder, 'staged', 'package')
    mkdirSync(staged, { recursive: true })
    writeFileSync(path.join(staged, 'package.json'), JSON.stringify({ name, version: '1.2.3', ...manifest }))
    const tarball = path.join(folder, 'packed', `${name.replace('/', '-')}.tgz`)
    execFileSync('tar', ['-czf', tarball, '-C', path.join(folder, 'staged'), 'package'])
    return `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
  }

  const state = () => JSON.parse(readFileSync(registry, 'utf8'))

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'publish-'))
    mkdirSync(path.join(folder, 'packed'))
    mkdirSync(path.join(folder, 'bin'))
    registry = path.join(folder, 'registry.json')
    writeFileSync(registry, JSON.stringify({ packages: {}, published: [], calls: [] }))
    writeFileSync(path.join(folder, 'bin', 'npm'), FAKE_NPM, { mode: 0o755 })
    for (const name of PLATFORMS) pack(name, {})
    pack('typed-superdashmap', { optionalDependencies: Object.fromEntries(PLATFORMS.map(name => [name, '1.2.3'])) })
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** @param {Record<string, string>} [env] */
  const publish = (env = {}) =>
    run(process.execPath, [path.join(PACKAGE, 'scripts', 'publish.js'), path.join(folder, 'packed')], {
      cwd: folder,
      timeout: 60_000,
      env: {
        PATH: `${path.join(folder, 'bin')}${path.delimiter}${process.env.PATH}`,
        FAKE_REGISTRY: registry,
        BETWEEN_LOOKS_MS: '1',
        ...env
      }
    })

  it('begins with the packages of platforms, with provenance, and waits until the registry shows each', async () => {
    const { status, stderr } = await publish({ FAKE_DELAY: '3' })
    assert.equal(status, 0, stderr)
    assert.deepEqual(state().published, [...PLATFORMS, 'typed-superdashmap'])
    const calls = state().calls.filter(call => call.startsWith('publish'))
    for (const call of calls) assert.match(call, / --provenance --access public$/)
    // Before it, and until it is shown.
    for (const name of PLATFORMS) {
      assert.equal(state().calls.filter(call => call.startsWith(`view ${name}@1.2.3`)).length, 1 + 4)
    }
    assert.equal(state().settings, undefined)
  })

  it('goes on where an earlier run failed', async () => {
    const failed = await publish({ FAKE_REFUSED: PLATFORMS[1] })
    assert.equal(failed.status, 1)
    assert.match(failed.stderr, /npm publish fails for @typed-superdashmap\/binding-b: npm error code E503/)
    assert.deepEqual(state().published, [PLATFORMS[0]])
    const again = await publish()
    assert.equal(again.status, 0, again.stderr)
    assert.match(again.stdout, /binding-a@1\.2\.3 is published already/)
    assert.deepEqual(state().published, [...PLATFORMS, 'typed-superdashmap'])
  })

  it('stops where the registry has other content under the same version', async () => {
    assert.equal((await publish()).status, 0)
    pack(PLATFORMS[1], { description: 'built again' })
    const { status, stderr } = await publish()
    assert.equal(status, 1)
    assert.match(stderr, /binding-b@1\.2\.3 is published with other content: raise the version/)
  })

  it('publishes nothing if a platform that the main package names is missing', async () => {
    rmSync(path.join(folder, 'packed', `${PLATFORMS[1].replace('/', '-')}.tgz`))
    const { status, stderr } = await publish()
    assert.equal(status, 1)
    assert.match(stderr, /no tarball of @typed-superdashmap\/binding-b 1\.2\.3/)
    assert.deepEqual(state().calls, [])
  })

  it('publishes nothing from a repository that the packages do not name', async () => {
    const here = { GITHUB_SERVER_URL: 'https://code.invalid', GITHUB_REPOSITORY: 'a/b' }
    const { status, stderr } = await publish(here)
    assert.equal(status, 1)
    assert.match(stderr, /names the repository undefined, and this is git\+https:\/\/code\.invalid\/a\/b\.git/)
    assert.deepEqual(state().calls, [])
    const repository = { type: 'git', url: 'git+https://code.invalid/a/b.git' }
    for (const name of PLATFORMS) pack(name, { repository })
    const platforms = Object.fromEntries(PLATFORMS.map(name => [name, '1.2.3']))
    pack('typed-superdashmap', { repository, optionalDependencies: platforms })
    assert.equal((await publish(here)).status, 0)
  })

  it('takes a token, for the registry that npm is set to, and leaves it in no file', async () => {
    const { status, stderr } = await publish({ NPM_TOKEN: 'secret' })
    assert.equal(status, 0, stderr)
    assert.match(state().settings, /^\/\/registry\.invalid\/:_authToken=\$\{NPM_TOKEN\}\n$/)
  })
})
