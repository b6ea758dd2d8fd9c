'use strict'

// Packs what is published: the main package, which has no binary, and a package for each platform, which has nothing
// else.

const { spawnSync } = require('node:child_process')
const { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const process = require('node:process')
const { parseArgs } = require('node:util')
const { platformName } = require('../lib/addon/system.js')
const { addonOf } = require('./build-all.js')
const { TARGETS, packageOf, platformOf } = require('./targets.js')

const root = path.join(__dirname, '..')
const ADDON = 'typed-superdashmap.node'

const HELP = `npm run pack:all -- FOLDER [--complete]

Packs the main package and a package for each platform that was built (npm run build:all) into FOLDER, and leaves in
FOLDER/packages what they were packed from. For the platform of this machine, the addon of \`npm run build\` does if
that of build:all is missing or older than the source, although it may need a newer system. With --complete, it fails
if a platform is missing.
`

/** The package as it is developed, and where, which the workflow that publishes it knows. */
function source() {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env
  if (!repository) return manifest
  const url = `${server}/${repository}`
  return {
    ...manifest,
    homepage: `${url}#readme`,
    repository: { type: 'git', url: `git+${url}.git` },
    bugs: `${url}/issues`
  }
}

/** @param {string} folder @param {object} manifest */
function writeManifest(folder, manifest) {
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

/** Stages the main package. @param {string} folder */
function stageMain(folder) {
  const { scripts, devDependencies, napi, ...published } = source()
  mkdirSync(folder, { recursive: true })
  for (const name of [...published.files, 'README.md', 'LICENSE']) {
    cpSync(path.join(root, name), path.join(folder, name), {
      recursive: true,
      filter: file => path.extname(file) !== '.node'
    })
  }
  writeManifest(folder, {
    ...published,
    optionalDependencies: Object.fromEntries(Object.keys(TARGETS).map(name => [packageOf(name), published.version])),
    publishConfig: { access: 'public' }
  })
}

/** Stages the package of a platform. @param {string} name @param {string} addon its binary @param {string} folder */
function stagePlatform(name, addon, folder) {
  const { version, license, author, engines, repository, homepage, bugs } = source()
  const { os, cpu, libc } = platformOf(name)
  mkdirSync(folder, { recursive: true })
  cpSync(addon, path.join(folder, ADDON))
  cpSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'))
  writeFileSync(
    path.join(folder, 'README.md'),
    `# ${packageOf(name)}\n\nThe binary of \`typed-superdashmap\` for ${name}, which installs it by itself.\n`
  )
  writeManifest(folder, {
    name: packageOf(name),
    version,
    description: `The binary of typed-superdashmap for ${name}`,
    license,
    author,
    homepage,
    repository,
    bugs,
    main: `./${ADDON}`,
    files: [ADDON],
    engines,
    os: [os],
    cpu: [cpu],
    libc: libc && [libc],
    publishConfig: { access: 'public' }
  })
}

/** Whether the source was changed since an addon was built. @param {string} addon */
function isOld(addon) {
  const built = statSync(addon).mtimeMs
  const files = readdirSync(path.join(root, 'src'), { recursive: true }).map(file => path.join('src', String(file)))
  return ['Cargo.toml', 'Cargo.lock', ...files].some(file => statSync(path.join(root, file)).mtimeMs > built)
}

/**
 * The binary of a platform, and a word of warning if it was not made to be published.
 *
 * @param {string} name @returns {{ addon: string, warning?: string } | undefined}
 */
function binaryOf(name) {
  const addon = addonOf(name)
  const old = existsSync(addon) && isOld(addon)
  if (existsSync(addon) && !old) return { addon }
  const local = path.join(root, 'lib', 'addon', `typed-superdashmap.${name}.node`)
  if (name === platformName() && existsSync(local)) {
    return { addon: local, warning: 'of `npm run build`: may need a newer system' }
  }
  return old ? { addon, warning: 'older than the source' } : undefined
}

/** Packs a staged package; returns its tarball. @param {string} staged @param {string} folder */
function pack(staged, folder) {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', path.resolve(folder)]
  const { status, stdout, error } = spawnSync(npm, args, {
    cwd: staged,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32'
  })
  if (status !== 0) throw new Error(`npm pack fails in ${staged}${error ? `: ${error.message}` : ''}`)
  return path.join(folder, stdout.trim().split('\n').at(-1) ?? '')
}

/** Size of all files in a folder, in bytes. @param {string} folder */
function sizeOf(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return files.reduce((sum, { parentPath, name }) => sum + statSync(path.join(parentPath, name)).size, 0)
}

/** @param {number} bytes */
const kilobytes = bytes => `${Math.round(bytes / 1000)} kB`

/**
 * Packs the main package and those of all platforms that were built.
 *
 * @param {string} folder @returns {string[]} platforms that are missing
 */
function packAll(folder) {
  const staging = path.join(folder, 'packages')
  rmSync(staging, { recursive: true, force: true })
  stageMain(path.join(staging, 'typed-superdashmap'))
  const missing = []
  const warnings = new Map()
  for (const name of Object.keys(TARGETS)) {
    const binary = binaryOf(name)
    if (!binary) {
      missing.push(name)
      continue
    }
    warnings.set(`binding-${name}`, binary.warning)
    stagePlatform(name, binary.addon, path.join(staging, `binding-${name}`))
  }
  for (const name of readdirSync(staging)) {
    const staged = path.join(staging, name)
    const tarball = pack(staged, folder)
    const packed = kilobytes(statSync(tarball).size).padStart(8)
    const unpacked = kilobytes(sizeOf(staged)).padStart(8)
    console.log(`${name.padEnd(26)}${packed} packed ${unpacked} unpacked  ${warnings.get(name) ?? ''}`.trimEnd())
  }
  for (const name of missing)
    console.log(`${`binding-${name}`.padEnd(26)} missing: npm run build:all -- --only ${name}`)
  return missing
}

function main() {
  const { values, positionals } = parseArgs({
    options: { complete: { type: 'boolean' }, help: { type: 'boolean' } },
    allowPositionals: true
  })
  const [folder] = positionals
  if (values.help) return console.log(HELP)
  if (folder === undefined || positionals.length > 1) throw new TypeError(HELP)
  mkdirSync(folder, { recursive: true })
  const missing = packAll(folder)
  if (values.complete && missing.length > 0) process.exitCode = 1
}

if (require.main === module) {
  try {
    main()
  } catch (error) {
    console.error(/** @type {Error} */ (error).message)
    process.exitCode = 1
  }
}

module.exports = { pack, stagePlatform }
