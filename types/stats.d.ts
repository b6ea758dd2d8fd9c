// What a map reports when it is asked.

import type { ErrorCode } from './errors.js'
import type { TypedMap } from './map.js'

/** Options of {@link TypedMap.getStats}. */
export interface StatsOptions {
  /** Whether to add `eachShard`: the same for each shard, to see whether they are alike. */
  shards?: boolean
  /** Earlier statistics of this map: `rates` then says what came since. */
  since?: TypedMapStats
}

/**
 * Statistics of a map, over all threads that have it open or had, except for `nearCache` and `shapes.texts`. Counts are
 * those since the map was made or {@link TypedMap.resetStats} was called, and exact up to 2^53.
 *
 * Near-cache hits of another thread come a little later: a second at most where its event loop turns, and 4,096 hits of
 * each object at most where it does not. A thread that is terminated loses no more than that, nor does an object that
 * is garbage-collected without having been closed. A thread that ends otherwise loses none, unless its program listens
 * for `exit` as often as Node.js allows without a warning (`process.getMaxListeners()`).
 */
export interface TypedMapStats {
  /** Entries in the map. */
  entries: number
  /** Those of them that have no key: only their handles lead to them. */
  handles: number
  /** Reads that found an entry, near-cache hits included. */
  hits: number
  /** Reads that the near cache answered, without a native call. */
  nearHits: number
  /** The other hits: `hits` less `nearHits`. */
  nativeHits: number
  /** Reads that found none. */
  misses: number
  /** Writes of a value: `inserts` and `updates`. */
  sets: number
  /** `hits` in per cent of all reads, to two digits; 0 before the first. */
  cacheHitRate: number
  /** Entries that were inserted. */
  inserts: number
  /** Values that were replaced. */
  updates: number
  /** Entries that were deleted, one by one or by a query. */
  deletes: number
  /** Calls of `clear`. */
  clears: number
  /** Entries that were evicted for lack of room. */
  evictions: number
  /** Entries that were removed because their deadline had passed. */
  expirations: number
  /** Entries and values that left, by the cause, as {@link TypedMap.onEvict} has it. */
  removals: {
    /** Entries that were deleted. */
    explicit: number
    /** Values that were replaced; their entries stayed. */
    replaced: number
    /** Entries that were evicted: `evictions`. */
    evicted: number
    /** Entries whose deadline had passed: `expirations`. */
    expired: number
    /** Entries that `clear` removed. */
    cleared: number
  }
  /** What waits for listeners of {@link TypedMap.onChange}, in all threads. */
  changes: {
    /** Listeners. */
    listeners: number
    /** Changes that wait for any of them. */
    waiting: number
    /** Bytes that these take, beside the memory of the map. */
    waitingBytes: number
    /** Changes that found no room; each listener was told how many it missed. */
    dropped: number
  }
  /** Loads of {@link TypedMap.getOrLoad} and the like, by all threads. */
  loads: {
    /** Loads that brought a value. */
    count: number
    /** Loads that failed. */
    failures: number
    /** Calls that waited for a load that another one had begun, in another thread or in theirs. */
    shared: number
    /** Milliseconds that loads took, all together. */
    timeMs: number
    /** Milliseconds that one took on average. */
    meanMs: number
    /** Loads under way now. */
    underWay: number
  }
  /** Transactions of all threads. */
  transactions: {
    /** Those that were committed. */
    commits: number
    /** Those that failed because others had changed what they read. One that is tried again counts each time. */
    conflicts: number
    /** Those that their program gave up. */
    rollbacks: number
  }
  /** Batches of entries that iterators fetched. */
  iterations: number
  /** Writes that a limit refused. */
  refusals: number
  /** All operations together: reads, writes, deletions, calls of `clear`, batches of iterators and refusals. */
  operations: number
  /** Entries that have a deadline. */
  deadlines: number
  /**
   * Values of expired entries that are kept for `getOrLoad` (option `staleFor`). They count for `maxEntries` and in
   * `memory.expiry`, and are in none of the other numbers.
   */
  stale: number
  /**
   * `operations` per second since the last call of `getStats` on this object; the first time, since the map was made.
   */
  opsPerSecond: number
  /** `memory.total` in units of 1024² bytes, to two digits. */
  memoryMb: number
  /** `memory.total`. */
  memoryBytes: number
  /** Bytes by use. */
  memory: MemoryStats
  /** Shapes of values. */
  shapes: ShapeStats
  /** The limits that hold now, `null` for none. */
  limits: {
    /** Bytes of the whole map. */
    memoryLimit: number | null
    /** Entries. */
    maxEntries: number | null
    /** Bytes of one value. */
    maxValueBytes: number | null
  }
  /** How long operations take; `null` without the option `latency`. */
  latency: LatencyStats | null
  /** How often something took too long. */
  slow: SlowStats
  /** How threads wait for each other. */
  locks: LockStats
  /** Errors. */
  errors: ErrorStats
  /** What became of the map when it broke. */
  recovery: RecoveryStats
  /** The near cache of this object in this thread. */
  nearCache: NearCacheStats
  /** Places in all index tables. */
  capacity: number
  /** Entries by key over `capacity`, 0 to 1. */
  loadFactor: number
  /** The index. */
  index: IndexStats
  /** Number of shards. */
  shards: number
  /** Vector instructions. */
  simd: {
    /** The option `enableSIMD`. */
    enabled: boolean
    /** Those in use: `none` where they are off or of no use. */
    level: 'sse2' | 'none'
  }
  /** Number of open references to the map; one thread may have several. */
  threads: number
  /** Calls of {@link TypedMap.resetStats}, in any thread. */
  resets: number
  /** Milliseconds since the last of them, or since the map was made: what counts are of. */
  countedMs: number
  /** Milliseconds since the map was made. */
  uptimeMs: number
}

