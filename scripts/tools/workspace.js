'use strict'

// Runs a fixture in a temporary folder outside this tree, where only what was installed can be found.

const fs = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const process = require('node:process')
const { runCommand } = require('./process.js')

const INSTALL = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--save-exact', '--loglevel=error']

/**
 * Installs what a fixture takes and runs it. Returns the version of Node.js that its commands saw; throws what the
 * fixture throws.
 *
 * @param {import('./fixtures.js').NamedFixture} fixture
 * @param {import('./pack.js').Registry} registry
 * @param {boolean} keep whether the folder stays, to look at
 */
async function runFixture({ name, source, group, packages, run: check }, { tarballs, url }, keep) {
  const folder = fs.mkdtempSync(path.join(tmpdir(), `typed-superdashmap-${name}-`))
  try {
    const bin = path.join(folder, 'node_modules', '.bin')
    const PATH = [bin, path.dirname(process.execPath), process.env.PATH].join(path.delimiter)
    /** @type {import('./fixtures.js').Context['run']} */
    const run = (command, args = [], options = {}) =>
      runCommand(command, args, { cwd: folder, ...options, env: { PATH, ...options.env } })

    fs.cpSync(source, folder, { recursive: true, filter: file => file !== path.join(source, 'fixture.js') })
    const manifest = path.join(folder, 'package.json')
    if (!fs.existsSync(manifest)) fs.writeFileSync(manifest, '{ "name": "project", "private": true }\n')
    const wanted = Object.entries(packages).map(([of, version]) => `${of}@${version}`)
    // Our packages with an addon come from the registry at `url`, of which the package manager picks by platform.
    fs.writeFileSync(path.join(folder, '.npmrc'), `@typed-superdashmap:registry=${url}\n`)
    const ours = group === 'package manager' ? [] : [tarballs.main]
    if (wanted.length + ours.length > 0) await run('npm', [...INSTALL, ...wanted, ...ours], { timeoutS: 900 })
    const { stdout: node } = await run('node', ['--version'])
    await check({ folder, tarballs, registry: url, run })
    return node.trim().slice(1)
  } finally {
    if (keep) process.stdout.write(`  ${folder}\n`)
    else fs.rmSync(folder, { recursive: true, force: true })
  }
}

module.exports = { runFixture }
