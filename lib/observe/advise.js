'use strict'

// `advise()`: what could be better about a map, in sentences, each with a code and its figures; and two figures by
// themselves, `predictOptimalShardCount()` and `dump(shard)`. Each rule is a function from the figures to its advice.

const { outOfRange, wrongType } = require('../errors.js')
const { binding } = require('../native/attach.js')
const { readData } = require('../native/data.js')
const { checkObject, integer } = require('../options/checks.js')
const { reportHitsOf } = require('../session/opens.js')
const { readStats } = require('./stats.js')

const { dump: dumpBinding, optimalShards: optimalShardsBinding, survey: surveyBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {{ code: string, sentence: string, figures: Record<string, number | string | null> }} Advice */
/** @typedef {{ stats: Record<string, any>, survey: Record<string, any> }} Figures */

/** Entries that were drawn, below which they say nothing. */
const LEAST_DRAWN = 100
/** Reads, writes or removals of a kind, below which they say nothing. */
const LEAST_COUNT = 1_000
/** A part of a bound that counts as reached. */
const NEARLY = 0.9
/** Evictions per expiration from which deadlines hardly matter. */
const EVICTIONS_PER_EXPIRATION = 20
/** Percentage points of a hit ratio that may be wrong, above which it says nothing. */
const MOST_ERROR_PERCENT = 20
/** A shard that has so many times its share of the entries is no chance. */
const LOPSIDED = 4

const percent = (/** @type {number} */ share) => Math.round(share * 100)
/** A sentence that does not fit on a line. @param {string[]} parts */
const words = (...parts) => parts.join(' ')
const oneDigit = (/** @type {number} */ value) => Math.round(value * 10) / 10
const twoDigits = (/** @type {number} */ value) => Math.round(value * 100) / 100

/** @param {Figures} figures @returns {Advice | undefined} */
function limitTooSmall({ stats: { shards, limits }, survey: { shardsForLimits } }) {
  if (shards <= shardsForLimits) return undefined
  const { maxEntries, memoryLimit } = limits
  return {
    code: 'LIMIT_TOO_SMALL_FOR_SHARDS',
    sentence: words(
      `The limit leaves each of ${shards} shards so little that some are full`,
      `while others have room; use at most ${shardsForLimits} shards, or a higher`,
      'limit.'
    ),
    figures: {
      shards,
      shardsAtMost: shardsForLimits,
      entriesPerShard: maxEntries === null ? null : Math.floor(maxEntries / shards),
      bytesPerShard: memoryLimit === null ? null : Math.floor(memoryLimit / shards)
    }
  }
}

/** @param {Figures} figures @returns {Advice | undefined} */
function contendedShards({ stats: { shards, locks }, survey: { optimalShards } }) {
  if (optimalShards <= shards) return undefined
  const { acquisitions, waits, meanWaitNs, contentionRatio } = locks
  return {
    code: 'CONTENDED_SHARDS',
    sentence: words(
      `Writers wait for each other in ${twoDigits(contentionRatio * 100)} % of`,
      `their writes; with ${optimalShards} shards they would in less than 1 %.`
    ),
    figures: { shards, optimalShards, acquisitions, waits, meanWaitNs, contentionRatio }
  }
}

/** @param {Figures} figures @returns {Advice | undefined} */
function nearCacheTooSmall({ stats: { nearCache, hits, nearHits } }) {
  const { entries, bytes, maxEntries, maxBytes, evictions } = nearCache
  const isFull = maxEntries > 0 && (entries >= maxEntries * NEARLY || bytes >= maxBytes * NEARLY)
  if (!isFull || evictions < LEAST_COUNT || nearHits * 2 > hits) return undefined
  return {
    code: 'NEAR_CACHE_TOO_SMALL',
    sentence: words(
      `The near cache of this thread is full and answers ${percent(nearHits / hits)}`,
      '% of all hits; a larger one (option nearCache) would save native calls.'
    ),
    figures: { entries, maxEntries, bytes, maxBytes, evictions, nearHits, hits }
  }
}

/** @param {Figures} figures @returns {Advice | undefined} */
function hashFlooding({
  stats: { entries, shards, loadFactor },
  survey: { probed, probes, longestProbe, fullestShard }
}) {
  const meanProbeLength = twoDigits(probed === 0 ? 0 : probes / probed)
  // Of linear probing.
  const expectedProbeLength = twoDigits((1 + 1 / (1 - Math.min(loadFactor, 0.95))) / 2)
  const isLong = probed >= LEAST_DRAWN && meanProbeLength > 16 + 4 * expectedProbeLength
  const share = entries / shards
  const isLopsided = shards > 1 && share >= LEAST_DRAWN && fullestShard > LOPSIDED * share
  if (!isLong && !isLopsided) return undefined
  const what = isLong
    ? `A look for a key reads ${meanProbeLength} words of the index, and ${expectedProbeLength} would be expected`
    : `One shard of ${shards} has ${percent(fullestShard / entries)} % of the entries`
  return {
    code: 'HASH_FLOODING',
    sentence: words(
      `${what}: many keys have nearly the same hash, by chance or on purpose;`,
      "use hash 'ahash' or 'siphash' with a seed that is kept secret."
    ),
    figures: { meanProbeLength, expectedProbeLength, longestProbe, fullestShard, entries, shards }
  }
}

/** @param {Figures} figures @returns {Advice | undefined} */
function neverRead({ stats: { hits, entries, memory }, survey: { counted, unused } }) {
  if (counted < LEAST_DRAWN || hits < LEAST_COUNT || unused * 2 < counted) return undefined
  return {
    code: 'MANY_NEVER_READ',
    sentence: words(
      `${percent(unused / counted)} % of the entries were not read since they`,
      'were written or the eviction strategy last looked at them; a smaller map,',
      'or a shorter ttl for them, would hit nearly as often.'
    ),
    figures: { unreadPercent: percent(unused / counted), sampledEntries: counted, entries, bytes: memory.live }
  }
}

/** @param {Figures} figures @returns {Advice | undefined} */
function uselessTtl({ stats: { entries, deadlines, evictions, expirations } }) {
  const areMany = deadlines * 2 >= entries && evictions >= LEAST_COUNT
  if (!areMany || evictions < EVICTIONS_PER_EXPIRATION * (expirations + 1)) return undefined
  return {
    code: 'TTL_WITHOUT_EFFECT',
    sentence: words(
      `Entries are evicted for want of room long before they expire: ${evictions}`,
      `were, and ${expirations} expired; a shorter ttl would make room for fresh`,
      'ones, none would do as well.'
    ),
    figures: { evictions, expirations, deadlines, entries }
  }
}

/** @param {Figures} figures @returns {Advice | undefined} */
function refusedWrites({ stats: { refusals, inserts, updates, limits } }) {
  if (refusals === 0) return undefined
  const writes = inserts + updates + refusals
  return {
    code: 'REFUSED_WRITES',
    sentence: words(
      `A limit refused ${refusals} of ${writes} writes; raise it, or let the map`,
      'evict (option oomStrategy).'
    ),
    figures: { refusals, writes, memoryLimit: limits.memoryLimit, maxEntries: limits.maxEntries }
  }
}

/** @param {Figures} figures @returns {Advice | undefined} */
function hitRatioByMemory({ stats: { hits, misses, limits }, survey: { foretold } }) {
  const reads = hits + misses
  const isLimited = limits.maxEntries !== null || limits.memoryLimit !== null
  if (foretold === null || !isLimited || foretold.sampled < LEAST_COUNT) return undefined
  const { sampled, moreWithHalf, halfError, moreWithTwice, twiceError, modelError } = foretold
  const hitPercentWith = (/** @type {number} */ more) =>
    oneDigit(100 * Math.min(1, Math.max(0, 1 - (misses + more) / reads)))
  const errorPercent = (/** @type {number} */ error) => oneDigit((100 * (error + modelError)) / reads)
  const figures = {
    hitPercent: hitPercentWith(0),
    halfHitPercent: hitPercentWith(moreWithHalf),
    halfErrorPercent: errorPercent(halfError),
    twiceHitPercent: hitPercentWith(moreWithTwice),
    twiceErrorPercent: errorPercent(twiceError),
    reads,
    sampledReads: sampled
  }
  const { hitPercent, halfHitPercent, halfErrorPercent, twiceHitPercent, twiceErrorPercent } = figures
  if (Math.max(halfErrorPercent, twiceErrorPercent) > MOST_ERROR_PERCENT) return undefined
  return {
    code: 'HIT_RATIO_BY_MEMORY',
    sentence: words(
      `${hitPercent} % of the reads hit; with half the memory`,
      `${halfHitPercent} % ± ${halfErrorPercent} would, and with twice as much`,
      `${twiceHitPercent} % ± ${twiceErrorPercent}.`
    ),
    figures
  }
}

const RULES = [
  refusedWrites,
  hashFlooding,
  limitTooSmall,
  contendedShards,
  neverRead,
  uselessTtl,
  nearCacheTooSmall,
  hitRatioByMemory
]

/**
 * @param {OpenMap} open
 * @returns {Advice[]}
 */
function advise(open) {
  reportHitsOf(open)
  const survey = readData(surveyBinding(open.id, Math.floor(Math.random() * 2 ** 32)))
  const figures = { stats: readStats(open), survey }
  return RULES.map(rule => rule(figures)).filter(advice => advice !== undefined)
}

const DUMPED = 32
const MAX_DUMPED = 1_000
const slotsOf = integer(0, MAX_DUMPED)
const fromOf = integer(0, 2 ** 32 - 1)

/** @param {OpenMap} open @param {unknown} given */
function readShard({ shards }, given) {
  const allowed = `an integer from 0 to ${shards - 1}`
  if (typeof given !== 'number') throw wrongType('shard', given, allowed)
  if (!Number.isInteger(given) || given < 0 || given >= shards) throw outOfRange('shard', given, allowed)
  return given
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  advise() {
    const open = openOf(this)
    open.check()
    return advise(open)
  },

  predictOptimalShardCount() {
    return optimalShardsBinding(openOf(this).id)
  },

  /** @param {number} shard @param {any} options */
  dump(shard, options = undefined) {
    const open = openOf(this)
    open.check()
    const { slots = DUMPED, from = 0 } = options === undefined ? {} : checkObject('options', options, ['slots', 'from'])
    return dumpBinding(open.id, readShard(open, shard), fromOf('from', from), slotsOf('slots', slots))
  }
})

module.exports = { methods }
