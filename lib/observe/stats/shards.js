'use strict'

// Statistics of each shard, as columns: for each figure a list with the number of each shard. An object for each of
// thousands of shards would take several times as long to make, and to collect.

const { SHARD_FIGURES } = require('../../native/layout.js')

const FIGURES = Object.keys(SHARD_FIGURES).length

/** Room for the figures of so many shards. @param {number} shards */
const roomFor = shards => new Float64Array(shards * FIGURES)

/** @param {Float64Array} figures what native code wrote there */
function shardsIn(figures) {
  const shards = figures.length / FIGURES
  /** A loop, because the engine copies one kind of array to another ten times as slowly. @param {number} figure */
  const of = figure => {
    /** @type {number[]} */
    const column = new Array(shards)
    for (let shard = 0; shard < shards; shard++)
      column[shard] = /** @type {number} */ (figures[figure * shards + shard])
    return column
  }
  return {
    entries: of(SHARD_FIGURES.entries),
    handles: of(SHARD_FIGURES.handles),
    deadlines: of(SHARD_FIGURES.deadlines),
    stale: of(SHARD_FIGURES.stale),
    memory: {
      live: of(SHARD_FIGURES.live),
      keys: of(SHARD_FIGURES.keys),
      values: of(SHARD_FIGURES.values),
      retired: of(SHARD_FIGURES.retired)
    },
    removals: {
      explicit: of(SHARD_FIGURES.explicit),
      replaced: of(SHARD_FIGURES.replaced),
      evicted: of(SHARD_FIGURES.evicted),
      expired: of(SHARD_FIGURES.expired),
      cleared: of(SHARD_FIGURES.cleared)
    },
    loads: {
      count: of(SHARD_FIGURES.loaded),
      failures: of(SHARD_FIGURES.failures),
      shared: of(SHARD_FIGURES.shared),
      underWay: of(SHARD_FIGURES.underWay)
    },
    locks: {
      acquisitions: of(SHARD_FIGURES.acquisitions),
      waits: of(SHARD_FIGURES.waits),
      waitNs: of(SHARD_FIGURES.waitNs)
    },
    capacity: of(SHARD_FIGURES.capacity),
    loadFactor: of(SHARD_FIGURES.loadFactor),
    index: {
      meanProbe: of(SHARD_FIGURES.meanProbe),
      longestProbe: of(SHARD_FIGURES.longestProbe),
      collisions: of(SHARD_FIGURES.collisions),
      growths: of(SHARD_FIGURES.growths),
      shrinks: of(SHARD_FIGURES.shrinks),
      migrationProgress: of(SHARD_FIGURES.migrationProgress)
    }
  }
}

module.exports = { roomFor, shardsIn }
