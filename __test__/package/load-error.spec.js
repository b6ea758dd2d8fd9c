'use strict'

// What a user sees where the addon cannot be loaded, and where two copies of it are.

const { after, before, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { run, runNode } = require('../support/processes.js')
const { PACKAGE } = require('../support/workers.js')

/** Loads the package of `folder` and prints what is thrown. */
const loading = (folder, flags = []) =>
  run(process.execPath, [
    ...flags,
    '--eval',
    `try {
      require(${JSON.stringify(folder)})
    } catch (error) {
      const { name, code, number, message, details } = error
      console.log(JSON.stringify({ name, code, number, message, details, cause: error.cause instanceof Error }))
    }`
  ])

describe('an addon that cannot be loaded', { timeout: 300_000 }, () => {
  let folder

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'typed-superdashmap-'))
    for (const name of ['index.js', 'package.json', 'lib']) {
      cpSync(path.join(PACKAGE, name), path.join(folder, name), { recursive: true })
    }
  })

  after(() => rmSync(folder, { recursive: true, force: true }))

  const addon = () => {
    const home = path.join(folder, 'lib', 'addon')
    const name = readdirSync(home).find(name => name.endsWith('.node'))
    return path.join(home, name)
  }

  function isUnavailable(stdout, reason) {
    const error = JSON.parse(stdout)
    assert.equal(error.name, 'TypedMapError')
    assert.equal(error.code, 'ERR_NATIVE_UNAVAILABLE')
    assert.equal(error.number, 1024)
    assert.equal(error.cause, true)
    for (const part of [process.platform, process.arch, process.version]) assert.ok(error.message.includes(part))
    assert.match(error.message, reason)
    assert.doesNotMatch(error.message, /npm has a bug/)
    const { platform, arch, node, tried } = error.details
    assert.deepEqual(
      { platform, arch, node },
      { platform: process.platform, arch: process.arch, node: process.version }
    )
    assert.ok(tried.length > 0 && tried.every(reason => !reason.includes('\n')))
    return error
  }

  it('because the process may not load any says so', async () => {
    const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'
    const { stdout } = await loading(PACKAGE, [flag, '--allow-fs-read=*'])
    isUnavailable(stdout, /addon/)
  })

  it('because it is damaged says so', async () => {
    writeFileSync(addon(), 'no addon')
    const { stdout } = await loading(folder)
    isUnavailable(stdout, /typed-superdashmap\.[\w-]+\.node/)
  })

  it('because it is missing says so', async () => {
    rmSync(addon())
    const { stdout } = await loading(folder)
    isUnavailable(stdout, /Cannot find module/)
  })
})

describe('two copies of the addon in one process', { timeout: 300_000 }, () => {
  it('are warned of once, and know neither maps nor handles of each other', async () => {
    const { status, stdout, stderr } = await runNode(`
      const { cpSync, mkdtempSync, rmSync } = require('node:fs')
      const path = require('node:path')
      const PACKAGE = ${JSON.stringify(PACKAGE)}
      const folder = mkdtempSync(path.join(require('node:os').tmpdir(), 'typed-superdashmap-'))
      process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
      const warnings = []
      process.on('warning', warning => warnings.push(warning))
      const copies = ['one', 'other'].map(name => {
        for (const file of ['index.js', 'package.json', 'lib']) {
          cpSync(path.join(PACKAGE, file), path.join(folder, name, file), { recursive: true })
        }
        return require(path.join(folder, name))
      })
      const [one, other] = [{ TypedMap }, ...copies].slice(0, 2).map(({ TypedMap }) => TypedMap.open('same'))
      one.set('a', 'mine')
      other.set('a', 'yours')
      const data = structuredClone(one.getHandle('a'))
      let code
      try { other.handle(data) } catch (error) { code = error.code }
      setTimeout(() => {
        console.log(code, one.get('a'), other.get('a'))
        for (const { code, message } of warnings) console.log(code, message.includes(path.join(folder, 'one')))
      }, 10)`)
    assert.equal(status, 0, stderr)
    assert.equal(stdout, 'ERR_HANDLE_INVALIDATED mine yours\nTYPED_SUPERDASHMAP_COPIES true\n')
  })

  it('are not what two evaluations of one copy are', async () => {
    const { stdout, stderr } = await runNode(`
      process.on('warning', warning => console.log(warning.code))
      for (const file of Object.keys(require.cache)) if (!file.endsWith('.node')) delete require.cache[file]
      require(${JSON.stringify(PACKAGE)})
      setTimeout(() => console.log('end'), 10)`)
    assert.deepEqual({ stdout, stderr }, { stdout: 'end\n', stderr: '' })
  })
})
