'use strict'

// The tail of the log, of all maps and threads.

/** Lines that are kept. */
const MOST_LINES = 500

class Lines {
  /** @type {{ number: number, map: string | null, level: string, code: string }[]} */
  #lines = []
  #last = 0

  /** @param {string | null} map `null` for a line about a thread @param {any[]} lines */
  add(map, lines) {
    for (const line of lines) this.#lines.push({ number: ++this.#last, map, ...line })
    if (this.#lines.length > MOST_LINES) this.#lines.splice(0, this.#lines.length - MOST_LINES)
  }

  /** Lines after the one of a number. @param {number} number */
  after(number) {
    return this.#lines.filter(line => line.number > number)
  }
}

module.exports = { Lines }
