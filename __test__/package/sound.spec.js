'use strict'

// Every spec file ends with a look through all maps that it opened.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { run } = require('../support/processes.js')
const { PACKAGE } = require('../support/workers.js')

require('../support/sound.js')

const CHILDREN = 'all of its maps are in child processes, which end as each test wants them to'
const NONE = 'it opens no map'

/** Spec files without the look, and why. */
const EXCUSED = {
  'binaries.spec.js': NONE,
  'build-all.spec.js': NONE,
  'copies.spec.js': CHILDREN,
  'example.spec.js': CHILDREN,
  'levels.spec.js': NONE,
  'linearizability.spec.js': NONE,
  'lines.spec.js': NONE,
  'load-error.spec.js': CHILDREN,
  'managers.spec.js': CHILDREN,
  'mutations.spec.js': NONE,
  'out-of-memory.spec.js': 'its child processes call validate() themselves',
  'package.spec.js': CHILDREN,
  'parts.spec.js': NONE,
  'published.spec.js': CHILDREN,
  'readme.spec.js': CHILDREN,
  'refused-memory.spec.js': CHILDREN,
  'release.spec.js': NONE,
  'resident-memory.spec.js': CHILDREN,
  'specification.spec.js': NONE,
  'stack-end.spec.js': 'its child processes call validate() themselves',
  'tap.spec.js': NONE,
  'tools.spec.js': NONE,
  'workflows.spec.js': NONE
}

const LINE = /^require\('\.\.\/support\/sound\.js'\)$/m
/** The package, or a part of it that opens maps, in the thread of the tests. */
const OPENS =
  /^(const|\}).*require\('\.\.\/\.\.(\/index\.js|\/lib\/native\/attach\.js|\/lib\/session\/open-map\.js)?'\)/m

const folder = path.join(__dirname, '..')
/** Paths by the names of their files. */
const places = new Map(
  readdirSync(folder, { recursive: true })
    .filter(file => /\.spec\.[cm]?js$/.test(file))
    .map(file => [path.basename(file), path.join(folder, file)])
)
const files = [...places.keys()]
const textOf = file => readFileSync(places.get(file), 'utf8')

describe('the look through every map', () => {
  it('is in each spec file', () => {
    const missing = files.filter(file => !(file in EXCUSED) && !LINE.test(textOf(file)))
    assert.deepEqual(missing, [], "add require('../support/sound.js'), or say in EXCUSED why not")
  })

  it('is only missing where no map is opened, and where the child looks', () => {
    for (const [file, reason] of Object.entries(EXCUSED)) {
      assert.ok(files.includes(file), `${file} is gone`)
      assert.doesNotMatch(textOf(file), LINE, `${file} has it, and is excused`)
      assert.doesNotMatch(textOf(file), OPENS, `${file} can open maps in its own thread`)
      if (reason.includes('validate()')) assert.match(textOf(file), /\.validate\(\)/, file)
    }
  })

  /** Runs a spec file while native code reports a problem in each map; returns its exit code and output. */
  async function outcomeOf(body) {
    const folder = mkdtempSync(path.join(tmpdir(), 'typed-superdashmap-'))
    const file = path.join(folder, 'unsound.spec.js')
    const need = name => `require(${JSON.stringify(path.join(PACKAGE, name))})`
    writeFileSync(
      file,
      `const { it } = require('node:test')
      const { TypedMap } = ${need('index.js')}
      ${need('__test__/support/sound.js')}
      const loaded = ${need('lib/addon/load.js')}
      const { stepValidation } = loaded
      loaded.stepValidation = (...given) => ({ ...stepValidation(...given), problems: '[{"what":"found"}]' })
      ${body}`
    )
    try {
      // A test runner within a test runner would report to that.
      const { NODE_TEST_CONTEXT, ...env } = process.env
      return await run(process.execPath, ['--test', file], { env })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  it('fails a file with an unsound map, closed or not', async () => {
    for (const body of [
      "it('leaves it open', () => { globalThis.map = new TypedMap([[1, 1]]) })",
      "it('closes it', () => { new TypedMap([[1, 1]]).close() })"
    ]) {
      const { status, stdout } = await outcomeOf(body)
      assert.equal(status, 1, stdout)
      assert.match(stdout, /validate\(\) finds nothing wrong/)
    }
  })

  it('passes a file after all its maps were destroyed', async () => {
    const { status, stdout } = await outcomeOf(
      "it('destroys it', () => { const map = new TypedMap([[1, 1]]); map.destroy(); map.close() })"
    )
    assert.equal(status, 0, stdout)
  })
})
