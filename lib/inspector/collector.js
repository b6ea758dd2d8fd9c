'use strict'

// Looks at every named map of the process, once in an interval. Requests are answered from the last look, so that no
// number of them makes the maps slower.

const { binding } = require('../native/attach.js')
const { EVERY_MS: CHECK_MS } = require('../observe/memory-checks.js')
const { showKey } = require('./entry.js')
const { History } = require('./history.js')
const { Lines } = require('./lines.js')
const { GONE, Watch } = require('./watch.js')

const { names: namesBinding } = binding

/** Maps that are watched; a process may have any number. */
const MOST_MAPS = 256

/** Keys that are shown as hot. */
const HOT_KEYS = 20

/** What a look costs more is done only while the page shows the map, and so long after. */
const ATTENTION_MS = 5_000

/** Advice takes some milliseconds. */
const ADVICE_MS = 10_000

/** What is shown of a map with a secret. @param {any} stats */
const totalsOf = ({ entries, memoryBytes, memoryMb, limits, uptimeMs }) => ({
  isSecret: true,
  entries,
  memoryBytes,
  memoryMb,
  limits,
  uptimeMs
})

/** A map that is watched, and what the last look at it found. */
class Seen {
  watch
  history = new History()
  /** @type {Record<string, any>} */
  stats = {}
  /** @type {any} */
  hotKeys = undefined
  /** What could be better about the map. @type {string[]} */
  advice = []
  #advisedAt = 0
  /** When it was looked last whether memory lies idle. */
  #checkedAt = 0
  /** Figures of each shard. @type {any} */
  eachShard = undefined
  /** Why the last look failed, if it did. @type {string | undefined} */
  failure = undefined
  /** When the page showed the map last. */
  shownAt = 0

  /** @param {Watch} watch */
  constructor(watch) {
    this.watch = watch
  }

  /**
   * Whether the map is still there.
   *
   * @param {number} time
   * @param {Lines} lines
   */
  look(time, lines) {
    try {
      this.failure = undefined
      return this.watch.visit(map => this.#read(map, time, lines)) !== GONE
    } catch (error) {
      // The others are looked at all the same.
      this.failure = error instanceof Error ? error.message : 'it failed'
      return true
    }
  }

  /** @param {any} map @param {number} time @param {Lines} lines */
  #read(map, time, lines) {
    const { watch } = this
    const isShown = time - this.shownAt < ATTENTION_MS
    const { eachShard, ...stats } = map.getStats({ shards: isShown })
    this.eachShard = eachShard
    this.stats = watch.isSecret ? totalsOf(stats) : stats
    if (time - this.#checkedAt >= CHECK_MS) {
      this.#checkedAt = time
      watch.checkMemory()
    }
    const said = watch.takeLines()
    if (watch.isSecret) return
    this.history.add({ ...stats, recent: watch.takeLatency() }, time)
    lines.add(watch.name, said)
    if (isShown && time - this.#advisedAt >= ADVICE_MS) {
      this.#advisedAt = time
      this.advice = adviceOf(map)
    }
    if (isShown && watch.options.hotKeys === true) this.hotKeys = hotKeysOf(map)
  }
}

/** The keys that are read most, as text. @param {any} map */
function hotKeysOf(map) {
  return map.getHotKeys(HOT_KEYS).map((/** @type {any} */ { key, handle, hits, errorHits }) => {
    const shown = key === undefined ? { type: 'handle', text: `${handle.shard}/${handle.slot}` } : showKey(key)
    return { ...shown, hits, errorHits }
  })
}

/** What is advised, but for the near cache of this thread, which has none. @param {any} map @returns {string[]} */
function adviceOf(map) {
  const advice = map.advise().filter((/** @type {any} */ { code }) => code !== 'NEAR_CACHE_TOO_SMALL')
  return advice.map((/** @type {any} */ { sentence }) => sentence)
}

class Collector {
  lines = new Lines()
  /** Named maps that are not watched, because there are too many. */
  unwatched = 0
  #options
  /** @type {Map<string, Seen>} */
  #seen = new Map()

  /** @param {{ logLevel: any, logTargets: readonly string[] }} options */
  constructor(options) {
    this.#options = options
  }

  look(time = Date.now()) {
    const names = namesBinding()
    for (const name of names) {
      if (this.#seen.has(name) || this.#seen.size >= MOST_MAPS) continue
      const watch = Watch.of(name, this.#options.logLevel, this.#options.logTargets)
      if (watch !== undefined) this.#seen.set(name, new Seen(watch))
    }
    for (const [name, seen] of this.#seen) {
      if (seen.look(time, this.lines)) continue
      seen.watch.end()
      this.#seen.delete(name)
    }
    this.unwatched = Math.max(0, names.length - this.#seen.size)
  }

  /** @param {string} name */
  find(name) {
    return this.#seen.get(name)
  }

  /** All maps, by name. */
  all() {
    return [...this.#seen.values()].sort((one, other) => (one.watch.name < other.watch.name ? -1 : 1))
  }
}

module.exports = { Collector }
