'use strict'

// Builds the addon for every platform.

const { spawnSync } = require('node:child_process')
const { copyFileSync, mkdirSync, rmSync, statSync, writeFileSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const process = require('node:process')
const { parseArgs } = require('node:util')
const { platformName } = require('../lib/addon/system.js')
const { TARGETS } = require('./targets.js')
const { toolchainFor, toolsEnv, zigbuild } = require('./toolchain.js')

const root = path.join(__dirname, '..')
const FOLDER = path.join(root, 'target', 'platforms')
/** Apart from the folder of `npm run build`, which would have to build everything again with other flags. */
const CARGO_FOLDER = path.join(FOLDER, 'cargo')

const HELP = `npm run build:all [-- --only NAME,…]

Builds the addon for every platform, or for those that are named, into
target/platforms/NAME/typed-superdashmap.node. Takes two minutes for each.

${Object.entries(TARGETS)
  .map(([name, { rust, cross }]) => `  ${name.padEnd(18)}${rust}${cross ? `, elsewhere ${cross}` : ''}`)
  .join('\n')}

A platform is built by its own system, or by any other with zig as linker: scripts/cross-tools.sh installs
zig, and on Debian a Rust whose standard library can be built for every platform. With rustup,
\`rustup target add\` of the Rust target does as well. Linux with glibc is always linked by zig, which knows
the symbols of the oldest C library that is served.
`

/** File of the addon for a platform. @param {string} name */
const addonOf = name => path.join(FOLDER, name, 'typed-superdashmap.node')

/** What cargo calls the addon. @param {string} name */
function libraryName(name) {
  if (name.startsWith('win32')) return 'typed_superdashmap.dll'
  return `libtyped_superdashmap.${name.startsWith('darwin') ? 'dylib' : 'so'}`
}

/**
 * A folder with the library of Node that `napi-build` links with on Windows: an empty one, because the addon looks
 * its symbols up in the process.
 */
function emptyNodeLibrary() {
  const folder = path.join(FOLDER, 'libnode')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'libnode.dll'), '')
  writeFileSync(path.join(folder, 'libnode.a'), '!<arch>\n')
  return folder
}

/** Says what the addon exports to Windows. Rust's own list does not reach zig, which would export every symbol. */
function exportsOfAddon() {
  const file = path.join(FOLDER, 'exports.def')
  writeFileSync(file, 'EXPORTS\n    napi_register_module_v1\n')
  return file
}

/** Flags of the compiler for zig as linker. @param {string} name */
function zigFlags(name) {
  if (name.startsWith('win32')) return [`-Clink-arg=${exportsOfAddon()}`]
  if (!name.startsWith('darwin')) return []
  // Zig signs what it links, so nothing may be stripped afterwards. It leaves the list of exports aside, and names the
  // library by the path that it is linked at.
  return [
    '-Cstrip=none',
    '-Clink-arg=-s',
    '-Zdefault-visibility=hidden',
    '-Clink-arg=-Wl,-install_name,@rpath/typed-superdashmap.node'
  ]
}

/**
 * Flags of the compiler, with no path of this machine in what it makes.
 *
 * @param {string} name
 * @param {string} sysroot
 */
function rustFlags(name, sysroot) {
  const cargoHome = process.env.CARGO_HOME ?? path.join(os.homedir(), '.cargo')
  return [
    ...(TARGETS[name]?.flags ?? []),
    `--remap-path-prefix=${path.join(cargoHome, 'registry', 'src')}=crates`,
    `--remap-path-prefix=${path.join(sysroot, 'lib', 'rustlib', 'src', 'rust')}=rust`,
    `--remap-path-prefix=${root}=.`
  ]
}

/**
 * How to build a platform here.
 *
 * @param {string} name
 * @returns {{ target: string, command: string, args: string[], env: NodeJS.ProcessEnv } | { missing: string }}
 */
