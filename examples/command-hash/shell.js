'use strict'

const { CommandError } = require('./command-hash.js')
const { isDirectory } = require('./search.js')
const { quote, wordsOf } = require('./words.js')

const SYNOPSIS = 'hash [-lr] [-p pathname] [-dt] [name ...]'

const HELP = `hash: ${SYNOPSIS}
    Remembers where commands are, or shows it.

    Looks each NAME up along $PATH and remembers it. Without a NAME, lists what is
    remembered, and how often it was used.

      -d            forgets each NAME
      -l            lists in a form that can be read as input
      -p pathname   remembers PATHNAME for each NAME
      -r            forgets all
      -t            shows what is remembered for each NAME, which counts as a use

    The status is 0 unless a NAME is not found or an option is wrong.
`

const FAILED = 1
const WRONG_USE = 2

/** Runs lines: the builtin `hash`, and look-ups of all other commands. */
class Shell {
  #table
  #print
  #printError

  /**
   * @param {import('./command-hash.js').CommandHash} table
   * @param {{ print: (text: string) => void, printError: (text: string) => void }} output
   */
  constructor(table, { print, printError }) {
    this.#table = table
    this.#print = print
    this.#printError = printError
  }

  /**
   * Runs a line: `hash` with its arguments, or a look-up that prints the path.
   *
   * @param {string} line
   * @param {string} [place] what messages begin with
   * @returns {number | undefined} the exit status; none for an empty line
   */
  run(line, place = 'command-hash: ') {
    const complain = message => this.#printError(`${place}${message}\n`)
    try {
      const [command, ...args] = wordsOf(line)
      if (command === undefined) return undefined
      if (command === 'hash') return this.#hash(args, message => complain(`hash: ${message}`))
      if (command === 'builtin') return this.#builtin(args, complain)
      this.#print(`${this.#table.lookUp(command)}\n`)
      return 0
    } catch (error) {
      if (!(error instanceof CommandError || error instanceof SyntaxError)) throw error
      complain(error.message)
      return error instanceof CommandError ? error.status : WRONG_USE
    }
  }

  /** What `-l` prints begins with this. */
  #builtin([name, ...args], complain) {
    if (name === undefined) return 0
    if (name === 'hash') return this.#hash(args, message => complain(`hash: ${message}`))
    complain(`builtin: ${name}: not a shell builtin`)
    return FAILED
  }

  #hash(args, complain) {
    const { options, names, problem } = optionsOf(args)
    if (options.has('help')) {
      this.#print(HELP)
      return WRONG_USE
    }
    if (problem !== undefined) {
      complain(problem)
      this.#printError(`hash: usage: ${SYNOPSIS}\n`)
      return WRONG_USE
    }
    if (names.length === 0 && (options.has('d') || options.has('t'))) {
      complain(`${options.has('d') ? '-d' : '-t'}: option requires an argument`)
      return FAILED
    }
    if (options.has('r')) this.#table.clear()
    else if (names.length === 0) return this.#list(options.has('l'))
    if (options.has('t')) return this.#showTargets(names, options.has('l'), complain)
    // All are done, also after one that fails.
    const results = names.map(name => name.includes('/') || this.#change(name, options, complain))
    return results.every(Boolean) ? 0 : FAILED
  }

  /** Returns whether it went well. */
  #change(name, options, complain) {
    const path = options.get('p')
    if (path !== undefined) {
      if (isDirectory(path)) {
        complain(`${path}: Is a directory`)
        return false
      }
      this.#table.assign(name, path)
      return true
    }
    // Builtins of this shell are in no file.
    if (!options.has('d') && (name === 'hash' || name === 'builtin')) return true
    const done = options.has('d') ? this.#table.forget(name) : this.#table.remember(name)
    if (!done) complain(`${name}: not found`)
    return done
  }

  #list(asInput) {
    const entries = [...this.#table]
    if (asInput) this.#print(entries.map(([name, { path }]) => inputLine(name, path)).join(''))
    else if (entries.length === 0) this.#print('hash: hash table empty\n')
    else this.#print(`hits\tcommand\n${entries.map(([, { hits, path }]) => `${row(hits)}\t${path}\n`).join('')}`)
    return 0
  }

  #showTargets(names, asInput, complain) {
    let status = 0
    for (const name of names) {
      const path = this.#table.target(name)
      if (path === undefined) {
        complain(`${name}: not found`)
        status = FAILED
      } else if (asInput) this.#print(inputLine(name, path))
      else this.#print(names.length > 1 ? `${name}\t${path}\n` : `${path}\n`)
    }
    return status
  }
}

const row = hits => String(hits).padStart(4)
const inputLine = (name, path) => `builtin hash -p ${quote(path)} ${quote(name)}\n`

/** Options as a shell reads those of a builtin: letters may stand together, and the first other word is a name. */
function optionsOf(args) {
  /** @type {Map<string, string>} */
  const options = new Map()
  let at = 0
  for (; at < args.length && /^-./.test(args[at]); at++) {
    if (args[at] === '--help') options.set('help', '')
    if (args[at] === '--' || args[at] === '--help') {
      at++
      break
    }
    for (let letter = 1; letter < args[at].length; letter++) {
      const option = args[at][letter]
      if (!'dlprt'.includes(option)) return { options, names: [], problem: `-${option}: invalid option` }
      if (option !== 'p') {
        options.set(option, '')
        continue
      }
      // The rest of the word is the path, or the next word.
      const path = args[at].slice(letter + 1) || args[++at]
      if (path === undefined) return { options, names: [], problem: '-p: option requires an argument' }
      options.set('p', path)
      break
    }
  }
  return { options, names: args.slice(at), problem: undefined }
}

module.exports = { Shell }
