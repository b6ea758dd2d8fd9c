'use strict'

// The table of platforms: where the addon of each is looked for, and the version that it must have.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { PLATFORMS, VERSION } = require('../../lib/addon/platforms.js')
const { PACKAGE } = require('../support/workers.js')

require('../support/sound.js')

const textOf = file => readFileSync(path.join(PACKAGE, file), 'utf8')

describe('platforms', () => {
  it('are looked for under their own name, which is a literal that tracers can read', () => {
    for (const [name, { built, packaged }] of Object.entries(PLATFORMS)) {
      assert.equal(String(built), `() => native('./typed-superdashmap.${name}.node')`)
      assert.equal(String(packaged), `() => native('@typed-superdashmap/binding-${name}')`)
    }
  })

  it('the version is that of the package, of the crate, and of the addon', () => {
    assert.equal(VERSION, require('../../package.json').version)
    assert.equal(VERSION, /^version = "(.*)"$/m.exec(textOf('Cargo.toml'))[1])
    assert.equal(VERSION, require('../../lib/addon/load.js').version())
  })
})
