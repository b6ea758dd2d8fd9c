'use strict'

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { readdirSync } = require('node:fs')
const path = require('node:path')
const { run } = require('../support/processes.js')
const { PACKAGE } = require('../support/workers.js')

const EXAMPLES = path.join(PACKAGE, 'examples')

/** Arguments that make an example end soon. */
const SMALL = { 'shared-lookup.js': ['--records', '500', '--seconds', '0.2', '--workers', '2'] }

describe('examples', () => {
  const files = readdirSync(EXAMPLES).filter(name => /\.m?js$/.test(name))

  it('are there', () => {
    assert.ok(files.includes('shared-lookup.js'))
  })

  it('shared-lookup.js prints its usage, and names unknown arguments', async () => {
    const example = path.join(EXAMPLES, 'shared-lookup.js')
    const help = await run(process.execPath, [example, '--help'], { cwd: PACKAGE })
    assert.equal(help.status, 0)
    assert.match(help.stdout, /--records/)
    const wrong = await run(process.execPath, [example, '--recods', '5'], { cwd: PACKAGE })
    assert.notEqual(wrong.status, 0)
    assert.match(wrong.stderr, /recods/)
    assert.doesNotMatch(wrong.stderr, /^\s+at /m, 'a sentence and not a stack')
  })

  for (const file of files) {
    it(`${file} runs to its end and says something`, async () => {
      const { status, stdout, stderr } = await run(
        process.execPath,
        [path.join(EXAMPLES, file), ...(SMALL[file] ?? [])],
        { cwd: PACKAGE, timeout: 300_000 }
      )
      assert.equal(status, 0, `${stdout}\n${stderr}`)
      assert.notEqual(stdout, '')
    })
  }
})
