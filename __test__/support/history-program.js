'use strict'

// What histories are made of: the operations, how often each comes, and the maps they run on.

/**
 * Keys of a round. Few, so that threads meet. The last one is that of a counter, which is written by steps alone, and
 * the one before is loaded where it is missing.
 */
const KEYS = 5
const COUNTER = KEYS - 1
const LOADED = KEYS - 2
const keyOf = key => (key === 0 ? 0 : `key-${key}`)

/** Characters of the longest values: too many for a page of small entries. */
const LONGEST = 5_000

/** Numbers that threads share: the clock, how many came to each meeting, and whether the only writer is done. */
const CONTROL = Object.freeze({ CLOCK: 0, STARTED: 1, ENDED: 2, WRITTEN: 3 })
const CONTROL_LENGTH = 4

/** Numbers that are written down of an operation: kind, key, result, value, tenant, start, end. */
const ROW = 7

/** What an operation was. A `RESULT` is the value's number, 0 for none; where only presence is asked for, 1 or 0. */
const KIND = Object.freeze({
  /** Wrote VALUE by key; the entry is TENANT from here on. */
  WRITE: 1,
  /** Wrote VALUE by the handle of TENANT. RESULT is 0 if that was removed. */
  REPLACE: 2,
  /** Read by key. */
  READ: 3,
  /** Read by key in the store. */
  READ_NATIVE: 4,
  /** Read by the handle of TENANT. */
  READ_HANDLE: 5,
  READ_HANDLE_NATIVE: 6,
  HAS: 7,
  HAS_HANDLE: 8,
  /** Asked for the handle: TENANT, if RESULT is 1. */
  FIND: 9,
  DELETE: 10,
  DELETE_HANDLE: 11,
  /** Deleted and read at once. */
  REMOVE: 12,
  TOUCH: 13,
  CLEAR: 14,
  DESTROY: 15,
  /** Refused, because the map was destroyed. */
  CLOSED: 16,
  /** Added VALUE to a counter, which is RESULT from here on. */
  INCREMENT: 17,
  /** The same by a function. */
  UPDATE: 18,
  /** Wrote VALUE by key; the handle is not known. */
  PUT: 19,
  /** Loaded VALUE by its own loader, which began after TENANT. It was stored, or not: the map does not say. */
  LOAD: 20,
  /** Got RESULT, which was there or which another call has loaded meanwhile. */
  GOT: 21,
  /** Found RESULT where the write of VALUE expected another value. With TENANT, by its handle. */
  DIFFERS: 22,
  /** Found RESULT, as expected, and wrote VALUE. */
  SWAP: 23,
  /**
   * Part of a transaction, whose rows have the same start and end: read RESULT, or NOT_READ, and wrote VALUE, or 0, or
   * DELETED.
   */
  TRANSACTION: 24,
  /** Deleted by a prefix that is the key: RESULT entries, one after the other. */
  DELETE_PREFIX: 25,
  /** Deleted by a query for the key and VALUE: RESULT entries. */
  DELETE_WHERE: 26,
  /** Deleted by a prefix of all keys that are texts. */
  DELETE_TEXTS: 27,
  /** By a prefix, refused because the map was destroyed: before that it has deleted, or not. */
  DELETE_CLOSED: 28
})

/** In place of what a transaction has read, and of what it has written. */
const NOT_READ = -2
const DELETED = -1

/** The near caches of the threads of a round, in turn. */
const NEAR_CACHES = [{}, { maxEntries: 2 }, { maxEntries: 1 }, {}]

const READS = {
  readNear: 10,
  readNative: 5,
  readHandle: 10,
  readItself: 8,
  readHandleNative: 3,
  has: 4,
  hasHandle: 3,
  peek: 3,
  getMany: 2
}
const SWAPS = { compareAndSet: 4, compareAndSetHandle: 2 }
const NO_SWAPS = { compareAndSet: 0, compareAndSetHandle: 0 }
const WRITES = { write: 8, replace: 4, ...SWAPS, remove: 2, delete: 3, deleteHandle: 1, find: 3 }
const ALL = { ...READS, ...WRITES, transaction: 4 }
/** Jobs of other threads, which take a hundred times what the others take. */
const QUERIES = { deletePrefix: 2, deleteWhere: 3, deleteTexts: 1 }

/**
 * The maps. `vanish`: entries may be evicted or expire at any time.
 *
 * @type {{ name: string, options: any, weights: Record<string, number>, vanish?: boolean, destroys?: boolean,
 * operations?: number, longest?: number }[]}
 */
const PROFILES = [
  { name: 'plain', options: { shards: 1 }, weights: ALL },
  {
    name: 'few writes',
    options: {},
    weights: { ...READS, readNear: 30, readHandle: 20, readItself: 20, write: 2, replace: 2, find: 2 }
  },
  { name: 'clear', options: { shards: 1 }, weights: { ...ALL, clear: 1 } },
  { name: 'clear, several shards', options: { shards: 4 }, weights: { ...ALL, clear: 2, churn: 4 } },
  {
    name: 'destroy',
    options: { shards: 1 },
    weights: { ...ALL, deletePrefix: 1 },
    destroys: true,
    operations: 200,
    longest: 60_000
  },
  { name: 'growth', options: { shards: 1 }, weights: { ...ALL, churn: 20, shrink: 1 } },
  { name: 'queries', options: { shards: 4 }, weights: { ...ALL, ...QUERIES, churn: 4 }, operations: 1_000 },
  { name: 'codec', options: { shards: 1, codec: 'v8' }, weights: { ...ALL, ...NO_SWAPS, remove: 6 } },
  {
    name: 'eviction',
    options: { shards: 1, maxEntries: KEYS - 1, evictionStrategy: 'sieve' },
    weights: { ...ALL, ...QUERIES, evict: 2, churn: 4 },
    vanish: true,
    operations: 1_000
  },
  {
    name: 'byte limit',
    options: { shards: 1, memoryLimit: '256kb', evictionStrategy: 'lru' },
    weights: { ...ALL, evict: 1, churn: 40 },
    vanish: true
  },
  {
    name: 'expiry',
    options: { shards: 1, ttl: 2 },
    weights: { ...ALL, touch: 4, purge: 1, writeForever: 4 },
    vanish: true
  },
  {
    name: 'strict expiry',
    options: { shards: 1, strictTtl: true },
    weights: { ...ALL, touch: 6, purge: 1, writeBrief: 3 },
    vanish: true
  },
  {
    name: 'sliding expiry',
    options: { shards: 1, sliding: true },
    weights: { ...ALL, touch: 6, purge: 1, writeBrief: 3 },
    vanish: true
  }
]

/** The operations of a profile, each as often as it weighs. */
function drawsOf({ weights }) {
  return Object.entries(weights).flatMap(([operation, weight]) => new Array(weight).fill(operation))
}

module.exports = {
  CONTROL,
  CONTROL_LENGTH,
  COUNTER,
  DELETED,
  KEYS,
  KIND,
  LOADED,
  LONGEST,
  NEAR_CACHES,
  NOT_READ,
  PROFILES,
  ROW,
  drawsOf,
  keyOf
}
