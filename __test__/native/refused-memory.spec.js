'use strict'

// An engine that refuses memory which is not its own (Electron): the near cache is off, and everything else works.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const process = require('node:process')
const { run, runNode } = require('../support/processes.js')
const { PACKAGE } = require('../support/workers.js')

const PRELOAD = path.join(PACKAGE, '__test__', 'support', 'refused-memory.js')

/** Spec files that ask for nothing of a near cache, one or more of each room. */
const HOLD = [
  'map/values',
  'map/keys',
  'map/json',
  'map/map-iterators',
  'entries/batches',
  'entries/types-of-entries',
  'session/errors',
  'session/set-limits',
  'session/strategies',
  'observe/wake-up',
  'native/scratch',
  'threads/timers'
]

describe('where the engine refuses memory that is not its own', { timeout: 600_000 }, () => {
  it('nothing is cached, in the main thread and in a worker, and every read is right', async () => {
    const script = `
      const { Worker, isMainThread } = require('node:worker_threads')
      const map = TypedMap.open('refused')
      const handle = map.insert({ thread: isMainThread })
      const [first, second] = [map.get(handle), map.get(handle)]
      map.set(handle, { thread: 'changed' })
      const { entries, hits } = map.getStats().nearCache
      console.log(first === second, first.thread, second.thread, map.get(handle).thread, entries, hits)
      if (isMainThread) new Worker(__filename)`
    const folder = mkdtempSync(path.join(tmpdir(), 'typed-superdashmap-'))
    const file = path.join(folder, 'main.js')
    const source = `const { TypedMap } = require(${JSON.stringify(PACKAGE)})\n${script}`
    writeFileSync(file, source)
    const { status, stdout, stderr } = await run(process.execPath, ['--require', PRELOAD, file])
    rmSync(folder, { recursive: true })
    assert.equal(status, 0, stderr)
    assert.deepEqual(stdout.trim().split('\n'), ['false true true changed 0 0', 'false false false changed 0 0'])
  })

  it('is what the preloaded file makes of it: without, there is a near cache', async () => {
    const { stdout } = await runNode(
      `const map = new TypedMap([['a', {}]]); console.log(map.get('a') === map.get('a'))`
    )
    assert.equal(stdout, 'true\n')
  })

  for (const name of HOLD) {
    it(`${name}.spec.js passes`, async () => {
      const file = path.join(PACKAGE, '__test__', `${name}.spec.js`)
      // A test runner in a test runner reports to the outer one, unless it does not know of it.
      const { NODE_TEST_CONTEXT, ...env } = process.env
      const { status, stdout } = await run(
        process.execPath,
        ['--expose-gc', '--require', PRELOAD, '--test-reporter=tap', file],
        { env, timeout: 300_000 }
      )
      assert.equal(status, 0, stdout.slice(-4_000))
      assert.match(stdout, /^# pass [1-9]\d*$/m)
    })
  }
})
