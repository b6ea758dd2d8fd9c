'use strict'

/*
 * A line editor on tables that all threads share: see README.md.
 *
 *   node examples/line-editor/index.js --script examples/line-editor/sample.keys
 *   node examples/line-editor/index.js --help
 */

const { readFileSync } = require('node:fs')
const { getSystemErrorMap, parseArgs } = require('node:util')
const { Session } = require('./session.js')

const USAGE = `A line editor: history without duplicates, key sequences, plugins. ':help' lists its commands.

  node examples/line-editor/index.js [options]

On a terminal it edits lines; otherwise standard input is what a terminal would send.

  --script FILE           takes its keys from FILE: on each line a JSON string, or 'wait MS'
  --history-memory SIZE   most memory for the history, such as 128kb (default 256kb)
  --timeout MS            how long a beginning of a key sequence waits (default 50)
  --verbose               says when a table is nearly full, and what is done
  --help                  this text`

const EXIT_ERROR = 1
const EXIT_USAGE = 2
const EXIT_INTERRUPTED = 130

const MOST_TIMEOUT_MS = 10_000

class UsageError extends Error {}

function readOptions() {
  let values
  try {
    values = parseArgs({
      options: {
        script: { type: 'string' },
        'history-memory': { type: 'string', default: '256kb' },
        timeout: { type: 'string', default: '50' },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' }
      }
    }).values
  } catch (error) {
    throw new UsageError(error.message.split('. ')[0])
  }
  const timeoutMs = Number(values.timeout)
  if (!/^\d+$/.test(values.timeout) || timeoutMs > MOST_TIMEOUT_MS) {
    throw new UsageError(`--timeout must be a whole number from 0 to ${MOST_TIMEOUT_MS}, not '${values.timeout}'`)
  }
  return { ...values, timeoutMs }
}

/**
 * The steps of a script: keys, or how long none come.
 *
 * @param {string} file
 * @returns {({ keys: Buffer } | { waitMs: number })[]}
 */
function readScript(file) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, i) => {
      if (/^\s*(#|$)/.test(line)) return []
      const [, wait] = /^\s*wait\s+(\d+)\s*$/.exec(line) ?? []
      if (wait !== undefined) return [{ waitMs: Number(wait) }]
      try {
        const keys = JSON.parse(line)
        if (typeof keys === 'string') return [{ keys: Buffer.from(keys) }]
      } catch {}
      throw new UsageError(`${file}:${i + 1}: has to be a JSON string or 'wait MS', not ${line.trim()}`)
    })
}

/** Plays a script. Time is that of the script: a wait takes none, and ends what is pending if it is long enough. */
async function play(session, steps) {
  const { keys } = session.editor
  for (const step of steps) {
    if (session.ended !== undefined) break
    if ('keys' in step) keys.feed(step.keys)
    else if (step.waitMs >= keys.timeoutMs) keys.expire()
    await session.settled()
    // Listeners of tables have their turn.
    await new Promise(setImmediate)
  }
}

/** Takes what comes from standard input, until it ends. */
async function listen(session) {
  for await (const bytes of process.stdin) {
    session.editor.keys.feed(bytes)
    await session.settled()
    if (session.ended !== undefined) break
  }
}

/** Shows the line as it is edited. The cursor is put back to where the line is split. */
async function edit(session) {
  const { stdin, stdout } = process
  const show = () => {
    const { before, after } = session.editor.line
    stdout.write(`\r\x1b[K$ ${before}\x1b7${after}\x1b8`)
  }
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  stdin.setRawMode(true)
  try {
    show()
    await new Promise(resolve => {
      stdin.on('data', async bytes => {
        clearTimeout(timer)
        session.editor.keys.feed(bytes)
        await session.settled()
        if (session.ended !== undefined) resolve(undefined)
        else {
          show()
          // Once more when keys that wait for others have been taken for what they are.
          timer = setTimeout(show, session.editor.keys.timeoutMs + 1)
        }
      })
      stdin.once('end', resolve)
    })
  } finally {
    clearTimeout(timer)
    stdin.setRawMode(false)
    stdout.write('\n')
  }
}

async function run({ script, timeoutMs, verbose, 'history-memory': historyMemory }) {
  const steps = script === undefined ? undefined : readScript(script)
  const isTerminal = script === undefined && process.stdin.isTTY === true
  // In raw mode a line feed does not return to the start of the line.
  const print = text => process.stdout.write(isTerminal ? `\r\x1b[K${text.replaceAll('\n', '\r\n')}\r\n` : `${text}\n`)
  const session = new Session({ print, log: verbose ? print : undefined, historyMemory, timeoutMs })
  try {
    if (steps !== undefined) await play(session, steps)
    else if (isTerminal) await edit(session)
    else await listen(session)
    session.editor.keys.expire()
    await session.settled()
  } finally {
    session.close()
    process.stdin.destroy()
  }
  if (session.ended === 'interrupted') process.exitCode = EXIT_INTERRUPTED
}

async function main() {
  process.once('SIGINT', () => process.exit(EXIT_INTERRUPTED))
  // `| head` has read enough.
  process.stdout.on('error', error => process.exit(error.code === 'EPIPE' ? 0 : EXIT_ERROR))
  let options
  try {
    options = readOptions()
    if (options.help) console.log(USAGE)
    else await run(options)
  } catch (error) {
    process.exitCode = EXIT_USAGE
    if (error instanceof UsageError && options === undefined) console.error(`line-editor: ${error.message}\n\n${USAGE}`)
    else if (error instanceof UsageError) console.error(`line-editor: ${error.message}`)
    else if (error.details?.option === 'memoryLimit') {
      console.error(`line-editor: --history-memory ${options['history-memory']}: ${error.message}`)
    } else if (error.syscall !== undefined) {
      console.error(`line-editor: ${options.script}: ${getSystemErrorMap().get(error.errno)?.[1] ?? error.code}`)
    } else throw error
  }
}

main()
