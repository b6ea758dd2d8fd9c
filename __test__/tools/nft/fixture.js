'use strict'

const assert = require('node:assert/strict')
const { cpSync, mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { SOURCES, assertOutput, writePrograms } = require('../../support/bundles.js')
const { OWN, packageOf } = require('../../support/installations.js')

module.exports = {
  title: '`@vercel/nft`',
  group: 'bundler',
  needs: 'nothing',
  packages: { '@vercel/nft': '1.11.5' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ folder, run }) {
    writePrograms(folder)
    for (const source of SOURCES) {
      const { stdout } = await run('node', ['trace.cjs', source])
      const files = JSON.parse(stdout)
      assert.ok(files.some(file => file.includes(packageOf(OWN)) && file.endsWith('.node')))
      const elsewhere = mkdtempSync(path.join(tmpdir(), 'typed-superdashmap-traced-'))
      try {
        for (const file of files) cpSync(path.join(folder, file), path.join(elsewhere, file))
        assertOutput(await run('node', [path.join(elsewhere, source)], { cwd: elsewhere }))
      } finally {
        rmSync(elsewhere, { recursive: true, force: true })
      }
    }
  }
}
