'use strict'

/*
 * A shell's table of commands, and its builtin `hash`: see README.md.
 *
 *   printf 'ls\nls\nhash\n' | node examples/command-hash/index.js
 *   node examples/command-hash/index.js --help
 */

const { createInterface } = require('node:readline')
const { parseArgs } = require('node:util')
const { CommandHash } = require('./command-hash.js')
const { Shell } = require('./shell.js')

const USAGE = `Remembers where commands are, as the hash builtin of a shell does.

  node examples/command-hash/index.js

Reads lines from standard input. 'hash …' is the builtin ('hash --help' says what it can); any other line is looked up
along $PATH, which counts as a use, and its path is printed. The exit status is that of the last line.`

const EXIT_USAGE = 2
const EXIT_INTERRUPTED = 130

async function runLines() {
  const table = new CommandHash()
  const shell = new Shell(table, {
    print: text => process.stdout.write(text),
    printError: text => process.stderr.write(text)
  })
  const isTerminal = process.stdin.isTTY === true
  const lines = createInterface({ input: process.stdin, output: isTerminal ? process.stdout : undefined, prompt: '$ ' })
  lines.once('SIGINT', () => process.exit(EXIT_INTERRUPTED))
  if (isTerminal) lines.prompt()
  let number = 0
  for await (const line of lines) {
    number++
    process.exitCode = shell.run(line, isTerminal ? undefined : `command-hash: line ${number}: `) ?? process.exitCode
    if (isTerminal) lines.prompt()
  }
  table.close()
}

function main() {
  process.once('SIGINT', () => process.exit(EXIT_INTERRUPTED))
  // `| head` has read enough.
  process.stdout.on('error', error => process.exit(error.code === 'EPIPE' ? process.exitCode : 1))
  try {
    const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } })
    if (values.help) console.log(USAGE)
    else runLines()
  } catch (error) {
    console.error(`command-hash: ${error.message.split('. ')[0]}\n\n${USAGE}`)
    process.exitCode = EXIT_USAGE
  }
}

main()
