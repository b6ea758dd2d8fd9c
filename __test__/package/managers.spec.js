'use strict'

// `npm install typed-superdashmap`, and what other package managers call it, from a registry that has all packages:
// each installs the binary of this platform and no other.

const { after, before, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const process = require('node:process')
const { platformName } = require('../../lib/addon/system.js')
const { programOf } = require('../support/node-versions.js')
const { findNpm, run } = require('../support/processes.js')
const { allPacked, startRegistry } = require('../support/registry.js')
const { PACKAGE } = require('../support/workers.js')

const SCRIPT = `
  const { TypedMap } = require('typed-superdashmap')
  console.log(new TypedMap([['a', { b: 1 }]]).get('a').b)`

/** How each adds the package to a project, what program it is, and what it cannot tell apart. */
const MANAGERS = {
  npm: { program: async () => process.execPath, args: [findNpm(), 'install', '--no-audit', '--no-fund'] },
  pnpm: { program: () => programOf('pnpm@12', 'pnpm'), args: ['add', '--store-dir', '../pnpm-store'] },
  // Knows nothing of C libraries.
  'yarn 1': {
    program: () => programOf('yarn@1', 'yarn'),
    args: ['add', '--cache-folder', '../yarn-cache'],
    anyLibc: true
  },
  'yarn 4': {
    program: () => programOf('@yarnpkg/cli-dist@4', 'yarn'),
    args: ['add'],
    env: { YARN_NODE_LINKER: 'node-modules' }
  },
  'yarn 4 with Plug and Play': {
    program: () => programOf('@yarnpkg/cli-dist@4', 'yarn'),
    args: ['add'],
    env: { YARN_NODE_LINKER: 'pnp' },
    flags: ['--require', './.pnp.cjs']
  }
}

describe('from a registry', { timeout: 600_000 }, () => {
  let folder
  let registry

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'typed-superdashmap-'))
    const packed = await run(process.execPath, [path.join(PACKAGE, 'scripts', 'pack.js'), folder])
    assert.equal(packed.status, 0, packed.stderr)
    registry = await startRegistry(allPacked(folder))
  })

  after(async () => {
    await registry?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  for (const [manager, { program, args, env, flags = [], anyLibc = false }] of Object.entries(MANAGERS)) {
    const skip = process.platform === 'win32' && manager !== 'npm' && 'its command is a script of a shell there'
    it(`${manager} installs this platform's binary alone, which works`, { skip }, async t => {
      const command = await program()
      if (!command) return t.skip(`${manager} is not here and cannot be had`)
      const project = path.join(folder, manager.replaceAll(' ', '-'))
      mkdirSync(project)
      writeFileSync(path.join(project, 'package.json'), '{ "name": "empty", "version": "1.0.0", "private": true }')
      writeFileSync(path.join(project, '.npmrc'), `registry=${registry.url}\n`)
      writeFileSync(path.join(project, 'yarn.lock'), '')
      const installed = await run(command, [...args, 'typed-superdashmap'], {
        cwd: project,
        env: {
          PATH: process.env.PATH,
          HOME: folder,
          npm_config_cache: path.join(folder, 'npm-cache'),
          YARN_NPM_REGISTRY_SERVER: registry.url,
          YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
          YARN_ENABLE_TELEMETRY: '0',
          ...env
        },
        timeout: 300_000
      })
      assert.equal(installed.status, 0, `${installed.stdout}${installed.stderr}`)
      const own = anyLibc ? platformName().replace(/-(gnu|musl)$/, '') : platformName()
      const binaries = readdirSync(project, { recursive: true }).filter(file => file.endsWith('.node'))
      assert.ok(
        binaries.some(file => file.includes(`binding-${platformName()}`)),
        binaries.join()
      )
      assert.deepEqual(
        binaries.filter(file => !file.includes(`binding-${own}`)),
        []
      )

      const { status, stdout, stderr } = await run(process.execPath, [...flags, '--eval', SCRIPT], { cwd: project })
      assert.deepEqual([status, stdout, stderr], [0, '1\n', ''])
    })
  }
})
