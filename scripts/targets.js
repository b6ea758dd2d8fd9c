'use strict'

// The platforms that the package has a binary for, and how each is built: see `npm run build:all -- --help`.

/**
 * @typedef {object} Target
 * @property {string} rust The Rust target, where the system of the platform builds for itself.
 * @property {string} [cross] The Rust target elsewhere, if another one.
 * @property {string} [glibc] The oldest C library that the binary runs with: that of the oldest system that Node's own
 * binaries run on.
 * @property {string} [macos] The oldest macOS, likewise.
 * @property {string[]} [flags] Flags of the Rust compiler.
 */

/** @type {Readonly<Record<string, Target>>} */
const TARGETS = Object.freeze({
  'linux-x64-gnu': { rust: 'x86_64-unknown-linux-gnu', glibc: '2.28' },
  'linux-arm64-gnu': { rust: 'aarch64-unknown-linux-gnu', glibc: '2.28' },
  // Rust links musl into what it builds unless told otherwise, and an addon has to use the C library of its process.
  'linux-x64-musl': { rust: 'x86_64-unknown-linux-musl', flags: ['-Ctarget-feature=-crt-static'] },
  'linux-arm64-musl': { rust: 'aarch64-unknown-linux-musl', flags: ['-Ctarget-feature=-crt-static'] },
  'darwin-x64': { rust: 'x86_64-apple-darwin', macos: '10.15' },
  'darwin-arm64': { rust: 'aarch64-apple-darwin', macos: '11.0' },
  // Microsoft's linker and libraries are only on Windows; LLVM's are in zig.
  'win32-x64': { rust: 'x86_64-pc-windows-msvc', cross: 'x86_64-pc-windows-gnullvm' },
  'win32-arm64': { rust: 'aarch64-pc-windows-msvc', cross: 'aarch64-pc-windows-gnullvm' }
})

/** What a package of the platform says in `os`, `cpu` and `libc`. @param {string} name */
function platformOf(name) {
  const [os = '', cpu = '', libc] = name.split('-')
  return { os, cpu, ...(libc && { libc: libc === 'gnu' ? 'glibc' : libc }) }
}

/** Name of the package that holds the binary. @param {string} name */
const packageOf = name => `@typed-superdashmap/binding-${name}`

module.exports = { TARGETS, packageOf, platformOf }
