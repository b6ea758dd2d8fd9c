'use strict'

/* Command lines: what is wrong with one is said in one sentence, with the options beside it. */

const { parseArgs } = require('node:util')

class UsageError extends Error {}

/**
 * @param {string} usage the whole help text
 * @param {import('node:util').ParseArgsConfig['options']} options
 */
function commandLine(usage, options) {
  let values
  try {
    values = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } }, strict: true }).values
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message)
    throw error
  }
  if (values.help) {
    console.log(usage)
    process.exit(0)
  }
  return values
}

/**
 * The comma-separated choices of an option, each of which must be one of `known`; all of `known` by default.
 */
function choices(option, given, known) {
  if (given === undefined) return known
  const chosen = given.split(',').map(one => one.trim())
  for (const one of chosen) {
    if (!known.map(String).includes(one)) {
      throw new UsageError(`--${option} does not know '${one}'; it knows ${known.join(', ')}`)
    }
  }
  return known.filter(one => chosen.includes(String(one)))
}

/** A positive number. */
function positive(option, given, otherwise) {
  if (given === undefined) return otherwise
  const number = Number(given)
  if (!(Number.isFinite(number) && number > 0)) {
    throw new UsageError(`--${option} must be a number above 0, not '${given}'`)
  }
  return number
}

/** Runs a command: wrong arguments end it with exit code 2 and a sentence, Ctrl-C with 130 and its children. */
async function runCommand(main, { onStop }) {
  process.once('SIGINT', () => {
    onStop()
    process.stderr.write('\nStopped; nothing of the unfinished part was written.\n')
    process.exit(130)
  })
  try {
    await main()
  } catch (error) {
    onStop()
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}\nTry --help.\n`)
    process.exitCode = 2
  }
}

module.exports = { UsageError, commandLine, choices, positive, runCommand }
