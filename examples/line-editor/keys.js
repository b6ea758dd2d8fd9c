'use strict'

const { StringDecoder } = require('node:string_decoder')

/** How long a beginning of a sequence waits for its next key. */
const TIMEOUT_MS = 50

/** Makes actions and text of the bytes that a terminal sends. */
class Keys {
  #sequences
  #counters
  #onAction
  #onText
  #timeoutMs
  #decoder = new StringDecoder('utf8')
  /** Keys that are a beginning of a sequence. */
  #pending = ''
  /** @type {NodeJS.Timeout | undefined} */
  #timer

  /**
   * @param {import('./sequences.js').Sequences} sequences
   * @param {import('typed-superdashmap').TypedMap<string, number>} counters
   * @param {{ onAction: (action: string) => void, onText: (text: string) => void, timeoutMs?: number }} options
   */
  constructor(sequences, counters, { onAction, onText, timeoutMs = TIMEOUT_MS }) {
    this.#sequences = sequences
    this.#counters = counters
    this.#onAction = onAction
    this.#onText = onText
    this.#timeoutMs = timeoutMs
  }

  /** How long a beginning waits. */
  get timeoutMs() {
    return this.#timeoutMs
  }

  /** Takes bytes as they come: a character, or a sequence, may come in parts. @param {Uint8Array} bytes */
  feed(bytes) {
    clearTimeout(this.#timer)
    for (const key of this.#decoder.write(Buffer.from(bytes))) this.#take(key)
    if (this.#pending !== '') this.#timer = setTimeout(() => this.expire(), this.#timeoutMs)
  }

  /** No more keys come for now: what is pending is what it is by itself. */
  expire() {
    clearTimeout(this.#timer)
    if (this.#pending === '') return
    this.#counters.increment('sequence timeouts')
    while (this.#pending !== '') this.#settle()
  }

  #take(key) {
    this.#pending += key
    const { action, wait } = this.#sequences.lookUp(this.#pending)
    if (wait) return
    if (action === undefined) {
      this.#settle()
      return
    }
    this.#pending = ''
    this.#onAction(action)
  }

  /** Takes the longest sequence that the pending keys begin with, or else their first key, and then the others anew. */
  #settle() {
    const keys = [...this.#pending]
    this.#pending = ''
    let length = keys.length
    let action
    for (; length > 0 && action === undefined; length--) {
      action = this.#sequences.lookUp(keys.slice(0, length).join('')).action
    }
    const taken = action === undefined ? 1 : length + 1
    if (action !== undefined) this.#onAction(action)
    else if (keys[0] >= ' ' && keys[0] !== '\x7f') this.#onText(keys[0])
    else this.#counters.increment('unknown keys')
    for (const key of keys.slice(taken)) this.#take(key)
  }
}

module.exports = { Keys, TIMEOUT_MS }
