'use strict'

const assert = require('node:assert/strict')
const { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { assertOutput } = require('../../support/bundles.js')
const { OWN, packageOf } = require('../../support/installations.js')

const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

module.exports = {
  title: 'single executable applications (SEA)',
  group: 'bundler',
  needs: 'a bundle, and the addon beside the executable, or `node_modules` around it',
  packages: { postject: '1.0.0-alpha.6', esbuild: '0.28.2' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ folder, run }) {
    // Outside of the project, where nothing is installed.
    const elsewhere = mkdtempSync(path.join(tmpdir(), 'typed-superdashmap-sea-'))
    try {
      for (const name of ['main', 'worker']) {
        const to = `--outfile=${path.join(elsewhere, `${name}.cjs`)}`
        await run('esbuild', [`${name}.cjs`, '--bundle', '--platform=node', '--log-level=warning', to])
      }
      const config = { main: path.join(elsewhere, 'main.cjs'), output: 'sea.blob', disableExperimentalSEAWarning: true }
      writeFileSync(path.join(folder, 'sea.json'), JSON.stringify(config))
      await run('node', ['--experimental-sea-config', 'sea.json'])
      const { stdout: node } = await run('node', ['--print', 'process.execPath'])
      const app = path.join(elsewhere, 'app')
      copyFileSync(node.trim(), app)
      chmodSync(app, 0o755)
      await run('postject', [app, 'NODE_SEA_BLOB', 'sea.blob', '--sentinel-fuse', FUSE])

      const { stderr } = await run(app, [], { cwd: elsewhere, status: 1 })
      assert.match(stderr, new RegExp(`copy typed-superdashmap.node of ${packageOf(OWN)} beside it`))
      const addon = path.join(folder, 'node_modules', packageOf(OWN), 'typed-superdashmap.node')
      copyFileSync(addon, path.join(elsewhere, `typed-superdashmap.${OWN}.node`))
      assertOutput(await run(app, [], { cwd: elsewhere }))
    } finally {
      rmSync(elsewhere, { recursive: true, force: true })
    }
  }
}
