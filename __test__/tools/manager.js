'use strict'

// What every package manager has to do: install the package by its name, with the addon of this platform and no other
// (see `managers.spec.js`, which looks at what was installed), so that it can be required and imported, and a worker
// shares a map.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')

const REQUIRED = `
  const { once } = require('node:events')
  const { Worker } = require('node:worker_threads')
  const { TypedMap } = require('typed-superdashmap')
  const map = TypedMap.open('shared')
  map.set('a', { b: 1 })
  const body = "require('typed-superdashmap').TypedMap.open('shared').set('from', 'a worker')"
  once(new Worker(body, { eval: true }), 'exit').then(() => console.log(map.get('a').b, map.get('from')))`

const IMPORTED = `
  import { TypedMap } from 'typed-superdashmap'
  console.log(new TypedMap([['a', { b: 1 }]]).get('a').b)`

/**
 * The fixture of a package manager.
 *
 * @param {object} how
 * @param {string} how.title
 * @param {Record<string, string>} how.packages
 * @param {readonly [string, ...string[]]} how.add the command that adds a package, without its name
 * @param {Record<string, string>} [how.env]
 * @param {readonly string[]} [how.flags] that Node.js needs
 * @param {readonly string[]} [how.importFlags] that it needs besides, to import
 */
function managerFixture({ title, packages, add: [command, ...args], env = {}, flags = [], importFlags = [] }) {
  /** @param {import('../../scripts/tools/fixtures.js').Context} context */
  async function run({ folder, registry, run: runIn }) {
    const project = path.join(folder, 'project')
    fs.mkdirSync(project)
    fs.writeFileSync(path.join(project, 'package.json'), '{ "name": "empty", "version": "1.0.0", "private": true }')
    fs.writeFileSync(path.join(project, '.npmrc'), `registry=${registry}\n`)
    fs.writeFileSync(path.join(project, 'yarn.lock'), '')
    const options = { cwd: project, env: { HOME: folder, YARN_NPM_REGISTRY_SERVER: registry, ...env } }
    await runIn(command, [...args, 'typed-superdashmap'], options)
    const required = await runIn('node', [...flags, '--eval', REQUIRED], options)
    assert.deepEqual(required, { stdout: '1 a worker\n', stderr: '' })
    const script = path.join(project, 'imported.mjs')
    fs.writeFileSync(script, IMPORTED)
    const imported = await runIn('node', [...flags, ...importFlags, script], options)
    assert.equal(imported.stdout, '1\n')
  }
  return { title, group: 'package manager', needs: 'nothing', packages, run }
}

module.exports = { managerFixture }
