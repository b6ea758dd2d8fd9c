'use strict'

/*
 * Shows the settings of a program, and where each is from; with --watch, follows its files: see README.md.
 *
 *   node examples/config-registry/index.js --profile production
 *   node examples/config-registry/index.js --help
 */

const path = require('node:path')
const { createInterface } = require('node:readline')
const { parseArgs } = require('node:util')
const { Worker } = require('node:worker_threads')
const { ConfigError, ConfigRegistry } = require('./registry.js')
const { flags, schemas } = require('./schemas.js')

const NAME = 'config'

const USAGE = `Shows settings that are put together from files, the environment and arguments.

  node examples/config-registry/index.js [options]

  --folder DIR        reads app.toml, app.yaml, app.yml and app.json in DIR and in the folders
                      around it, up to one that says root = true (default: the sample)
  --profile NAME      lays profiles.NAME of each file over the rest of it (default: $APP_PROFILE)
  --set PATH=VALUE    sets a value, such as server.port=8080; may be given more than once
  --no-environment    reads no variables such as APP_SERVER__PORT
  --strict            a warning is an error
  --audit FILE        appends each change to FILE, as a line of JSON
  --watch             goes on and shows what changes, until Ctrl-C; a line of standard input
                      such as 'maintenance on' switches a flag (${Object.keys(flags).join(', ')})
  --workers W         worker threads that follow with --watch (default 2)
  --help              this text`

const MOST_WORKERS = 64

const EXIT_CONFIG = 1
const EXIT_USAGE = 2
const EXIT_INTERRUPTED = 130

function readOptions() {
  const { values } = parseArgs({
    options: {
      folder: { type: 'string', default: path.join(__dirname, 'sample', 'service') },
      profile: { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
      'no-environment': { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      audit: { type: 'string' },
      watch: { type: 'boolean', default: false },
      workers: { type: 'string', default: '2' },
      help: { type: 'boolean', short: 'h' }
    }
  })
  const workers = Number(values.workers)
  if (!/^\d+$/.test(values.workers) || workers > MOST_WORKERS) {
    throw new RangeError(`--workers must be a whole number from 0 to ${MOST_WORKERS}, not '${values.workers}'`)
  }
  return { ...values, workers }
}

function show(registry) {
  const rows = [...registry.explain()].map(({ path, value, origin }) => [`${path} = ${JSON.stringify(value)}`, origin])
  const width = Math.max(...rows.map(([setting]) => setting.length))
  for (const [setting, origin] of rows) console.log(`${setting.padEnd(width)}  ${origin}`)
}

const showWarnings = ({ warnings }) => {
  for (const warning of warnings) console.error(`warning: ${warning}`)
}

/** Prints what the audit trail says was changed, from its n-th record on, and returns how many records it has. */
function showChanges(registry, first) {
  const records = registry.audit()
  for (const { what, changes } of records.slice(first)) {
    for (const { path, from, to } of changes) {
      const name = what === path.split('.')[0] ? path : `${what}: ${path}`
      console.log(`${name}: ${JSON.stringify(from)} -> ${JSON.stringify(to)}`)
    }
  }
  return records.length
}

/** Starts threads that look at the settings as if they served requests, and say when they see a section change. */
async function startWorkers(howMany, stop, onSeen) {
  const workers = Array.from(
    { length: howMany },
    () => new Worker(path.join(__dirname, 'worker.js'), { workerData: { name: NAME, stop } })
  )
  await Promise.all(
    workers.map(
      worker =>
        new Promise((resolve, reject) => {
          worker.once('message', resolve)
          worker.once('error', reject)
        })
    )
  )
  for (const worker of workers) worker.on('message', onSeen)
  return workers
}

/** Follows the files until Ctrl-C. */
async function follow(registry, howMany) {
  const stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  /** When each section was last written. @type {Map<string, bigint>} */
  const written = new Map()
  await startWorkers(howMany, stop, ({ section, at }) => {
    console.log(
      `a worker saw ${section} ${(Number(at - written.get(section)) / 1e6).toFixed(2)} ms after it was written`
    )
  })

  let shown = registry.audit().length
  const unwatch = registry.watch({
    onWrite: section => written.set(section, process.hrtime.bigint()),
    onReload: error => {
      shown = showChanges(registry, shown)
      showWarnings(registry)
      for (const problem of error?.problems ?? []) console.error(`config-registry: ${problem}`)
    }
  })
  const lines = createInterface({ input: process.stdin })
  lines.on('line', line => {
    const [, name, state] = /^\s*(\S+)\s+(on|off)\s*$/.exec(line) ?? []
    if (name === undefined)
      return console.error(`config-registry: a line has to be like 'maintenance on', not '${line}'`)
    try {
      registry.setFlag(name, state === 'on')
      shown = showChanges(registry, shown)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      console.error(`config-registry: ${error.message}`)
    }
  })
  console.log('Following; Ctrl-C ends.')

  await new Promise(resolve => process.once('SIGINT', resolve))
  unwatch()
  lines.close()
  process.stdin.destroy()
  Atomics.store(stop, 0, 1)
  Atomics.notify(stop, 0)
  process.exitCode = EXIT_INTERRUPTED
}

async function main() {
  let options
  try {
    options = readOptions()
  } catch (error) {
    console.error(`config-registry: ${error.message.split('. ')[0]}\n\n${USAGE}`)
    process.exitCode = EXIT_USAGE
    return
  }
  if (options.help) {
    console.log(USAGE)
    return
  }
  // `| head` has read enough.
  process.stdout.on('error', error => process.exit(error.code === 'EPIPE' ? 0 : EXIT_CONFIG))

  const registry = new ConfigRegistry(schemas, { name: NAME, flags, auditFile: options.audit })
  try {
    const { folder, profile, set, strict } = options
    registry.load({
      folder,
      profile,
      overrides: set,
      startupFlags: { strict, environment: !options['no-environment'] }
    })
    show(registry)
    showWarnings(registry)
    if (options.watch) await follow(registry, options.workers)
  } catch (error) {
    process.exitCode = EXIT_CONFIG
    showWarnings(registry)
    if (error instanceof ConfigError) for (const problem of error.problems) console.error(`config-registry: ${problem}`)
    else if (error.syscall !== undefined) console.error(`config-registry: ${error.message}`)
    else throw error
  } finally {
    registry.close()
  }
}

main()
