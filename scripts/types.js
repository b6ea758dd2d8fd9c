'use strict'

// Checks the types: the package with the compiler that it is developed with, and the type tests with each that its
// users may have. Compilers are started by path, because several packages bring a command of the same name.

const { spawnSync } = require('node:child_process')
const path = require('node:path')

const root = path.join(__dirname, '..')

/** @param {string} compiler name of a package @param {string} project */
function check(compiler, project) {
  const bin = path.join(path.dirname(require.resolve(`${compiler}/package.json`)), 'bin', 'tsc')
  const { status } = spawnSync(process.execPath, [bin, '--project', project], { cwd: root, stdio: 'inherit' })
  if (status !== 0) {
    console.error(`${project} fails with ${compiler}`)
    process.exitCode = 1
  }
}

check('typescript', 'tsconfig.json')
// The page of the inspector runs in browsers.
check('typescript', 'lib/inspector/page/tsconfig.json')
for (const compiler of ['typescript-5.4', 'typescript-5.9', 'typescript', 'typescript-7']) {
  check(compiler, '__test__/types/tsconfig.json')
}
