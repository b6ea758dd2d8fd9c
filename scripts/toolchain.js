'use strict'

// Finds what builds a target: a Rust toolchain that has its standard library or the source of it, and zig as linker.

const { spawnSync } = require('node:child_process')
const { existsSync } = require('node:fs')
const path = require('node:path')
const process = require('node:process')

const root = path.join(__dirname, '..')

/** Where `scripts/cross-tools.sh` puts zig and what comes with it. */
const TOOLS = path.join(root, 'target', 'platforms', 'tools', 'bin')

/** The `rust-version` of Cargo.toml, which the crates that we build on set. */
const OLDEST_RUST = Object.freeze([1, 88])

const windows = process.platform === 'win32'

/** What a program prints, or undefined if there is no such program. @param {string} command @param {string[]} args */
function output(command, args) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: 'utf8', shell: windows })
  return status === 0 ? stdout.trim() : undefined
}

/** Version of a cargo, or undefined if there is none. @param {string} cargo @returns {number[] | undefined} */
function rustVersion(cargo) {
  const version = /^cargo (\d+)\.(\d+)/.exec(output(cargo, ['--version']) ?? '')
  return version ? [Number(version[1]), Number(version[2])] : undefined
}

/** @param {number[]} version */
function isNewEnough([major = 0, minor = 0]) {
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_RUST
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)
}

/** @typedef {{ cargo: string, rustc: string, sysroot: string }} Toolchain */

/** The toolchain on the PATH, and Debian's, which rustup's may hide. @returns {Toolchain[]} */
function toolchains() {
  /** @type {Toolchain[]} */
  const found = []
  for (const folder of ['', '/usr/bin/']) {
    const [cargo, rustc] = [`${folder}cargo`, `${folder}rustc`]
    const version = rustVersion(cargo)
    const sysroot = version && isNewEnough(version) && output(rustc, ['--print', 'sysroot'])
    if (sysroot && !found.some(other => other.sysroot === sysroot)) found.push({ cargo, rustc, sysroot })
  }
  return found
}

/**
 * The toolchain that builds `target`: one that has its standard library, else one that can build that too.
 *
 * @param {string} target @returns {(Toolchain & { buildsStd: boolean }) | undefined}
 */
function toolchainFor(target) {
  const all = toolchains()
  const library = (/** @type {Toolchain} */ { sysroot }) => path.join(sysroot, 'lib', 'rustlib')
  const having = all.find(toolchain => existsSync(path.join(library(toolchain), target, 'lib')))
  if (having) return { ...having, buildsStd: false }
  const building = all.find(toolchain => existsSync(path.join(library(toolchain), 'src/rust/library/Cargo.lock')))
  return building && { ...building, buildsStd: true }
}

/** Environment in which the tools of `scripts/cross-tools.sh` are found. */
function toolsEnv() {
  return { ...process.env, PATH: `${TOOLS}${path.delimiter}${process.env.PATH}` }
}

/** The command that links with zig, or undefined if it is not installed. */
function zigbuild() {
  const own = path.join(TOOLS, 'cargo-zigbuild')
  if (existsSync(own)) return own
  return output('cargo-zigbuild', ['--version']) === undefined ? undefined : 'cargo-zigbuild'
}

module.exports = { OLDEST_RUST, TOOLS, isNewEnough, rustVersion, toolchainFor, toolsEnv, zigbuild }
