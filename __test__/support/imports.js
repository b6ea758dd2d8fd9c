'use strict'

// Which file of a folder imports which, read from the source: `require` and types of JavaScript; `use` and paths of
// Rust. Tests and models of Rust are left out, also those inside a file: they may look at everything.

const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..', '..')

/** Types that are generated, imported as if they were of a file beside them. */
const GENERATED = 'binding.js'

/** Paths of the source files of a folder, from the project's root. @param {string} folder */
function filesOf(folder) {
  const names = fs.readdirSync(path.join(root, folder), { recursive: true }).map(String)
  return names
    .filter(name => /\.(js|rs)$/.test(name) && !/\b(tests|models)\b/.test(name))
    .map(name => path.posix.join(folder, name.replaceAll(path.sep, '/')))
    .sort()
}

/** @param {string} file */
const read = file => fs.readFileSync(path.join(root, file), 'utf8')

/** The files of the same folder that a JavaScript file imports, also only for a type. @param {string} file */
function importsOfJavaScript(file) {
  const found = [...read(file).matchAll(/\b(?:require|import)\('(\.[^']*)'\)/g)]
  return found
    .map(([, name]) => path.posix.join(path.posix.dirname(file), name))
    .filter(name => path.basename(name) !== GENERATED)
}

/**
 * Rust source without comments, texts and tests. A module within a file counts as that file: what it calls `super` is
 * there.
 *
 * @param {string} source
 */
function codeOf(source) {
  const code = source
    .replace(/\/\/[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])'/g, '')
    .replace(/\bpub\([^)]*\)/g, 'pub')
    .replace(/^#\[cfg\((?:test|all\(test[^\]]*)\)\]\s*(?:pub )?(?:mod \w+ \{[\s\S]*?^\}|mod \w+;)/gm, '')
  // The innermost ones first, each a level up.
  const inner = /^( *)(?:pub )?mod \w+ \{\n((?:(?!^ *(?:pub )?mod \w+ \{)[\s\S])*?)^\1\}/m
  let flat = code
  for (let before = ''; before !== flat; ) {
    before = flat
    flat = flat.replace(inner, (_, __, body) => body.replaceAll('super::', 'self::'))
  }
  return flat
}

/**
 * The paths that a tree of `use` stands for.
 *
 * @param {string} tree
 * @returns {string[]}
 */
function expand(tree) {
  const text = tree.trim()
  const open = text.indexOf('{')
  if (open === -1) return [text.replace(/ as \w+$/, '')]
  const paths = []
  let depth = 0
  let start = open + 1
  for (let at = open; at < text.length; at++) {
    if (text[at] === '{') depth++
    const isEnd = text[at] === '}' && --depth === 0
    if (!isEnd && !(text[at] === ',' && depth === 1)) continue
    const part = text.slice(start, at).trim()
    if (part !== '') paths.push(...expand(part).map(inner => text.slice(0, open) + inner))
    start = at + 1
  }
  return paths
}

/** The modules of a Rust folder, and what each of them hands on from another. */
class Modules {
  /** Files by the path of their module. @type {Map<string, string>} */
  #files = new Map()
  /** Paths behind names that a module hands on. @type {Map<string, string>} */
  #aliases = new Map()
  #paths = new Map()

  /** @param {readonly string[]} files below src */
  constructor(files) {
    for (const file of files) this.#files.set(Modules.moduleOf(file), file)
    for (const file of files) {
      const code = codeOf(read(file))
      const used = [...code.matchAll(/^\s*(pub )?use ([^;]+);/gm)]
      const home = Modules.moduleOf(file)
      for (const [, isPublic, tree] of used) {
        for (const used of expand(tree)) {
          const target = this.#absolute(home, used)
          if (isPublic !== undefined) this.#aliases.set(`${home}::${used.split('::').at(-1)}`, target)
        }
      }
      const inline = [...code.matchAll(/\b(?:crate|super|self)(?:::\w+)+/g)].map(([found]) => found)
      const paths = [...used.flatMap(([, , tree]) => expand(tree)), ...inline]
      this.#paths.set(file, [...new Set(paths.map(found => this.#absolute(home, found)))])
    }
  }

  /** @param {string} file */
  static moduleOf(file) {
    const parts = file
      .replace(/^src\//, '')
      .replace(/\.rs$/, '')
      .split('/')
    if (parts.at(-1) === 'mod') parts.pop()
    return ['crate', ...parts].join('::')
  }

  /** @param {string} home @param {string} found */
  #absolute(home, found) {
    const parts = found.split('::')
    if (parts[0] === 'crate') return found
    const base = home.split('::')
    if (parts[0] === 'self') parts.shift()
    else if (parts[0] !== 'super' && !this.#files.has(`${home}::${parts[0]}`)) return found
    while (parts[0] === 'super') {
      parts.shift()
      base.pop()
    }
    return [...base, ...parts].join('::')
  }

  /** The file that a path leads to, through whatever hands it on. @param {string} target */
  #fileOf(target) {
    let parts = target.split('::')
    for (let hops = 0; hops < 10; hops++) {
      const length = parts.findLastIndex((_, index) => this.#files.has(parts.slice(0, index + 1).join('::'))) + 1
      if (length === 0) return undefined
      const module = parts.slice(0, length).join('::')
      const behind = this.#aliases.get(`${module}::${parts[length]}`)
      if (behind === undefined) return this.#files.get(module)
      parts = [...behind.split('::'), ...parts.slice(length + 1)]
    }
    return undefined
  }

  /** The files that a file imports. What it declares as a part of itself is none. @param {string} file */
  importsOf(file) {
    const home = Modules.moduleOf(file)
    const files = this.#paths.get(file).map(found => this.#fileOf(found))
    const isPart = other => file.endsWith('/mod.rs') && Modules.moduleOf(other).startsWith(`${home}::`)
    return [...new Set(files)].filter(other => other !== undefined && other !== file && !isPart(other))
  }
}

/**
 * For each file of a folder, the files of that folder that it imports.
 *
 * @param {string} folder
 * @returns {Map<string, string[]>}
 */
function importsIn(folder) {
  const files = filesOf(folder)
  const rust = new Modules(files.filter(file => file.endsWith('.rs')))
  return new Map(
    files.map(file => {
      const imports = file.endsWith('.rs') ? rust.importsOf(file) : importsOfJavaScript(file)
      return [file, imports.filter(other => files.includes(other))]
    })
  )
}

module.exports = { importsIn }
