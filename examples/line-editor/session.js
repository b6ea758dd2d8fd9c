'use strict'

const { CATALOGUE } = require('./catalogue.js')
const { Editor } = require('./editor.js')
const { History } = require('./history.js')
const { PluginError, Plugins } = require('./plugins.js')
const { Sequences, shown } = require('./sequences.js')
const { Tables } = require('./tables.js')

const HELP = `:plugins        lists plugins
:load NAME      binds the keys of a plugin
:unload NAME    unbinds them
:keys           lists key sequences
:history        lists commands
:counters       lists what was counted
:report         shows what the tables hold and do
:check          looks through the tables for damage
:quit           ends`

/** An editor with all its tables, and the commands that show them. */
class Session {
  #tables
  #counters
  #history
  #plugins
  #sequences
  #print
  /** Work that is not done when a line is. */
  #checks = Promise.resolve()
  /** Whether it is over, and how. @type {'quit' | 'interrupted' | undefined} */
  ended

  /**
   * @param {object} options
   * @param {(line: string) => void} options.print
   * @param {(line: string) => void} [options.log] what happens to tables
   * @param {string} [options.name]
   * @param {string | number} [options.historyMemory]
   * @param {number} [options.timeoutMs]
   */
  constructor({ print, log, name, historyMemory, timeoutMs }) {
    this.#print = print
    this.#tables = new Tables({ name, log })
    this.#counters = this.#tables.create('counters', { purpose: 'what was counted' })
    this.#history = new History(this.#tables, this.#counters, { memoryLimit: historyMemory })
    this.#sequences = new Sequences(this.#tables, this.#counters)
    this.#plugins = new Plugins(this.#tables, this.#sequences)
    const parts = {
      history: this.#history,
      plugins: this.#plugins,
      sequences: this.#sequences,
      counters: this.#counters
    }
    this.editor = new Editor(parts, {
      onLine: line => this.#run(line),
      onEnd: isInterrupted => {
        this.ended = isInterrupted ? 'interrupted' : 'quit'
      },
      timeoutMs
    })
    this.#registerPlugins()
  }

  #registerPlugins() {
    for (const plugin of CATALOGUE) this.#plugins.register(plugin)
  }

  get tables() {
    return this.#tables
  }

  get history() {
    return this.#history
  }

  /** Waits for checks that were asked for. */
  settled() {
    return this.#checks
  }

  close() {
    this.editor.keys.expire()
    this.#tables.close()
  }

  /**
   * Looks for damage. Keys and plugins of a damaged table are made anew.
   *
   * @param {Parameters<Tables['check']>[1]} [validate]
   */
  async check(validate) {
    const rebuild = {
      sequences: () => {
        this.editor.bindKeys()
        this.#plugins.bindLoaded()
      },
      plugins: () => {
        // None is loaded then.
        for (const { keys } of CATALOGUE) for (const sequence of Object.keys(keys)) this.#sequences.unbind(sequence)
        this.#registerPlugins()
      }
    }
    const found = await this.#tables.check(rebuild, validate)
    for (const problem of found) this.#print(problem)
    this.#print(found.length === 0 ? 'all tables are sound' : 'damaged tables were emptied')
  }

  #run(line) {
    const [, command, argument = ''] = /^:(\S*)\s*(.*?)\s*$/.exec(line) ?? []
    if (command === undefined) {
      if (line.trim() !== '') this.#print(`> ${line}`)
    } else if (command === 'quit') this.editor.end(false)
    else this.#obey(command, argument)
  }

  #obey(command, argument) {
    const commands = {
      help: () => [HELP],
      plugins: () =>
        this.#plugins
          .list()
          .map(({ name, version, loaded, description }) => `${loaded ? '*' : ' '} ${name} ${version}: ${description}`),
      load: () => [`${this.#plugins.load(argument)} is loaded`],
      unload: () => [`${this.#plugins.unload(argument)} is unloaded`],
      keys: () => this.#sequences.list().map(([keys, action]) => `${shown(keys).padEnd(12)} ${action}`),
      history: () =>
        this.#history.list().map(({ id, text, uses }) => `${id}  ${text}${uses > 1 ? `  (${uses}x)` : ''}`),
      counters: () => [...this.#counters].sort().map(([name, count]) => `${name}: ${count}`),
      report: () => reportLines(this.#tables.report()),
      check: () => {
        this.#checks = this.#checks.then(() => this.check())
        return []
      }
    }
    try {
      if (!Object.hasOwn(commands, command)) throw new PluginError(`there is no command :${command}; :help lists them`)
      for (const line of commands[command]()) this.#print(line)
    } catch (error) {
      if (!(error instanceof PluginError)) throw error
      this.#print(error.message)
    }
  }
}

/** A report as lines. */
function reportLines({ tables, pressure, recovery }) {
  const columns = ['table', 'entries', 'bytes', 'limit', 'hits', 'misses', 'hit rate', 'writes', 'evicted', 'refused']
  const rows = tables.map(table => [
    table.name,
    table.entries,
    table.memoryBytes,
    table.memoryLimit,
    table.hits,
    table.misses,
    `${table.hitRate} %`,
    table.writes,
    table.evictions,
    table.refusals
  ])
  const line = cells => cells.map((cell, i) => (i === 0 ? cell.padEnd(12) : String(cell).padStart(9))).join('')
  const named = counts =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')
  return [line(columns), ...rows.map(line), `pressure: ${named(pressure)}`, `recovery: ${named(recovery)}`]
}

module.exports = { Session }
