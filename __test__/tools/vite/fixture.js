'use strict'

const { assertNoWarnings, assertRuns, assertRunsElsewhere, writePrograms } = require('../../support/bundles.js')

module.exports = {
  title: 'vite, builds for a server',
  group: 'bundler',
  needs: 'nothing',
  packages: { vite: '8.3.8' },

  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  async run(context) {
    writePrograms(context.folder)
    for (const file of ['external/main.mjs', 'bundled/main.mjs']) {
      assertNoWarnings(await context.run('vite', ['build', '--config', `${file.split('/')[0]}.config.mjs`]))
      await assertRuns(context, file)
    }
    await assertRunsElsewhere(context, 'bundled/main.mjs')
  }
}
