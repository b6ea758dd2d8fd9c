'use strict'

// What a map counted, over time: one row of numbers for each look at it. Rates are made of differences, by the page.

/** Rows of the short history: ten minutes at one look in a second. */
const SHORT_ROWS = 600
/** Rows of the long history: six hours at one row of it for so many looks. */
const LONG_ROWS = 720
const LOOKS_PER_LONG_ROW = 30

/** What is in a row, and where a look has it. @type {Record<string, (stats: any, time: number) => number>} */
const COLUMNS = {
  time: (_, time) => time,
  hits: stats => stats.hits,
  nearHits: stats => stats.nearHits,
  misses: stats => stats.misses,
  inserts: stats => stats.inserts,
  updates: stats => stats.updates,
  evicted: stats => stats.removals?.evicted ?? stats.evictions,
  expired: stats => stats.removals?.expired ?? stats.expirations,
  explicit: stats => stats.removals?.explicit ?? stats.deletes,
  replaced: stats => stats.removals?.replaced ?? stats.updates,
  cleared: stats => stats.removals?.cleared,
  refusals: stats => stats.refusals,
  operations: stats => stats.operations,
  entries: stats => stats.entries,
  memoryBytes: stats => stats.memoryBytes,
  memoryLimit: stats => stats.limits.memoryLimit,
  // Those of the calls since the last look.
  getP50Ns: stats => stats.recent?.get?.p50Ns,
  getP99Ns: stats => stats.recent?.get?.p99Ns,
  setP50Ns: stats => stats.recent?.set?.p50Ns,
  setP99Ns: stats => stats.recent?.set?.p99Ns,
  lockAcquisitions: stats => stats.locks?.acquisitions,
  lockWaits: stats => stats.locks?.waits,
  lockWaitNs: stats => stats.locks?.waitNs,
  loads: stats => stats.loads?.count,
  loadTimeMs: stats => stats.loads?.timeMs
}

const NAMES = Object.keys(COLUMNS)

/** Of these a long row has the highest that its looks had: a second in which all was slow is not passed over. */
const HIGHEST = ['getP50Ns', 'getP99Ns', 'setP50Ns', 'setP99Ns'].map(name => NAMES.indexOf(name))

/** The last rows, in one array that is written round and round. */
class Ring {
  #values
  #rows
  /** Rows that were ever added. */
  #added = 0

  /** @param {number} rows */
  constructor(rows) {
    this.#rows = rows
    this.#values = new Float64Array(rows * NAMES.length)
  }

  /** @param {number[]} row */
  add(row) {
    this.#values.set(row, (this.#added % this.#rows) * NAMES.length)
    this.#added++
  }

  /**
   * The rows after a time, by column. What is not known is `null`.
   *
   * @param {number} time
   */
  since(time) {
    const first = Math.max(0, this.#added - this.#rows)
    /** @type {Float64Array[]} */
    const rows = []
    for (let at = first; at < this.#added; at++) {
      const start = (at % this.#rows) * NAMES.length
      if (this.#values[start] > time) rows.push(this.#values.subarray(start, start + NAMES.length))
    }
    const column = (/** @type {number} */ at) => rows.map(row => (Number.isNaN(row[at]) ? null : row[at]))
    return Object.fromEntries(NAMES.map((name, at) => [name, column(at)]))
  }
}

/** The higher of two numbers, of which either may be unknown. @param {number} one @param {number} other */
const higher = (one, other) => (one >= other || Number.isNaN(other) ? one : other)

class History {
  #short = new Ring(SHORT_ROWS)
  #long = new Ring(LONG_ROWS)
  #looks = 0
  /** The highest of those columns since the last long row. */
  #highest = HIGHEST.map(() => Number.NaN)

  /** @param {Record<string, any>} stats @param {number} time */
  add(stats, time) {
    const row = NAMES.map(name => COLUMNS[name](stats, time) ?? Number.NaN)
    this.#short.add(row)
    this.#highest = this.#highest.map((highest, at) => higher(highest, row[HIGHEST[at]]))
    if (this.#looks++ % LOOKS_PER_LONG_ROW !== 0) return
    for (const [at, column] of HIGHEST.entries()) row[column] = this.#highest[at]
    this.#highest.fill(Number.NaN)
    this.#long.add(row)
  }

  /** @param {'short' | 'long'} range @param {number} time */
  since(range, time) {
    return (range === 'long' ? this.#long : this.#short).since(time)
  }
}

module.exports = { History, Ring }
