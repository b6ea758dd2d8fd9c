'use strict'

// Two copies of the package, each with an addon of its own, in one process.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { runNode } = require('../support/processes.js')
const { PACKAGE } = require('../support/workers.js')

describe('two copies of the addon in one process', { timeout: 300_000 }, () => {
  it('are warned of once, and know neither maps nor handles of each other', async t => {
    const folder = mkdtempSync(path.join(tmpdir(), 'typed-superdashmap-'))
    // Once the child has ended: Windows deletes no addon that a process has loaded.
    t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
    const { status, stdout, stderr } = await runNode(`
      const { cpSync } = require('node:fs')
      const path = require('node:path')
      const PACKAGE = ${JSON.stringify(PACKAGE)}
      const folder = ${JSON.stringify(folder)}
      const warnings = []
      process.on('warning', warning => warnings.push(warning))
      const copies = ['one', 'other'].map(name => {
        for (const file of ['index.js', 'package.json', 'lib']) {
          cpSync(path.join(PACKAGE, file), path.join(folder, name, file), { recursive: true })
        }
        return require(path.join(folder, name))
      })
      const [one, other] = [{ TypedMap }, ...copies].slice(0, 2).map(({ TypedMap }) => TypedMap.open('same'))
      one.set('a', 'mine')
      other.set('a', 'yours')
      const data = structuredClone(one.getHandle('a'))
      let code
      try { other.handle(data) } catch (error) { code = error.code }
      setTimeout(() => {
        console.log(code, one.get('a'), other.get('a'))
        for (const { code, message } of warnings) console.log(code, message.includes(path.join(folder, 'one')))
      }, 10)`)
    assert.equal(status, 0, stderr)
    assert.equal(stdout, 'ERR_HANDLE_INVALIDATED mine yours\nTYPED_SUPERDASHMAP_COPIES true\n')
  })

  it('are not what two evaluations of one copy are', async () => {
    const { stdout, stderr } = await runNode(`
      process.on('warning', warning => console.log(warning.code))
      for (const file of Object.keys(require.cache)) if (!file.endsWith('.node')) delete require.cache[file]
      require(${JSON.stringify(PACKAGE)})
      setTimeout(() => console.log('end'), 10)`)
    assert.deepEqual({ stdout, stderr }, { stdout: 'end\n', stderr: '' })
  })
})
