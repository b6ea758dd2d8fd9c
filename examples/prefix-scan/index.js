'use strict'

/*
 * Lists the entries whose keys begin with a text, from a map that four threads fill and scan.
 *
 * Each line of the input is a key, or a key, a tab and a value. Four workers store them in one shared map; then each
 * page of the list comes from another worker, which goes on where the one before ended.
 *
 *   git ls-files | node examples/prefix-scan/index.js lib/
 *   node examples/prefix-scan/index.js --help
 */

const { once } = require('node:events')
const { createReadStream } = require('node:fs')
const { createInterface } = require('node:readline')
const { getSystemErrorMap, parseArgs } = require('node:util')
const { SharedListing, globOf } = require('./shared-listing.js')

const USAGE = `Lists the entries whose keys begin with PREFIX, from a map that several threads fill and scan.

  node examples/prefix-scan/index.js [options] PREFIX [FILE]

Each line of FILE, or of standard input, is a key, or a key, a tab and a value.

  --glob        PREFIX is a glob: * any text, ? a character, [a-z] one of these, \\* itself
  --count N     scan for about N entries in a page (default 100)
  --workers W   worker threads (default 4)
  --help        this text

Exit status: 0 if there are such keys, 1 if there are none, 2 for errors.`

const MOST_WORKERS = 64
const LONGEST_PAGE = 4_096

const EXIT_NONE = 1
const EXIT_ERROR = 2
const EXIT_INTERRUPTED = 130

class UsageError extends Error {}

function readOptions() {
  const { values, positionals } = parse({
    glob: { type: 'boolean', default: false },
    count: { type: 'string', default: '100' },
    workers: { type: 'string', default: '4' },
    help: { type: 'boolean', short: 'h' }
  })
  if (values.help) return { help: true }
  if (positionals.length === 0) throw new UsageError('a PREFIX is missing')
  if (positionals.length > 2) throw new UsageError(`one PREFIX and one FILE are allowed, not also '${positionals[2]}'`)
  const [prefix, file] = positionals
  return {
    file,
    match: values.glob ? prefix : globOf(prefix),
    count: wholeNumber('count', values.count, LONGEST_PAGE),
    workers: wholeNumber('workers', values.workers, MOST_WORKERS)
  }
}

function parse(options) {
  try {
    return parseArgs({ allowPositionals: true, options })
  } catch (error) {
    throw new UsageError(error.message.split('. ')[0])
  }
}

function wholeNumber(name, given, most) {
  if (!/^\d+$/.test(given) || Number(given) < 1 || Number(given) > most) {
    throw new UsageError(`--${name} must be a whole number from 1 to ${most}, not '${given}'`)
  }
  return Number(given)
}

/** Keys and values of the lines. Empty lines are none. */
async function* rowsOf(stream) {
  // An error of the stream does not reach the lines by itself.
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })
  let failure
  stream.once('error', error => {
    failure = error
    lines.close()
  })
  for await (const line of lines) {
    const [key, ...value] = line.split('\t')
    if (line !== '') yield [key, value.join('\t')]
  }
  if (failure !== undefined) throw failure
}

async function list({ file, match, count, workers }) {
  const listing = new SharedListing({ workers })
  try {
    await listing.fill(rowsOf(file === undefined ? process.stdin : createReadStream(file)))
    let found = 0
    let pages = 0
    for await (const entries of listing.pages({ match, count })) {
      found += entries.length
      pages++
      const text = entries.map(([key, value]) => (value === '' ? `${key}\n` : `${key}\t${value}\n`)).join('')
      if (!process.stdout.write(text)) await once(process.stdout, 'drain')
    }
    console.error(`${found} of ${listing.size} keys, in ${pages} pages of ${Math.min(pages, workers)} threads`)
    if (found === 0) process.exitCode = EXIT_NONE
  } finally {
    await listing.close()
  }
}

async function main() {
  process.once('SIGINT', () => process.exit(EXIT_INTERRUPTED))
  // `| head` has read enough.
  process.stdout.on('error', error => process.exit(error.code === 'EPIPE' ? 0 : EXIT_ERROR))

  let options
  try {
    options = readOptions()
    if (options.help) console.log(USAGE)
    else await list(options)
  } catch (error) {
    process.exitCode = EXIT_ERROR
    if (error instanceof UsageError) console.error(`prefix-scan: ${error.message}\n\n${USAGE}`)
    else if (error.code === 'ERR_INVALID_OPTION') console.error(`prefix-scan: ${error.message}`)
    else if (error.syscall === undefined) throw error
    else console.error(`prefix-scan: ${options.file}: ${getSystemErrorMap().get(error.errno)?.[1] ?? error.code}`)
  }
}

main()
