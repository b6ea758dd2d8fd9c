'use strict'

const { assertChecks } = require('../../support/runtimes.js')

const COMMAND = ['deno', 'run', '--allow-ffi', '--allow-read', '--allow-env']

module.exports = {
  title: 'Deno',
  group: 'runtime',
  needs:
    '`--allow-ffi --allow-read --allow-env`; a busy worker that is terminated leaves its maps open, ' +
    'until they are destroyed',
  packages: { deno: '2.9.6' },

  // Deno runs no cleanup hook of a busy worker, so its map stays open.
  /** @param {import('../../../scripts/tools/fixtures.js').Context} context */
  run: context => assertChecks(context, COMMAND, ['of the worker'])
}
