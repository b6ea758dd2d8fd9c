'use strict'

// Publishes the tarballs in a folder, those of platforms first: node scripts/publish.js FOLDER. What the registry has
// already is left as it is, so that a run that failed half way can be repeated with the same tarballs.

const { spawnSync } = require('node:child_process')
const { createHash } = require('node:crypto')
const { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const process = require('node:process')
const { setTimeout: sleep } = require('node:timers/promises')

const MAIN = 'typed-superdashmap'
/** A registry may take a while to show what it has accepted. */
const LOOKS = 60
const BETWEEN_LOOKS_MS = Number(process.env.BETWEEN_LOOKS_MS ?? 5000)

/**
 * @typedef {object} Tarball
 * @property {string} file
 * @property {string} name
 * @property {string} version
 * @property {string} [repository]
 * @property {Record<string, string>} platforms Packages of platforms that it names, and their versions.
 * @property {string} integrity
 */

/** @param {string} command @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
function ask(command, args, env = process.env) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', env })
  if (error) throw error
  return { passed: status === 0, stdout, stderr }
}

/** @param {string} file @returns {Tarball} */
function tarballOf(file) {
  const { passed, stdout, stderr } = ask('tar', ['-xzOf', file, 'package/package.json'])
  if (!passed) throw new Error(`${file} is no package: ${stderr}`)
  const { name, version, repository, optionalDependencies = {} } = JSON.parse(stdout)
  const integrity = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`
  return { file, name, version, repository: repository?.url, platforms: optionalDependencies, integrity }
}

/** The tarballs in the order in which they are published. @param {string} folder */
function tarballsIn(folder) {
  const files = readdirSync(folder).filter(name => name.endsWith('.tgz'))
  const found = new Map(files.map(file => tarballOf(path.join(folder, file))).map(tarball => [tarball.name, tarball]))
  const main = found.get(MAIN)
  if (!main) throw new Error(`${folder} has no tarball of ${MAIN}`)
  const platforms = Object.entries(main.platforms)
  if (platforms.length === 0) throw new Error(`${main.file} names no packages of platforms: npm run pack:all makes it`)
  for (const [name, version] of platforms) {
    if (found.get(name)?.version !== version) throw new Error(`${folder} has no tarball of ${name} ${version}`)
  }
  return [...platforms.flatMap(([name]) => found.get(name) ?? []), main]
}

/** The registry refuses a package that says it comes from elsewhere. @param {Tarball[]} tarballs */
function checkRepository(tarballs) {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env
  if (!repository) return
  const here = `git+${server}/${repository}.git`
  for (const { name, repository: said } of tarballs) {
    if (said !== here) throw new Error(`${name} names the repository ${said}, and this is ${here}`)
  }
}

/** What the registry has of this version: its integrity, or undefined. @param {Tarball} tarball */
function published({ name, version }) {
  const { passed, stdout, stderr } = ask('npm', ['view', `${name}@${version}`, 'dist.integrity', '--prefer-online'])
  if (passed) return stdout.trim() || undefined
  if (/E404|404 Not Found/.test(stderr)) return undefined
  throw new Error(`the registry cannot be asked for ${name}: ${stderr}`)
}

/** @param {Tarball} tarball @param {NodeJS.ProcessEnv} env */
async function publish(tarball, env) {
  const { name, version, file, integrity } = tarball
  const present = published(tarball)
  if (present === integrity) return console.log(`${name}@${version} is published already`)
  if (present) throw new Error(`${name}@${version} is published with other content: raise the version`)
  console.log(`${name}@${version} …`)
  const { passed, stderr } = ask('npm', ['publish', path.resolve(file), '--provenance', '--access', 'public'], env)
  if (!passed) throw new Error(`npm publish fails for ${name}: ${stderr}`)
  for (let looks = 1; published(tarball) !== integrity; looks += 1) {
    if (looks === LOOKS) throw new Error(`the registry does not show ${name}@${version}: run this again later`)
    await sleep(BETWEEN_LOOKS_MS)
  }
}

/**
 * Runs with npm's settings: with a token, if there is one, in a file of its own, for the registry that npm is set to.
 *
 * @param {(env: NodeJS.ProcessEnv) => Promise<void>} work
 */
async function withSettings(work) {
  const { NPM_TOKEN: token, ...env } = process.env
  if (!token) return work(env)
  const folder = mkdtempSync(path.join(tmpdir(), 'npm-'))
  try {
    const registry = ask('npm', ['config', 'get', 'registry'])
      .stdout.trim()
      .replace(/^https?:/, '')
    const settings = path.join(folder, 'npmrc')
    writeFileSync(settings, `${registry}:_authToken=\${NPM_TOKEN}\n`, { mode: 0o600 })
    await work({ ...process.env, npm_config_userconfig: settings })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function main() {
  const [folder] = process.argv.slice(2)
  if (!folder) throw new Error('no folder: node scripts/publish.js FOLDER')
  const tarballs = tarballsIn(folder)
  checkRepository(tarballs)
  await withSettings(async env => {
    for (const tarball of tarballs) await publish(tarball, env)
  })
}

main().catch(error => {
  console.error(`Not published: ${error.message}`)
  process.exitCode = 1
})
