'use strict'

const {
  SOURCES,
  assertNoWarnings,
  assertRuns,
  assertRunsElsewhere,
  writePrograms
} = require('../../support/bundles.js')

module.exports = {
  title: 'ncc, which copies the addon beside its bundle',
  group: 'bundler',
  needs: 'nothing',
  packages: { '@vercel/ncc': '0.45.0' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run(context) {
    writePrograms(context.folder)
    for (const source of SOURCES) {
      const folder = `dist/${source.slice(-3)}`
      assertNoWarnings(await context.run('ncc', ['build', source, '--out', folder]))
      const file = `${folder}/index${source.slice(-4)}`
      await assertRuns(context, file)
      await assertRunsElsewhere(context, file, { withAddon: false })
    }
  }
}
