'use strict'

// The figures of the program, and of its threads, as the inspector asks for them: by message, so that a thread that is
// blocked holds nothing up, and is seen not to answer.

const { randomUUID } = process.getBuiltinModule('node:crypto')
const { BroadcastChannel } = process.getBuiltinModule('node:worker_threads')
const { CHANNEL } = require('./sources.js')

/** Sources that are kept. */
const MOST_SOURCES = 256
/** A thread that has said nothing for so long has ended, unless it is the main thread, which cannot have. */
const FORGOTTEN_MS = 600_000
/** A thread is blocked that has left a question unanswered for so many intervals, and so long. */
const MISSED = 2.5
const LEAST_SILENCE_MS = 1_500

const TARGET = 'typedmap.performance'

/** @typedef {{ level: string, code: string, message: string }} Kind */

/** @type {Kind} */
const BLOCKED = {
  level: 'warn',
  code: 'thread.blocked',
  message: 'A thread does not answer: its event loop is blocked'
}
/** @type {Kind} */
const ANSWERS = { level: 'info', code: 'thread.answers', message: 'A thread answers again that was blocked' }

class Asked {
  #channel = new BroadcastChannel(CHANNEL)
  /** @type {Map<string, any>} */
  #answers = new Map()
  /** Answers to other inspectors are heard as well: their questions have other names. */
  #asker = randomUUID()
  #round = 0
  /** @type {Map<string, number>} */
  #askedAt = new Map()
  #silenceMs
  #log
  /** Numbers of the threads that are known to be blocked. @type {Set<number>} */
  #blocked = new Set()

  /** @param {number} intervalMs from one question to the next @param {(line: object) => void} log a line */
  constructor(intervalMs, log) {
    this.#silenceMs = Math.max(MISSED * intervalMs, LEAST_SILENCE_MS)
    this.#log = log
    this.#channel.onmessage = ({ data }) => this.#hear(/** @type {any} */ (data))
  }

  /** @param {number} time */
  ask(time) {
    const nameOf = (/** @type {number} */ number) => `${this.#asker} ${number}`
    const round = nameOf(++this.#round)
    this.#askedAt.set(round, time)
    this.#askedAt.delete(nameOf(this.#round - 60))
    this.#channel.postMessage({ kind: 'ask', round })
    for (const answer of this.#answers.values()) {
      // Not since the last answer: this thread may have been the one that was late.
      answer.unansweredSince ??= time
      if (answer.thread !== 0 && time - answer.answeredAt > FORGOTTEN_MS) this.#forget(answer.thread)
    }
    // Answers that have come while this thread was busy are heard before.
    setImmediate(() => this.notice(time))
  }

  /**
   * Says which threads are blocked.
   *
   * @param {number} time
   */
  notice(time) {
    for (const answer of this.#answers.values()) {
      const { thread, answeredAt } = answer
      if (answer.name !== null || this.#blocked.has(thread) || !this.#isSilent(answer, time)) continue
      this.#blocked.add(thread)
      this.#say(BLOCKED, thread, time - answeredAt)
    }
  }

  /** @param {{ unansweredSince: number | undefined }} answer @param {number} time */
  #isSilent({ unansweredSince }, time) {
    return unansweredSince !== undefined && time - unansweredSince > this.#silenceMs
  }

  /** @param {Kind} kind @param {number} thread @param {number} silentMs */
  #say(kind, thread, silentMs) {
    this.#log({ time: Date.now(), target: TARGET, ...kind, details: { thread, silentMs } })
  }

  /** Forgets a thread that has ended. @param {number} thread */
  #forget(thread) {
    this.#blocked.delete(thread)
    for (const [id, answer] of this.#answers) if (answer.thread === thread) this.#answers.delete(id)
  }

  /** @param {any} message */
  #hear(message) {
    const { kind, thread, name, round, figures, error } = message
    const id = `${thread} ${name ?? ''}`
    if (kind === 'end' && name === null) this.#forget(thread)
    else if (kind === 'end') this.#answers.delete(id)
    if (kind !== 'answer') return
    const answeredAt = Date.now()
    const before = this.#answers.get(id)
    if (name === null && this.#blocked.delete(thread)) this.#say(ANSWERS, thread, answeredAt - before.answeredAt)
    const askedAt = this.#askedAt.get(round)
    const delayMs = askedAt === undefined ? (before?.delayMs ?? 0) : answeredAt - askedAt
    if (this.#answers.size < MOST_SOURCES || this.#answers.has(id)) {
      this.#answers.set(id, { thread, name, figures, error, answeredAt, delayMs })
    }
  }

  /**
   * What each source said last, how long ago, and whether it is silent since; the name is `null` for a thread itself.
   *
   * @param {number} time
   */
  all(time) {
    return [...this.#answers.values()]
      .map(({ answeredAt, unansweredSince, ...rest }) => ({
        ...rest,
        agoMs: time - answeredAt,
        isSilent: this.#isSilent({ unansweredSince }, time)
      }))
      .sort((one, other) => one.thread - other.thread || String(one.name).localeCompare(String(other.name)))
  }

  close() {
    this.#channel.close()
  }
}

module.exports = { Asked }
