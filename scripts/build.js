'use strict'

// Builds the addon into lib/addon/: binding.d.ts and the .node file of this platform. Then makes
// lib/native/layout.js of what the addon was built with.
// Arguments are handed on to `napi build`, for example --release.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { writeLayout } = require('./layout.js')
const { OLDEST_RUST, isNewEnough, rustVersion } = require('./toolchain.js')

const root = path.join(__dirname, '..')
const addon = path.join(root, 'lib', 'addon')

/** @param {string} file */
const withoutCompiler = file => file.replace(/-(msvc|gnu|gnullvm)\.node$/, '.node')

const rust = rustVersion('cargo')
if (!rust || !isNewEnough(rust)) {
  const found = rust ? `found ${rust.join('.')}` : 'found no cargo on the PATH'
  console.error(
    `Building typed-superdashmap needs Rust ${OLDEST_RUST.join('.')} or newer (${found}): ` +
      'install it from https://rustup.rs, open a new terminal and run the same command again.'
  )
  process.exit(1)
}

// Resolved by path, because npm puts node_modules/.bin on the PATH only for its own scripts.
const cli = path.join(path.dirname(require.resolve('@napi-rs/cli/package.json')), 'dist', 'cli.js')
const built = spawnSync(
  process.execPath,
  [
    cli,
    'build',
    '--platform',
    '--output-dir',
    'lib/addon',
    '--no-js',
    '--dts',
    'binding.d.ts',
    ...process.argv.slice(2)
  ],
  { cwd: root, stdio: 'inherit' }
)
if (built.status !== 0) process.exit(built.status ?? 1)
// The addon for Windows is called alike, whichever compiler linked it.
for (const file of fs.readdirSync(addon)) {
  if (file.includes('.win32-')) fs.renameSync(path.join(addon, file), path.join(addon, withoutCompiler(file)))
}
// A build for another platform cannot be loaded here; the numbers are the same.
if (!process.argv.includes('--target')) writeLayout()
