'use strict'

const { after, before, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { findNpm, run } = require('../support/processes.js')
const { PACKAGE } = require('../support/workers.js')

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const SCRIPT = `
  const map = new TypedMap([['a', { b: 1 }]])
  const handle = map.insert([1, 2])
  console.log(JSON.stringify([map.get('a'), map.get(handle), map.size]))`

describe('package', () => {
  let folder
  let project
  let tarball
  /** A PATH with node and nothing else: no compiler, no cargo, no npm. */
  let bare

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'typed-superdashmap-'))
    const packed = await run(npm, ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
      cwd: PACKAGE,
      timeout: 300_000
    })
    assert.equal(packed.status, 0, packed.stderr)
    tarball = path.join(
      folder,
      readdirSync(folder).find(name => name.endsWith('.tgz'))
    )
    project = path.join(folder, 'project')
    mkdirSync(project)
    writeFileSync(path.join(project, 'package.json'), '{ "name": "empty", "version": "1.0.0", "private": true }')
    bare = path.join(folder, 'bin')
    mkdirSync(bare)
    symlinkSync(process.execPath, path.join(bare, 'node'))
    const cli = findNpm()
    const installed = await run(
      process.execPath,
      [cli, 'install', '--offline', '--no-audit', '--no-fund', '--no-save', tarball],
      { cwd: project, env: { ...process.env, PATH: bare }, timeout: 300_000 }
    )
    assert.equal(installed.status, 0, `${installed.stdout}${installed.stderr}`)
  })

  after(() => rmSync(folder, { recursive: true, force: true }))

  const node = (...args) => run(process.execPath, args, { cwd: project, env: { PATH: bare }, timeout: 300_000 })

  it('requires, in a project that has nothing else', async () => {
    const script = `const { TypedMap } = require('typed-superdashmap')\n${SCRIPT}`
    const { status, stdout, stderr } = await node('--eval', script)
    assert.equal(status, 0, stderr)
    assert.equal(stdout, '[{"b":1},[1,2],2]\n')
  })

  it('imports, by name', async () => {
    const script = `import { TypedMap, TypedMapError, Handle } from 'typed-superdashmap'\n${SCRIPT}`
    const { status, stdout, stderr } = await node('--input-type=module', '--eval', script)
    assert.equal(status, 0, stderr)
    assert.equal(stdout, '[{"b":1},[1,2],2]\n')
  })

  it('is one and the same, required or imported', async () => {
    const script = `
      import * as imported from 'typed-superdashmap'
      import { createRequire } from 'node:module'
      import path from 'node:path'
      const required = createRequire(path.resolve('index.js'))('typed-superdashmap')
      const names = Object.keys(required).sort()
      console.log(names.every(name => imported[name] === required[name]) && names.join() ===
        Object.keys(imported).filter(name => name !== 'default' && name !== 'module.exports').sort().join())`
    const { status, stdout, stderr } = await node('--input-type=module', '--eval', script)
    assert.equal(status, 0, stderr)
    assert.equal(stdout, 'true\n')
  })

  it('has the inspector, required and imported, with all that its page loads', async () => {
    const script = `
      import { serveInspector } from 'typed-superdashmap/inspector'
      import inspector from 'typed-superdashmap/inspector'
      const { url, token, close } = await serveInspector()
      const ask = at => fetch(new URL(at, url), { headers: { authorization: 'Bearer ' + token } })
      const page = await (await ask('/')).text()
      const files = [...page.matchAll(/(?:src|href)="(\\/[^"]+)"/g)].map(([, file]) => file)
      const statuses = await Promise.all(files.map(async file => (await ask(file)).status))
      await close()
      console.log(inspector.serveInspector === serveInspector, files.length, new Set(statuses))`
    const { status, stdout, stderr } = await node('--input-type=module', '--eval', script)
    assert.equal(status, 0, stderr)
    assert.equal(stdout, 'true 6 Set(1) { 200 }\n')
  })

  it('has metrics for OpenTelemetry, required and imported', async () => {
    const script = `
      import { createRequire } from 'node:module'
      import { registerMetrics } from 'typed-superdashmap/otel'
      import otel from 'typed-superdashmap/otel'
      const required = createRequire(import.meta.url)('typed-superdashmap/otel')
      console.log(otel.registerMetrics === registerMetrics, required.registerMetrics === registerMetrics)`
    const { status, stdout, stderr } = await node('--input-type=module', '--eval', script)
    assert.equal(status, 0, stderr)
    assert.equal(stdout, 'true true\n')
  })

  it('works in a worker that begins after the main thread, and before it', async () => {
    const script = `
      const { Worker, isMainThread } = require('node:worker_threads')
      const body = "const { TypedMap } = require('typed-superdashmap'); TypedMap.open('shared').set('n', 1)"
      const { once } = require('node:events')
      once(new Worker(body, { eval: true }), 'exit').then(async ([code]) => {
        const { TypedMap } = require('typed-superdashmap')
        const map = TypedMap.open('shared')
        const other = await once(new Worker(body, { eval: true }), 'exit')
        console.log(code, other[0], map.get('n'))
      })`
    const { status, stdout, stderr } = await node('--eval', script)
    assert.equal(status, 0, stderr)
    assert.equal(stdout, '0 0 1\n')
  })

  it('carries what a user needs and nothing else', () => {
    const root = path.join(project, 'node_modules', 'typed-superdashmap')
    const files = readdirSync(root, { recursive: true }).map(name => name.replaceAll(path.sep, '/'))
    for (const name of [
      'package.json',
      'index.js',
      'index.mjs',
      'index.d.ts',
      'LICENSE',
      'lib/addon/platforms.js',
      'inspector.js',
      'inspector.d.mts',
      'otel.js',
      'otel.d.mts',
      'lib/inspector/page/vendor/uPlot.LICENSE'
    ]) {
      assert.ok(files.includes(name), `${name} is missing`)
    }
    assert.equal(files.filter(name => name.endsWith('.node')).length, 1)
    for (const name of files)
      assert.doesNotMatch(name, /^(src|target|benchmark|examples|__test__|node_modules)\b|\.rs$/)
  })

  it('carries every file that its types import', () => {
    const root = path.join(project, 'node_modules', 'typed-superdashmap')
    const files = readdirSync(root, { recursive: true }).map(name => name.replaceAll(path.sep, '/'))
    const ours = files.filter(name => /^(index|inspector|otel|types\/.*)\.d\.m?ts$/.test(name))
    const imported = ours.flatMap(name =>
      [...readFileSync(path.join(root, name), 'utf8').matchAll(/ from '(\..*)\.(m?)js'$/gm)].map(([, other, m]) =>
        path.posix.join(path.posix.dirname(name), `${other}.d.${m}ts`)
      )
    )
    assert.ok(imported.includes('types/map.d.ts'))
    for (const name of imported) assert.ok(files.includes(name), `${name} is missing`)
  })

  it('needs nothing at run time', () => {
    const { dependencies = {}, optionalDependencies = {}, scripts } = require('../../package.json')
    assert.deepEqual({ ...dependencies, ...optionalDependencies }, {})
    for (const name of ['preinstall', 'install', 'postinstall']) assert.equal(scripts[name], undefined)
  })
})
