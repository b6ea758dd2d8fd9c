'use strict'

// Resident memory of the process, compared with what a map reports. Each load runs in a process of its own, so that no
// other memory is measured; the figures are counts of the kernel, and no clock decides.

const { spawnSync } = require('node:child_process')
const { existsSync } = require('node:fs')
const { describe, it } = require('node:test')
const assert = require('node:assert/strict')

const skip = existsSync('/proc/self/smaps_rollup') ? false : 'only Linux reports the resident memory of a process'

/** Names for what follows: a map, a random number, and MB that are resident. */
const PRELUDE = `
  const { readFileSync } = require('node:fs')
  const { setTimeout: sleep } = require('node:timers/promises')
  const { TypedMap } = require(${JSON.stringify(require.resolve('../..'))})
  const seed = Number(process.argv[1])
  let state = seed
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647
  const resident = () => {
    globalThis.gc()
    return Number(/^Rss:\\s+(\\d+)/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))[1]) / 1024
  }
  const accounted = map => map.memoryUsage() / 2 ** 20
  const bytes = new Uint8Array(1_000_000)
  const anySize = () => bytes.subarray(0, 10 * 1e5 ** (random() ** 2))
  // The growth of the heap in its first moments belongs to no map.
  const warm = new TypedMap({ memoryLimit: '1mb', nearCache: false })
  for (let n = 0; n < 20_000; n++) warm.set(n % 100, bytes.subarray(0, n % 2_000))
  warm.close()
  const base = resident()
`

/** Runs a program in a process of its own; its looks, as { accounted, resident } in MB, resident from its start. */
function looksOf(program) {
  const seed = 1 + Math.floor(Math.random() * 1e6)
  const code = `${PRELUDE}
    const looks = {}
    const look = (name, map) => (looks[name] = { accounted: accounted(map), resident: resident() - base })
    const main = async () => { ${program} }
    main().then(() => console.log(JSON.stringify(looks)))`
  const flags = ['--expose-gc', '--min-semi-space-size=2', '--max-semi-space-size=2']
  const child = spawnSync(process.execPath, [...flags, '-e', code, String(seed)], { encoding: 'utf8' })
  assert.equal(child.status, 0, `seed ${seed}: ${child.stderr}`)
  return { seed, ...JSON.parse(child.stdout) }
}

/** What an emulator makes of code while a load runs is resident, too: 3 MB more than without it, measured. */
const OF_EMULATOR_MB = process.env.TEST_EMULATOR ? 4 : 0

/** Resident memory is near what is accounted. */
function assertNear({ seed, ...looks }, name, spareMb = 8) {
  const { accounted, resident } = looks[name]
  const most = 1.25 * accounted + spareMb + OF_EMULATOR_MB
  assert.ok(
    resident <= most,
    `${name}, seed ${seed}: ${resident.toFixed(1)} MB resident, ${accounted.toFixed(1)} accounted`
  )
}

describe('resident memory', { skip }, () => {
  it('stays near what is accounted while values of 10 bytes to 1 MB come and go, and clear() releases it', () => {
    const looks = looksOf(`
      const map = new TypedMap({ memoryLimit: '48mb', nearCache: false })
      for (let n = 0; n < 40_000; n++) map.set(Math.floor(random() * 20_000), anySize())
      look('full', map)
      map.clear()
      // Freeing goes on in the background, as long as something is accounted; then the system gets the rest back.
      while (map.getStats().memory.retired > 0) await sleep(20)
      const most = Math.max(looks.full.accounted / 10, 6)
      for (let looks = 0; resident() - base > most && looks < 1_000; looks++) await sleep(20)
      look('cleared', map)
    `)
    assertNear(looks, 'full')
    const { full, cleared } = looks
    assert.ok(
      cleared.resident <= Math.max(full.accounted / 10, 6),
      `seed ${looks.seed}: ${cleared.resident} MB are left`
    )
  })

  it('falls with what is deleted, though some of every page stays', () => {
    const looks = looksOf(`
      const map = new TypedMap({ nearCache: false })
      const text = 'x'.repeat(1_300)
      for (let n = 0; n < 150_000; n++) map.set(n, text.slice(0, 60 + Math.floor(random() * 1_240)))
      look('filled', map)
      for (let n = 0; n < 150_000; n++) if (n % 50 !== 0) map.delete(n)
      look('deleted', map)
    `)
    assertNear(looks, 'filled')
    assertNear(looks, 'deleted', 12)
    assert.ok(looks.filled.accounted > 5 * looks.deleted.accounted, `seed ${looks.seed}`)
  })

  it('falls with what is deleted of large values', () => {
    const looks = looksOf(`
      const map = new TypedMap({ nearCache: false })
      for (let n = 0; n < 10_000; n++) map.set(n, bytes.subarray(0, 2_100 + Math.floor(random() * 20_000)))
      look('filled', map)
      for (let n = 0; n < 10_000; n++) if (n % 20 !== 0) map.delete(n)
      look('deleted', map)
    `)
    assertNear(looks, 'filled')
    assertNear(looks, 'deleted', 12)
  })
})
