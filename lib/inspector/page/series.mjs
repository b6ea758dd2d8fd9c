// What the charts show, made of what the map counted: rates are differences of two looks.

/** @typedef {Record<string, (number | null)[]>} Columns */

/** Rows that are kept: as many as the inspector has. */
const MOST_ROWS = { short: 600, long: 720 }

/**
 * Adds newer rows to those that are known.
 *
 * @param {Columns | undefined} known
 * @param {Columns} more
 * @param {'short' | 'long'} range
 */
export function append(known, more, range) {
  if (known === undefined) return more
  const names = Object.keys(more)
  return Object.fromEntries(names.map(name => [name, [...(known[name] ?? []), ...more[name]].slice(-MOST_ROWS[range])]))
}

/**
 * Changes in a second from each row to the next; the first has none.
 *
 * @param {Columns} columns
 * @param {string} name
 */
export function rate({ time, ...columns }, name) {
  const values = columns[name] ?? []
  return values.map((value, at) => {
    const before = values[at - 1]
    const elapsedMs = Number(time[at]) - Number(time[at - 1])
    if (at === 0 || value === null || before === null || elapsedMs <= 0) return null
    // Counts begin again after resetStats.
    return (Math.max(0, value - before) * 1_000) / elapsedMs
  })
}

/** What was some seconds ago is still news to someone who has just opened the page. */
const LATELY_MS = 5_000

/**
 * What a count has grown by lately.
 *
 * @param {Columns} columns
 * @param {string} name
 */
export function lately({ time, ...columns }, name) {
  const values = columns[name] ?? []
  const end = Number(time.at(-1))
  const from = time.findIndex(at => Number(at) >= end - LATELY_MS)
  // Counts begin again after resetStats.
  return Math.max(0, Number(values.at(-1) ?? 0) - Number(values[from] ?? 0))
}

/**
 * The same in a second.
 *
 * @param {Columns} columns
 * @param {string} name
 */
export function perSecond(columns, name) {
  const { time } = columns
  const end = Number(time.at(-1))
  const elapsedMs = end - Number(time.find(at => Number(at) >= end - LATELY_MS))
  return elapsedMs > 0 ? (lately(columns, name) * 1_000) / elapsedMs : 0
}

/** @param {(number | null)[][]} lists */
const sum = lists =>
  lists[0].map((_, at) => lists.reduce((/** @type {number | null} */ total, list) => add(total, list[at]), 0))

/** @param {number | null} one @param {number | null} other */
const add = (one, other) => (one === null || other === null ? null : one + other)

/** @param {Columns} columns */
export function hitRate(columns) {
  const hits = rate(columns, 'hits')
  const misses = rate(columns, 'misses')
  return hits.map((hit, at) => {
    const miss = misses[at]
    return hit === null || miss === null || hit + miss === 0 ? null : (100 * hit) / (hit + miss)
  })
}

/**
 * What each chart shows.
 *
 * @param {Columns} columns
 * @returns {Record<string, (number | null)[][]>}
 */
export function seriesOf(columns) {
  const rates = (/** @type {string} */ name) => rate(columns, name)
  const hits = rates('hits')
  const near = rates('nearHits')
  const native = hits.map((hit, at) => (hit === null || near[at] === null ? null : Math.max(0, hit - Number(near[at]))))
  return {
    hitRate: [hitRate(columns)],
    operations: [near, native, rates('misses'), sum([rates('inserts'), rates('updates')])],
    memory: [columns.memoryBytes, columns.memoryLimit],
    removals: ['evicted', 'expired', 'explicit', 'replaced', 'cleared'].map(rates),
    latency: ['getP50Ns', 'getP99Ns', 'setP50Ns', 'setP99Ns'].map(name => columns[name])
  }
}

/** The last value of a list. @param {(number | null)[] | undefined} list */
export const last = list => list?.at(-1) ?? null
