'use strict'

// Numbers that JavaScript and Rust agree on: lib/native/layout.js is made of what the addon was built with.

const { it } = require('node:test')
const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const binding = require('../../lib/addon/load.js')
const layout = require('../../lib/native/layout.js')
const { FILE, layoutText } = require('../../scripts/layout.js')

require('../support/sound.js')

it('layout: JavaScript has what the addon that is loaded has, `npm run build` writes it', () => {
  assert.equal(readFileSync(FILE, 'utf8'), layoutText(binding.layout()))
})

it('layout: no two columns of the scratch array are in one place', () => {
  const { SCRATCH, SCRATCH_LENGTH, SCRATCH_TTL } = layout
  const places = [...Object.values(SCRATCH), 2 * SCRATCH_TTL, 2 * SCRATCH_TTL + 1]
  assert.equal(new Set(places).size, places.length)
  assert.ok(Math.max(...places) < SCRATCH_LENGTH)
})
