'use strict'

const { writeFileSync } = require('node:fs')
const { join, relative } = require('node:path')
const { LOADS } = require('./bounds/loads.js')
const { choices, commandLine, positive, runCommand } = require('./harness/arguments.js')
const { inChild, stopChildren } = require('./harness/child.js')
const { describeMachine, describeVersions, machine, versions } = require('./harness/machine.js')
const { TARGET_HEADER, targetRow } = require('./harness/page.js')
const { Progress } = require('./harness/progress.js')
const { atMost, isMet } = require('./harness/question.js')
const { QUICK_RESULTS, RESULTS, readResults, writeResult } = require('./harness/results.js')
const { markdownTable, significant, textTable } = require('./harness/table.js')

const USAGE = `Measures the memory of a process beside what its map reports, load by load, next to the targets.

  npm run bench:bounds                          every load for a minute, with 1 and 4 threads; about half an hour
  npm run bench:bounds -- --minutes 10 --only mixed-sizes
  npm run bench:bounds -- --quick               some seconds each, to see that everything runs

  --only LIST      loads: ${LOADS.join(', ')};
                   the others keep the results they have
  --minutes N      how long each load lasts; 1 unless given
  --threads LIST   only runs with so many threads: 1, 4
  --quick          results go to benchmark/results/quick and say little
  --list           show the loads and end
  --help           this text`

const NAME = 'bounds'
const THREADS = [1, 4]
const QUICK_SECONDS = 4

/** The part of a heap where objects begin has its largest size from the start, so that its growth is not measured. */
const FIXED_NURSERY = ['--min-semi-space-size=2', '--max-semi-space-size=2']

/** MB that resident memory may be above 1.25 times what is accounted. */
const ABOVE_MB = 8
/**
 * Memory that may remain two seconds after a `clear()`, as a part of the most that was accounted, and in MB where that
 * is little.
 */
const LEFT_PART = 0.1
const LEFT_MB = 8
/** MB that the heap of a thread may grow by. */
const HEAP_MB = 4

const HEADER = ['load', 'threads', 'accounted', 'resident', 'at most above 1.25 ×', 'heaps', 'cleared: resident']

const threadsOf = ({ threads }) => `${threads} ${threads === 1 ? 'thread' : 'threads'}`

const fileOf = name => join(__dirname, 'bounds', `${name}.js`)

/** What the looks at one load shall be. */
function targetsOf(load, seen) {
  const { threads, mostAboveMb, mostAccountedMb, churned, cleared } = seen
  const left = Math.max(LEFT_PART * mostAccountedMb, LEFT_MB)
  const targets = [
    atMost('resident above 1.25 × accounted, at any time', ABOVE_MB, mostAboveMb, ' MB'),
    atMost('growth of the heap of each thread', load.heapMb ?? HEAP_MB, churned.heapMb / threads, ' MB'),
    ...(load.targets?.(seen) ?? [])
  ]
  if (load.clears !== false) {
    targets.push(atMost('resident two seconds after clear()', Number(left.toFixed(1)), cleared.residentMb, ' MB'))
  }
  return targets.map(target => ({ ...target, what: `${threads} × ${target.what}` }))
}

function tableRow({ title, threads, churned, mostAboveMb, cleared }) {
  const mb = number => `${significant(number)} MB`
  return [
    title,
    String(threads),
    mb(churned.accountedMb),
    mb(churned.residentMb),
    mb(mostAboveMb),
    mb(churned.heapMb),
    mb(cleared.residentMb)
  ]
}

/** The page with all loads: of this run, and of earlier ones where this one measured only some of them. */
function writePage(directory, { runs }) {
  const title = '# Memory beside what is accounted'
  const head = 'Written by `npm run bench:bounds`; how it is measured is in [../README.md](../README.md#memory-bounds).'
  const parts = runs.map(
    run => `## ${run.title}, ${threadsOf(run)}\n\n${markdownTable(TARGET_HEADER, run.targets.map(targetRow))}`
  )
  const page = [title, head, markdownTable(HEADER, runs.map(tableRow)), ...parts].join('\n\n')
  writeFileSync(join(directory, `${NAME}.md`), `${page}\n`)
}

let progress

async function main() {
  const given = commandLine(USAGE, {
    only: { type: 'string' },
    minutes: { type: 'string' },
    threads: { type: 'string' },
    quick: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false }
  })
  const names = choices('only', given.only, LOADS)
  const threadCounts = choices('threads', given.threads, THREADS)
  if (given.list) {
    for (const name of names) console.log(`${name.padEnd(16)} ${require(fileOf(name)).title}`)
    return
  }
  const seconds = given.quick ? QUICK_SECONDS : positive('minutes', given.minutes, 1) * 60
  const directory = given.quick ? QUICK_RESULTS : RESULTS
  const planned = names.flatMap(name =>
    (require(fileOf(name)).threads ?? THREADS)
      .filter(threads => threadCounts.includes(threads))
      .map(threads => ({ name, threads }))
  )

  console.log(describeMachine(machine()))
  console.log(describeVersions(versions()))
  progress = new Progress(planned.length)
  const [earlier] = readResults(directory, [NAME])
  const isPlanned = run => planned.some(({ name, threads }) => name === run.name && threads === run.threads)
  const runs = (earlier?.runs ?? []).filter(run => LOADS.includes(run.name) && !isPlanned(run))
  const measured = []
  for (const { name, threads } of planned) {
    const load = require(fileOf(name))
    progress.begin(`${load.title}, ${threadsOf({ threads })}`)
    const seen = await inChild(
      join(__dirname, 'bounds', 'run.js'),
      'measure',
      { file: fileOf(name), threads, seconds },
      { flags: FIXED_NURSERY, onProgress: part => progress.within(part) }
    )
    const run = { name, title: load.title, ...seen, targets: targetsOf(load, seen) }
    measured.push(run)
    runs.push(run)
    runs.sort((a, b) => LOADS.indexOf(a.name) - LOADS.indexOf(b.name) || a.threads - b.threads)
    // Written at once: a run that is stopped keeps what it has finished.
    writeResult(directory, NAME, { title: 'Memory beside what is accounted', runs })
    writePage(directory, { runs })
    progress.end()
  }
  progress.stop()

  console.log(`\n${textTable(HEADER, measured.map(tableRow))}`)
  for (const { title, targets } of measured)
    console.log(`\n${title}\n\n${textTable(TARGET_HEADER, targets.map(targetRow))}`)
  const all = measured.flatMap(({ targets }) => targets)
  console.log(`\n${all.filter(isMet).length} of ${all.length} targets met`)
  console.log(`Written: ${relative(process.cwd(), directory)}`)
}

runCommand(main, {
  onStop() {
    progress?.stop()
    stopChildren()
  }
})
