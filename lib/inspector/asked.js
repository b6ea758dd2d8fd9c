'use strict'

// The figures of the program, and of its threads, as the inspector asks for them: by message, so that a thread that is
// blocked holds nothing up, and is seen not to answer.

const { BroadcastChannel } = process.getBuiltinModule('node:worker_threads')
const { CHANNEL } = require('./sources.js')

/** Sources that are kept. */
const MOST_SOURCES = 256
/** A thread that has said nothing for so long has ended, unless it is the main thread, which cannot have. */
const FORGOTTEN_MS = 600_000

class Asked {
  #channel = new BroadcastChannel(CHANNEL)
  /** @type {Map<string, any>} */
  #answers = new Map()
  #round = 0
  /** @type {Map<number, number>} */
  #askedAt = new Map()

  constructor() {
    this.#channel.onmessage = ({ data }) => this.#hear(/** @type {any} */ (data))
  }

  /** @param {number} time */
  ask(time) {
    this.#round++
    this.#askedAt.set(this.#round, time)
    this.#askedAt.delete(this.#round - 60)
    this.#channel.postMessage({ kind: 'ask', round: this.#round })
    for (const [id, { thread, answeredAt }] of this.#answers) {
      if (thread !== 0 && time - answeredAt > FORGOTTEN_MS) this.#answers.delete(id)
    }
  }

  /** @param {any} message */
  #hear(message) {
    const { kind, thread, name, round, figures, error } = message
    const id = `${thread} ${name ?? ''}`
    if (kind === 'end') this.#answers.delete(id)
    if (kind !== 'answer') return
    const answeredAt = Date.now()
    const delayMs = answeredAt - (this.#askedAt.get(round) ?? answeredAt)
    if (this.#answers.size < MOST_SOURCES || this.#answers.has(id)) {
      this.#answers.set(id, { thread, name, figures, error, answeredAt, delayMs })
    }
  }

  /**
   * What each source said last, and how long ago; the name is `null` for a thread itself.
   *
   * @param {number} time
   */
  all(time) {
    return [...this.#answers.values()]
      .map(({ answeredAt, ...rest }) => ({ ...rest, agoMs: time - answeredAt }))
      .sort((one, other) => one.thread - other.thread || String(one.name).localeCompare(String(other.name)))
  }

  close() {
    this.#channel.close()
  }
}

module.exports = { Asked }
