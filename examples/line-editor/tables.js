'use strict'

const { TypedMap, TypedMapError } = require('typed-superdashmap')

/** What a table is made with where its maker says nothing else. */
const DEFAULTS = { memoryLimit: '1mb', evictionStrategy: 'lru' }

/** From the first ratio on, what is not needed is given up; from the second on, whatever the policy chooses. */
const PRESSURE = { low: 0.8, emergency: 0.9 }

/** Attempts of a write that a limit refuses, and entries that are evicted after the first; each time twice as many. */
const MOST_ATTEMPTS = 5
const FIRST_EVICTED = 16

const ALLOCATION = new Set(['ERR_MEMORY_LIMIT', 'ERR_OUT_OF_MEMORY'])

/**
 * The tables of a line editor: makes them with common defaults, knows them by name, for all threads, and watches over
 * them: memory pressure, refused writes, damage.
 */
class Tables {
  #prefix
  #registry
  #tables = new Map()
  #pressure = { low: 0, emergency: 0 }
  #recovery = { allocationFailures: 0, corruptions: 0, otherErrors: 0, attempts: 0, recovered: 0, lost: 0 }
  #log

  /** @param {{ name?: string, log?: (line: string) => void }} [options] */
  constructor({ name = 'line-editor', log = () => {} } = {}) {
    this.#prefix = `${name}: `
    this.#log = log
    this.#registry = TypedMap.open(`${this.#prefix}tables`)
  }

  /**
   * Makes a table, or opens it if another thread has made it.
   *
   * @param {string} name
   * @param {import('typed-superdashmap').TypedMapOptions & { purpose?: string, onLow?: () => void }} [options] of the
   * map; `onLow` gives up what is not needed
   * @returns {TypedMap<any, any>}
   */
  create(name, { purpose = '', onLow = () => {}, ...options } = {}) {
    if (this.#tables.has(name)) throw new RangeError(`there is a table named '${name}' already`)
    const map = TypedMap.open(this.#prefix + name, { ...DEFAULTS, ...options })
    this.#registry.set(name, { purpose })
    const thresholds = Object.values(PRESSURE)
    map.onPressure((ratio, { rising }) => rising && this.#relieve(name, ratio, onLow), { thresholds })
    this.#tables.set(name, map)
    return map
  }

  /** A table that was made here. @param {string} name */
  get(name) {
    return this.#tables.get(name)
  }

  /** The names of all tables, in any thread, in alphabetical order. */
  names() {
    return [...this.#registry.keys()].sort()
  }

  /** Returns whether the map shall evict entries until it is below the threshold. */
  #relieve(name, ratio, onLow) {
    const kind = ratio >= PRESSURE.emergency ? 'emergency' : 'low'
    this.#pressure[kind]++
    this.#log(
      `${name} is ${Math.round(ratio * 100)} % full: ${kind === 'low' ? 'giving up what is not needed' : 'evicting'}`
    )
    if (kind === 'low') onLow()
    return kind === 'emergency'
  }

  /**
   * Writes to a table. If a limit refuses that, evicts some entries and tries again, a few times. If nothing helps, the
   * write is given up, and the editor goes on without it.
   *
   * @template T
   * @param {string} name of the table
   * @param {() => T} write
   * @returns {T | undefined} undefined if it was given up
   */
  write(name, write) {
    for (let attempt = 1; ; attempt++) {
      try {
        const result = write()
        if (attempt > 1) this.#recovery.recovered++
        return result
      } catch (error) {
        if (!(error instanceof TypedMapError)) throw error
        const isAllocation = ALLOCATION.has(error.code)
        this.#recovery[isAllocation ? 'allocationFailures' : 'otherErrors']++
        if (!isAllocation || attempt === MOST_ATTEMPTS) {
          this.#recovery.lost++
          this.#log(`${name}: ${error.message}`)
          return undefined
        }
        this.#recovery.attempts++
        this.#tables.get(name).evict(FIRST_EVICTED * 2 ** (attempt - 1))
      }
    }
  }

  /**
   * Looks through all tables for damage. A damaged one is emptied, and `rebuild` fills it again.
   *
   * @param {Record<string, () => void>} [rebuild] by the names of tables
   * @param {(map: TypedMap) => Promise<import('typed-superdashmap').Validation>} [validate]
   * @returns {Promise<string[]>} what was found
   */
  async check(rebuild = {}, validate = map => map.validate()) {
    const found = []
    for (const [name, map] of this.#tables) {
      const { ok, problems } = await validate(map)
      if (ok) continue
      this.#recovery.corruptions++
      found.push(...problems.map(({ what }) => `${name}: ${what}`))
      map.clear()
      rebuild[name]?.()
    }
    return found
  }

  /** What the statistics of the maps say, and what was done about pressure and errors. */
  report() {
    const tables = [...this.#tables].map(([name, map]) => {
      const {
        entries,
        hits,
        misses,
        cacheHitRate,
        inserts,
        updates,
        deletes,
        evictions,
        refusals,
        memoryBytes,
        limits
      } = map.getStats()
      const { purpose } = this.#registry.get(name)
      return {
        name,
        purpose,
        entries,
        memoryBytes,
        memoryLimit: limits.memoryLimit,
        hits,
        misses,
        hitRate: cacheHitRate,
        writes: inserts + updates + deletes,
        evictions,
        refusals
      }
    })
    return { tables, pressure: { ...this.#pressure }, recovery: { ...this.#recovery } }
  }

  close() {
    for (const map of this.#tables.values()) map.close()
    this.#registry.close()
  }
}

module.exports = { Tables }
