'use strict'

const {
  SOURCES,
  assertNoWarnings,
  assertRuns,
  assertRunsElsewhere,
  writePrograms
} = require('../../support/bundles.js')

module.exports = {
  title: 'rollup, CommonJS and ES modules',
  group: 'bundler',
  needs: 'its plugins `node-resolve` and `commonjs`, as for any package',
  packages: { rollup: '4.68.8', '@rollup/plugin-node-resolve': '16.0.3', '@rollup/plugin-commonjs': '29.0.3' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run(context) {
    writePrograms(context.folder)
    for (const source of SOURCES) {
      for (const [format, name] of [
        ['cjs', 'main.cjs'],
        ['es', 'main.mjs']
      ]) {
        const file = `dist/${source.slice(-3)}/${name}`
        const plugins = ['--plugin', 'node-resolve', '--plugin', 'commonjs']
        assertNoWarnings(await context.run('rollup', [source, ...plugins, '--format', format, '--file', file]))
        await assertRuns(context, file)
        await assertRunsElsewhere(context, file)
      }
    }
  }
}
