'use strict'

/** Commands that differ in blanks and case are one. */
const normalize = command => command.trim().replace(/\s+/g, ' ').toLowerCase()

/** Share of the commands that are given up when memory is low. */
const GIVEN_UP = 0.25

/**
 * The commands of a history, each once: a command that comes again moves to the end.
 *
 * @typedef {{ id: number, text: string, uses: number }} Entry the id grows with each command; the text is the latest
 */
class History {
  #tables
  /** @type {import('typed-superdashmap').TypedMap<string, Entry>} */
  #table
  #counters

  /**
   * @param {import('./tables.js').Tables} tables
   * @param {import('typed-superdashmap').TypedMap<string, number>} counters
   * @param {{ memoryLimit?: string | number }} [options]
   */
  constructor(tables, counters, { memoryLimit = '256kb' } = {}) {
    this.#tables = tables
    this.#counters = counters
    this.#table = tables.create('history', {
      purpose: 'commands, each once',
      memoryLimit,
      // The tables decide what is done about a full one.
      oomStrategy: 'reject',
      normalizeKey: normalize,
      onLow: () => this.#trim()
    })
  }

  /**
   * Adds a command.
   *
   * @param {string} text
   * @returns {{ isDuplicate: boolean } | undefined} undefined for an empty one, and if there was no room for it
   */
  add(text) {
    if (normalize(text) === '') return undefined
    const id = this.#counters.increment('commands')
    /** @type {Entry | undefined} */
    let before
    const entry = this.#tables.write('history', () =>
      this.#table.update(text, found => {
        before = found
        return { id, text, uses: (found?.uses ?? 0) + 1 }
      })
    )
    if (entry === undefined) return undefined
    this.#counters.increment(before === undefined ? 'unique commands' : 'duplicate commands')
    if (before !== undefined && before.text !== text) this.#counters.increment('collisions of spellings')
    return { isDuplicate: before !== undefined }
  }

  /** All commands, the latest last. @returns {Entry[]} */
  list() {
    return [...this.#table.values()].sort((one, other) => one.id - other.id)
  }

  /** Gives up the oldest of the commands that were used once. */
  #trim() {
    const once = this.list().filter(({ uses }) => uses === 1)
    this.#table.deleteMany(once.slice(0, Math.ceil(once.length * GIVEN_UP)).map(({ text }) => text))
  }
}

module.exports = { History, normalize }