/** What `TypedMap.names({ details: true })` says of a map. */
export interface NamedMap {
  /** Its name. */
  name: string
  /** Entries. */
  size: number
  /** Bytes that it holds, everything counted. */
  memoryBytes: number
  /** Bytes that it may hold, `null` for no limit. */
  memoryLimit: number | null
  /** Reads that found an entry. */
  hits: number
  /** Reads that found none. */
  misses: number
  /** `hits` in per cent of all reads, to two digits; 0 before the first. */
  cacheHitRate: number
  /** Number of open references to it, in all threads. */
  threads: number
  /** Milliseconds since it was made. */
  uptimeMs: number
  /** Whether it is broken, and refuses further use. */
  isBroken: boolean
}

/** How far the lookups of keys go, and how the index grew. */
export interface IndexStats {
  /** Places that a lookup looks at on average to find a key, 1 at best. From a sample, as the next three. */
  meanProbe: number
  /** Places that the longest lookup looks at. Tens are usual; hundreds say that keys were chosen by their hash. */
  longestProbe: number
  /** Keys of the sample, at most 16,384. The next call samples others; of a small map it has all. */
  probesSampled: number
  /** Keys that are not in their own place because another one is: estimated from the sample. */
  collisions: number
  /** Tables that were replaced by larger ones, one for each shard at a time. */
  growths: number
  /** Tables that were replaced by smaller ones. */
  shrinks: number
  /** Shards whose keys are being moved to another table, some with each write. */
  migratingShards: number
  /** How much of these tables was moved, 0 to 1; 1 if there are none. */
  migrationProgress: number
}

/** What came between two statistics. If counts were reset in between, what came since then. */
export interface StatsRates {
  /** Milliseconds between them. */
  timeMs: number
  /** Hits in per cent of the reads in that time, to two digits. */
  cacheHitRate: number
  /** Counts in a second, to two digits. */
  perSecond: Record<
    | 'hits'
    | 'nearHits'
    | 'nativeHits'
    | 'misses'
    | 'sets'
    | 'inserts'
    | 'updates'
    | 'deletes'
    | 'evictions'
    | 'expirations'
    | 'refusals'
    | 'operations'
    | 'loads'
    | 'loadFailures'
    | 'commits'
    | 'conflicts'
    | 'allocations'
    | 'frees',
    number
  >
}

/** Statistics of each shard: for each figure a list, in which each shard has the place of its number. */
export interface EachShardStats {
  /** Entries. */
  entries: number[]
  /** Entries without a key. */
  handles: number[]
  /** Entries that have a deadline. */
  deadlines: number[]
  /** Values of expired entries that are kept for loads. */
  stale: number[]
  /** Bytes. */
  memory: Record<'live' | 'keys' | 'values' | 'retired', number[]>
  /** Entries that were removed, by the cause. */
  removals: Record<'explicit' | 'replaced' | 'evicted' | 'expired' | 'cleared', number[]>
  /** Loads of `getOrLoad`. */
  loads: Record<'count' | 'failures' | 'shared' | 'underWay', number[]>
  /** The shard's lock; times in nanoseconds. */
  locks: Record<'acquisitions' | 'waits' | 'waitNs', number[]>
  /** Places in the index table. */
  capacity: number[]
  /** Entries by key over `capacity`, 0 to 1. */
  loadFactor: number[]
  /** How far lookups go, and how the table grew. */
  index: Record<'meanProbe' | 'longestProbe' | 'collisions' | 'growths' | 'shrinks' | 'migrationProgress', number[]>
}

