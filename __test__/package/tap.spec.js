'use strict'

// What `npm run test:platforms` counts is what a spec file reported.

const assert = require('node:assert/strict')
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, describe, it } = require('node:test')
const { tally } = require('../../scripts/tap.js')
const { run } = require('../support/processes.js')

const SPEC = `
const { describe, it } = require('node:test')
it('passes', () => {})
it('is skipped', { skip: 'not here' }, () => {})
it('fails', () => { throw new Error('too small') })
describe('a group', () => {
  it('passes, too', () => {})
  it('fails within', () => { require('node:assert').equal(1, 2) })
})
`

describe('what a spec file reported', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tap-'))
  const report = path.join(folder, 'report.tap')
  after(() => rmSync(folder, { recursive: true }))

  const reported = async source => {
    writeFileSync(path.join(folder, 'some.spec.js'), source)
    const flags = ['--test-reporter=tap', `--test-reporter-destination=${report}`]
    // Within a run of tests, Node.js reports to that run instead.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { status } = await run(process.execPath, [...flags, path.join(folder, 'some.spec.js')], { env })
    return { status, text: readFileSync(report, 'utf8') }
  }

  it('is counted, and failures have a name and a reason, groups aside', async () => {
    const { status, text } = await reported(SPEC)
    const { failures, ...counts } = tally(text)
    assert.deepEqual({ status, ...counts }, { status: 1, passed: 2, failed: 2, skipped: 1 })
    assert.deepEqual(
      failures.map(({ name }) => name),
      ['fails', 'fails within']
    )
    assert.match(failures[0].why, /too small/)
  })

  it('is counted by its lines if it ended early', async () => {
    const { text } = await reported(SPEC)
    const { passed, failed } = tally(text.slice(0, text.indexOf('# tests')))
    assert.deepEqual([passed, failed], [2, 2])
  })
})
