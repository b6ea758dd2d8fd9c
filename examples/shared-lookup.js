'use strict'

/*
 * One map for all threads, on real data.
 *
 * Browser compatibility data, one record per feature of the web platform, is loaded into a shared map. Worker threads
 * then look records up, by key and by handle, all at once, and compare every answer with the original.
 *
 *   node examples/shared-lookup.js --help
 */

const { readFileSync } = require('node:fs')
const { availableParallelism } = require('node:os')
const { isDeepStrictEqual, parseArgs } = require('node:util')
const v8 = require('node:v8')
const vm = require('node:vm')
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const { TypedMap } = require('typed-superdashmap')

const MAP_NAME = 'browser-compat-data'

const USAGE = `Looks records of browser compatibility data up in one shared map, from several threads at once.

  node examples/shared-lookup.js [options]

  --records N   load at most this many records (default: all, about 20,000)
  --seconds S   read for this long (default 3)
  --workers W   worker threads (default: one per core, at least 2)
  --help        this text`

/** Records are loaded in portions, so that the bar moves and Ctrl-C is heard. */
const PORTION = 500

/** Lookups between two looks at the clock. Their answers are compared outside the clock. */
const LOOKUPS = 1000

/** How uneven the lookups are: 1 asks for all records alike; with 4, half of the lookups go to 6 % of them. */
const POPULARITY = 4

/** Index of the one word that all threads share: 0 while they read, 1 when they shall stop. */
const STOP = 0

const EXIT_USAGE = 2
const EXIT_INTERRUPTED = 130

/** `[path, record]` of each feature, for example `['api.Document.title', { mdn_url, spec_url, support, … }]`. */
function* features(data, path = '') {
  for (const [name, node] of Object.entries(data)) {
    if (name === '__compat') yield [path, node]
    // Browsers and the package's own version are not features.
    else if (path !== '' || (name !== 'browsers' && name !== '__meta')) {
      yield* features(node, path === '' ? name : `${path}.${name}`)
    }
  }
}

function readRecords(limit) {
  const file = require.resolve('@mdn/browser-compat-data')
  const all = [...features(JSON.parse(readFileSync(file, 'utf8')))]
  return all.slice(0, limit)
}

// ---- the thread that loads
// -------------------------------------------------------------------------------------------

