'use strict'

const {
  SOURCES,
  assertNoWarnings,
  assertRuns,
  assertRunsElsewhere,
  writePrograms
} = require('../../support/bundles.js')

module.exports = {
  title: 'esbuild, CommonJS and ES modules',
  group: 'bundler',
  needs: 'nothing',
  packages: { esbuild: '0.28.2' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run(context) {
    writePrograms(context.folder)
    for (const source of SOURCES) {
      for (const [format, name] of [
        ['cjs', 'main.cjs'],
        ['esm', 'main.mjs']
      ]) {
        const file = `dist/${source.slice(-3)}/${name}`
        const flags = ['--bundle', '--platform=node', '--minify', `--format=${format}`, `--outfile=${file}`]
        assertNoWarnings(await context.run('esbuild', [source, ...flags]))
        await assertRuns(context, file)
        await assertRunsElsewhere(context, file)
      }
    }
  }
}
