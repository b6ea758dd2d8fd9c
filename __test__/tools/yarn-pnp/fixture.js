'use strict'

const { managerFixture } = require('../manager.js')

module.exports = managerFixture({
  title: "Yarn with Plug'n'Play",
  packages: { '@yarnpkg/cli-dist': '4.18.1' },
  add: ['yarn', 'add'],
  env: {
    YARN_NODE_LINKER: 'pnp',
    YARN_PNP_ENABLE_ESM_LOADER: 'true',
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    YARN_ENABLE_TELEMETRY: '0'
  },
  flags: ['--require', './.pnp.cjs'],
  importFlags: ['--loader', './.pnp.loader.mjs']
})