function planOf(name) {
  const platform = /** @type {import('./targets.js').Target} */ (TARGETS[name])
  const own = name.startsWith(process.platform) && process.platform !== 'linux'
  const target = own ? platform.rust : (platform.cross ?? platform.rust)
  const toolchain = toolchainFor(target)
  if (!toolchain) {
    return { missing: `no standard library of Rust: \`rustup target add ${target}\`, or scripts/cross-tools.sh` }
  }
  mkdirSync(FOLDER, { recursive: true })
  const zig = own ? undefined : zigbuild()
  if (!own && !zig) return { missing: 'no cargo-zigbuild: scripts/cross-tools.sh installs it' }
  return {
    target,
    command: zig ?? toolchain.cargo,
    args: [
      zig ? 'zigbuild' : 'build',
      '--release',
      '--lib',
      '--locked',
      ...(toolchain.buildsStd ? ['-Zbuild-std=std,panic_unwind'] : []),
      '--target',
      platform.glibc ? `${target}.${platform.glibc}` : target
    ],
    env: {
      ...toolsEnv(),
      CARGO: toolchain.cargo,
      RUSTC: toolchain.rustc,
      CARGO_TARGET_DIR: CARGO_FOLDER,
      CARGO_ENCODED_RUSTFLAGS: [...rustFlags(name, toolchain.sysroot), ...(zig ? zigFlags(name) : [])].join('\x1f'),
      // Rust calls both unstable: building its standard library, and choosing which symbols show.
      ...((toolchain.buildsStd || (zig && name.startsWith('darwin'))) && { RUSTC_BOOTSTRAP: '1' }),
      ...(platform.macos && { MACOSX_DEPLOYMENT_TARGET: platform.macos }),
      ...(name.startsWith('win32') && { LIBNODE_PATH: emptyNodeLibrary() })
    }
  }
}

/** Builds a platform; returns what is said of it at the end. @param {string} name */
function build(name) {
  const file = addonOf(name)
  // What an earlier build left is not taken for what this one made.
  rmSync(file, { force: true })
  const plan = planOf(name)
  if ('missing' in plan) return { name, built: false, text: plan.missing }
  const begin = performance.now()
  const { status, error } = spawnSync(plan.command, plan.args, { cwd: root, stdio: 'inherit', env: plan.env })
  if (status !== 0) {
    return { name, built: false, text: `failed with ${error ? error.message : `status ${status}`}, see above` }
  }
  mkdirSync(path.dirname(file), { recursive: true })
  copyFileSync(path.join(CARGO_FOLDER, plan.target, 'release', libraryName(name)), file)
  const seconds = Math.round((performance.now() - begin) / 1000)
  const megabytes = (statSync(file).size / 1e6).toFixed(2)
  return { name, built: true, text: `${megabytes} MB, ${seconds} s, ${path.relative(root, file)}` }
}

/** @returns {string[] | undefined} The platforms that are asked for; undefined if help is. */
function askedFor() {
  const { values } = parseArgs({ options: { only: { type: 'string', multiple: true }, help: { type: 'boolean' } } })
  if (values.help) return undefined
  if (!values.only) return Object.keys(TARGETS)
  const names = values.only.flatMap(list => list.split(','))
  for (const name of names) {
    if (!(name in TARGETS)) throw new TypeError(`no platform "${name}": ${Object.keys(TARGETS).join(', ')}`)
  }
  return names
}

function main() {
  const names = askedFor()
  if (!names) return console.log(HELP)
  const results = names.map((name, index) => {
    console.log(`\n[${index + 1} of ${names.length}] ${name}`)
    return build(name)
  })
  console.log(`\nThis machine is ${platformName()}.`)
  for (const { name, built, text } of results)
    console.log(`${built ? 'built    ' : 'not built'}  ${name.padEnd(18)}${text}`)
  if (results.some(({ built }) => !built)) process.exitCode = 1
}

if (require.main === module) {
  try {
    main()
  } catch (error) {
    console.error(/** @type {Error} */ (error).message)
    process.exitCode = 1
  }
}

module.exports = { addonOf }
