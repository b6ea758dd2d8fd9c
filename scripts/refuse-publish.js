'use strict'

// Keeps `npm publish` from publishing the package as it is developed: with the binary of one platform only.

const process = require('node:process')

if (process.env.npm_config_dry_run !== 'true') {
  console.error(
    'Not published from here: this folder has the binary of one platform. `npm run build:all` and ' +
      '`npm run pack:all -- FOLDER --complete` make the packages of all platforms; publish each tarball in FOLDER, ' +
      'typed-superdashmap last.'
  )
  process.exitCode = 1
}
