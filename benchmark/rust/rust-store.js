'use strict'

/*
 * How fast is the store itself, in Rust, next to the concurrent maps of the field?
 *
 * `cargo bench` (store.rs) measures; this file runs the part of it that has targets and reads what criterion wrote.
 */

const { spawn } = require('node:child_process')
const { readFileSync, readdirSync, statSync } = require('node:fs')
const { join } = require('node:path')
const { createInterface } = require('node:readline')
const { atLeast, atMost } = require('../harness/question.js')

const ROOT = join(__dirname, '..', '..')
const GROUPS = ['insert', 'read', 'read by threads', 'write by threads']

const STORE = 'typed-superdashmap'
const BY_HANDLE = `${STORE} by handle`
const DASHMAP = 'dashmap'
const DASHMAP_SAME_HASHER = 'dashmap, ahash'

/** Runs cargo and returns its output; `onLine` sees each line as it comes. */
async function cargo(parameters, onLine) {
  const child = spawn('cargo', parameters, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  const printed = { stdout: [], stderr: [] }
  const ended = new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  const read = async stream => {
    for await (const line of createInterface({ input: child[stream] })) {
      printed[stream].push(line)
      onLine?.(line)
    }
  }
  await Promise.all([read('stdout'), read('stderr')])
  const code = await ended
  if (code !== 0) throw new Error(`cargo ${parameters[0]} failed:\n${printed.stderr.join('\n')}`)
  return printed.stdout
}

/**
 * What criterion wrote since a time: `[{ group, contender, threads, ns, low, high }]`, in ns of wall time per
 * operation.
 */
function* estimates(directory, since) {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.name !== 'estimates.json') continue
    const folder = entry.parentPath ?? entry.path
    if (!folder.endsWith('new') || statSync(join(folder, entry.name)).mtimeMs < since) continue
    const {
      group_id: group,
      function_id: contender,
      value_str: threads,
      throughput
    } = readJson(folder, 'benchmark.json')
    const operations = throughput.Elements ?? 1
    const { median } = readJson(folder, entry.name)
    yield {
      group,
      contender,
      threads: Number(threads ?? 1),
      ns: median.point_estimate / operations,
      low: median.confidence_interval.lower_bound / operations,
      high: median.confidence_interval.upper_bound / operations
    }
  }
}

const readJson = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'))

async function measure({ quick }, report) {
  const started = Date.now()
  const bench = ['bench', '--bench', 'store', '--', `^(${GROUPS.join('|')})/`]
  report(0, 'building with cargo')
  const listed = (await cargo([...bench, '--list'])).filter(line => line.endsWith(': benchmark')).length
  let measured = 0
  await cargo(quick ? [...bench, '--quick'] : bench, line => {
    // The one line that criterion prints for each of them.
    if (/^\s*(\S.*)?time:\s+\[/.test(line)) report(++measured / listed, 'cargo bench')
  })
  const [metadata] = await cargo(['metadata', '--format-version', '1', '--no-deps'])
  const { target_directory: target } = JSON.parse(metadata)
  const all = [...estimates(join(target, 'criterion'), started)]
  all.sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group) || a.threads - b.threads || a.ns - b.ns)

  const caseOf = ({ group, threads }) =>
    group.endsWith('threads') ? `${group.split(' ')[0]}, ${threads} thread${threads > 1 ? 's' : ''}` : group
  const rows = all
    // One thread alone is measured twice, with and without a thread of its own; one is enough to show.
    .filter(({ group }) => group !== 'read')
    .map(one => ({
      case: caseOf(one),
      contender: one.contender,
      value: one.ns,
      unit: 'ns',
      fastest: one.low,
      slowest: one.high
    }))

  const time = (group, contender, threads = 1) => {
    const found = all.find(one => one.group === group && one.contender === contender && one.threads === threads)
    if (found === undefined) throw new Error(`criterion has no result for ${group}, ${contender}, ${threads} threads`)
    return found.ns
  }
  const byThreads = 'read by threads'
  return {
    rows,
    targets: [
      ...[1, 2].map(threads =>
        atLeast(
          `store in Rust, read by handle, ${threads} thread${threads > 1 ? 's' : ''}: ` +
            'times faster than dashmap (default hasher)',
          4,
          time(byThreads, DASHMAP, threads) / time(byThreads, BY_HANDLE, threads)
        )
      ),
      atMost(
        'store in Rust, read by key: time against dashmap with the same hasher',
        1,
        time('read', STORE) / time('read', DASHMAP_SAME_HASHER)
      ),
      atMost(
        'store in Rust, insert: time against dashmap with the same hasher',
        1.1,
        time('insert', STORE) / time('insert', DASHMAP_SAME_HASHER)
      )
    ],
    chart: { unit: 'ns', highlight: [STORE] }
  }
}

module.exports = { title: 'The store in Rust', tasks: { measure } }
