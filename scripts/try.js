'use strict'

// Does what a user does: installs the tarballs of a folder (`npm run pack:all`) into an empty project, with no network,
// no cache and no compiler, and shares a map by two workers: node scripts/try.js FOLDER

const { spawnSync } = require('node:child_process')
const { mkdtempSync, readdirSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const process = require('node:process')
const { platformName } = require('../lib/addon/system.js')

/** A port that nothing listens at: whatever asks a registry fails. */
const DEAD = 'http://127.0.0.1:9/'

const PROGRAM = `
const { Worker, isMainThread, threadId } = require('node:worker_threads')
const { once } = require('node:events')
const { TypedMap } = require('typed-superdashmap')

const words = TypedMap.open('words')
if (isMainThread) {
  words.set('main', 'hello')
  Promise.all([new Worker(__filename), new Worker(__filename)].map(worker => once(worker, 'exit'))).then(() => {
    console.log(...words.values())
  })
} else {
  words.set(threadId, words.get('main'))
}
`

/** @param {string} project @param {string} command @param {string[]} args */
function run(project, command, args) {
  const windows = process.platform === 'win32'
  const env = { ...process.env, npm_config_cache: path.join(project, 'cache'), npm_config_registry: DEAD }
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: project,
    encoding: 'utf8',
    env,
    // The command of npm on Windows is a script, which only a shell starts.
    shell: windows && command === 'npm'
  })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}${error ?? ''}`)
  return stdout
}

/** @param {string} folder */
function tryOut(folder) {
  const own = `binding-${platformName()}-`
  const tarballs = readdirSync(folder)
    .filter(name => name.endsWith('.tgz') && (!name.includes('-binding-') || name.includes(own)))
    .map(name => path.resolve(folder, name))
  if (tarballs.length !== 2) throw new Error(`${folder} has no package for ${platformName()}`)
  const project = mkdtempSync(path.join(tmpdir(), 'try-'))
  try {
    writeFileSync(path.join(project, 'package.json'), '{ "name": "try", "version": "1.0.0", "private": true }')
    run(project, 'npm', ['install', '--offline', '--no-audit', '--no-fund', ...tarballs])
    writeFileSync(path.join(project, 'program.js'), PROGRAM)
    const printed = run(project, process.execPath, ['program.js'])
    if (printed !== 'hello hello hello\n')
      throw new Error(`two workers that share a map print ${JSON.stringify(printed)}`)
    const imported = "import { TypedMap } from 'typed-superdashmap'; console.log(new TypedMap([[1, 2]]).get(1))"
    const evaluated = run(project, process.execPath, ['--input-type=module', '--eval', imported])
    if (evaluated !== '2\n') throw new Error(`a module prints ${JSON.stringify(evaluated)}`)
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
}

try {
  const [folder] = process.argv.slice(2)
  if (!folder) throw new Error('no folder: node scripts/try.js FOLDER')
  tryOut(folder)
  console.log(`${platformName()}, Node.js ${process.version}: installed and shared by two workers`)
} catch (error) {
  console.error(/** @type {Error} */ (error).message)
  process.exitCode = 1
}
