'use strict'

// What the workflows name is there: a workflow that names a command which was renamed fails only where it runs, and for
// a release that is late.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { existsSync, readFileSync, readdirSync } = require('node:fs')
const path = require('node:path')
const { parse } = require('yaml')
const { TARGETS } = require('../../scripts/targets.js')
const { MAJORS } = require('../support/node-versions.js')
const { PACKAGE } = require('../support/workers.js')

const FOLDER = path.join(PACKAGE, '.github', 'workflows')
const texts = new Map(readdirSync(FOLDER).map(name => [name, readFileSync(path.join(FOLDER, name), 'utf8')]))
const workflows = new Map([...texts].map(([name, text]) => [name, parse(text)]))
const jobs = [...workflows].flatMap(([name, workflow]) =>
  Object.entries(workflow.jobs).map(([id, job]) => ({ at: `${name}, ${id}`, job }))
)
const steps = jobs.flatMap(({ at, job }) => job.steps.map(step => ({ at, step })))

describe('workflows', () => {
  it('are those of a change, of a week and of a release', () => {
    assert.deepEqual([...workflows.keys()].sort(), ['ci.yml', 'release.yml', 'weekly.yml'])
  })

  it('run npm scripts, files and folders that are there', () => {
    const { scripts } = require('../../package.json')
    const commands = steps.flatMap(({ at, step }) => (step.run ? [{ at, run: step.run }] : []))
    assert.ok(commands.length > 10)
    for (const { at, run } of commands) {
      for (const [, name] of run.matchAll(/npm run ([\w:-]+)/g)) assert.ok(name in scripts, `${at}: npm run ${name}`)
      for (const [file] of run.matchAll(/(?:scripts|\.ci)\/[\w.-]+/g)) {
        assert.ok(existsSync(path.join(PACKAGE, file)), `${at}: ${file}`)
      }
    }
  })

  it('take each action at one commit, the same everywhere, and name its version', () => {
    const found = new Map()
    for (const [name, text] of texts) {
      const uses = text.match(/^.*\buses:.*$/gm)
      assert.equal(uses.length, steps.filter(({ at, step }) => at.startsWith(name) && step.uses).length)
      for (const line of uses) {
        const [, action, commit] = /uses: (actions\/[\w-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(line) ?? []
        assert.ok(commit, `${name}: ${line}`)
        assert.equal(found.get(action) ?? commit, commit, action)
        found.set(action, commit)
      }
    }
  })

  it('may read the repository, and what more is named with each job', () => {
    for (const [name, { permissions }] of workflows) assert.deepEqual(permissions, { contents: 'read' }, name)
    const more = jobs.flatMap(({ at, job }) => (job.permissions ? [[at, job.permissions]] : []))
    for (const [at] of more) assert.match(at, /^release\.yml, (publish|release)$/)
  })

  it('end', () => {
    for (const { at, job } of jobs) assert.ok(job['timeout-minutes'] <= 120, at)
  })

  it('keep no credentials where scripts of packages could read them', () => {
    for (const { at, step } of steps) {
      if (step.uses?.startsWith('actions/checkout@')) assert.equal(step.with['persist-credentials'], false, at)
    }
  })

  it('try each Node.js that the tests know on each system', () => {
    const { system, node } = workflows.get('ci.yml').jobs.test.strategy.matrix
    assert.deepEqual(node, MAJORS)
    assert.deepEqual(new Set(system.map(name => name.split('-')[0])), new Set(['ubuntu', 'macos', 'windows']))
  })

  it('build each platform once, and try the packages on each system', () => {
    const { build, try: tryOut } = workflows.get('release.yml').jobs
    const built = build.strategy.matrix.include.flatMap(({ platforms }) => platforms.split(','))
    assert.deepEqual(built.sort(), Object.keys(TARGETS).sort())
    const { system, node } = workflows.get('ci.yml').jobs.test.strategy.matrix
    assert.deepEqual(tryOut.strategy.matrix, { system, node })
  })

  it('check the Rust that Cargo.toml promises', () => {
    const [, version] = /rust-version = "(.*)"/.exec(readFileSync(path.join(PACKAGE, 'Cargo.toml'), 'utf8'))
    assert.match(texts.get('ci.yml'), new RegExp(`cargo \\+${version.replace('.', '\\.')} check`))
  })
})
