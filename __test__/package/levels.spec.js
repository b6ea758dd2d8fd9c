'use strict'

// The rule that keeps the house in order: a room imports rooms of lower levels only. A room is a folder, or a file
// beside them. The table below is the plan; src/ARCHITECTURE.md says what each room is for.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { readdirSync } = require('node:fs')
const path = require('node:path')
const { importsIn } = require('../support/imports.js')

/** Rooms of each part, from the lowest level up. */
const LEVELS = {
  lib: [
    ['errors.js', 'hit-counter.js', 'install.js'],
    ['addon'],
    ['handle.js'],
    ['native'],
    ['codec', 'near', 'options'],
    ['session'],
    ['entries', 'observe'],
    ['queries'],
    ['map.js'],
    ['inspector', 'otel']
  ],
  'src/binding': [
    ['cpu.rs', 'failure.rs'],
    ['engine'],
    ['layout.rs'],
    ['convert'],
    ['environment'],
    ['operation.rs'],
    ['operations'],
    ['exports.rs'],
    ['mod.rs']
  ],
  'src/store': [
    ['error.rs'],
    ['platform'],
    ['events'],
    ['memory'],
    ['entry', 'expiry'],
    ['slab'],
    ['eviction', 'index', 'observe'],
    ['config.rs'],
    ['options.rs'],
    ['shard'],
    ['map'],
    ['query'],
    ['mod.rs']
  ]
}

/** @param {string} part @param {string} file */
const roomOf = (part, file) => file.slice(part.length + 1).split('/')[0]

/**
 * What breaks the rule: each import of a room that is not lower, in words.
 *
 * @param {string} part
 * @param {Map<string, string[]>} imports
 * @param {string[][]} levels
 */
function upward(part, imports, levels) {
  const levelOf = room => levels.findIndex(rooms => rooms.includes(room))
  const broken = []
  for (const [file, others] of imports) {
    const room = roomOf(part, file)
    for (const other of others) {
      const otherRoom = roomOf(part, other)
      if (room !== otherRoom && levelOf(otherRoom) >= levelOf(room)) broken.push(`${file} imports ${other}`)
    }
  }
  return broken
}

/** A circle of files, if there is one. @param {Map<string, string[]>} imports */
function circle(imports) {
  const finished = new Set()
  const visit = (file, trail) => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file]
    if (finished.has(file)) return undefined
    for (const other of imports.get(file) ?? []) {
      const found = visit(other, [...trail, file])
      if (found !== undefined) return found
    }
    finished.add(file)
    return undefined
  }
  for (const file of imports.keys()) {
    const found = visit(file, [])
    if (found !== undefined) return found
  }
  return undefined
}

describe('spec files', () => {
  it('lie in rooms, where `npm test` finds them', () => {
    const entries = readdirSync(path.join(__dirname, '..'))
    assert.deepEqual(
      entries.filter(name => /\.spec\.[cm]?js$/.test(name)),
      []
    )
  })
})

describe('levels', () => {
  for (const [part, levels] of Object.entries(LEVELS)) {
    const imports = importsIn(part)

    it(`${part}: every file is in a room of the plan, and every room of the plan is there`, () => {
      const rooms = new Set([...imports.keys()].map(file => roomOf(part, file)))
      assert.deepEqual([...rooms].sort(), levels.flat().sort())
    })

    it(`${part}: a room imports rooms of lower levels only`, () => {
      assert.deepEqual(upward(part, imports, levels), [])
    })

    it(`${part}: no files import each other in a circle`, () => {
      assert.equal(circle(imports)?.join(' -> '), undefined)
    })
  }

  it('imports are seen, however they are written', () => {
    const lib = importsIn('lib')
    assert.ok(lib.get('lib/map.js').includes('lib/session/open-map.js'))
    // For a type alone.
    assert.ok(lib.get('lib/near/guest.js').includes('lib/native/words.js'))
    const binding = importsIn('src/binding')
    assert.ok(binding.get('src/binding/operations/read.rs').includes('src/binding/operation.rs'))
    // From beside it, and through a module that hands it on.
    assert.ok(binding.get('src/binding/environment/state.rs').includes('src/binding/environment/alarm.rs'))
    assert.ok(binding.get('src/binding/operation.rs').includes('src/binding/environment/open_map.rs'))
    const store = importsIn('src/store')
    assert.ok(store.get('src/store/map/local.rs').includes('src/store/shard/write.rs'))
    // In the middle of a line.
    assert.ok(store.get('src/store/config.rs').includes('src/store/entry/hash.rs'))
  })

  it('an import upwards and a circle are found', () => {
    const levels = [['low.js'], ['high']]
    const imports = new Map([
      ['lib/low.js', ['lib/high/one.js']],
      ['lib/high/one.js', ['lib/high/two.js']],
      ['lib/high/two.js', ['lib/low.js']]
    ])
    assert.deepEqual(upward('lib', imports, levels), ['lib/low.js imports lib/high/one.js'])
    assert.equal(circle(imports).length, 4)
  })
})
