'use strict'

/*
 * Does any public method keep its thread for more than five milliseconds of its own time, whatever the map holds?
 *
 * Each is called on maps of several sizes and kinds. The least of five calls counts, because a thread may be disturbed
 * in ways that its schedule does not tell; a stall comes each time.
 */

const { join } = require('node:path')
const { writeFileSync } = require('node:fs')
const { choices, commandLine, runCommand } = require('./harness/arguments.js')
const { describeMachine, describeVersions, machine, versions } = require('./harness/machine.js')
const { Progress } = require('./harness/progress.js')
const { QUICK_RESULTS, RESULTS, readResults, writeResult } = require('./harness/results.js')
const { inChild, stopChildren } = require('./harness/child.js')
const { markdownTable, significant, textTable } = require('./harness/table.js')
const { isKnown, ownMs } = require('./stalls/own-time.js')
const { ROWS, ignoreRefusal } = require('./stalls/rows.js')
const { HUGE_BYTES, WORLDS } = require('./stalls/worlds.js')

const BOUND_MS = 5
const REPEATS = 5
const ENTRIES = '1000000,5000000'
const QUICK_ENTRIES = '20000'
const HEAP_MB = 6144

const USAGE = `Measures the own time of every public method and fails above ${BOUND_MS} ms, per item of a bulk call.

  npm run bench:stalls                             every method, world and size; about half an hour
  npm run bench:stalls -- --only clear,evict       methods whose names contain one of these
  npm run bench:stalls -- --worlds full            some of: ${Object.keys(WORLDS).join(', ')}
  npm run bench:stalls -- --entries 1000000        other sizes
  Of some, the others keep the results that they have.
  npm run bench:stalls -- --quick                  small, to see that everything runs

  --only LIST      parts of names
  --worlds LIST    worlds
  --entries LIST   sizes, ${ENTRIES} unless told otherwise
  --quick          ${QUICK_ENTRIES} entries; results go to benchmark/results/quick and say little
  --help           this text`

/** Names of the rows whose method contains one of the given parts. */
function namesOf(only) {
  const parts = only?.split(',').map(part => part.trim()) ?? ['']
  return Object.keys(ROWS).filter(name => parts.some(part => name.includes(part)))
}

/** The least own time of some calls of one row, per item. */
function leastOf(row, items, shared, make) {
  let least = Number.POSITIVE_INFINITY
  for (let n = 0; n < REPEATS; n++) {
    const map = row.spends ? make() : shared()
    const given = ignoreRefusal(() => row.before?.(map, n)) ?? {}
    least = Math.min(
      least,
      ownMs(() => ignoreRefusal(() => row.call(map, n, given)))
    )
    if (row.spends) map.close()
  }
  return least / items
}

/** All rows on one kind of map. In a process of its own, so that no map lives on in the next. */
function measure({ world, entries, names }) {
  const make = () => WORLDS[world].make(entries)
  let map
  const shared = () => (map ??= make())
  return names.flatMap(name =>
    ROWS[name].map(row => {
      const items = row.reads && WORLDS[world].isSmall ? HUGE_BYTES / 1024 ** 2 : (row.per ?? 1)
      return { method: name, what: row.what ?? '', perItem: items > 1, ms: leastOf(row, items, shared, make) }
    })
  )
}

const cellsOf = ({ method, what, perItem, ms }) => [method, what, `${significant(ms)}${perItem ? ' per item' : ''}`]

