'use strict'

// More evaluations of the package in one thread, as test runners and bundles bring them.

const { readFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const path = require('node:path')
const vm = require('node:vm')

const PACKAGE = path.join(__dirname, '..', '..')

/** Evaluates the JavaScript of the package once more; the addon itself stays loaded. */
function evaluateAgain() {
  const kept = new Map()
  for (const file of Object.keys(require.cache)) {
    if (!file.startsWith(PACKAGE) || file.endsWith('.node') || file.includes('__test__')) continue
    kept.set(file, require.cache[file])
    delete require.cache[file]
  }
  try {
    return require('../..')
  } finally {
    for (const [file, module] of kept) require.cache[file] = module
  }
}

/** The same in a realm of its own, as test runners do. */
function evaluateInRealm(context = vm.createContext({ console, process })) {
  const modules = new Map()
  const load = file => {
    const known = modules.get(file)
    if (known !== undefined) return known.exports
    const module = { exports: {} }
    modules.set(file, module)
    const outside = createRequire(file)
    const inside = name => {
      if (!name.startsWith('.') || name.endsWith('.node')) return outside(name)
      return load(outside.resolve(name))
    }
    const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, 'utf8')}\n})`
    const run = vm.runInContext(source, context, { filename: file })
    run(module.exports, inside, module, file, path.dirname(file))
    return module.exports
  }
  return load(path.join(PACKAGE, 'index.js'))
}

module.exports = { evaluateAgain, evaluateInRealm }
