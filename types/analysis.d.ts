// biome-ignore-all lint/suspicious/noExplicitAny: a map without type arguments is a map of any, as Map is

// What a map finds out about its entries and its load when it is asked.

import type { Handle } from './handles.js'

/**
 * How a value is stored: `json` is an object or array as text, `record` an object or array of numbers in fields,
 * `encoded` what the map's codec made. Typed arrays and `Buffer` have their own names.
 */
export type StoredAs =
  | 'undefined'
  | 'null'
  | 'boolean'
  | 'number'
  | 'string'
  | 'bigint'
  | 'json'
  | 'record'
  | 'encoded'
  | (string & {})

/** The result of {@link TypedMap.explain}: one entry at one moment, as plain JSON. */
export interface Explanation {
  /** Number of the shard that holds the entry. */
  shard: number
  /** Number of its slot in the shard. */
  slot: number
  /** How often the slot was reused. Shard, slot and generation are those of the entry's handle. */
  generation: number
  /** Changes with each change of the value; modulo 2^32. */
  version: number
  /** Words of the index that a look for the key reads, 1 at best; `null` for an entry without a key. */
  probeLength: number | null
  /** True while the shard's index moves to a larger or smaller table, which makes probes longer. */
  isMigrating: boolean
  /** Name of the entry's type, `null` for none. */
  type: string | null
  /** How the value is stored. */
  storedAs: StoredAs
  /** Bytes of the key, 0 for an entry without a key. */
  keyBytes: number
  /** Bytes of the value as it is stored. */
  valueBytes: number
  /** Bytes that the entry costs: what `memoryUsage(key)` returns. */
  weightBytes: number
  /** Milliseconds until the entry expires, `null` if it never does. */
  expiresInMs: number | null
  /** Milliseconds to live that it was written with, `null` for none. */
  ttlMs: number | null
  /** True if the near cache of this thread holds a copy that is up to date, under the key as it was given. */
  isNear: boolean
  /** How the entry stands if room is needed. */
  eviction: {
    /** Name of the eviction strategy, `null` if the map evicts nothing by itself. */
    policy: string | null
    /** The queue that the entry is in, of `w-tinylfu` (`window`, `main`) and `s3-fifo` (`small`, `main`). */
    queue: string | null
    /**
     * Hits that count for the entry: its frequency for `lfu`; the hits since the strategy last looked and the second
     * chances left for the strategies with queues; 0 or 1 for `sieve` and for idle entries. `null` where uses are not
     * counted (`lru`, `fifo`, `ttl`). Hits of near caches are included where the strategy learns of them.
     */
    uses: number | null
    /** How often the key was seen lately, 15 at most: an estimate that `w-tinylfu` makes. `null` elsewhere. */
    frequency: number | null
    /**
     * True if the next eviction of this shard would take this entry, as things stand: an expired entry first, then the
     * choice of the strategy. Exact for one thread, except that `w-tinylfu` may decide otherwise in one case in a
     * hundred. A function of yours is not asked what it would choose: where one makes room, this is true of an expired
     * entry alone.
     */
    isNext: boolean
  }
}

/** Options of {@link TypedMap.getMemoryDistribution}. */
export interface DistributionOptions {
  /**
   * Ends the prefix of a key that is a string; at most 16 characters, `':'` by default. A prefix has at most 256 bytes.
   * With `''`, prefixes are not told apart.
   */
  separator?: string | undefined
  /** How many prefixes and how many types to return, those with the most bytes: 0 to 500, 50 by default. */
  prefixes?: number | undefined
  /** How many of the largest entries to return: 0 to 100, 10 by default. */
  largest?: number | undefined
  /** Ends the count; the promise is rejected with its reason. */
  signal?: AbortSignal | undefined
}

/** Entries that have something in common. */
export interface EntryBytes {
  /** How many entries. */
  entries: number
  /** Bytes that they cost: those of the keys, of the values, and of what is beside them. */
  bytes: number
  /** Bytes of their keys. */
  keyBytes: number
  /** Bytes of their values, as they are stored. */
  valueBytes: number
  /** Bytes of their headers and of rounding. */
  overheadBytes: number
}

