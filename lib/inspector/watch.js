'use strict'

// A named map as the inspector sees it. A watch holds no map open: the map ends with its last holder. Within a visit,
// which is one turn of the event loop, methods that read work as on a map that is open.

const { LATENCY_MARK, LEVEL, TIMED } = require('../native/layout.js')
const { TypedMap } = require('../map.js')
const { binding } = require('../native/attach.js')
const { readData } = require('../native/data.js')
const { droppedLine } = require('../observe/audience.js')
const { LEVELS, TARGETS } = require('../options/log.js')
const { construct } = require('../session/opening.js')

const {
  checkMemory: checkMemoryBinding,
  drain: drainBinding,
  evaluation,
  latencySince: latencySinceBinding,
  leave: leaveBinding,
  unwatch: unwatchBinding,
  visit: visitBinding,
  watch: watchBinding
} = binding

/** What a visit returns of a map that has ended. */
const GONE = Symbol('gone')

/** Log lines that one visit takes: the next takes more. */
const MOST_LINES = 64

class Watch {
  name
  /** The options that the map was made with. @type {Record<string, any>} */
  options
  #id
  #map
  /** What was measured up to the last look. @type {Float64Array | undefined} */
  #mark

  /** @param {string} name @param {import('../addon/binding.js').Opened} opened */
  constructor(name, opened) {
    this.name = name
    this.options = readData(opened.config)
    /** The number of the map: another map of the same name has another. */
    this.instance = opened.instance
    this.#id = opened.id
    this.#map = /** @type {any} */ (construct(TypedMap, TypedMap, name, { nearCache: false }, opened))
  }

  /**
   * Watches the map of a name, if a thread has it open.
   *
   * @param {string} name
   * @param {keyof typeof LEVEL} logLevel log lines of this level and above are kept for the visits
   * @param {readonly string[]} logTargets those that are about these
   */
  static of(name, logLevel, logTargets) {
    const targets = logTargets.reduce((bits, target) => bits | (1 << TARGETS.indexOf(target)), 0)
    const opened = watchBinding(evaluation, name, LEVEL[logLevel], targets)
    return opened ? new Watch(name, opened) : undefined
  }

  /** Whether the entries of the map are not to be shown. */
  get isSecret() {
    const { secret = null } = this.options
    return secret !== null && secret !== false
  }

  /**
   * Looks at the map; returns what the look returns, or GONE.
   *
   * @template T
   * @param {(map: any) => T} look synchronous; it must not keep the map
   * @returns {T | typeof GONE}
   */
  visit(look) {
    if (!visitBinding(this.#id)) return GONE
    try {
      return look(this.#map)
    } finally {
      leaveBinding(this.#id)
    }
  }

  /** Has it logged if much memory lies idle, within a visit. Takes a lock for each shard in turn. */
  checkMemory() {
    checkMemoryBinding(this.#id)
  }

  /**
   * How long operations took since the last call, within a visit, by operation; nothing of those that were not called.
   *
   * @returns {Record<string, { p50Ns: number, p99Ns: number } | undefined>}
   */
  takeLatency() {
    if (this.options.latency !== true) return {}
    this.#mark ??= new Float64Array(LATENCY_MARK)
    const numbers = latencySinceBinding(this.#id, this.#mark) ?? []
    return Object.fromEntries(
      Object.entries(TIMED).map(([operation, at]) => {
        const [count, p50Ns, p99Ns] = numbers.slice(3 * at)
        return [operation, count > 0 ? { p50Ns, p99Ns } : undefined]
      })
    )
  }

  /** Log lines since the last call, within a visit. */
  takeLines() {
    return drainBinding(this.#id, MOST_LINES).map(readLine)
  }

  end() {
    unwatchBinding(this.#id)
    this.#map.close()
  }
}

/** @param {import('../addon/binding.js').MapEvent} event */
function readLine(event) {
  const { kind, count = 0, time = 0, code = '', message = '' } = event
  if (kind === 'dropped') return droppedLine(count)
  const [level, target] = [LEVELS[event.level ?? LEVEL.error], TARGETS[event.target ?? 0]]
  return { time, level, target, code, message, details: readData(event.details) }
}

module.exports = { GONE, Watch }
