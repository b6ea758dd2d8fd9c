'use strict'

// What a user sees where the addon cannot be loaded: one error, with the reason that was found and what to do. Each
// reason is brought about in a project of its own.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { readFileSync, renameSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { lackingFeatures, readHead } = require('../../lib/addon/executable.js')
const { TEXTS } = require('../../lib/addon/reasons.js')
const { ADDON, OWN, install, packageOf, patchedAddon, uninstall } = require('../support/installations.js')
const { run } = require('../support/processes.js')
const { PACKAGE } = require('../support/workers.js')

const [SYSTEM] = OWN.split('-')
const ELSEWHERE = SYSTEM === 'darwin' ? 'win32-x64' : 'darwin-arm64'
const isX64 = process.arch === 'x64'
const isGlibc = OWN.endsWith('-gnu')
const otherLibc = isGlibc ? OWN.replace('-gnu', '-musl') : OWN.replace('-musl', '-gnu')
const model = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'

/** Reasons that some test brought about. */
const seen = new Set()

/** Prints what is thrown as JSON. */
const PRINT = `error => {
  const { name, code, number, message, details } = error
  console.log(JSON.stringify({ name, code, number, message, details, cause: error.cause instanceof Error }))
}`

const REQUIRE = `try { require('typed-superdashmap'); console.log('"loaded"') } catch (error) { (${PRINT})(error) }`

/**
 * What a program in a project throws.
 *
 * @param {string} project
 * @param {{ flags?: string[], env?: Record<string, string>, program?: string }} [options]
 */
async function thrownIn(project, { flags = [], env = {}, program = REQUIRE } = {}) {
  try {
    const { npm_config_omit, npm_config_optional, ...rest } = process.env
    const { status, signal, stdout, stderr } = await run(process.execPath, [...flags, '--eval', program], {
      cwd: project,
      env: { ...rest, HOME: project, USERPROFILE: project, ...env }
    })
    assert.equal(signal, null, stderr)
    assert.equal(status, 0, stderr)
    assert.doesNotMatch(stderr, /Error/)
    return JSON.parse(stdout)
  } finally {
    uninstall(project)
  }
}

