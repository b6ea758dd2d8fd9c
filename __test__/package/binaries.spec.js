'use strict'

// What the addons that `npm run build:all` made say of themselves: that each runs where its package promises. Platforms
// that were not built are skipped, unless REQUIRE_PLATFORMS names them.

const { before, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { existsSync, readFileSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const process = require('node:process')
const { addonOf } = require('../../scripts/build-all.js')
const { TARGETS, platformOf } = require('../../scripts/targets.js')
const { TOOLS } = require('../../scripts/toolchain.js')
const { run } = require('../support/processes.js')
const { PACKAGE } = require('../support/workers.js')

const REQUIRED = new Set((process.env.REQUIRE_PLATFORMS ?? '').split(',').filter(Boolean))
const PYTHON = path.join(TOOLS, 'python')

/** Libraries that every system of the kind has. */
const LIBRARIES = {
  glibc:
    /^(libc\.so\.6|libpthread\.so\.0|libdl\.so\.2|librt\.so\.1|libm\.so\.6|libgcc_s\.so\.1|ld-linux-[\w-]+\.so\.\d)$/,
  musl: /^libc\.so$/,
  darwin: /^(\/usr\/lib\/lib(System\.B|iconv\.2|charset\.1|resolv\.9)\.dylib|\/System\/Library\/Frameworks\/[\w./]+)$/,
  win32: /^(kernel32|ntdll|bcrypt|bcryptprimitives|userenv|ws2_32|api-ms-win-(core|crt)-[\w-]+)\.dll$/i
}
const FORMATS = { linux: 'ELF', darwin: 'MachO', win32: 'PE' }
const MACHINES = {
  x64: ['X86_64', 'AMD64'],
  arm64: ['AARCH64', 'ARM64']
}
/** What the engine asks an addon for. */
const EXPORTS = /^_?(napi_register_module_v\d+|node_api_module_get_api_version_v\d+)$/
/** What zig and Rust's standard library show besides on macOS. */
const DARWIN_EXPORTS = /^_(_mh_dylib_header|__dso_handle|__is(OS|Platform)VersionAtLeast)$/

/** Numbers of versions such as GLIBC_2.28, for comparison. */
const versionOf = text => text.split('.').map(Number)
const isNewer = ([major, minor = 0], [oldMajor, oldMinor = 0]) =>
  major > oldMajor || (major === oldMajor && minor > oldMinor)

for (const [name, target] of Object.entries(TARGETS)) {
  const file = addonOf(name)
  const { os: system, cpu, libc } = platformOf(name)
  const missing = [file, PYTHON].filter(needed => !existsSync(needed)).map(needed => path.relative('', needed))
  const skip = missing.length > 0 && !REQUIRED.has(name) && `no ${missing.join(' and no ')}`

  describe(`the addon of ${name}`, { skip, timeout: 60_000 }, () => {
    let binary

    before(async () => {
      assert.deepEqual(missing, [])
      const described = await run(PYTHON, [path.join(__dirname, '..', 'support', 'binary.py'), file])
      assert.equal(described.status, 0, described.stderr)
      binary = JSON.parse(described.stdout)[0]
    })

    it('is a library of that system and processor', () => {
      assert.equal(binary.format, FORMATS[system])
      assert.ok(MACHINES[cpu].includes(binary.machine), binary.machine)
      assert.match(binary.type, /^(DYN|DYLIB|BUNDLE)$/)
    })

    it('loads libraries that the system has', () => {
      assert.ok(binary.libraries.length > 0)
      for (const library of binary.libraries) assert.match(library, LIBRARIES[libc ?? system])
    })

    it('exports what Node-API asks for and nothing else', () => {
      assert.ok(binary.exports.some(symbol => symbol.includes('napi_register_module_v1')))
      const others = binary.exports.filter(symbol => !EXPORTS.test(symbol))
      assert.deepEqual(system === 'darwin' ? others.filter(symbol => !DARWIN_EXPORTS.test(symbol)) : others, [])
    })

    it('imports nothing of Node: it looks that up in the process', () => {
      assert.deepEqual(
        binary.imports.filter(symbol => /^_?(napi|node|uv)_/.test(symbol)),
        []
      )
    })

    if (target.glibc) {
      it(`runs with glibc ${target.glibc}`, () => {
        const versions = binary.versions.filter(version => version.startsWith('GLIBC_'))
        assert.ok(versions.length > 0)
        const newer = versions.filter(version =>
          isNewer(versionOf(version.replace('GLIBC_', '')), versionOf(target.glibc))
        )
        assert.deepEqual(newer, [])
      })
    }

    if (libc === 'glibc') {
      it('stays when the worker that loaded it ends', () => assert.equal(binary.stays, true))
    }

    if (target.macos) {
      it(`runs on macOS ${target.macos}`, () => assert.ok(!isNewer(binary.system, versionOf(target.macos))))
      it('is signed, without which an arm64 Mac loads nothing', { skip: cpu !== 'arm64' && 'x64 needs none' }, () =>
        assert.equal(binary.signed, true)
      )
    }

    it('names no folder of the machine that built it', () => {
      const content = readFileSync(file)
      for (const folder of [os.homedir(), PACKAGE]) assert.equal(content.includes(folder + path.sep), false, folder)
    })
  })
}
