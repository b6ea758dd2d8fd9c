'use strict'

// Checks the main package as it is published with publint and attw: node scripts/check-package.js [FOLDER]. FOLDER is
// that of `npm run pack:all`; without one, it is packed for the check.

const { spawnSync } = require('node:child_process')
const { mkdtempSync, readFileSync, readdirSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const process = require('node:process')

const root = path.join(__dirname, '..')

/** @param {string} command @param {string[]} args */
function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error(`${path.basename(command)} ${args.join(' ')} fails`)
}

/**
 * The script behind the command of a package. npm links the command for its own scripts only.
 *
 * @param {string} name
 * @param {string} bin
 */
function commandOf(name, bin) {
  const folder = path.join(root, 'node_modules', name)
  const { bin: bins } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  return path.join(folder, typeof bins === 'string' ? bins : bins[bin])
}

/** @param {string} folder */
function check(folder) {
  const name = readdirSync(folder).find(file => /^typed-superdashmap-\d.*\.tgz$/.test(file))
  if (!name) throw new Error(`no typed-superdashmap-….tgz in ${folder}`)
  const tarball = path.resolve(folder, name)
  run(process.execPath, [commandOf('publint', 'publint'), 'run', '--strict', '--level', 'suggestion', tarball])
  run(process.execPath, [commandOf('@arethetypeswrong/cli', 'attw'), tarball])
}

const [given] = process.argv.slice(2)
const folder = given ?? mkdtempSync(path.join(tmpdir(), 'packed-'))
try {
  if (!given) run(process.execPath, [path.join(__dirname, 'pack.js'), folder])
  check(folder)
} catch (error) {
  console.error(/** @type {Error} */ (error).message)
  process.exitCode = 1
} finally {
  if (!given) rmSync(folder, { recursive: true, force: true })
}