async function main() {
  const given = commandLine(USAGE, {
    only: { type: 'string' },
    worlds: { type: 'string' },
    entries: { type: 'string' },
    quick: { type: 'boolean', default: false }
  })
  const names = namesOf(given.only)
  const worlds = choices('worlds', given.worlds, Object.keys(WORLDS))
  const sizes = (given.entries ?? (given.quick ? QUICK_ENTRIES : ENTRIES)).split(',').map(Number)
  console.log(describeMachine(machine()))
  console.log(describeVersions(versions()))
  if (!isKnown) console.log('This system does not say for how long a thread waited: what follows is wall-clock time.')

  const runs = worlds.flatMap(world => (WORLDS[world].isSmall ? [0] : sizes).map(entries => ({ world, entries })))
  const directory = given.quick ? QUICK_RESULTS : RESULTS
  const progress = new Progress(runs.length)
  const tables = []
  let stalls = []
  for (const { world, entries } of runs) {
    progress.begin(`${world}, ${entries.toLocaleString('en-US')} entries`)
    const rows = await inChild(__filename, 'measure', { world, entries, names }, { heapMb: HEAP_MB })
    tables.push({ world, entries, rows })
    // At once, so that a run that is stopped or fails has not measured in vain.
    stalls = record(directory, tables)
    progress.end()
  }
  progress.stop()

  for (const table of tables) console.log(`\n${titleOf(table)}\n\n${textTable(HEADER, table.rows.map(cellsOf))}`)
  console.log(
    stalls.length === 0 ? `\nNo call took more than ${BOUND_MS} ms.` : `\n${textTable(['map', ...HEADER], stalls)}`,
    `\n${join(directory, 'stalls.md')}`
  )
  if (stalls.length > 0) process.exitCode = 1
}

const titleOf = ({ world, entries }) => (entries === 0 ? world : `${world}, ${entries.toLocaleString('en-US')} entries`)

/** Writes these tables over those of earlier runs; returns the calls of all that are above the bound. */
function record(directory, tables) {
  const all = merged(readResults(directory, ['stalls'])[0]?.tables ?? [], tables)
  const stalls = all.flatMap(table =>
    table.rows.filter(({ ms }) => ms > BOUND_MS).map(row => [titleOf(table), ...cellsOf(row)])
  )
  writeResult(directory, 'stalls', { boundMs: BOUND_MS, repeats: REPEATS, tables: all, stalls })
  writeFileSync(join(directory, 'stalls.md'), page(all, stalls))
  return stalls
}

const HEADER = ['method', 'call', 'own time, ms']

/** The tables of an earlier run with the rows of this one in place of their own, in the order of worlds and methods. */
function merged(before, tables) {
  const isSame = (one, other) => one.world === other.world && one.entries === other.entries
  const isRow = (one, other) => one.method === other.method && one.what === other.what
  const rowsOf = table => {
    const known = before.find(one => isSame(one, table))?.rows ?? []
    const rows = [...known.filter(row => !table.rows.some(one => isRow(one, row))), ...table.rows]
    const place = ({ method }) => Object.keys(ROWS).indexOf(method)
    return rows.filter(row => place(row) >= 0).sort((one, other) => place(one) - place(other))
  }
  const others = before.filter(one => !tables.some(table => isSame(one, table)))
  const place = ({ world }) => Object.keys(WORLDS).indexOf(world)
  return [...others, ...tables.map(table => ({ ...table, rows: rowsOf(table) }))].sort(
    (one, other) => place(one) - place(other) || one.entries - other.entries
  )
}

function page(tables, stalls) {
  const parts = [
    '# Own time of every public method\n\n',
    `\`npm run bench:stalls\`, ${describeMachine(machine())}, ${describeVersions(versions())}. `,
    `The least of ${REPEATS} calls, in ms of the `,
    `calling thread; the bound is ${BOUND_MS} ms, for a bulk call per item, for a value of 100 MB per MB.\n\n`,
    stalls.length === 0 ? 'No call is above it.\n' : `Above it:\n\n${markdownTable(['map', ...HEADER], stalls)}\n`
  ]
  for (const table of tables)
    parts.push(`\n## ${titleOf(table)}\n\n${markdownTable(HEADER, table.rows.map(cellsOf))}\n`)
  return parts.join('')
}

if (require.main === module) runCommand(main, { onStop: stopChildren })

module.exports = { tasks: { measure } }
