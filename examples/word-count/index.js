'use strict'

/*
 * Counts words, with four threads that add to the same counters.
 *
 * The main thread reads and hands out portions of text; each worker counts the words of its portion in one shared map,
 * by `increment`. Nothing is merged at the end, and no step is lost.
 *
 *   node examples/word-count/index.js README.md CHANGELOG.md
 *   node examples/word-count/index.js --help
 */

const { createReadStream } = require('node:fs')
const { getSystemErrorMap, parseArgs } = require('node:util')
const { countWords } = require('./count-words.js')

const USAGE = `Counts words, with several threads, and lists the most frequent ones.

  node examples/word-count/index.js [options] [FILE…]

Without a FILE, or where FILE is -, it reads standard input. Words are compared in lower case.

  --top N       list so many words, most frequent first (default 20; 0 lists all)
  --workers W   worker threads (default 4)
  --help        this text`

const MOST_WORKERS = 64

const EXIT_FILES = 1
const EXIT_USAGE = 2
const EXIT_INTERRUPTED = 130

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      top: { type: 'string', default: '20' },
      workers: { type: 'string', default: '4' },
      help: { type: 'boolean', short: 'h' }
    }
  })
  return {
    help: values.help,
    top: wholeNumber('top', values.top, 0, Number.MAX_SAFE_INTEGER) || Number.POSITIVE_INFINITY,
    workers: wholeNumber('workers', values.workers, 1, MOST_WORKERS),
    files: positionals.length === 0 ? ['-'] : positionals
  }
}

function wholeNumber(name, given, least, most) {
  const number = Number(given)
  if (!/^\d+$/.test(given) || number < least || number > most) {
    throw new RangeError(`--${name} must be a whole number from ${least} to ${most}, not '${given}'`)
  }
  return number
}

/** What is in the files, one after the other. Reports a file that cannot be read, and goes on with the next. */
async function* contents(files, signal) {
  for (const file of files) {
    const stream = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 18 })
    const stop = () => stream.destroy()
    signal.addEventListener('abort', stop)
    try {
      yield* stream.setEncoding('utf8')
    } catch (error) {
      if (signal.aborted) return
      if (error.errno === undefined) throw error
      console.error(`word-count: ${file}: ${getSystemErrorMap().get(error.errno)?.[1] ?? error.code}`)
      process.exitCode = EXIT_FILES
    } finally {
      signal.removeEventListener('abort', stop)
    }
    // One text ends here, and so does its last word.
    yield '\n'
  }
}

function print(counts, top) {
  let total = 0
  const rows = []
  for (const [word, count] of counts) {
    total += count
    rows.push([word, count])
  }
  rows.sort(([one, many], [other, more]) => more - many || (one < other ? -1 : 1))
  const listed = rows.slice(0, top).map(([word, count]) => `${String(count).padStart(9)}  ${word}\n`)
  process.stdout.write(listed.join(''))
  console.error(`${total.toLocaleString('en-US')} words, ${rows.length.toLocaleString('en-US')} different`)
}

async function main() {
  let options
  try {
    options = readOptions()
  } catch (error) {
    console.error(`word-count: ${error.message.split('. ')[0]}\n\n${USAGE}`)
    process.exitCode = EXIT_USAGE
    return
  }
  if (options.help) {
    console.log(USAGE)
    return
  }

  // Ctrl-C ends the reading; what has been counted by then is listed.
  const interruption = new AbortController()
  process.once('SIGINT', () => {
    process.exitCode = EXIT_INTERRUPTED
    interruption.abort()
  })
  // `| head` has read enough.
  process.stdout.on('error', error => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })

  const counts = await countWords(contents(options.files, interruption.signal), { workers: options.workers })
  print(counts, options.top)
  counts.close()
  process.stdin.destroy()
}

main()
