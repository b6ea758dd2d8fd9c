'use strict'

// Which public methods take keys, as the types say: those of a class or an interface of the package with a parameter
// that has a `K` which is not what a function of the user is called with; and those that compare keys with a glob or a
// prefix.

const { readdirSync, readFileSync } = require('node:fs')
const path = require('node:path')
const ts = require('typescript')

const FOLDER = path.join(__dirname, '..', '..', 'types')

/** Types of parameters that have globs over keys in them. */
const WITH_GLOBS = new Set(['ScanOptions', 'Query'])
/** Names of parameters that are compared with keys. */
const COMPARED = new Set(['prefix'])

/** Whether a type has a key in it. A function that gets one takes none. */
function takesKey(node) {
  if (ts.isFunctionTypeNode(node)) return false
  if (ts.isTypeReferenceNode(node)) {
    const name = node.typeName.getText()
    if (name === 'K' || WITH_GLOBS.has(name)) return true
  }
  return ts.forEachChild(node, child => (takesKey(child) ? true : undefined)) === true
}

/** Names of methods as `Class.method`; a constructor is one. @returns {string[]} */
function keyedMethods() {
  const names = new Set()
  for (const file of readdirSync(FOLDER)) {
    const text = readFileSync(path.join(FOLDER, file), 'utf8')
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
    for (const statement of source.statements) {
      if (!ts.isClassDeclaration(statement) && !ts.isInterfaceDeclaration(statement)) continue
      for (const member of statement.members) {
        const isMethod =
          ts.isMethodDeclaration(member) || ts.isMethodSignature(member) || ts.isConstructorDeclaration(member)
        const isStatic = member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword)
        if (!isMethod || isStatic) continue
        const isKeyed = member.parameters.some(
          ({ name, type }) => COMPARED.has(name.getText()) || (type !== undefined && takesKey(type))
        )
        if (isKeyed) names.add(`${statement.name?.text}.${member.name?.getText() ?? 'constructor'}`)
      }
    }
  }
  return [...names].sort()
}

module.exports = { keyedMethods }