/** The result of {@link TypedMap.getMemoryDistribution}. */
export interface MemoryDistribution<K = any, V = any> extends EntryBytes {
  /** Bytes of the whole map: the entries, and the index, slots, free blocks and what else it keeps. */
  totalBytes: number
  /** Entries by what they cost, by powers of two, the smallest first; sizes without entries are left out. */
  sizes: (EntryBytes & {
    /** The largest size of these entries; the smallest is one more than half of it. */
    upToBytes: number
  })[]
  /** Entries by how their values are stored, those with the most bytes first. */
  kinds: (EntryBytes & {
    /** How the values are stored. */
    storedAs: StoredAs
  })[]
  /** Entries by type, those with the most bytes first. */
  types: (EntryBytes & {
    /** Name of the type, `null` for none. */
    type: string | null
  })[]
  /** Entries by prefix of the key, those with the most bytes first. */
  prefixes: (EntryBytes & {
    /**
     * The beginning of the keys, with the separator; `null` for keys without one, with a longer one than a prefix may
     * have, with lone surrogates, and for keys that are no strings.
     */
    prefix: string | null
  })[]
  /**
   * By how much the bytes of a prefix or a type may be too few, because there were more than are told apart (2,048): 0
   * if there were not. At most a thousandth of `bytes`.
   */
  errorBytes: number
  /** The largest entries, largest first, those that are still there. */
  largest: {
    /** The key, `undefined` for an entry without one. */
    key: K | undefined
    /** The handle, which is plain data for JSON. */
    handle: Handle<V>
    /** How the value is stored. */
    storedAs: StoredAs
    /** Bytes that the entry costs. */
    bytes: number
  }[]
}

/** A key that is read often, see {@link TypedMap.getHotKeys}. */
export interface HotKey<K = any, V = any> {
  /** The key, `undefined` for an entry without one. */
  key: K | undefined
  /** The handle, which is plain data for JSON. */
  handle: Handle<V>
  /** Reads that found the entry, estimated. */
  hits: number
  /** By how much `hits` may be wrong, in 95 of 100 cases. */
  errorHits: number
}

/** One thing that could be better about a map, see {@link TypedMap.advise}. */
export interface Advice {
  /**
   * What it is about:
   *
   * * `REFUSED_WRITES`: a limit refused writes
   * * `HASH_FLOODING`: keys share hashes, so that looks for them are long or one shard has most of them
   * * `LIMIT_TOO_SMALL_FOR_SHARDS`: shards are full while others have room
   * * `CONTENDED_SHARDS`: writers wait for each other
   * * `MANY_NEVER_READ`: half of the entries or more were not read since the eviction strategy last looked
   * * `TTL_WITHOUT_EFFECT`: entries are evicted long before they expire
   * * `NEAR_CACHE_TOO_SMALL`: the near cache of this thread is full, and answers less than half of the hits
   * * `HIT_RATIO_BY_MEMORY`: in a map with `ghostCache: true` and a limit, from 1,000 sampled reads on, how often
   *   reads hit (`hitPercent`) and would hit with half and with twice the memory (`halfHitPercent`,
   *   `twiceHitPercent`). By how many points that may be wrong in 95 of 100 cases is `halfErrorPercent` and
   *   `twiceErrorPercent`; above 20 nothing is said
   */
  code:
    | 'REFUSED_WRITES'
    | 'HASH_FLOODING'
    | 'LIMIT_TOO_SMALL_FOR_SHARDS'
    | 'CONTENDED_SHARDS'
    | 'MANY_NEVER_READ'
    | 'TTL_WITHOUT_EFFECT'
    | 'NEAR_CACHE_TOO_SMALL'
    | 'HIT_RATIO_BY_MEMORY'
  /** What was seen and what to do, for people. */
  sentence: string
  /** The figures that it rests on, with units in their names. */
  figures: Record<string, number | string | null>
}