/**
 * How long operations take in all threads, those that ended included: native calls from their beginning to their end,
 * near hits as a whole. Not every call is timed (`sampling`): a call that is counts for those since the last one that
 * was.
 *
 * Near hits of `handle.get()` are left out where hits are marked for an eviction policy. Reading the clock takes longer
 * than a near hit; what that takes at least is taken off.
 */
export interface LatencyStats {
  /** Reads of a value: `get`, `getByHandle`, `handle.get()`, the `get` of views, native calls and near hits. */
  get: OperationLatency
  /** `set`, `replace`, `insertWithHandle`, `getOrInsert`, the `set` of views. */
  set: OperationLatency
  /** `insert`. */
  insert: OperationLatency
  /** `delete`, `remove`, the `delete` of views. */
  delete: OperationLatency
  /** Loaders of `getOrLoad` and `getManyOrLoad`, from their call until the value is stored: each of them. */
  load: OperationLatency
  /** How many calls there are for each that is timed, on average, over which that is drawn. */
  sampling: {
    /** Native calls. */
    native: number
    /** Near hits. */
    near: number
    /** Loaders: each of them is timed. */
    load: number
  }
}

/** How long the calls of an operation took. Percentiles are off by at most 1.6 %. */
export interface OperationLatency {
  /**
   * Calls, less those of each thread since the last one that was timed: at most 30 native calls, and of near hits 8,190
   * by the methods of a map and as many by `handle.get()`.
   */
  count: number
  /** Nanoseconds on average. */
  meanNs: number
  /** Nanoseconds that half of the calls took at most. */
  p50Ns: number
  /** Nanoseconds that 99 % of the calls took at most. */
  p99Ns: number
  /** Nanoseconds that 99.9 % of the calls took at most. */
  p999Ns: number
  /** Nanoseconds of the longest call that was timed. */
  maxNs: number
}

/**
 * How often something took longer than it should, in all threads. Operations are counted where each call is timed: in a
 * map with `timeTargets`, and while something listens to `typedmap.performance`.
 */
export interface SlowStats {
  /** Reads above their target. */
  get: number
  /** Writes above their target. */
  set: number
  /** Insertions above their target. */
  insert: number
  /** Deletions above their target. */
  delete: number
  /** Loaders above their target. */
  load: number
  /** Writes that waited for a tenth of a millisecond or more for another thread in their shard. */
  contended: number
  /** Entries that were put 1,024 places or more from their own in the index: many keys have the same hash. */
  longProbes: number
  /**
   * Times that a shard had several times its share of the writes. A shard looks at it once in 65,536 writes of its own.
   */
  skewed: number
}

/**
 * The locks of a map's shards: each write takes that of its shard, a read takes none. Counting costs a write one
 * instruction, and a clock is read only where a lock was not free. What `getStats`, `advise` and
 * `randomEntry` take for a look is not counted.
 */
export interface LockStats {
  /** Times that a lock was taken. */
  acquisitions: number
  /** Those of them that had to wait, because another thread held the lock. */
  waits: number
  /** Nanoseconds of all waits. */
  waitNs: number
  /** Nanoseconds of a wait on average, 0 if there was none. */
  meanWaitNs: number
  /** Nanoseconds of the longest of them. */
  longestWaitNs: number
  /** Threads that wait at this moment. */
  waiting: number
  /** `waits` over `acquisitions`, 0 to 1. Much above 0.01, more `shards` would help. */
  contentionRatio: number
}

/**
 * Errors of the map, of all threads: those that calls threw or were rejected with, each once, whatever refused them,
 * and those that no call throws. Calls of a map that was closed are among them while another `open` of it is there, if
 * it is one of the 64 that the thread closed last. Not counted: options of a map that is not made, and conflicts after
 * which a callback was called again.
 */
export interface ErrorStats {
  /** All of them. */
  total: number
  /** By their codes; only those that there were. */
  byCode: Partial<Record<ErrorCode, number>>
  /** Those of them that the allocator caused: `ERR_OUT_OF_MEMORY`. */
  allocationFailures: number
  /** Times that the map broke (`ERR_BROKEN`), and problems that calls of `validate` have found. */
  corruptionDetections: number
}

/** Attempts to recover a broken map, and what came of its entries in all of them. See {@link TypedMap.recover}. */
export interface RecoveryStats extends Omit<Recovery, 'timeMs'> {
  /** Attempts that have ended. */
  attempts: number
  /** Those of them that the map began by itself, because of the option `autoRecovery`. */
  automatic: number
  /** Those that failed. */
  failures: number
  /** The last attempt; `null` if there was none. */
  last: {
    /** When it ended, in milliseconds since the map was made. */
    atMs: number
    /** What it took, in milliseconds. */
    timeMs: number
    /** `'recovered'`, or the code of the error. */
    outcome: 'recovered' | ErrorCode
  } | null
}

