'use strict'

const assert = require('node:assert/strict')
const { cpSync, mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { assertNoWarnings } = require('../../support/bundles.js')

module.exports = {
  title: 'Turbopack (Next.js 16)',
  group: 'bundler',
  needs: "for `output: 'standalone'`: `serverExternalPackages: ['typed-superdashmap']` in `next.config`",
  packages: { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run({ folder, run }) {
    const env = { NEXT_TELEMETRY_DISABLED: '1' }
    assertNoWarnings(await run('next', ['build'], { env, timeoutS: 600 }))
    assert.equal((await run('node', ['ask.cjs', 'next', 'start'])).stdout, '{"b":1} {"seen":1}\n')

    assertNoWarnings(await run('next', ['build'], { env: { ...env, STANDALONE: '1' }, timeoutS: 600 }))
    const elsewhere = mkdtempSync(path.join(tmpdir(), 'typed-superdashmap-next-'))
    try {
      cpSync(path.join(folder, '.next', 'standalone'), elsewhere, { recursive: true })
      const ask = path.join(folder, 'ask.cjs')
      const { stdout } = await run('node', [ask, 'node', 'server.js'], { cwd: elsewhere })
      assert.equal(stdout, '{"b":1} {"seen":1}\n')
    } finally {
      rmSync(elsewhere, { recursive: true, force: true })
    }
  }
}