async function main() {
  const options = readOptions()
  if (options === undefined) return

  const stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  process.on('SIGINT', () => {
    // Once ends the run early with what has been measured; twice ends it at once.
    if (Atomics.exchange(stop, STOP, 1) === 1) process.exit(EXIT_INTERRUPTED)
    process.exitCode = EXIT_INTERRUPTED
  })

  const records = readRecords(options.records)
  const map = TypedMap.open(MAP_NAME)
  const handles = await load(map, records, stop)
  if (handles.length < records.length) {
    console.log('Stopped while loading.')
    map.close()
    return
  }

  const reports = await readInWorkers(options, handles, stop)
  printReads(reports)
  printMemory(map, reports)
  map.close()
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        records: { type: 'string' },
        seconds: { type: 'string' },
        workers: { type: 'string' },
        help: { type: 'boolean', short: 'h' }
      }
    })
    if (values.help) {
      console.log(USAGE)
      return undefined
    }
    return {
      records: wholeNumber('records', values.records, Number.POSITIVE_INFINITY),
      workers: wholeNumber('workers', values.workers, Math.max(2, availableParallelism())),
      seconds: positiveNumber('seconds', values.seconds, 3)
    }
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`)
    process.exitCode = EXIT_USAGE
    return undefined
  }
}

function positiveNumber(name, given, otherwise) {
  if (given === undefined) return otherwise
  const number = Number(given)
  if (!(number > 0 && Number.isFinite(number))) throw new RangeError(`--${name} must be above 0, not '${given}'`)
  return number
}

function wholeNumber(name, given, otherwise) {
  const number = positiveNumber(name, given, otherwise)
  if (given !== undefined && !Number.isInteger(number)) {
    throw new RangeError(`--${name} must be a whole number, not '${given}'`)
  }
  return number
}

/** Writes all records and returns their handles; fewer if it is asked to stop. */
async function load(map, records, stop) {
  const bar = progressBar(records.length)
  const started = performance.now()
  const handles = []
  for (const [path, record] of records) {
    handles.push(map.insertWithHandle(path, record))
    if (handles.length % PORTION === 0) {
      bar?.update(handles.length)
      await new Promise(setImmediate)
      if (Atomics.load(stop, STOP) === 1) break
    }
  }
  bar?.update(handles.length)
  bar?.stop()
  const seconds = (performance.now() - started) / 1000
  console.log(`${count(handles.length)} records in the shared map after ${seconds.toFixed(2)} s`)
  return handles
}

/** A bar on a terminal, and nothing where output goes to a file or a pipe. */
function progressBar(total) {
  if (!process.stdout.isTTY) return undefined
  const { Presets, SingleBar } = require('cli-progress')
  const bar = new SingleBar({ format: 'loading {bar} {value}/{total}', stream: process.stdout }, Presets.shades_classic)
  bar.start(total, 0)
  return bar
}

/** Starts the workers, lets them all begin together, and gathers what each of them reports. */
async function readInWorkers({ workers: howMany, seconds, records }, handles, stop) {
  // A handle is plain data on its way to another thread.
  const workers = Array.from(
    { length: howMany },
    () => new Worker(__filename, { workerData: { handles, records, seconds, stop } })
  )
  const messageOf = worker =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  await Promise.all(workers.map(messageOf))
  const reports = workers.map(messageOf)
  for (const worker of workers) worker.postMessage('begin')
  return Promise.all(reports)
}

function printReads(reports) {
  const total = kind => reports.reduce((sum, report) => sum + report.readsPerSecond[kind], 0)
  const checked = reports.reduce((sum, report) => sum + report.checked, 0)
  console.log()
  printRow('reads per second', 'by key', 'by handle')
  reports.forEach(({ readsPerSecond }, i) => {
    printRow(`worker ${i + 1}`, count(readsPerSecond.byKey), count(readsPerSecond.byHandle))
  })
  printRow('all workers', count(total('byKey')), count(total('byHandle')))
  console.log(`\n${count(checked)} answers compared with the original, all equal`)
}

function printMemory(map, reports) {
  const sum = name => reports.reduce((bytes, report) => bytes + report[name], 0)
  console.log()
  printRow('memory', 'MB')
  printRow('one shared map', megabytes(map.getStats().memoryBytes))
  printRow(`+ hot records, decoded, in ${reports.length} workers`, megabytes(sum('nearCacheBytes')))
  printRow(`one copy per worker, ${reports.length} workers`, megabytes(sum('copyBytes')))
}

const count = number => Math.round(number).toLocaleString('en-US')
const megabytes = bytes => (bytes / 2 ** 20).toFixed(1)

function printRow(name, ...cells) {
  console.log(name.padEnd(40) + cells.map(cell => cell.padStart(14)).join(''))
}

// ---- the threads that read
// -------------------------------------------------------------------------------------------

function work() {
  const { handles: sentHandles, records, seconds, stop } = workerData
  const map = TypedMap.open(MAP_NAME)
  const handles = sentHandles.map(data => map.handle(data))

  // The copy that this thread would need without a shared map. Here it is what answers are compared with.
  const before = heapBytes()
  const originals = readRecords(records)
  const copyBytes = heapBytes() - before

  parentPort.once('message', () => {
    const report = lookUp(map, handles, originals, seconds, stop)
    parentPort.postMessage({ ...report, copyBytes })
    map.close()
  })
  parentPort.postMessage('ready')
}

function lookUp(map, handles, originals, seconds, stop) {
  const before = heapBytes()
  const check = checker(originals)
  const spent = { byKey: 0, byHandle: 0 }
  const reads = { byKey: 0, byHandle: 0 }
  const asked = new Uint32Array(LOOKUPS)
  const answers = new Array(LOOKUPS)
  const deadline = performance.now() + seconds * 1000

  do {
    for (const kind of ['byKey', 'byHandle']) {
      // Some records are asked for more often than others, as everywhere.
      for (let i = 0; i < LOOKUPS; i++) asked[i] = Math.floor(Math.random() ** POPULARITY * originals.length)
      const started = performance.now()
      if (kind === 'byKey') for (let i = 0; i < LOOKUPS; i++) answers[i] = map.get(originals[asked[i]][0])
      else for (let i = 0; i < LOOKUPS; i++) answers[i] = map.get(handles[asked[i]])
      spent[kind] += performance.now() - started
      reads[kind] += LOOKUPS
      for (let i = 0; i < LOOKUPS; i++) check(asked[i], answers[i])
    }
  } while (performance.now() < deadline && Atomics.load(stop, STOP) === 0)

  answers.fill(undefined)
  return {
    readsPerSecond: { byKey: (reads.byKey / spent.byKey) * 1000, byHandle: (reads.byHandle / spent.byHandle) * 1000 },
    checked: reads.byKey + reads.byHandle,
    nearCacheBytes: Math.max(0, heapBytes() - before)
  }
}

/**
 * Compares answers with the originals. An object that was compared before, for the same record, is not compared again.
 */
function checker(originals) {
  const equals = new WeakMap()
  return (i, answer) => {
    if (answer !== undefined && equals.get(answer) === i) return
    const [path, record] = originals[i]
    if (!isDeepStrictEqual(answer, record)) throw new Error(`The shared map gave a wrong answer for ${path}`)
    equals.set(answer, i)
  }
}

/** What lives on this thread's heap, after a collection. */
function heapBytes() {
  v8.setFlagsFromString('--expose-gc')
  vm.runInNewContext('gc')()
  return v8.getHeapStatistics().used_heap_size
}

if (isMainThread) {
  main()
} else {
  work()
}
