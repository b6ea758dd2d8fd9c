'use strict'

const { join, relative } = require('node:path')
const { ENTRIES, KEYS, MB_PER_ENTRY, OPERATIONS, VALUES } = require('./against-map.js')
const { choices, commandLine, positive, runCommand } = require('./harness/arguments.js')
const { inChild, lacksMemory, stopChildren } = require('./harness/child.js')
const { describeMachine, describeVersions, machine, versions } = require('./harness/machine.js')
const { Progress } = require('./harness/progress.js')
const { QUICK_RESULTS, RESULTS, writeResult } = require('./harness/results.js')
const { ratio, significant, textTable } = require('./harness/table.js')

const USAGE = `Measures TypedMap (by key, by handle, by batch) against Map.

  npm run bench                          everything: sizes × kinds of keys × kinds of values; about twenty minutes
  npm run bench -- --quick               a part of it, within a minute
  npm run bench -- --entries 1000,100000 --keys string --values small --only get-hit,update

  --quick            small sizes, short rounds
  --only LIST        operations: ${Object.keys(OPERATIONS).join(', ')}
  --entries LIST     sizes: ${ENTRIES.join(', ')}
  --keys LIST        kinds of keys: ${KEYS.join(', ')}
  --values LIST      kinds of values: ${VALUES.join(', ')} (number, {host, port}, 2 KB object)
  --seconds N        time for each dataset, at least (default 4; with --quick 1)
  --list             show the datasets and end
  --help             this text

The JSON of a whole run goes to benchmark/results, that of a part to benchmark/results/quick.`

const SECONDS = 4
const QUICK_SECONDS = 1
const MIN_ROUNDS = 3

/** Heap of a process that holds nothing yet. */
const BASE_MB = 500

let progress

function datasetsOf({ quick, entries, keys, values }) {
  const all = choices('entries', entries, ENTRIES).flatMap(count =>
    choices('keys', keys, KEYS).flatMap(keyKind =>
      choices('values', values, VALUES).map(valueKind => ({ entries: count, keys: keyKind, values: valueKind }))
    )
  )
  if (!quick) return all
  // What fits into a minute: everything small, and of the middle size the most common kinds.
  return all.filter(
    one => one.entries === 1_000 || (one.entries === 100_000 && one.keys === 'string' && one.values !== 'large')
  )
}

const titleOf = ({ entries, keys, values }) =>
  `${entries.toLocaleString('en-US')} entries, ${keys} keys, ${values} values`

/** One row per operation; the numbers of each contender, and in brackets its time as a ratio to Map's. */
function tableOf(contenders, operations) {
  const [map] = contenders
  const header = ['ns per operation', ...contenders.map(({ title }) => title)]
  const rows = operations.map(operation => [
    OPERATIONS[operation],
    ...contenders.map(contender => {
      const measured = contender.operations[operation]
      if (measured === undefined) return ''
      const time = significant(measured.median)
      return contender === map
        ? time
        : `${time} (${ratio(measured.median / map.operations[operation].median)})`.padStart(18)
    })
  ])
  return textTable(header, rows)
}

async function main() {
  const given = commandLine(USAGE, {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    entries: { type: 'string' },
    keys: { type: 'string' },
    values: { type: 'string' },
    seconds: { type: 'string' },
    list: { type: 'boolean', default: false }
  })
  const operations = choices('only', given.only, Object.keys(OPERATIONS))
  const seconds = positive('seconds', given.seconds, given.quick ? QUICK_SECONDS : SECONDS)
  const datasets = datasetsOf(given)
  if (given.list) {
    for (const dataset of datasets) console.log(titleOf(dataset))
    return
  }

  console.log(describeMachine(machine()))
  console.log(describeVersions(versions()))
  console.log(
    'Time per operation, median of rounds; in brackets the time as a ratio to Map (below 1 is faster than Map).'
  )

  const results = []
  progress = new Progress(datasets.length)
  for (const dataset of datasets) {
    const title = titleOf(dataset)
    progress.begin(title)
    const { heap, store } = MB_PER_ENTRY[dataset.values]
    const heapMb = Math.round(BASE_MB + dataset.entries * heap)
    const leftOut = lacksMemory(Math.round(heapMb + dataset.entries * store))
    if (leftOut === undefined) {
      const contenders = await inChild(
        join(__dirname, 'against-map.js'),
        'measure',
        { ...dataset, operations, seconds, minRounds: MIN_ROUNDS },
        { heapMb, onProgress: part => progress.within(part) }
      )
      results.push({ ...dataset, contenders })
    } else {
      results.push({ ...dataset, leftOut })
    }
    progress.end()
  }
  progress.stop()

  for (const { contenders, leftOut, ...dataset } of results) {
    console.log(`\n${titleOf(dataset)}\n`)
    console.log(leftOut === undefined ? tableOf(contenders, operations) : `Left out: ${leftOut}.`)
  }

  // The committed file is always of one whole run.
  const isWhole = !given.quick && [given.only, given.entries, given.keys, given.values].every(one => one === undefined)
  const file = writeResult(isWhole ? RESULTS : QUICK_RESULTS, 'against-map', {
    what: 'ns per operation: median, fastest and slowest round',
    datasets: results
  })
  console.log(`\nWritten: ${relative(process.cwd(), file)}`)
}

runCommand(main, {
  onStop() {
    progress?.stop()
    stopChildren()
  }
})
