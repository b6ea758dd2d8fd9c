'use strict'

// The fixtures of `npm run test:tools`: one folder of `__test__/tools` for each tool, with a `fixture.js` that says
// what the tool is, which packages it takes, and what has to work.

const fs = require('node:fs')
const path = require('node:path')

const FOLDER = path.join(__dirname, '..', '..', '__test__', 'tools')

/** In the order of the table. */
const GROUPS = /** @type {const} */ (['package manager', 'bundler', 'runner', 'pool', 'runtime'])

const NOTHING = 'nothing'

/**
 * What a fixture is given.
 *
 * @typedef {object} Context
 * @property {string} folder a project of its own outside this tree: the files of the fixture, its `packages` and ours
 * @property {import('./pack.js').Tarballs} tarballs
 * @property {string} registry address of a registry that has our packages and no others
 * @property {(command: string, args?: readonly string[], options?: RunOptions) => Promise<Output>} run runs a command
 * in the project, with the commands of its packages first in PATH; throws unless it exits with `status`
 *
 * @typedef {object} RunOptions
 * @property {string} [cwd] in place of the project's folder
 * @property {Record<string, string>} [env] added to the environment
 * @property {number} [status] that the command has to exit with, 0 by default
 * @property {number} [timeoutS] after which the command is killed with all that it started, 300 by default
 *
 * @typedef {{ stdout: string, stderr: string }} Output
 */

/**
 * @typedef {object} Fixture
 * @property {string} title as the table shows it
 * @property {typeof GROUPS[number]} group a package manager installs our package itself, for all others it is there
 * @property {string} needs what a user has to do: 'nothing', or a sentence in Markdown
 * @property {Record<string, string>} packages name to exact version, the tool first. With `node`, the commands run in
 * that version of Node.js
 * @property {(context: Context) => Promise<void>} run throws where something does not work
 */

/** @typedef {Fixture & { name: string, source: string }} NamedFixture */

/** All fixtures, in the order of the table. */
function readFixtures(folder = FOLDER) {
  return fs
    .readdirSync(folder)
    .filter(name => fs.existsSync(path.join(folder, name, 'fixture.js')))
    .map(name => {
      const source = path.join(folder, name)
      return /** @type {NamedFixture} */ ({ name, source, ...require(path.join(source, 'fixture.js')) })
    })
    .sort((one, other) => GROUPS.indexOf(one.group) - GROUPS.indexOf(other.group) || (one.name < other.name ? -1 : 1))
}

module.exports = { FOLDER, GROUPS, NOTHING, readFixtures }
