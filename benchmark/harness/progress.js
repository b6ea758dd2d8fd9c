'use strict'

/* One bar for a whole run on a terminal; elsewhere a line per step, so that a log shows how far it came. */

const { SingleBar, Presets } = require('cli-progress')

const STEPS = 1000

class Progress {
  #bar
  #parts
  #done = 0

  /** `parts` are how many steps there will be, each with its own share of the bar. */
  constructor(parts) {
    this.#parts = parts
    if (!process.stderr.isTTY) return
    this.#bar = new SingleBar(
      { format: '{bar} {percentage}% | {label}', stream: process.stderr, hideCursor: true, clearOnComplete: true },
      Presets.shades_classic
    )
    this.#bar.start(STEPS, 0, { label: 'starting' })
  }

  /** The part that begins now. */
  begin(label) {
    if (this.#bar === undefined) process.stderr.write(`[${this.#done + 1}/${this.#parts}] ${label}\n`)
    else this.#bar.update({ label })
  }

  /** How far the part that has begun is, from 0 to 1. */
  within(part, label) {
    this.#bar?.update(Math.round(((this.#done + part) / this.#parts) * STEPS), label === undefined ? {} : { label })
  }

  end() {
    this.#done++
    this.within(0)
  }

  stop() {
    this.#bar?.stop()
  }
}

module.exports = { Progress }
