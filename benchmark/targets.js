'use strict'

const { relative } = require('node:path')
const { choices, commandLine, runCommand } = require('./harness/arguments.js')
const { drawCharts } = require('./harness/chart.js')
const { inChild, stopChildren } = require('./harness/child.js')
const { describeMachine, describeVersions, machine, versions } = require('./harness/machine.js')
const { TARGET_HEADER, targetRow, writePage } = require('./harness/page.js')
const { Progress } = require('./harness/progress.js')
const { isMet } = require('./harness/question.js')
const { QUICK_RESULTS, RESULTS, writeResult } = require('./harness/results.js')
const { significant, textTable } = require('./harness/table.js')
const { QUESTIONS, fileOf } = require('./questions.js')

const USAGE = `Measures what TypedMap promises, as ratios inside one run, next to the target of each.

  npm run bench:targets                           every question; about half an hour
  npm run bench:targets -- --only hot-handle,set  some of them; the others keep the results they have
  npm run bench:targets -- --quick                small and short, to see that everything runs

  --only LIST   questions: ${QUESTIONS.join(', ')}
  --quick       results go to benchmark/results/quick and say little
  --list        show the questions and end
  --help        this text`

function measuredRow({ case: what, contender, value, unit, fastest, slowest, note }) {
  const spread = fastest === undefined ? '' : `${significant(fastest)} – ${significant(slowest)}`
  return [what, contender, `${significant(value)} ${unit}`, note ?? spread]
}

function print({ title, rows, targets, leftOut }) {
  console.log(`\n${title}\n`)
  console.log(textTable(['case', 'contender', 'median', 'fastest – slowest'], rows.map(measuredRow)))
  for (const { contender, why } of leftOut ?? []) console.log(`Left out: ${contender}, because ${why}.`)
  console.log(`\n${textTable(TARGET_HEADER, targets.map(targetRow))}`)
}

let progress

async function main() {
  const given = commandLine(USAGE, {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false }
  })
  const names = choices('only', given.only, QUESTIONS)
  if (given.list) {
    for (const name of names) console.log(`${name.padEnd(18)} ${require(fileOf(name)).title}`)
    return
  }

  console.log(describeMachine(machine()))
  console.log(describeVersions(versions()))
  if (given.quick) console.log('Quick: fewer entries than the tables say, and rounds too short to quote.')
  const directory = given.quick ? QUICK_RESULTS : RESULTS
  const answers = []
  progress = new Progress(names.length)
  for (const name of names) {
    const { title, heapMb } = require(fileOf(name))
    progress.begin(title)
    const answer = await inChild(
      fileOf(name),
      'measure',
      { quick: given.quick },
      { heapMb, onProgress: part => progress.within(part) }
    )
    // Written at once: a run that is stopped keeps what it has finished.
    writeResult(directory, name, { title, ...answer })
    answers.push({ title, ...answer })
    progress.end()
  }
  progress.stop()

  for (const answer of answers) print(answer)
  const all = answers.flatMap(({ targets }) => targets)
  console.log(`\n${all.filter(isMet).length} of ${all.length} targets met`)
  writePage(directory)
  await drawCharts(directory)
  console.log(`Written: ${relative(process.cwd(), directory)}`)
}

runCommand(main, {
  onStop() {
    progress?.stop()
    stopChildren()
  }
})
