'use strict'

// Reads for which the copy cannot be allocated, in processes with a limit over their address space.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')

const PACKAGE = path.join(__dirname, '..', '..')
const VALUE_MB = 64
const KB_PER_MB = 1024

const PROGRAM = `
const { readFileSync } = require('node:fs')
const { TypedMap } = require(${JSON.stringify(PACKAGE)})
const map = new TypedMap({ nearCache: false })
map.set('small', 1)
// It stays, so that the process never needs more while it stores than what is measured after.
const source = Buffer.alloc(${VALUE_MB} << 20, 7)
map.set('big', source)
map.set('text', 'é'.repeat(1000) + '\\ud800')
globalThis.gc()
const sizeKb = Number(/VmSize:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1])
console.log('stored')
const outcome = read => {
  try {
    const value = read()
    return value === undefined ? 'nothing' : value.length === ${VALUE_MB} << 20 && value.at(-1) === 7 ? 'read' : 'wrong'
  } catch (error) {
    return error.code ?? String(error)
  }
}
const reads = {
  get: () => map.get('big'),
  peek: () => map.peek('big'),
  getMany: () => map.getMany(['small', 'big'])[1],
  values: () => [...map.values()][1],
  getOrInsert: () => map.getOrInsert('big', 1),
}
const outcomes = {}
for (const [name, read] of Object.entries(reads)) {
  outcomes[name] = outcome(read)
  globalThis.gc()
}
outcomes.still = source.length > 0 && map.has('big') && map.get('small') === 1 && map.get('text').endsWith('\\ud800')
map.validate().then(({ ok, problems }) => console.log(JSON.stringify({ sizeKb, ...outcomes, ok, problems })))
`

function run(limitKb) {
  const limit = limitKb === undefined ? '' : `ulimit -v ${limitKb}; `
  const command = `${limit}exec "$0" --expose-gc --max-old-space-size=100 -e "$1"`
  const child = spawnSync('bash', ['-c', command, process.execPath, PROGRAM], { encoding: 'utf8' })
  const [stored, told] = child.stdout.trim().split('\n')
  return { stored: stored === 'stored', told: told && JSON.parse(told), child }
}

test('a read throws if its copy cannot be allocated, and the map is unchanged', {
  skip: process.platform !== 'linux' && 'only Linux limits the address space of one process'
}, () => {
  const { sizeKb, ...all } = run().told
  const READ = 'read'
  const REFUSED = 'ERR_OUT_OF_MEMORY'
  const sound = { still: true, ok: true, problems: [] }
  const everywhere = outcome => ({
    get: outcome,
    peek: outcome,
    getMany: outcome,
    values: outcome,
    getOrInsert: outcome,
    ...sound
  })
  assert.deepEqual(all, everywhere(READ))

  const refusals = []
  // From no room for a copy to room for all copies that a read makes.
  for (let spareMb = 15; spareMb <= 3 * VALUE_MB; spareMb += 35) {
    const { stored, told, child } = run(sizeKb + spareMb * KB_PER_MB)
    // If not even the value fits, the engine itself fails.
    if (!stored) continue
    assert.ok(told, `${spareMb} MB to spare: ${child.signal} ${child.status} ${child.stderr}`)
    for (const [read, outcome] of Object.entries(told)) {
      if (read in everywhere(READ) && !(read in sound)) {
        assert.ok(outcome === READ || outcome === REFUSED, `${read} with ${spareMb} MB to spare: ${outcome}`)
        if (outcome === REFUSED) refusals.push(spareMb)
      }
    }
    assert.deepEqual({ still: told.still, ok: told.ok, problems: told.problems }, sound)
  }
  // Where not even the copy in native memory fits, and where it fits and the one for JavaScript does not.
  assert.ok(
    refusals.some(spareMb => spareMb < VALUE_MB) && refusals.some(spareMb => spareMb > VALUE_MB),
    `refused with ${refusals} MB to spare`
  )
})
