'use strict'

const { statSync } = require('node:fs')
const { dirname } = require('node:path')
const { TypedMap } = require('typed-superdashmap')
const { findCommand, isExecutable, isSame } = require('./search.js')
const { printable } = require('./words.js')

/** @typedef {{ path: string, hits: number, dot: boolean }} Remembered `dot`: `.` came before in the search path */

/** A command that cannot be run: the message and the exit status of a shell. */
class CommandError extends Error {
  constructor(message, status) {
    super(message)
    this.name = 'CommandError'
    this.status = status
  }
}

/** Why a file cannot be executed, by the code of the error. */
const REASONS = {
  ENOENT: ['No such file or directory', 127],
  ENOTDIR: ['Not a directory', 126],
  EACCES: ['Permission denied', 126],
  ENAMETOOLONG: ['File name too long', 126],
  ELOOP: ['Too many levels of symbolic links', 126]
}

/**
 * Where commands are: a table that all threads of the process share by its name. A command is looked up along the
 * search path when it is first used, and remembered; how often it was used is counted, whichever thread uses it.
 */
class CommandHash {
  /** @type {TypedMap<string, Remembered>} */
  #map
  #searchPath

  /** @param {{ name?: string, searchPath?: string }} [options] */
  constructor({ name = 'command-hash', searchPath = process.env.PATH ?? '' } = {}) {
    this.#map = TypedMap.open(name)
    this.#searchPath = searchPath
  }

  /**
   * The file to execute for a command, which counts as a use. A remembered file that is gone is looked up again.
   *
   * @param {string} name
   * @returns {string}
   * @throws {CommandError}
   */
  lookUp(name) {
    if (name.includes('/')) return executable(name)
    const entry = this.#use(name)
    const remembered = entry && pathOf(name, entry)
    if (remembered !== undefined && isExecutable(remembered)) return remembered
    // What another thread has remembered by now stays, here and below.
    const isStale = now => now !== undefined && now.path === entry?.path
    if (remembered !== undefined) this.#map.update(name, now => (isStale(now) ? undefined : now))

    const found = findCommand(name, this.#searchPath)
    if (found === undefined) throw new CommandError(`${printable(name)}: command not found`, 127)
    const path = executable(found.path)
    // Without a search path, nothing was searched for.
    if (path === name) return path
    this.#map.update(name, now =>
      now === undefined || isStale(now) ? { ...found, hits: 1 } : { ...now, hits: now.hits + 1 }
    )
    return path
  }

  /** Looks a command up anew and remembers it, without a use. Returns whether there is one. */
  remember(name) {
    const found = findCommand(name, this.#searchPath)
    if (found !== undefined && isExecutable(found.path)) {
      this.#map.set(name, { ...found, hits: 0 })
      return true
    }
    this.#map.delete(name)
    return false
  }

  /** Remembers a path for a command, whatever is there, without a use. */
  assign(name, path) {
    this.#map.set(name, { path, hits: 0, dot: false })
  }

  /** The path that is remembered for a command. Counts as a use, as it does in bash. */
  target(name) {
    const entry = this.#use(name)
    return entry && pathOf(name, entry)
  }

  /** Forgets a command and returns whether it was remembered. */
  forget(name) {
    return this.#map.delete(name)
  }

  /** Forgets all commands. */
  clear() {
    this.#map.clear()
  }

  /** Names and what is remembered of them, those first that were remembered first. */
  [Symbol.iterator]() {
    return this.#map.entries()
  }

  close() {
    this.#map.close()
  }

  /** Counts a use of a command that is remembered, in one step for all threads. */
  #use(name) {
    return this.#map.update(name, now => now && { ...now, hits: now.hits + 1 })
  }
}

/** The same path, if it can be executed. */
function executable(path) {
  if (isExecutable(path)) return path
  let code = 'EACCES'
  try {
    if (statSync(path).isDirectory()) throw new CommandError(`${path}: Is a directory`, 126)
  } catch (error) {
    if (error instanceof CommandError) throw error
    code = error.code
  }
  const [reason, status] = REASONS[code] ?? [code, 126]
  throw new CommandError(`${path}: ${reason}`, status)
}

/**
 * The path of an entry. Where the current folder decides, it is asked again, as it may be another one by now.
 *
 * @param {string} name
 * @param {Remembered} entry
 */
function pathOf(name, { path, dot }) {
  const isAbsolute = path.startsWith('/')
  if (isAbsolute && !dot) return path
  const here = isAbsolute ? name : path.replace(/^\.\//, '')
  if (isExecutable(`./${here}`)) return `./${here}`
  return path.startsWith('.') && isSame('.', dirname(path)) ? undefined : path
}

module.exports = { CommandError, CommandHash }
