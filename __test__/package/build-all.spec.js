'use strict'

// What `npm run build:all` asks of the compiler and says at its end, with programs in place of the compiler's.

const { after, before, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync
} = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const process = require('node:process')
const { run } = require('../support/processes.js')
const { PACKAGE } = require('../support/workers.js')

/** Fails for macOS, and makes what cargo makes of anything else. */
const ZIGBUILD = `#!/bin/sh
[ "$1" = --version ] && exit 0
echo "$* flags=$CARGO_ENCODED_RUSTFLAGS unstable=$RUSTC_BOOTSTRAP" | tr '\\037' ' ' >> "$ASKED"
case "$*" in *darwin*) exit 101;; esac
for target; do :; done
folder=$CARGO_TARGET_DIR/\${target%.2.28}/release
mkdir -p "$folder"
touch "$folder/libtyped_superdashmap.so" "$folder/typed_superdashmap.dll"
`

describe('build:all', {
  timeout: 120_000,
  skip: process.platform !== 'linux' && 'the programs are shell scripts'
}, () => {
  let folder

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'typed-superdashmap-'))
    for (const name of ['scripts', 'lib/addon']) {
      cpSync(path.join(PACKAGE, name), path.join(folder, name), { recursive: true })
    }
    // A toolchain that has the standard library of one target, and the source of it for the others.
    const library = path.join(folder, 'sysroot', 'lib', 'rustlib')
    mkdirSync(path.join(library, 'x86_64-unknown-linux-gnu', 'lib'), { recursive: true })
    mkdirSync(path.join(library, 'src', 'rust', 'library'), { recursive: true })
    writeFileSync(path.join(library, 'src', 'rust', 'library', 'Cargo.lock'), '')
    mkdirSync(path.join(folder, 'bin'))
    program('cargo', '#!/bin/sh\necho cargo 1.96.0\n')
    program('rustc', `#!/bin/sh\necho '${path.join(folder, 'sysroot')}'\n`)
    program('cargo-zigbuild', ZIGBUILD)
  })

  after(() => rmSync(folder, { recursive: true, force: true }))

  function program(name, text) {
    writeFileSync(path.join(folder, 'bin', name), text)
    chmodSync(path.join(folder, 'bin', name), 0o755)
  }

  async function build(...args) {
    const asked = path.join(folder, 'asked')
    rmSync(asked, { force: true })
    const env = { PATH: `${path.join(folder, 'bin')}:/usr/bin:/bin`, HOME: folder, ASKED: asked }
    const script = path.join(folder, 'scripts', 'build-all.js')
    const result = await run(process.execPath, [script, ...args], { env })
    return { ...result, asked: existsSync(asked) ? readFileSync(asked, 'utf8').trim().split('\n') : [] }
  }

  const built = name => existsSync(path.join(folder, 'target', 'platforms', name, 'typed-superdashmap.node'))

  it('goes on after one that fails, and lists what was built, what not and why', async () => {
    const { status, stdout, asked } = await build()
    assert.equal(status, 1)
    assert.equal(asked.length, 8)
    for (const name of ['linux-x64-gnu', 'linux-arm64-musl', 'win32-arm64']) {
      assert.match(stdout, new RegExp(`^built +${name} +0\\.00 MB, \\d+ s, target/platforms/${name}/`, 'm'))
      assert.ok(built(name))
    }
    for (const name of ['darwin-x64', 'darwin-arm64']) {
      assert.match(stdout, new RegExp(`^not built +${name} +failed with status 101, see above$`, 'm'))
      assert.ok(!built(name))
    }
  })

  it('asks for the oldest C library, and for a standard library where there is none', async () => {
    const { status, asked } = await build('--only', 'linux-x64-gnu,linux-arm64-gnu', '--only', 'linux-x64-musl')
    assert.equal(status, 0)
    const [gnu, arm, musl] = asked
    assert.match(gnu, /^zigbuild --release --lib --locked --target x86_64-unknown-linux-gnu\.2\.28 .* unstable=$/)
    assert.match(arm, / -Zbuild-std=std,panic_unwind --target aarch64-unknown-linux-gnu\.2\.28 .* unstable=1$/)
    assert.match(musl, / --target x86_64-unknown-linux-musl flags=-Ctarget-feature=-crt-static /)
  })

  it('takes nothing that an earlier build left for what it made', async () => {
    const left = path.join(folder, 'target', 'platforms', 'darwin-arm64')
    mkdirSync(left, { recursive: true })
    writeFileSync(path.join(left, 'typed-superdashmap.node'), 'old')
    assert.equal((await build('--only', 'darwin-arm64')).status, 1)
    assert.ok(!built('darwin-arm64'))
  })

  it('says what is missing', async () => {
    rmSync(path.join(folder, 'bin', 'cargo-zigbuild'))
    const { status, stdout } = await build('--only', 'linux-x64-musl')
    assert.equal(status, 1)
    assert.match(stdout, /^not built +linux-x64-musl +no cargo-zigbuild: scripts\/cross-tools\.sh installs it$/m)
  })

  it('refuses a platform that it does not know, with those that it does', async () => {
    const { status, stderr } = await build('--only', 'linux-x64')
    assert.equal(status, 1)
    assert.match(stderr, /^no platform "linux-x64": linux-x64-gnu, .*, win32-arm64$/m)
  })
})
