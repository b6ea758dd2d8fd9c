'use strict'

// The table of platforms: where the addon of each is looked for, and the version that it must have; and what the
// package does without so that bundlers need not be told anything.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { readFileSync, readdirSync } = require('node:fs')
const path = require('node:path')
const { VERSION, placesFrom } = require('../../lib/addon/platforms.js')
const { TARGETS, platformOf } = require('../../scripts/targets.js')
const { PACKAGE } = require('../support/workers.js')

require('../support/sound.js')

const textOf = file => readFileSync(path.join(PACKAGE, file), 'utf8')

describe('platforms', () => {
  it('are looked for under their own name, which is a literal that tracers can read', () => {
    const platforms = Object.entries(placesFrom(__filename))
    assert.equal(platforms.length, 8)
    for (const [name, places] of platforms) {
      assert.deepEqual(places.map(String), [
        `() => native('./typed-superdashmap.${name}.node')`,
        `() => native('@typed-superdashmap/binding-${name}')`,
        `() => native(\`\${__dirname}/../../../@typed-superdashmap/binding-${name}/typed-superdashmap.node\`)`
      ])
    }
  })

  it('are those that are built, and their packages say what they are for as Node.js does', () => {
    assert.deepEqual(Object.keys(placesFrom(__filename)).sort(), Object.keys(TARGETS).sort())
    for (const name of Object.keys(TARGETS)) {
      const { os, cpu, libc = '' } = platformOf(name)
      assert.match(`${os} ${cpu} ${libc}`, /^(linux (x64|arm64) (glibc|musl)|(darwin|win32) (x64|arm64) )$/)
    }
  })

  it('are named in the README, with the oldest system that they run on', () => {
    const rows = textOf('README.md')
      .split('\n')
      .filter(line => line.startsWith('| ') && line.includes('`'))
    for (const [name, { glibc, macos }] of Object.entries(TARGETS)) {
      const row = rows.find(line => line.includes(`\`${name}\``))
      assert.ok(row, name)
      if (glibc) assert.ok(row.includes(`glibc ${glibc}`), row)
      if (macos) assert.ok(row.includes(`macOS ${macos.replace(/\.0$/, '')}`), row)
    }
  })

  it('the version is that of the package, of the crate, and of the addon', () => {
    assert.equal(VERSION, require('../../package.json').version)
    assert.equal(VERSION, /^version = "(.*)"$/m.exec(textOf('Cargo.toml'))[1])
    assert.equal(VERSION, require('../../lib/addon/load.js').version())
  })
})

it('no file requires a module of Node.js, which a bundle that is an ES module cannot', () => {
  const files = readdirSync(path.join(PACKAGE, 'lib'), { recursive: true }).filter(file => file.endsWith('.js'))
  assert.ok(files.length > 40, `${files.length} files`)
  for (const file of files) assert.doesNotMatch(textOf(path.join('lib', file)), /require\('(?!\.)/, file)
})

it('the ES module says where it lies before the addon is loaded, and bundlers keep the file that does', () => {
  assert.match(textOf('index.mjs'), /^import '\.\/lib\/addon\/home\.mjs'\n/)
  assert.deepEqual(require('../../package.json').sideEffects, ['./lib/addon/home.mjs'])
})