/** The result of {@link TypedMap.recover}. */
export interface Recovery {
  /** Entries that go on. */
  recovered: number
  /** Entries that were damaged. */
  dropped: number
  /** Entries whose deadline had passed. */
  expired: number
  /** Bytes that stay with the process until it ends, because it is not certain what they hold. */
  leakedBytes: number
  /** What it took, in milliseconds. */
  timeMs: number
}

/** The memory of a map, in bytes. The parts from `entries` to `fixed` add up to `total`. */
export interface MemoryStats {
  /** Blocks for keys and values. */
  entries: number
  /** The part of `entries` that live entries fill. */
  live: number
  /** The part of `entries` that is neither live nor retired, from 0 to 1: room that later entries will fill. */
  fragmentation: number
  /** The part of `entries` that is freed as soon as no reader can see it. */
  retired: number
  /** The part of `live` that keys fill, as they are stored. */
  keys: number
  /** The part of `live` that values fill, as they are stored. */
  values: number
  /** What of `total` is neither keys nor values. */
  overhead: number
  /** The most that `total` was since the map was made or its counts were reset. */
  peak: number
  /** Blocks for entries that were handed out: one for each write of a value, and for each that is moved. */
  allocations: number
  /** Blocks that came back. */
  frees: number
  /** Index tables. */
  index: number
  /** Slots. */
  slab: number
  /** Version words. */
  words: number
  /** Insertion order. */
  order: number
  /** Bookkeeping of the eviction policy. */
  policy: number
  /** Deadlines. */
  expiry: number
  /** Names of types, and which entries have them. */
  types: number
  /** Shapes of values, and what counts their entries. */
  shapes: number
  /** The map itself. */
  fixed: number
  /** Everything. Above `limit` only after that was lowered, until writes have made up for it. */
  total: number
  /** The limit, `null` for none. */
  limit: number | null
}

/**
 * Shapes of a map: the names of the properties of an object, kept once for all values that have them. Values are stored
 * as their shape and their fields; others as JSON text.
 */
export interface ShapeStats {
  /** Known shapes, at most 4,095. Those without entries stay until others need their place. */
  count: number
  /** Bytes that they take, at most about a megabyte, and what counts their entries. Also `memory.shapes`. */
  bytes: number
  /** Values that are stored with a shape. */
  values: number
  /** Objects that this `TypedMap` has written as JSON text instead, by the reason. */
  texts: {
    /** The first of their kind: a shape is made for the second. */
    first: number
    /** Names that hardly ever come back, such as those of a dictionary. */
    names: number
    /** The table of shapes was full. */
    refused: number
    /** More than 64 KB. */
    large: number
    /** Arrays that are not of numbers alone, and values whose `toJSON` returned no object. */
    other: number
  }
}

/** The near cache of one `TypedMap` object in this thread. */
export interface NearCacheStats {
  /** Values in it. */
  entries: number
  /** Bytes of the heap that they take with keys and handles, estimated. */
  bytes: number
  /** The limit of `entries`, 0 if the near cache is off. */
  maxEntries: number
  /** The limit of `bytes`. */
  maxBytes: number
  /** Reads that it answered. */
  hits: number
  /** Copies that were evicted for others. */
  evictions: number
  /** Copies that were dropped because their entries had changed or were gone. */
  outdated: number
}

/** The memory of all maps of the process. */
export interface ProcessMemory {
  /** What {@link TypedMap.setProcessLimit} has set, in bytes; `null` for no limit. */
  limitBytes: number | null
  /**
   * Bytes that all maps use together. A map that was closed or destroyed is freed in the background, and some 4 KB of
   * it when the garbage collector of each thread has found that nothing reads them any more.
   */
  usedBytes: number
  /** How many maps that are, of all threads, with those that are not freed yet. */
  maps: number
}

/** The result of {@link TypedMap.validate}. */
export interface Validation {
  /** True if there are no problems. */
  ok: boolean
  /** Contradictions, at most 100. */
  problems: {
    /** The shard; `null` for the map as a whole. */
    shard: number | null
    /** The slot of the entry; `null` for more than one. */
    slot: number | null
    /** The contradiction, for a bug report. */
    what: string
  }[]
}

/** What `getStats({ shards: true })` adds. */
export interface WithShards {
  /** The figures of each shard. */
  eachShard: EachShardStats
}

/** What `getStats({ since })` adds. */
export interface WithRates {
  /** What happened in between. */
  rates: StatsRates
}
