'use strict'

/** The longest sequence of keys. */
const LONGEST = 32

/**
 * What sequences of keys mean. Each beginning of a sequence is an entry, too, so that one look-up says both whether
 * keys are a sequence and whether more may follow.
 *
 * @typedef {{ action?: string, longer: number }} Node the action, and how many longer sequences begin so
 */
class Sequences {
  /** @type {import('typed-superdashmap').TypedMap<string, Node>} */
  #table
  #counters

  /**
   * @param {import('./tables.js').Tables} tables
   * @param {import('typed-superdashmap').TypedMap<string, number>} counters
   */
  constructor(tables, counters) {
    this.#table = tables.create('sequences', { purpose: 'key sequences and their beginnings' })
    this.#counters = counters
  }

  /** Binds keys to an action. Returns the action that they had. */
  bind(keys, action) {
    if (keys.length === 0 || keys.length > LONGEST) {
      throw new RangeError(`a key sequence has 1 to ${LONGEST} characters, not ${keys.length}`)
    }
    const before = this.#table.get(keys)?.action
    if (before === undefined) this.#count(keys, 1)
    this.#table.update(keys, node => ({ longer: node?.longer ?? 0, action }))
    return before
  }

  /** Unbinds keys. Returns the action that they had. */
  unbind(keys) {
    const before = this.#table.get(keys)?.action
    if (before === undefined) return undefined
    this.#table.update(keys, node => (node && node.longer > 0 ? { longer: node.longer } : undefined))
    this.#count(keys, -1)
    return before
  }

  /**
   * What keys mean.
   *
   * @param {string} keys
   * @returns {{ action: string | undefined, wait: boolean }} `wait`: more keys may make another sequence
   */
  lookUp(keys) {
    const { action, longer = 0 } = this.#table.get(keys) ?? {}
    this.#counters.increment('sequence look-ups')
    if (action !== undefined) this.#counters.increment('sequence matches')
    if (longer > 0) this.#counters.increment('sequence beginnings')
    return { action, wait: longer > 0 }
  }

  /** All sequences with their actions, in the order of their characters. @returns {[string, string][]} */
  list() {
    return [...this.#table]
      .flatMap(([keys, { action }]) =>
        action === undefined ? [] : /** @type {[string, string][]} */ ([[keys, action]])
      )
      .sort(([one], [other]) => (one < other ? -1 : 1))
  }

  /** Counts a sequence more or less at each of its beginnings. */
  #count(keys, by) {
    for (let length = 1; length < keys.length; length++) {
      this.#table.update(keys.slice(0, length), (node = { longer: 0 }) => {
        const longer = node.longer + by
        return longer === 0 && node.action === undefined ? undefined : { ...node, longer }
      })
    }
  }
}

/** Keys as they are written for people: `ESC [ A`, `^C`. */
const shown = keys =>
  [...keys]
    .map(key => {
      if (key === '\x1b') return 'ESC'
      if (key === '\x7f') return 'DEL'
      return key < ' ' ? `^${String.fromCharCode(key.charCodeAt(0) + 64)}` : key
    })
    .join(' ')

module.exports = { LONGEST, Sequences, shown }
