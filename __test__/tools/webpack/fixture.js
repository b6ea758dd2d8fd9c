'use strict'

const {
  SOURCES,
  assertNoWarnings,
  assertRuns,
  assertRunsElsewhere,
  writePrograms
} = require('../../support/bundles.js')

module.exports = {
  title: 'webpack 5, CommonJS and ES modules',
  group: 'bundler',
  needs: 'nothing',
  packages: { webpack: '5.113.0' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run(context) {
    writePrograms(context.folder)
    assertNoWarnings(await context.run('node', ['build.cjs', ...SOURCES]))
    for (const source of SOURCES) {
      for (const name of ['main.cjs', 'main.mjs']) {
        const file = `dist/${source.slice(-3)}/${name}`
        await assertRuns(context, file)
        await assertRunsElsewhere(context, file)
      }
    }
  }
}
