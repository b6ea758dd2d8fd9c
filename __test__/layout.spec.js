'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const binding = require('../lib/addon/binding.js')
const {
  BATCH_ROW,
  CAUSE,
  KEY_KIND,
  KIND,
  LEVEL,
  NUMBER,
  REMOVAL_ROW,
  REMOVED_BY,
  ROW,
  SCRATCH,
  SCRATCH_LENGTH,
  SCRATCH_TTL,
  UNKEPT,
  WALK_ROW,
  WANT
} = require('../lib/native/layout.js')

require('./support/sound.js')

const source = file => readFileSync(path.join(__dirname, '..', 'src', file), 'utf8')

/** `pub const NAME: type = number;` of a Rust file, with the sentence above each. */
function constants(text) {
  const found = new Map()
  for (const [, doc, name, value] of text.matchAll(/\/\/\/ (.*)\npub const ([A-Z_]+): \w+ = (\d+);/g)) {
    found.set(name, { doc, value: Number(value) })
  }
  return found
}

/** The variants of a Rust enum with their numbers. */
function variants(text, name) {
  const [, body] = new RegExp(`pub enum ${name} \\{([\\s\\S]*?)\\n\\}`).exec(text)
  return Object.fromEntries(
    [...body.matchAll(/^\s*([A-Z]\w*) = (\d+),/gm)].map(([, key, value]) => [key, Number(value)])
  )
}

describe('layout: Rust and JavaScript agree', () => {
  const rust = constants(source('binding/layout.rs'))

  it('on the numbers of the scratch array', () => {
    for (const [name, value] of Object.entries(SCRATCH)) assert.equal(rust.get(name)?.value, value, name)
    assert.equal(rust.get('SCRATCH_LENGTH').value, SCRATCH_LENGTH)
    assert.equal(rust.get('ROW').value, ROW)
    assert.equal(rust.get('NUMBER').value, NUMBER)
    assert.equal(rust.get('BATCH_ROW').value, BATCH_ROW)
    assert.equal(rust.get('WALK_ROW').value, WALK_ROW)
    assert.equal(KEY_KIND, WALK_ROW - 1)
    assert.equal(rust.get('REMOVAL_ROW').value, REMOVAL_ROW)
    assert.equal(REMOVED_BY, REMOVAL_ROW - 1)
    assert.equal(rust.get('SCRATCH_TTL').value, SCRATCH_TTL)
    assert.ok(Math.max(...Object.values(SCRATCH)) < 2 * SCRATCH_TTL, "a ttl is in nobody else's place")
    assert.equal(rust.get('WANT_KEYS').value, WANT.KEYS)
    assert.equal(rust.get('WANT_VALUES').value, WANT.VALUES)
    assert.equal(WANT.ENTRIES, WANT.KEYS | WANT.VALUES)
  })

  it('on what each of them means, in the same sentence', () => {
    const text = readFileSync(path.join(__dirname, '..', 'lib', 'native', 'layout.js'), 'utf8')
    for (const name of Object.keys(SCRATCH)) {
      const [, sentence] = new RegExp(`/\\*\\* (.*) \\*/\\s+${name}:`).exec(text)
      assert.equal(sentence, rust.get(name).doc, name)
    }
  })

  it('on the kinds of values', () => {
    assert.deepEqual(variants(source('store/value.rs'), 'ValueKind'), { ...KIND })
  })

  it('on the causes of removals', () => {
    const causes = Object.entries(variants(source('store/removals.rs'), 'Cause'))
    assert.deepEqual(Object.fromEntries(causes.map(([name, value]) => [name.toLowerCase(), value])), { ...CAUSE })
  })

  it('on the levels of the log', () => {
    const names = [...source('store/events.rs').matchAll(/pub enum Level \{([\s\S]*?)\n\}/g)][0][1]
    const order = [...names.matchAll(/^\s*([A-Z]\w*)(?: = \d+)?,/gm)].map(([, name]) => name.toLowerCase())
    assert.deepEqual(order, Object.keys(LEVEL))
    assert.deepEqual(Object.values(LEVEL), [...order.keys()])
  })

  it('and so does the addon that is loaded', () => {
    const compiled = JSON.parse(binding.layout())
    assert.deepEqual(compiled.scratch, { ...SCRATCH })
    assert.deepEqual(compiled.kinds, { ...KIND })
    assert.equal(compiled.scratchLength, SCRATCH_LENGTH)
    assert.equal(compiled.row, ROW)
    assert.equal(compiled.number, NUMBER)
    assert.equal(compiled.batchRow, BATCH_ROW)
    assert.equal(compiled.walkRow, WALK_ROW)
    assert.equal(compiled.removalRow, REMOVAL_ROW)
    assert.equal(compiled.unkept, UNKEPT)
    assert.equal(compiled.scratchTtl, SCRATCH_TTL)
    assert.deepEqual(compiled.causes, { ...CAUSE })
  })
})