/** Asserts what holds for each reason, and what the text says. */
function assertSays(error, reason, ...texts) {
  assert.equal(error.details?.reason, reason, JSON.stringify(error, null, 2))
  seen.add(reason)
  const { name, code, number, message, details } = error
  assert.deepEqual({ name, code, number }, { name: 'TypedMapError', code: 'ERR_NATIVE_UNAVAILABLE', number: 1024 })
  const { platform, arch, node } = details
  for (const part of [platform, arch, node]) assert.ok(message.includes(part), message)
  assert.equal(node, process.version)
  assert.doesNotMatch(message, /undefined|null|NaN|\[object/)
  assert.ok(details.tried.every(line => typeof line === 'string' && !line.includes('\n')))
  for (const text of texts) assert.ok(text instanceof RegExp ? text.test(message) : message.includes(text), message)
  // npm is blamed where it is to blame.
  assert.equal(message.includes('npm/cli/issues'), reason === 'lock-file', message)
}

const lockNaming = (...names) =>
  JSON.stringify({
    lockfileVersion: 3,
    packages: Object.fromEntries(
      ['typed-superdashmap', ...names.map(packageOf)].map(name => [`node_modules/${name}`, { version: '0.1.0' }])
    )
  })

it('an addon of its platform package is loaded', async () => {
  assert.equal(await thrownIn(install({ [OWN]: readFileSync(ADDON) })), 'loaded')
})

it('an addon of a platform package that lies farther out is loaded', async () => {
  const project = install({ [OWN]: readFileSync(ADDON) }, { 'app/node_modules/README.md': '' })
  const inner = path.join(project, 'app/node_modules/typed-superdashmap')
  renameSync(path.join(project, 'node_modules/typed-superdashmap'), inner)
  const program = REQUIRE.replace('typed-superdashmap', './app/node_modules/typed-superdashmap')
  assert.equal(await thrownIn(project, { program }), 'loaded')
})

describe('a package of the platform that is missing', { timeout: 300_000 }, () => {
  it('is named, with what adds it', async () => {
    const error = await thrownIn(install())
    assertSays(error, 'package-missing', packageOf(OWN), 'npm install --save-optional')
    assert.equal(error.cause, true)
    assert.equal(error.details.package, packageOf(OWN))
  })

  it('was left out with the optional dependencies, as npm was told', async () => {
    const told = await thrownIn(install({}, { '.npmrc': 'fund=false\nomit = optional\n' }))
    assertSays(told, 'optional-omitted', /omit=optional in .*\.npmrc/, '--include=optional')
    const inEnvironment = await thrownIn(install(), { env: { npm_config_omit: 'dev optional' } })
    assertSays(inEnvironment, 'optional-omitted', 'npm_config_omit=dev optional')
  })

  it('was left out, as the lock file knows it', async () => {
    const lock = { 'package-lock.json': lockNaming(ELSEWHERE, OWN) }
    assertSays(await thrownIn(install({}, lock)), 'optional-omitted', 'package-lock.json', '--omit=optional')
    const yarn = ['typed-superdashmap', packageOf(OWN)].map(name => `"${name}@0.1.0":\n  version "0.1.0"\n`).join('\n')
    const ofYarn = await thrownIn(install({}, { 'yarn.lock': yarn }))
    assertSays(ofYarn, 'optional-omitted', 'yarn.lock', '--ignore-optional')
    const others = yarn.replace(packageOf(OWN), packageOf(ELSEWHERE))
    assertSays(await thrownIn(install({}, { 'yarn.lock': others })), 'package-missing')
  })

  it('was left out, as pnpm noted', async () => {
    const note = JSON.stringify({ included: { dependencies: true, optionalDependencies: false } }, null, 2)
    for (const text of [note, 'included:\n  dependencies: true\n  optionalDependencies: false\n']) {
      const error = await thrownIn(install({}, { 'node_modules/.modules.yaml': text }))
      assertSays(error, 'optional-omitted', '.modules.yaml')
    }
  })

  it('is not in the lock file, which was made on another platform: npm is to blame', async () => {
    const error = await thrownIn(install({}, { 'package-lock.json': lockNaming(ELSEWHERE) }))
    assertSays(error, 'lock-file', ELSEWHERE, 'package-lock.json', packageOf(OWN), 'npm install')
    const ofAnother = JSON.stringify({ packages: { [`node_modules/${packageOf(ELSEWHERE)}`]: {} } })
    assertSays(await thrownIn(install({}, { 'package-lock.json': ofAnother })), 'package-missing')
  })

  it('was installed for another platform', async () => {
    const error = await thrownIn(install({ [ELSEWHERE]: '' }, { 'package-lock.json': lockNaming(ELSEWHERE, OWN) }))
    assertSays(error, 'other-platform', `installed for ${ELSEWHERE}`, OWN, '.dockerignore')
  })

  it('was installed for another C library', { skip: SYSTEM !== 'linux' }, async () => {
    assertSays(await thrownIn(install({ [otherLibc]: '' })), 'wrong-libc', otherLibc, OWN, 'Alpine')
  })

  it('does not exist', async () => {
    const elsewhere = `Object.defineProperty(process, 'arch', { value: 'riscv64' });`
    const error = await thrownIn(install(), { program: elsewhere + REQUIRE })
    assertSays(error, 'platform-unsupported', 'riscv64', OWN, 'npm run build')
  })

  it('is without its file', async () => {
    assertSays(await thrownIn(install({ [OWN]: null })), 'damaged', packageOf(OWN), 'install again')
  })
})

describe('an addon that is refused', { timeout: 300_000 }, () => {
  it('by the permission model', async () => {
    const error = await thrownIn(install({ [OWN]: readFileSync(ADDON) }), { flags: [model, '--allow-fs-read=*'] })
    assertSays(error, 'permission', '--allow-addons')
    assert.equal(error.cause, true)
  })

  it('because Node.js was told to load none', async () => {
    const error = await thrownIn(install({ [OWN]: readFileSync(ADDON) }), { flags: ['--no-addons'] })
    assertSays(error, 'no-addons', '--no-addons')
    const flags = [model, '--allow-fs-read=*', '--allow-addons', '--no-addons']
    assertSays(await thrownIn(install({ [OWN]: readFileSync(ADDON) }), { flags }), 'no-addons')
  })

  it('because it is damaged, and the process lives', async () => {
    const whole = readFileSync(ADDON)
    const cut = [0, 63, 4_000, whole.length / 2, whole.length - 5_000].map(end => whole.subarray(0, end))
    for (const content of ['version https://git-lfs.github.com/spec/v1\n', ...(SYSTEM === 'linux' ? cut : [])]) {
      assertSays(await thrownIn(install({ [OWN]: content })), 'damaged', 'typed-superdashmap.node', 'install again')
    }
  })

  it('because it is for another platform', async () => {
    const machO = Buffer.alloc(5_000)
    machO.writeUInt32LE(0xfeed_facf, 0)
    machO.writeUInt32LE(0x0100_000c, 4)
    const pe = Buffer.alloc(5_000)
    pe.write('MZ')
    pe.writeUInt32LE(0x80, 0x3c)
    pe.write('PE\0\0', 0x80)
    pe.writeUInt16LE(0x8664, 0x84)
    const [content, name] = SYSTEM === 'darwin' ? [pe, 'win32-x64'] : [machO, 'darwin-arm64']
    assertSays(await thrownIn(install({ [OWN]: content })), 'other-platform', `is for ${name}`, OWN)
    if (SYSTEM !== 'win32') assertSays(await thrownIn(install({ [OWN]: pe })), 'other-platform', 'is for win32-x64')
  })

  it('because it is for another processor', { skip: SYSTEM !== 'linux' }, async () => {
    const other = readFileSync(ADDON)
    other.writeUInt16LE(process.arch === 'arm64' ? 0x3e : 0xb7, 0x12)
    const name = OWN.replace(process.arch, process.arch === 'arm64' ? 'x64' : 'arm64')
    assertSays(await thrownIn(install({ [OWN]: other })), 'other-platform', `is for ${name}`)
  })

  it('because it is for another C library', { skip: !isGlibc }, async () => {
    const musl = patchedAddon('libc.so.6\0', 'libc.so')
    assertSays(await thrownIn(install({ [OWN]: musl })), 'wrong-libc', `is for ${otherLibc}`, OWN)
  })

  it('because glibc is too old', { skip: !isGlibc }, async () => {
    const versions = readFileSync(ADDON)
      .toString('latin1')
      .match(/GLIBC_2\.\d\d\0/g)
    const newer = patchedAddon(versions.at(-1), versions.at(-1).replace('_2', '_9'))
    const error = await thrownIn(install({ [OWN]: newer }))
    const { glibcVersionRuntime } = process.report.getReport().header
    assertSays(error, 'glibc-too-old', /needs glibc 9\.\d\d,/, `has ${glibcVersionRuntime}`, '2.28')
  })

  /** A program in which the system refuses addons with a text. */
  const refusing = text => `process.dlopen = () => {
    throw Object.assign(new Error(${JSON.stringify(text)}), { code: 'ERR_DLOPEN_FAILED' })
  };${REQUIRE}`

  it('because the processor lacks what it was built for', { skip: SYSTEM !== 'linux' || !isX64 }, async () => {
    const mark = 'typed-superdashmap assumes: '
    const other = readFileSync(ADDON)
    const at = other.indexOf(mark)
    assert.ok(at !== -1 && at + 128 < 4_096, `the note is at the beginning of the addon, at ${at}`)
    const { assumes } = readHead(ADDON)
    assert.deepEqual(lackingFeatures(assumes), [])
    other.write('nonesuch ', at + mark.length)
    assert.deepEqual(lackingFeatures(['fpu', 'nonesuch']), ['nonesuch'])
    assertSays(await thrownIn(install({ [OWN]: other })), 'cpu', 'a processor with nonesuch', 'target-cpu')
  })

  it('for a reason that only the system knows', async () => {
    const program = refusing('cannot allocate memory in static TLS block\nRequire stack')
    const error = await thrownIn(install({ [OWN]: readFileSync(ADDON) }), { program })
    assertSays(error, 'load-failed', 'cannot allocate memory in static TLS block')
  })

  it('because it is of another version', async () => {
    const project = install({ [OWN]: readFileSync(ADDON) })
    const file = path.join(project, 'node_modules/typed-superdashmap/lib/addon/platforms.js')
    writeFileSync(file, readFileSync(file, 'utf8').replace("VERSION = '0.1.0'", "VERSION = '9.9.9'"))
    assertSays(await thrownIn(project), 'other-version', 'of version 0.1.0', 'of version 9.9.9')
  })
})

describe('an addon that TYPED_SUPERDASHMAP_ADDON names', { timeout: 300_000 }, () => {
  it('is the one that is loaded', async () => {
    assert.equal(await thrownIn(install(), { env: { TYPED_SUPERDASHMAP_ADDON: ADDON } }), 'loaded')
  })

  it('is the only one that is tried', async () => {
    const project = install({ [OWN]: readFileSync(ADDON) })
    const error = await thrownIn(project, { env: { TYPED_SUPERDASHMAP_ADDON: 'no/such.node' } })
    assertSays(error, 'file-missing', path.join('no', 'such.node'), 'TYPED_SUPERDASHMAP_ADDON')
  })
})

describe('in a bundle', { timeout: 300_000 }, () => {
  /** The loader as bundlers write it: modules within one file. */
  function bundle() {
    const modules = [
      'errors.js',
      ...['diagnose', 'executable', 'home', 'installed', 'load'].map(name => `addon/${name}.js`)
    ]
    const all = [...modules, ...['platforms', 'reasons', 'system', 'unavailable'].map(name => `addon/${name}.js`)]
    const entries = all.map(name => {
      const source = readFileSync(path.join(PACKAGE, 'lib', name), 'utf8')
      return `${JSON.stringify(path.basename(name))}: (module, require) => {${source}\n}`
    })
    return `const modules = {${entries.join(',\n')}}
      const cache = {}
      const need = name => {
        const key = name.split('/').pop()
        if (!cache[key]) modules[key](cache[key] = { exports: {} }, need)
        return cache[key].exports
      }
      need('./load.js')
      console.log('"loaded"')`
  }

  const program = `try { require('./dist/bundle.js') } catch (error) { (${PRINT})(error) }`

  it('the addon is found in node_modules around it', async () => {
    const project = install({ [OWN]: readFileSync(ADDON) }, { 'dist/bundle.js': bundle() })
    assert.equal(await thrownIn(project, { program }), 'loaded')
  })

  it('the addon is found beside it', async () => {
    const beside = { [`dist/typed-superdashmap.${OWN}.node`]: readFileSync(ADDON), 'dist/bundle.js': bundle() }
    assert.equal(await thrownIn(install({}, beside), { program }), 'loaded')
  })

  it('an error says what to do', async () => {
    const error = await thrownIn(install({}, { 'dist/bundle.js': bundle() }), { program })
    assertSays(error, 'bundle', 'is a bundle', path.join('dist', 'bundle.js'), `typed-superdashmap.${OWN}.node`)
  })
})

describe('the error', { timeout: 300_000 }, () => {
  it('is thrown by an import', async () => {
    // Node.js 20 reports what an imported CommonJS module throws twice, the second time as uncaught.
    const program = `process.on('uncaughtException', () => {}); import('typed-superdashmap').catch(${PRINT})`
    assertSays(await thrownIn(install(), { program }), 'package-missing')
  })

  it('reaches the thread that started a worker', async () => {
    const worker = `new (require('node:worker_threads').Worker)("require('typed-superdashmap')", { eval: true })`
    assertSays(await thrownIn(install(), { program: `${worker}.on('error', ${PRINT})` }), 'package-missing')
  })
})

it('every reason was brought about, and the README says what to do about each', () => {
  const linux = SYSTEM === 'linux' ? [] : ['wrong-libc']
  const glibc = isGlibc ? [] : ['glibc-too-old']
  const cpu = SYSTEM === 'linux' && isX64 ? [] : ['cpu']
  assert.deepEqual([...seen, ...linux, ...glibc, ...cpu].sort(), Object.keys(TEXTS).sort())
  const readme = readFileSync(path.join(PACKAGE, 'README.md'), 'utf8')
  for (const reason of Object.keys(TEXTS)) assert.ok(readme.includes(`| \`${reason}\` |`), reason)
})
