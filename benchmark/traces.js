'use strict'

/*
 * How many requests of an access trace does a bounded map answer, under each policy, next to exact LRU and to the best
 * that any cache could do?
 *
 * Traces are replayed through real maps (traces/replay.js), at several capacities; exact LRU and Belady's optimum are
 * computed beside (traces/references.js). A number is hits / requests in percent over the whole trace, from an empty
 * map: first requests count as misses.
 */

const { relative } = require('node:path')
const { UsageError, choices, commandLine, positive, runCommand } = require('./harness/arguments.js')
const { drawCharts } = require('./harness/chart.js')
const { describeMachine, machine } = require('./harness/machine.js')
const { TARGET_HEADER, targetRow, writePage } = require('./harness/page.js')
const { Progress } = require('./harness/progress.js')
const { QUICK_RESULTS, RESULTS, writeResult } = require('./harness/results.js')
const { textTable } = require('./harness/table.js')
const { measureTrace } = require('./traces/measure.js')
const { DEFAULT_POLICY, POLICIES, USUAL_POLICIES } = require('./traces/replay.js')
const { curvesOf, describeTraces, isOfEntries, meansTable, summaryOf, targetsOf } = require('./traces/report.js')
const { SYNTHETIC } = require('./traces/synthetic.js')
const { oraclesIn, readTrace, tracesIn } = require('./traces/trace.js')

const SEED = 1
const THREADS = 4
const REQUESTS = 400_000
const QUICK_REQUESTS = 40_000

/** Files of more bytes are left out of quick runs. */
const QUICK_BYTES = 200_000

const USAGE = `Replays access traces through TypedMaps and prints hit ratios, next to exact LRU and the optimum.

  npm run bench:traces                    synthetic traces, made from a seed
  npm run bench:traces -- --dir DIR       the traces of a directory: *.txt, *.csv, *.trace, plain or gzip, with a key
                                          a line, and after it a size in bytes if there are sizes;
                                          oracles.json beside them, if there

  --policies LIST   ${POLICIES.join(', ')} (all but ttl, which is fifo where entries have no deadlines)
  --shards N        shards of the maps (as many as a map takes by itself; and beside that 16 in large ones)
  --threads N       threads that share a map in a second run (${THREADS}; 1: no such run)
  --seed N          of the synthetic traces and of the maps' hashes (${SEED})
  --quick           short traces, two capacities; results go to benchmark/results/quick
  --help            this text`

/** Traces by name, each read or made when its turn comes. */
function tracesOf({ dir, quick, seed }) {
  if (dir === undefined) {
    const requests = quick ? QUICK_REQUESTS : REQUESTS
    return Object.entries(SYNTHETIC).map(([name, make]) => ({ name, load: () => make(requests, seed) }))
  }
  let found
  try {
    found = tracesIn(dir)
  } catch (error) {
    throw new UsageError(`--dir cannot be read: ${error.message}`)
  }
  if (found.length === 0) throw new UsageError(`--dir has no traces: ${dir}`)
  return found
    .filter(({ bytes }) => !quick || bytes <= QUICK_BYTES)
    .map(({ name, file }) => ({ name, load: () => readTrace(file) }))
}

let progress

async function main() {
  const given = commandLine(USAGE, {
    dir: { type: 'string' },
    policies: { type: 'string' },
    shards: { type: 'string' },
    threads: { type: 'string' },
    seed: { type: 'string' },
    quick: { type: 'boolean', default: false }
  })
  const policies = given.policies === undefined ? USUAL_POLICIES : choices('policies', given.policies, POLICIES)
  const how = {
    policies,
    shards: positive('shards', given.shards, undefined),
    threads: positive('threads', given.threads, THREADS),
    seed: positive('seed', given.seed, SEED),
    quick: given.quick
  }
  const sources = tracesOf({ dir: given.dir, quick: given.quick, seed: how.seed })
  const oracles = given.dir === undefined ? {} : oraclesIn(given.dir)

  console.log(describeMachine(machine()))
  console.log(
    `Hits of all requests, in percent; seed ${how.seed}; the default near cache (10,000 entries of each thread).`
  )
  const traces = []
  progress = new Progress(sources.length)
  for (const { name, load } of sources) {
    progress.begin(name)
    traces.push(await measureTrace(load(), how, part => progress.within(part)))
    progress.end()
  }
  progress.stop()

  const ofEntries = traces.filter(isOfEntries)
  const means = meansTable(ofEntries, oracles)
  console.log(`\n${describeTraces({ traces, policies, threads: how.threads, means, oracles })}`)
  const references = Object.keys(oracles)
  const isComplete = references.length > 0 && references.every(name => ofEntries.some(trace => trace.name === name))
  const targets = targetsOf(ofEntries, how, isComplete && !given.quick)
  console.log(`\n${textTable(TARGET_HEADER, targets.map(targetRow))}`)
  if (ofEntries.length > 0 && policies.includes(DEFAULT_POLICY)) console.log(`\n${summaryOf(ofEntries, means)}`)

  // The committed files are always of whole runs.
  const isWhole = !given.quick && [given.policies, given.shards, given.threads].every(one => one === undefined)
  const directory = isWhole ? RESULTS : QUICK_RESULTS
  writeResult(directory, given.dir === undefined ? 'synthetic-traces' : 'traces', {
    title: given.dir === undefined ? 'Hit ratios on synthetic traces' : 'Hit ratios on access traces',
    what: 'hits / requests in percent, over the whole trace, from an empty map',
    seed: how.seed,
    traces,
    means: means.rows,
    targets,
    chart: {
      xTitle: 'capacity, % of the keys',
      yTitle: 'hits, %',
      highlight: DEFAULT_POLICY,
      curves: curvesOf(traces, policies)
    }
  })
  writePage(directory)
  await drawCharts(directory)
  console.log(`Written: ${relative(process.cwd(), directory)}`)
}

runCommand(main, { onStop: () => progress?.stop() })
