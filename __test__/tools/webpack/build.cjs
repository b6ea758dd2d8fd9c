'use strict'

const path = require('node:path')
const { promisify } = require('node:util')
const webpack = require('webpack')

async function main() {
  for (const source of process.argv.slice(2)) {
    for (const isModule of [false, true]) {
      const stats = await promisify(webpack)({
        mode: 'production',
        target: 'node20',
        entry: `./${source}`,
        experiments: { outputModule: isModule },
        output: {
          path: path.join(__dirname, 'dist', source.slice(-3)),
          filename: isModule ? 'main.mjs' : 'main.cjs',
          module: isModule
        }
      })
      console.log(stats.toString({ preset: 'errors-warnings' }))
    }
  }
}

main()
